//! The three function approximators and their names: Q_w, V_φ and the policy π_θ, multilayer perceptrons.

mod affine;
pub mod initialise;
pub mod layout;
pub mod mlp;
pub mod policy;
