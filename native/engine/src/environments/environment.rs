//! The contract of every task. Raw action units, float64, no wrapper: exactly Gymnasium's numbers.

use super::spec::Spec;
use crate::error::Result;
use crate::ledger::Ledger;
use crate::random::Stream;

/// What one step yields beside the observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// r, unscaled.
    pub reward: f64,
    /// The task's own rule ended the episode.
    pub terminated: bool,
    /// The time limit ended it; both may be true.
    pub truncated: bool,
}

/// A task that can be stepped. Stepping after an end goes on; resetting is the caller's choice.
pub trait Environment: Send {
    /// Sizes, bounds and times.
    fn spec(&self) -> &Spec;

    /// Starts an episode with the task's own reset noise, drawn from `stream`; fills `observation` `[O]`.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`.
    fn reset(&mut self, stream: &mut Stream, observation: &mut [f64]) -> Result<()>;

    /// Starts an episode from this state: simulator reset, positions and velocities written, derived quantities
    /// computed, step counter 0; fills `observation` `[O]`.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NOT_FINITE`.
    fn set_state(&mut self, qpos: &[f64], qvel: &[f64], observation: &mut [f64]) -> Result<()>;

    /// Applies the raw `action` `[A]` for one environment step; fills `observation` `[O]`.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NOT_FINITE`; `SIM_UNSTABLE` (variant `Unstable`) when the simulator diverged: the
    /// observation is then meaningless and only a reset continues.
    fn step(&mut self, action: &[f64], observation: &mut [f64]) -> Result<Outcome>;

    /// Numbers about the latest step, one per name in [`Spec::info`].
    fn info(&self) -> &[f64];

    /// Generalised positions.
    fn qpos(&self) -> &[f64];

    /// Generalised velocities.
    fn qvel(&self) -> &[f64];

    /// Replaces the time limit of [`Spec::max_episode_steps`].
    fn set_max_episode_steps(&mut self, steps: u64);

    /// All that the next steps depend on; numbers about the latest step are not among it.
    ///
    /// # Errors
    /// Those of the ledger.
    fn state(&mut self, ledger: &mut Ledger) -> Result<()>;
}
