//! Collecting: act, step, store.

use crate::environments::action::to_raw_units;
use crate::environments::environment::Environment;
use crate::error::{EngineError, Result, expect_len};
use crate::evaluation::{expect_finite_action, narrow};
use crate::learner::Learner;
use crate::random::{Purpose, Stream};
use crate::replay::buffer::{ReplayBuffer, Transition};

use super::{SessionConfig, expect_stable};

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

/// The behaviour policy at work in its environment, and the transitions it stored.
pub struct Collector {
    config: SessionConfig,
    environment: Box<dyn Environment>,
    replay: ReplayBuffer,
    reset_stream: Stream,
    action_stream: Stream,
    steps: u64,
    unstable: u64,
    episode_return: f64,
    episode_length: u64,
    observation: Vec<f64>,
    input: Vec<f32>,
    next_input: Vec<f32>,
    noise: Vec<f32>,
    action: Vec<f32>,
    raw_action: Vec<f64>,
}

impl Collector {
    /// Resets the environment to its first episode.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH` when the networks' sizes are not the task's.
    pub fn new(config: &SessionConfig, environment: Box<dyn Environment>) -> Result<Self> {
        let (observation, action) = (environment.spec().observation_size, environment.spec().action_size);
        expect_len("observation", config.learner.sizes.observation, observation)?;
        expect_len("action", config.learner.sizes.action, action)?;
        let mut collector = Self {
            environment,
            replay: ReplayBuffer::new(observation, action, config.replay_capacity),
            reset_stream: Stream::new(config.seed, Purpose::Reset, 0),
            action_stream: Stream::new(config.seed, Purpose::Action, 0),
            steps: 0,
            unstable: 0,
            episode_return: 0.0,
            episode_length: 0,
            observation: vec![0.0; observation],
            input: vec![0.0; observation],
            next_input: vec![0.0; observation],
            noise: vec![0.0; action],
            action: vec![0.0; action],
            raw_action: vec![0.0; action],
            config: config.clone(),
        };
        collector.reset()?;
        Ok(collector)
    }

    /// Environment steps so far.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Unstable simulator states so far.
    pub const fn unstable(&self) -> u64 {
        self.unstable
    }

    /// What was stored.
    pub const fn replay(&self) -> &ReplayBuffer {
        &self.replay
    }

    /// One environment step; the episode, if it ended.
    ///
    /// # Errors
    /// `DIVERGED`, `SIM_UNSTABLE`, or what environment and learner report.
    pub fn step(&mut self, learner: &mut dyn Learner) -> Result<Option<Episode>> {
        self.choose_action(learner)?;
        to_raw_units(self.environment.spec(), &self.action, &mut self.raw_action);
        self.steps += 1;
        let outcome = match self.environment.step(&self.raw_action, &mut self.observation) {
            Ok(outcome) => outcome,
            Err(EngineError::Unstable { reason }) => {
                self.drop_unstable_step(&reason)?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        narrow(&self.observation, &mut self.next_input);
        self.replay.push(&Transition {
            observation: &self.input,
            action: &self.action,
            reward: (self.config.reward_scale * outcome.reward) as f32,
            next_observation: &self.next_input,
            // a time limit is not a termination: its value goes on
            discount: if outcome.terminated { 0.0 } else { self.config.learner.discount },
        })?;
        std::mem::swap(&mut self.input, &mut self.next_input);
        self.episode_return += outcome.reward;
        self.episode_length += 1;
        let ended = (outcome.terminated || outcome.truncated).then_some(Episode {
            step: self.steps,
            episode_return: self.episode_return,
            length: self.episode_length,
        });
        if ended.is_some() || self.is_reset_due() {
            self.reset()?;
        }
        Ok(ended)
    }

    /// a = tanh(μ + σξ), or uniform on [−1, 1] at first.
    fn choose_action(&mut self, learner: &mut dyn Learner) -> Result<()> {
        if self.steps < self.config.uniform_steps {
            for action in &mut self.action {
                *action = self.action_stream.uniform_in(-1.0, 1.0) as f32;
            }
            return Ok(());
        }
        self.action_stream.fill_normal(&mut self.noise);
        learner.act(&self.input, Some(&self.noise), &mut self.action)?;
        expect_finite_action(&self.action, self.steps)
    }

    /// The transition is not stored: what the simulator returned is no state of the task.
    fn drop_unstable_step(&mut self, reason: &str) -> Result<()> {
        self.unstable += 1;
        expect_stable(&self.config, self.unstable, self.steps, reason)?;
        self.reset()
    }

    /// The paper's loop resets the training environment after every evaluation.
    const fn is_reset_due(&self) -> bool {
        self.config.reset_every > 0 && self.steps.is_multiple_of(self.config.reset_every)
    }

    fn reset(&mut self) -> Result<()> {
        self.environment.reset(&mut self.reset_stream, &mut self.observation)?;
        narrow(&self.observation, &mut self.input);
        (self.episode_return, self.episode_length) = (0.0, 0);
        Ok(())
    }
}
