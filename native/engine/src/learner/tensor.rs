//! The learner on libtorch.
