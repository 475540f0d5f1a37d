//! The learner that is fast on a CPU.
