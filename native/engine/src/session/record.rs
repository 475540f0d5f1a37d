//! What collecting leaves: transitions in the replay buffer, and the episodes they belong to.

use super::SessionConfig;
use crate::environments::environment::Outcome;
use crate::error::{EngineError, Result};
use crate::ledger::Ledger;
use crate::replay::buffer::{ReplayBuffer, Transition};

/// A training episode that ended by the task's rule or its time limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episode {
    /// Environment steps of the session at its end.
    pub step: u64,
    /// Undiscounted, unscaled return.
    pub episode_return: f64,
    /// Environment steps.
    pub length: u64,
}

/// The episode that runs in one environment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Running {
    episode_return: f64,
    /// Environment steps so far.
    pub length: u64,
}

impl Running {
    /// How far it is.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.value("episodeReturn", &mut self.episode_return)?;
        ledger.value("length", &mut self.length)
    }
}

/// The replay buffer, and how transitions come into it.
pub struct Recorder {
    replay: ReplayBuffer,
    reward_scale: f64,
    discount: f32,
}

impl Recorder {
    /// Nothing stored yet.
    pub fn new(config: &SessionConfig) -> Self {
        let sizes = &config.learner.sizes;
        Self {
            replay: ReplayBuffer::new(sizes.observation, sizes.action, config.replay_capacity),
            reward_scale: config.reward_scale,
            discount: config.learner.discount,
        }
    }

    /// What was stored.
    pub const fn replay(&self) -> &ReplayBuffer {
        &self.replay
    }

    /// As [`Self::replay`], for a session that is taken up.
    pub const fn replay_mut(&mut self) -> &mut ReplayBuffer {
        &mut self.replay
    }

    /// A reward as it is stored; `step` is for the message.
    ///
    /// # Errors
    /// `REWARD_NOT_FINITE` where it overflows float32.
    pub fn scaled(&self, step: u64, reward: f64) -> Result<f32> {
        let scale = self.reward_scale;
        let stored = (scale * reward) as f32;
        if stored.is_finite() { Ok(stored) } else { Err(EngineError::RewardTooLarge { step, reward, scale }) }
    }

    /// Stores a transition of the running episode; the episode, if it ended, at session step `step`.
    ///
    /// # Errors
    /// `REWARD_NOT_FINITE` of what overflows float32, before anything is stored; `LENGTH_MISMATCH`, `OUT_OF_MEMORY`.
    pub fn store(
        &mut self,
        step: u64,
        (observation, action, next_observation): (&[f32], &[f32], &[f32]),
        outcome: Outcome,
        running: &mut Running,
    ) -> Result<Option<Episode>> {
        let reward = self.scaled(step, outcome.reward)?;
        self.replay.push(&Transition {
            observation,
            action,
            reward,
            next_observation,
            // a time limit is not a termination: its value goes on
            discount: if outcome.terminated { 0.0 } else { self.discount },
        })?;
        running.episode_return += outcome.reward;
        running.length += 1;
        Ok((outcome.terminated || outcome.truncated).then_some(Episode {
            step,
            episode_return: running.episode_return,
            length: running.length,
        }))
    }
}
