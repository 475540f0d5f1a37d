//! What collecting leaves: transitions in the replay buffer, and the episodes they belong to.

use super::SessionConfig;
use crate::environments::environment::Outcome;
use crate::error::Result;
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

/// The replay buffer and the running episode.
pub struct Recorder {
    replay: ReplayBuffer,
    reward_scale: f64,
    discount: f32,
    episode_return: f64,
    episode_length: u64,
}

impl Recorder {
    /// Nothing stored yet.
    pub fn new(config: &SessionConfig) -> Self {
        let sizes = &config.learner.sizes;
        Self {
            replay: ReplayBuffer::new(sizes.observation, sizes.action, config.replay_capacity),
            reward_scale: config.reward_scale,
            discount: config.learner.discount,
            episode_return: 0.0,
            episode_length: 0,
        }
    }

    /// What was stored.
    pub const fn replay(&self) -> &ReplayBuffer {
        &self.replay
    }

    /// The running episode begins anew.
    pub const fn begin(&mut self) {
        (self.episode_return, self.episode_length) = (0.0, 0);
    }

    /// Environment steps of the running episode.
    pub const fn length(&self) -> u64 {
        self.episode_length
    }

    /// Stores a transition; the episode, if it ended, at session step `step`.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `OUT_OF_MEMORY`.
    pub fn store(
        &mut self,
        step: u64,
        (observation, action, next_observation): (&[f32], &[f32], &[f32]),
        outcome: Outcome,
    ) -> Result<Option<Episode>> {
        self.replay.push(&Transition {
            observation,
            action,
            reward: (self.reward_scale * outcome.reward) as f32,
            next_observation,
            // a time limit is not a termination: its value goes on
            discount: if outcome.terminated { 0.0 } else { self.discount },
        })?;
        self.episode_return += outcome.reward;
        self.episode_length += 1;
        Ok((outcome.terminated || outcome.truncated).then_some(Episode {
            step,
            episode_return: self.episode_return,
            length: self.episode_length,
        }))
    }
}
