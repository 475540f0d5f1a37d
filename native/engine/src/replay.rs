//! Transitions: the ring they are stored in, the minibatches drawn from it, and its rows on disk.

pub mod batch;
pub mod buffer;
pub mod rows;
pub mod segment;
