//! Collecting: act, step, store. The environment is the session's own, or the caller steps one between
//! [`Collector::propose`] and [`Collector::record`].

use crate::environments::action::to_raw_units;
use crate::environments::environment::{Environment, Outcome};
use crate::environments::spec::Spec;
use crate::error::{EngineError, Result, expect_finite, expect_len};
use crate::evaluation::{expect_finite_action, narrow};
use crate::learner::Learner;
use crate::random::{Purpose, Stream};
use crate::replay::buffer::ReplayBuffer;

use super::exploration::{Exploration, OrnsteinUhlenbeck};
use super::record::{Episode, Recorder};
use super::{SessionConfig, World, expect_stable};

/// What [`Collector::record`] did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recorded {
    /// The episode that ended.
    pub episode: Option<Episode>,
    /// Whether the environment must be reset before the next step: an episode ended, or a reset is due.
    pub reset: bool,
}

/// The behaviour policy at work in its environment, and the transitions it stored.
pub struct Collector {
    config: SessionConfig,
    spec: Spec,
    /// None where the caller steps it.
    environment: Option<Box<dyn Environment>>,
    recorder: Recorder,
    process: Option<OrnsteinUhlenbeck>,
    reset_stream: Stream,
    action_stream: Stream,
    steps: u64,
    unstable: u64,
    observation: Vec<f64>,
    input: Vec<f32>,
    next_input: Vec<f32>,
    noise: Vec<f32>,
    action: Vec<f32>,
    raw_action: Vec<f64>,
}

impl Collector {
    /// Resets the environment, if it is its own, to its first episode.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH` when the networks' sizes are not the task's.
    pub fn new(config: &SessionConfig, environment: Option<Box<dyn Environment>>) -> Result<Self> {
        let spec = match (&config.world, &environment) {
            (World::External(spec), _) => spec.clone(),
            (_, Some(environment)) => environment.spec().clone(),
            (World::Mujoco { .. }, None) => return Err(EngineError::ExternalEnvironment),
        };
        let (observation, action) = (spec.observation_size, spec.action_size);
        expect_len("observation", config.learner.sizes.observation, observation)?;
        expect_len("action", config.learner.sizes.action, action)?;
        let process = match config.exploration {
            Exploration::Policy => None,
            Exploration::OrnsteinUhlenbeck { theta, sigma } => {
                Some(OrnsteinUhlenbeck::new(theta, sigma, action))
            }
        };
        let mut collector = Self {
            spec,
            environment,
            recorder: Recorder::new(config),
            process,
            reset_stream: Stream::new(config.seed, Purpose::Reset, 0),
            action_stream: Stream::new(config.seed, Purpose::Action, 0),
            steps: 0,
            unstable: 0,
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

    /// The task.
    pub const fn spec(&self) -> &Spec {
        &self.spec
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
        self.recorder.replay()
    }

    /// One step of the session's own environment; the episode, if it ended.
    ///
    /// # Errors
    /// `DIVERGED`, `SIM_UNSTABLE`, or what environment and learner report; `ENV_EXTERNAL` without one, before anything
    /// is drawn.
    pub fn step(&mut self, learner: &mut dyn Learner) -> Result<Option<Episode>> {
        if self.environment.is_none() {
            return Err(EngineError::ExternalEnvironment);
        }
        self.choose_action(learner)?;
        to_raw_units(&self.spec, &self.action, &mut self.raw_action);
        self.steps += 1;
        let environment = self.environment.as_mut().ok_or(EngineError::ExternalEnvironment)?;
        let outcome = match environment.step(&self.raw_action, &mut self.observation) {
            Ok(outcome) => outcome,
            Err(EngineError::Unstable { reason }) => {
                self.drop_unstable_step(&reason)?;
                return Ok(None);
            }
            Err(error) => return self.fail(error),
        };
        match self.store(outcome) {
            Ok(Recorded { episode, reset }) => {
                if reset {
                    self.reset()?;
                }
                Ok(episode)
            }
            Err(error) => self.fail(error),
        }
    }

    /// Begins an episode of the caller's environment.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NOT_FINITE`.
    pub fn begin(&mut self, observation: &[f64]) -> Result<()> {
        self.take_over(observation)?;
        self.start_episode();
        Ok(())
    }

    /// An action in raw units for the caller's environment.
    ///
    /// # Errors
    /// `DIVERGED`, or what the learner reports.
    pub fn propose(&mut self, learner: &mut dyn Learner) -> Result<&[f64]> {
        self.choose_action(learner)?;
        to_raw_units(&self.spec, &self.action, &mut self.raw_action);
        Ok(&self.raw_action)
    }

    /// Stores what the caller's environment answered.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NOT_FINITE`, `REWARD_NOT_FINITE`, before anything is stored.
    pub fn record(&mut self, outcome: Outcome, observation: &[f64]) -> Result<Recorded> {
        expect_finite("reward", &[outcome.reward])?;
        self.recorder.scaled(self.steps + 1, outcome.reward)?;
        self.take_over(observation)?;
        self.steps += 1;
        // the limit is the session's: the caller's environment may not have one
        let limit = self.recorder.length() + 1 >= self.config.max_episode_steps;
        self.store(Outcome { truncated: outcome.truncated || limit, ..outcome })
    }

    /// tanh μ(s) in raw units.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NOT_FINITE`, `DIVERGED`.
    pub fn act(&self, learner: &mut dyn Learner, observation: &[f64]) -> Result<Vec<f64>> {
        expect_len("observation", observation.len(), self.spec.observation_size)?;
        expect_finite("observation", observation)?;
        let mut input = vec![0.0; observation.len()];
        let (mut action, mut raw) = (vec![0.0; self.spec.action_size], vec![0.0; self.spec.action_size]);
        narrow(observation, &mut input);
        learner.act(&input, None, &mut action)?;
        expect_finite_action(&action, self.steps)?;
        to_raw_units(&self.spec, &action, &mut raw);
        Ok(raw)
    }

    fn take_over(&mut self, observation: &[f64]) -> Result<()> {
        expect_len("observation", observation.len(), self.spec.observation_size)?;
        expect_finite("observation", observation)?;
        self.observation.copy_from_slice(observation);
        Ok(())
    }

    /// Stores the transition that led to the present observation.
    fn store(&mut self, outcome: Outcome) -> Result<Recorded> {
        narrow(&self.observation, &mut self.next_input);
        let transition = (self.input.as_slice(), self.action.as_slice(), self.next_input.as_slice());
        let episode = self.recorder.store(self.steps, transition, outcome)?;
        std::mem::swap(&mut self.input, &mut self.next_input);
        Ok(Recorded { episode, reset: episode.is_some() || self.is_reset_due() })
    }

    /// a = tanh(μ + σξ), or tanh μ with the process's noise, or uniform on [−1, 1] at first.
    fn choose_action(&mut self, learner: &mut dyn Learner) -> Result<()> {
        if self.steps < self.config.uniform_steps {
            for action in &mut self.action {
                *action = self.action_stream.uniform_in(-1.0, 1.0) as f32;
            }
            return Ok(());
        }
        match &mut self.process {
            None => {
                self.action_stream.fill_normal(&mut self.noise);
                learner.act(&self.input, Some(&self.noise), &mut self.action)?;
            }
            Some(process) => {
                learner.act(&self.input, None, &mut self.action)?;
                // a clip would hide a value that is not a number
                expect_finite_action(&self.action, self.steps)?;
                process.disturb(&mut self.action_stream, &mut self.action);
            }
        }
        expect_finite_action(&self.action, self.steps)
    }

    /// A step whose transition is not stored ends its episode: a later step begins another.
    fn fail<T>(&mut self, error: EngineError) -> Result<T> {
        self.reset()?;
        Err(error)
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
        if let Some(environment) = &mut self.environment {
            environment.reset(&mut self.reset_stream, &mut self.observation)?;
        }
        self.start_episode();
        Ok(())
    }

    fn start_episode(&mut self) {
        narrow(&self.observation, &mut self.input);
        self.recorder.begin();
        if let Some(process) = &mut self.process {
            process.reset();
        }
    }
}
