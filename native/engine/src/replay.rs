//! Transitions: the ring they are stored in and the minibatches drawn from it.

pub mod batch;
pub mod buffer;
