//! Tasks: what an environment is, and the MuJoCo ones.

pub mod action;
pub mod environment;
pub mod mujoco;
pub mod spec;
pub mod vector;
