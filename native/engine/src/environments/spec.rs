//! What is known of a task without loading its model.

/// Sizes, bounds and times of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Public id, such as `HalfCheetah-v5`.
    pub id: String,
    /// O, values of an observation.
    pub observation_size: usize,
    /// A, values of an action.
    pub action_size: usize,
    /// Smallest value per action dimension, raw units, `[A]`.
    pub action_low: Vec<f64>,
    /// Largest value per action dimension, raw units, `[A]`.
    pub action_high: Vec<f64>,
    /// Seconds of one physics step.
    pub timestep: f64,
    /// Physics steps of one environment step.
    pub frame_skip: usize,
    /// Environment steps after which an episode is truncated.
    pub max_episode_steps: u64,
    /// Names of the numbers in [`super::environment::Environment::info`].
    pub info: Vec<String>,
}
