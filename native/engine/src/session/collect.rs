//! Collecting: act, step, store. The environment is the session's own, or the caller steps one between
//! [`Collector::propose`] and [`Collector::record`].

use crate::environments::action::to_raw_units;
use crate::environments::environment::{Environment, Outcome};
use crate::environments::spec::Spec;
use crate::error::{EngineError, Result, expect_finite, expect_len};
use crate::evaluation::{expect_finite_action, narrow};
use crate::learner::Learner;
use crate::ledger::Ledger;
use crate::random::{Purpose, Stream};
use crate::replay::buffer::ReplayBuffer;

use super::exploration::{Exploration, OrnsteinUhlenbeck};
use super::record::{Episode, Recorder, Running};
use super::{SessionConfig, World, expect_stable};

/// What [`Collector::record`] did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recorded {
    /// The episode that ended.
    pub episode: Option<Episode>,
    /// Whether the environment must be reset before the next step: an episode ended, or a reset is due.
    pub reset: bool,
}

/// One environment, or the caller's, with the episode that runs in it and the streams that it draws from.
struct Lane {
    /// None where the caller steps it.
    environment: Option<Box<dyn Environment>>,
    running: Running,
    process: Option<OrnsteinUhlenbeck>,
    reset_stream: Stream,
    action_stream: Stream,
    observation: Vec<f64>,
}

impl Lane {
    fn new(
        config: &SessionConfig,
        spec: &Spec,
        environment: Option<Box<dyn Environment>>,
        instance: u64,
    ) -> Self {
        let process = match config.exploration {
            Exploration::Policy => None,
            Exploration::OrnsteinUhlenbeck { theta, sigma } => {
                Some(OrnsteinUhlenbeck::new(theta, sigma, spec.action_size))
            }
        };
        Self {
            environment,
            running: Running::default(),
            process,
            reset_stream: Stream::new(config.seed, Purpose::Reset, instance),
            action_stream: Stream::new(config.seed, Purpose::Action, instance),
            observation: vec![0.0; spec.observation_size],
        }
    }
}

impl Lane {
    /// The environment, the episode in it and what the policy saw last.
    fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        // an environment of the caller's has a state that only the caller knows
        if let Some(environment) = &mut self.environment {
            environment.state(ledger)?;
        }
        self.running.state(ledger)?;
        if let Some(process) = &mut self.process {
            process.state(ledger)?;
        }
        ledger.values("observation", &mut self.observation)
    }

    fn streams(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.stream("reset", &mut self.reset_stream)?;
        ledger.stream("action", &mut self.action_stream)
    }
}

/// The behaviour policy at work in its environments, and the transitions it stored.
///
/// Environments take turns, a step each. All actions of a round are chosen at its start, in one pass of the policy: with
/// E environments the last of them acts by parameters that are E − 1 environment steps old.
pub struct Collector {
    config: SessionConfig,
    spec: Spec,
    recorder: Recorder,
    lanes: Vec<Lane>,
    /// Whose step is next.
    turn: usize,
    steps: u64,
    unstable: u64,
    /// What the policy sees, `[E, O]`.
    inputs: Vec<f32>,
    /// `[O]`.
    next_input: Vec<f32>,
    /// `[E, A]`.
    noise: Vec<f32>,
    /// Actions of this round, `[E, A]`.
    actions: Vec<f32>,
    /// `[A]`.
    raw_action: Vec<f64>,
}

impl Collector {
    /// Resets the environments to their first episodes; without any, the caller steps one.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH` when the networks' sizes are not the task's.
    pub fn new(config: &SessionConfig, environments: Vec<Box<dyn Environment>>) -> Result<Self> {
        let spec = match (&config.world, environments.first()) {
            (World::External(spec), _) => spec.clone(),
            (_, Some(environment)) => environment.spec().clone(),
            (World::Mujoco { .. }, None) => return Err(EngineError::ExternalEnvironment),
        };
        let (observation, action) = (spec.observation_size, spec.action_size);
        expect_len("observation", config.learner.sizes.observation, observation)?;
        expect_len("action", config.learner.sizes.action, action)?;
        let lane = |(instance, environment)| Lane::new(config, &spec, environment, instance);
        let lanes: Vec<_> = if environments.is_empty() {
            vec![lane((0, None))]
        } else {
            (0..).zip(environments.into_iter().map(Some)).map(lane).collect()
        };
        let count = lanes.len();
        let mut collector = Self {
            recorder: Recorder::new(config),
            lanes,
            turn: 0,
            steps: 0,
            unstable: 0,
            inputs: vec![0.0; count * observation],
            next_input: vec![0.0; observation],
            noise: vec![0.0; count * action],
            actions: vec![0.0; count * action],
            raw_action: vec![0.0; action],
            config: config.clone(),
            spec,
        };
        (0..count).try_for_each(|lane| collector.reset(lane))?;
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

    /// As [`Self::replay`], for a session that is taken up.
    pub const fn replay_mut(&mut self) -> &mut ReplayBuffer {
        self.recorder.replay_mut()
    }

    /// All that the next steps depend on, the rows of the replay buffer excepted.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            let section = format!("environment.{number}");
            ledger.section("rng", |ledger| ledger.section(&section, |ledger| lane.streams(ledger)))?;
            ledger.section("simulator", |ledger| ledger.section(&section, |ledger| lane.state(ledger)))?;
        }
        ledger.section("simulator", |ledger| {
            ledger.index("turn", &mut self.turn)?;
            ledger.value("steps", &mut self.steps)?;
            ledger.value("unstable", &mut self.unstable)?;
            ledger.values("inputs", &mut self.inputs)?;
            ledger.values("actions", &mut self.actions)?;
            self.recorder.replay_mut().state(ledger)
        })
    }

    /// One step of the environment whose turn it is; the episode, if it ended.
    ///
    /// # Errors
    /// `DIVERGED`, `SIM_UNSTABLE`, or what environment and learner report; `ENV_EXTERNAL` without one, before anything
    /// is drawn.
    pub fn step(&mut self, learner: &mut dyn Learner) -> Result<Option<Episode>> {
        let turn = self.turn;
        if self.lanes[turn].environment.is_none() {
            return Err(EngineError::ExternalEnvironment);
        }
        if turn == 0 {
            self.choose_actions(learner)?;
        }
        self.turn = (turn + 1) % self.lanes.len();
        self.steps += 1;
        let width = self.spec.action_size;
        to_raw_units(&self.spec, &self.actions[turn * width..][..width], &mut self.raw_action);
        let Lane { environment, observation, .. } = &mut self.lanes[turn];
        let environment = environment.as_mut().ok_or(EngineError::ExternalEnvironment)?;
        let outcome = match environment.step(&self.raw_action, observation) {
            Ok(outcome) => outcome,
            Err(EngineError::Unstable { reason }) => {
                self.drop_unstable_step(turn, &reason)?;
                return Ok(None);
            }
            Err(error) => return self.fail(turn, error),
        };
        match self.store(turn, outcome) {
            Ok(Recorded { episode, reset }) => {
                if reset {
                    self.reset_after(turn)?;
                }
                Ok(episode)
            }
            Err(error) => self.fail(turn, error),
        }
    }

    /// Begins an episode of the caller's environment.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NOT_FINITE`.
    pub fn begin(&mut self, observation: &[f64]) -> Result<()> {
        self.take_over(observation)?;
        self.start_episode(0);
        Ok(())
    }

    /// An action in raw units for the caller's environment.
    ///
    /// # Errors
    /// `DIVERGED`, or what the learner reports.
    pub fn propose(&mut self, learner: &mut dyn Learner) -> Result<&[f64]> {
        self.choose_actions(learner)?;
        to_raw_units(&self.spec, &self.actions, &mut self.raw_action);
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
        let limit = self.lanes[0].running.length + 1 >= self.config.max_episode_steps;
        self.store(0, Outcome { truncated: outcome.truncated || limit, ..outcome })
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
        self.lanes[0].observation.copy_from_slice(observation);
        Ok(())
    }

    /// Stores the transition that led to the present observation of a lane.
    fn store(&mut self, turn: usize, outcome: Outcome) -> Result<Recorded> {
        let lane = &mut self.lanes[turn];
        narrow(&lane.observation, &mut self.next_input);
        let (observation, action) = (self.spec.observation_size, self.spec.action_size);
        let input = &mut self.inputs[turn * observation..][..observation];
        let transition = (&*input, &self.actions[turn * action..][..action], self.next_input.as_slice());
        let episode = self.recorder.store(self.steps, transition, outcome, &mut lane.running)?;
        input.copy_from_slice(&self.next_input);
        Ok(Recorded { episode, reset: episode.is_some() || self.is_reset_due() })
    }

    /// a = tanh(μ + σξ), or tanh μ with the process's noise, or uniform on [−1, 1] at first, for every lane.
    fn choose_actions(&mut self, learner: &mut dyn Learner) -> Result<()> {
        let width = self.spec.action_size;
        let uniform_steps = self.config.uniform_steps;
        // lanes step one after the other
        let is_uniform = |lane: usize| self.steps + (lane as u64) < uniform_steps;
        let count = self.lanes.len();
        let first = (0..count).position(|lane| !is_uniform(lane)).unwrap_or(count);
        for (lane, actions) in self.lanes[..first].iter_mut().zip(self.actions.chunks_exact_mut(width)) {
            for action in actions {
                *action = lane.action_stream.uniform_in(-1.0, 1.0) as f32;
            }
        }
        if first == count {
            return Ok(());
        }
        let is_gaussian = matches!(self.config.exploration, Exploration::Policy);
        if is_gaussian {
            for (lane, noise) in
                self.lanes[first..].iter_mut().zip(self.noise[first * width..].chunks_exact_mut(width))
            {
                lane.action_stream.fill_normal(noise);
            }
        }
        let inputs = &self.inputs[first * self.spec.observation_size..];
        let noise = is_gaussian.then_some(&self.noise[first * width..]);
        let actions = &mut self.actions[first * width..];
        learner.act(inputs, noise, actions)?;
        // a clip would hide a value that is not a number
        expect_finite_action(actions, self.steps)?;
        for (lane, actions) in self.lanes[first..].iter_mut().zip(actions.chunks_exact_mut(width)) {
            if let Some(process) = &mut lane.process {
                process.disturb(&mut lane.action_stream, actions);
            }
        }
        expect_finite_action(actions, self.steps)
    }

    /// A step whose transition is not stored ends its episode: a later step begins another.
    fn fail<T>(&mut self, lane: usize, error: EngineError) -> Result<T> {
        self.reset(lane)?;
        Err(error)
    }

    /// The transition is not stored: what the simulator returned is no state of the task.
    fn drop_unstable_step(&mut self, lane: usize, reason: &str) -> Result<()> {
        self.unstable += 1;
        expect_stable(&self.config, self.unstable, self.steps, reason)?;
        self.reset(lane)
    }

    /// The paper's loop resets the training environment after every evaluation.
    const fn is_reset_due(&self) -> bool {
        self.config.reset_every > 0 && self.steps.is_multiple_of(self.config.reset_every)
    }

    /// After a step that ended an episode, that lane; where the loop's reset is due, all, between two rounds.
    fn reset_after(&mut self, lane: usize) -> Result<()> {
        if self.is_reset_due() {
            return (0..self.lanes.len()).try_for_each(|lane| self.reset(lane));
        }
        self.reset(lane)
    }

    fn reset(&mut self, lane: usize) -> Result<()> {
        let Lane { environment, reset_stream, observation, .. } = &mut self.lanes[lane];
        if let Some(environment) = environment {
            environment.reset(reset_stream, observation)?;
        }
        self.start_episode(lane);
        Ok(())
    }

    fn start_episode(&mut self, turn: usize) {
        let lane = &mut self.lanes[turn];
        let width = self.spec.observation_size;
        narrow(&lane.observation, &mut self.inputs[turn * width..][..width]);
        lane.running = Running::default();
        if let Some(process) = &mut lane.process {
            process.reset();
        }
    }
}
