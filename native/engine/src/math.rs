//! The equations on slices, with their gradients by network outputs; generic over f32 and f64.
//!
//! One slice holds one quantity for B samples (or for the A dimensions of one sample): every function works
//! element by element, so that the compiler can turn its loop into vectors.

pub mod adam;
pub mod bellman;
pub mod boltzmann;
pub mod e_step;
pub mod m_step;
pub mod real;
pub mod residual;
pub mod tanh_gaussian;
pub mod target_update;
pub mod temperature;
