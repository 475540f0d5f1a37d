//! A training session: environment, replay, learner and streams, advanced by plans of many EM iterations.
//!
//! Streams depend on (seed, purpose) and on how often they were drawn from, never on how the work was cut into
//! plans: one plan of 50 iterations and 50 plans of one leave the same state, bit for bit.

pub mod bias;
pub mod collect;
mod converge;
pub mod exploration;
pub mod improve;
pub mod needs;
pub mod plan;
pub mod record;
pub mod temperature;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::environments::environment::{Environment, Outcome};
use crate::environments::mujoco::{self, choices::Choices};
use crate::environments::spec::Spec;
use crate::error::{EngineError, Result};
use crate::evaluation::{Evaluation, Protocol, Trace, evaluate};
use crate::learner::kernel::KernelLearner;
use crate::learner::tensor::TensorLearner;
use crate::learner::{Learner, LearnerConfig, Step, Temperature};
use crate::ledger::{Entries, Ledger};
use crate::memory;
use crate::networks::initialise::{Scheme, TrainedStart, initial};
use crate::networks::layout::Parameter;
use crate::random::{Purpose, Stream};
use crate::replay::buffer::ReplayBuffer;
use collect::Collector;
use exploration::Exploration;
use improve::Improver;
use plan::Unfinished;
pub use plan::{Phase, Plan, Progress};
use record::Episode;
use temperature::TemperatureSource;

/// Which implementation of [`Learner`] a session runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// Hand-written, CPU.
    Kernel,
    /// libtorch on a device: `cpu`, `cuda` or `cuda:<index>`.
    Tensor {
        /// As the user wrote it.
        device: String,
    },
}

/// What a session acts in.
#[derive(Debug, Clone, PartialEq)]
pub enum World {
    /// A MuJoCo task of this package.
    Mujoco {
        /// Task id.
        id: String,
        /// Folder of the MuJoCo model files.
        model_directory: PathBuf,
        /// What of the task was chosen beside its id.
        choices: Choices,
    },
    /// An environment of the caller's, who steps it between [`Session::propose`] and [`Session::record`].
    External(Spec),
}

/// The residual error that a temperature or the metrics read (Alg. 2; paper.md A7).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResidualConfig {
    /// Fresh rows of each measurement.
    pub batch: usize,
    /// Factor of the mean square: 1, or ½.
    pub factor: f64,
    /// Its value while the buffer holds no more rows than `batch`.
    pub warmup_value: f64,
    /// Gradient steps from one measurement to the next, > 0.
    pub every: u64,
}

/// Everything a session is made of; nothing has a default here.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionConfig {
    /// What it acts in.
    pub world: World,
    /// Environment steps after which an episode is truncated, > 0.
    pub max_episode_steps: u64,
    /// Seed of every stream.
    pub seed: u64,
    /// Multiplier of rewards before they are stored.
    pub reward_scale: f64,
    /// T in the policy loss.
    pub temperature: TemperatureSource,
    /// Residual error.
    pub residual: ResidualConfig,
    /// Noise while collecting.
    pub exploration: Exploration,
    /// M-steps (and E-steps) from one update of their targets to the next, > 0.
    pub target_every: u64,
    /// Transitions to store before the first gradient step, > 0.
    pub start_updates: u64,
    /// First environment steps that act uniformly at random.
    pub uniform_steps: u64,
    /// Environment steps between resets of the training environments, whole rounds of them; 0 for never.
    pub reset_every: u64,
    /// E, environments that collect in turn, > 0; 1 where the caller steps it.
    pub environments: usize,
    /// Rows of the replay ring, > 0.
    pub replay_capacity: usize,
    /// Unstable simulator states allowed per 10,000 environment steps.
    pub max_unstable_per_10k: u64,
    /// Distribution of the initial parameters.
    pub initialise: Scheme,
    /// Starting values of a trained temperature.
    pub start: TrainedStart,
    /// Networks, rates, threads.
    pub learner: LearnerConfig,
    /// Implementation.
    pub engine: Engine,
}

/// The native learner with its world.
pub struct Session {
    config: SessionConfig,
    learner: Box<dyn Learner>,
    collector: Collector,
    improver: Improver,
    /// Training episodes that no [`Progress`] has told of yet.
    episodes: Vec<Episode>,
    /// None where the caller steps the environment.
    evaluation_environment: Option<Box<dyn Environment>>,
    /// mean Q − return of the latest evaluation.
    action_value_bias: Option<f64>,
    /// What the next advance begins with.
    unfinished: Option<Unfinished>,
}

impl Session {
    /// Loads the task, initialises the networks, resets the training environment.
    ///
    /// # Errors
    /// `OUT_OF_MEMORY` before anything large is allocated; `ENV_UNKNOWN`, `MODEL_MISSING`, `MODEL_INVALID`,
    /// `MODEL_FINGERPRINT`, `DEVICE_MISSING`, `RECIPE_UNSUPPORTED`, `LENGTH_MISMATCH` when the networks' sizes are not
    /// the task's.
    pub fn new(config: SessionConfig) -> Result<Self> {
        expect_environments(&config)?;
        memory::expect_fits(&needs::needs(&config), memory::available())?;
        let LearnerConfig { recipe, sizes, .. } = &config.learner;
        let mut stream = Stream::new(config.seed, Purpose::Initialise, 0);
        let parameters = initial(config.initialise, recipe, sizes, &config.start, &mut stream);
        let learner: Box<dyn Learner> = match &config.engine {
            Engine::Kernel => Box::new(KernelLearner::new(config.learner.clone(), &parameters)?),
            Engine::Tensor { device } => {
                let device = crate::device::open(device)?;
                let kind = tch::Kind::Float;
                Box::new(TensorLearner::new(config.learner.clone(), &parameters, device, kind)?)
            }
        };
        // the one more is for evaluations
        let mut environments = environments(&config, config.environments + 1)?;
        let evaluation_environment = environments.pop();
        let collector = Collector::new(&config, environments)?;
        let improver = Improver::new(&config, parameters);
        Ok(Self {
            config,
            learner,
            collector,
            improver,
            episodes: Vec::new(),
            evaluation_environment,
            action_value_bias: None,
            unfinished: None,
        })
    }

    /// The task.
    pub const fn spec(&self) -> &Spec {
        self.collector.spec()
    }

    /// The configuration it was made of.
    pub const fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// Overwrites the named parameters; the others and the optimisers' state stay. A divergence later on gives these
    /// back, not older ones.
    ///
    /// # Errors
    /// As [`Learner::set_parameters`].
    pub fn set_parameters(&mut self, parameters: &[Parameter]) -> Result<()> {
        self.learner.set_parameters(parameters)?;
        self.improver.keep(self.learner.parameters()?);
        Ok(())
    }

    /// The learner, for scripts that write their own loop.
    pub fn learner(&mut self) -> &mut dyn Learner {
        self.learner.as_mut()
    }

    /// Environment steps so far.
    pub const fn steps(&self) -> u64 {
        self.collector.steps()
    }

    /// T of the next gradient step.
    pub fn temperature(&self) -> Temperature {
        self.improver.temperature(self.collector.replay())
    }

    /// T of the next gradient step as a number; 0 where nothing reads one.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    pub fn temperature_value(&mut self) -> Result<f32> {
        let given = self.temperature().at(self.learner.terms()?.residual_error)?;
        Ok(given.or(self.learner.temperature()?).unwrap_or_default())
    }

    /// The residual error in use, where the temperature reads one.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    pub fn residual_error(&mut self) -> Result<Option<f64>> {
        Ok(self.improver.residual_error(self.learner.terms()?.residual_error))
    }

    /// One joint gradient step on a batch of the caller's, then the targets that are due; at the session's temperature
    /// where none is given.
    ///
    /// # Errors
    /// As [`Learner::step`].
    pub fn update(
        &mut self,
        batch: &crate::replay::batch::Batch<'_>,
        noise: &[f32],
        temperature: Option<f32>,
    ) -> Result<()> {
        let temperature = temperature.map_or_else(|| self.temperature(), Temperature::Given);
        self.improver.apply(Step::Joint, self.learner.as_mut(), batch, noise, temperature)
    }

    /// Runs a plan; `stop` is read before every iteration, environment step and gradient step. An iteration that it
    /// interrupted is ended by the next plan of the same phases, as the first of its own; another plan forgets it.
    ///
    /// # Errors
    /// `DIVERGED`, with the parameters as they last were finite; `SIM_UNSTABLE`, or what environment and learner
    /// report. What was learned until then stays, and [`Self::progress`] tells how far it came.
    pub fn advance(&mut self, plan: &Plan, stop: &AtomicBool) -> Result<Progress> {
        let mut begun = self.unfinished.take();
        if begun.as_ref().is_some_and(|begun| begun.phases != plan.phases) {
            begun = None;
            self.improver.forget_half();
        }
        // what an earlier plan began ends with that plan's floor
        if begun.is_none() {
            self.improver.set_residual_floor(plan.residual_floor);
        }
        let mut iterations = 0;
        // an iteration may hold no step that would look
        while iterations < plan.repeat && !stop.load(Ordering::Relaxed) {
            let place = begun.as_ref().map_or((0, 0), |begun| (begun.phase, begun.done));
            if !self.run_iteration(&plan.phases, place, stop)? {
                break;
            }
            if begun.take().is_some() {
                self.improver.set_residual_floor(plan.residual_floor);
            }
            iterations += 1;
        }
        // a stop that was there before the first step leaves it as it was
        self.unfinished = self.unfinished.take().or(begun);
        self.improver.expect_finite(self.learner.as_mut(), self.collector.steps())?;
        Ok(Progress { iterations, ..self.progress() })
    }

    /// Where the session stands, with the episodes of an [`Self::advance`] that failed: each is told once.
    pub fn progress(&mut self) -> Progress {
        Progress {
            iterations: 0,
            steps: self.collector.steps(),
            updates: self.improver.updates(),
            unstable_resets: self.collector.unstable(),
            // a copy: the list keeps its memory for the steps to come
            episodes: self.episodes.drain(..).collect(),
        }
    }

    /// Whether the iteration was completed, from step `done` of its phase `first` on.
    fn run_iteration(
        &mut self,
        phases: &[Phase],
        (first, done): (usize, u64),
        stop: &AtomicBool,
    ) -> Result<bool> {
        for (index, &phase) in phases.iter().enumerate().skip(first) {
            let done = if index == first { done } else { 0 };
            if let Some(done) = self.run_phase(phase, done, stop)? {
                self.unfinished = Some(Unfinished { phases: phases.to_vec(), phase: index, done });
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Runs a phase from step `done` on; the steps that are done where a stop left it between two, else None.
    fn run_phase(&mut self, phase: Phase, done: u64, stop: &AtomicBool) -> Result<Option<u64>> {
        let stopped = || stop.load(Ordering::Relaxed);
        let learner = self.learner.as_mut();
        if let Phase::Collect(steps) = phase {
            for step in done..steps {
                if stopped() {
                    return Ok(Some(step));
                }
                let episode = self.collector.step(learner);
                self.episodes.extend(self.improver.explained(episode, learner, self.collector.steps())?);
            }
            return Ok(None);
        }
        if stopped() {
            return Ok(Some(done));
        }
        if self.collector.replay().stored() < self.config.start_updates {
            return Ok(None);
        }
        let (replay, steps) = (self.collector.replay(), self.collector.steps());
        match phase {
            Phase::Collect(_) => {}
            Phase::Update { m_steps, e_steps } => {
                for (number, step) in (0..).zip(improve::order(m_steps, e_steps)).skip(done as usize) {
                    if stopped() {
                        return Ok(Some(number));
                    }
                    self.improver.step(step, learner, replay, steps)?;
                }
            }
            Phase::Converge { half, tolerance, max_steps } => {
                let limits = (tolerance, max_steps);
                let is_whole = self.improver.converge(half, limits, learner, (replay, steps), stop)?;
                return Ok((!is_whole).then_some(0));
            }
        }
        Ok(None)
    }

    /// All that this session's future depends on beside its config, its parameters and the rows of its replay buffer.
    ///
    /// # Errors
    /// `NOT_FINITE`; `NATIVE_EXCEPTION`.
    pub fn save_state(&mut self) -> Result<Entries> {
        let mut ledger = Ledger::writing();
        self.state(&mut ledger)?;
        ledger.finish()
    }

    /// Takes up what [`Self::save_state`] of a session of the same config gave, with its parameters. The rows of the
    /// replay buffer come by [`Self::replay_mut`].
    ///
    /// # Errors
    /// `CHECKPOINT_CORRUPT` of what does not fit, `PARAMETER_SHAPE`; the session cannot be used then.
    pub fn load_state(&mut self, parameters: &[Parameter], entries: Entries) -> Result<()> {
        self.learner.set_parameters(parameters)?;
        let mut ledger = Ledger::reading(entries);
        self.state(&mut ledger)?;
        ledger.finish()?;
        self.improver.keep(self.learner.parameters()?);
        Ok(())
    }

    fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.section("optimizer", |ledger| self.learner.state(ledger))?;
        self.collector.state(ledger)?;
        self.improver.state(ledger)?;
        let mut unfinished = self.unfinished.take().unwrap_or_default();
        ledger.section("schedule", |ledger| {
            ledger.optional("actionValueBias", &mut self.action_value_bias)?;
            ledger.section("unfinished", |ledger| unfinished.state(ledger))
        })?;
        self.unfinished = (!unfinished.phases.is_empty()).then_some(unfinished);
        Ok(())
    }

    /// The replay buffer.
    pub const fn replay(&self) -> &ReplayBuffer {
        self.collector.replay()
    }

    /// The replay buffer of a session that is taken up, after [`Self::load_state`].
    pub const fn replay_mut(&mut self) -> &mut ReplayBuffer {
        self.collector.replay_mut()
    }

    /// Evaluates the deterministic policy tanh μ(s) on an environment of its own. With a `seed` the start states are
    /// that seed's; without, they follow from the session's seed and the steps so far.
    ///
    /// # Errors
    /// `DIVERGED`, or what environment and learner report; `ENV_EXTERNAL` where the caller steps the environment.
    pub fn evaluate(
        &mut self,
        protocol: Protocol,
        seed: Option<u64>,
        stop: &AtomicBool,
    ) -> Result<Evaluation> {
        let (seed, instance) = match seed {
            Some(seed) => (seed, 0),
            None => (self.config.seed, self.collector.steps()),
        };
        let mut stream = Stream::new(seed, Purpose::Evaluation, instance);
        let environment = self.evaluation_environment.as_mut().ok_or(EngineError::ExternalEnvironment)?;
        let learner = self.learner.as_mut();
        let mut act = |observation: &[f32], action: &mut [f32]| learner.act(observation, None, action);
        let mut trace = Trace::default();
        let evaluation =
            evaluate(&mut act, environment.as_mut(), &mut stream, protocol, stop, Some(&mut trace));
        let evaluation = self.improver.explained(evaluation, learner, self.collector.steps())?;
        let (discount, scale) = (f64::from(self.config.learner.discount), self.config.reward_scale);
        self.action_value_bias = bias::action_value_bias(self.learner.as_mut(), &trace, discount, scale)?;
        Ok(evaluation)
    }

    /// Public metric names and values of the latest gradient step, the residual error on fresh rows, and counts.
    /// A part that has not run yet is left out.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    pub fn metrics(&mut self) -> Result<Vec<(&'static str, f64)>> {
        let mut metrics = self.improver.metrics(self.learner.as_mut(), self.collector.replay())?;
        metrics.push(("env/unstable_resets", self.collector.unstable() as f64));
        metrics.extend(self.action_value_bias.map(|bias| ("q/bias", bias)));
        Ok(metrics)
    }

    /// Begins an episode of the caller's environment at `observation` `[O]`.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NOT_FINITE`.
    pub fn begin(&mut self, observation: &[f64]) -> Result<()> {
        self.collector.begin(observation)
    }

    /// What the behaviour policy does next in the caller's environment: an action in its units, `[A]`.
    ///
    /// # Errors
    /// `DIVERGED`, or what the learner reports.
    pub fn propose(&mut self) -> Result<&[f64]> {
        let (learner, steps) = (self.learner.as_mut(), self.collector.steps());
        let action = self.collector.propose(learner);
        self.improver.explained(action, learner, steps)
    }

    /// Stores what the caller's environment answered to [`Self::propose`]: the outcome and the next `observation`
    /// `[O]`; says what ended.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NOT_FINITE`, `REWARD_NOT_FINITE`, before anything is stored.
    pub fn record(&mut self, outcome: Outcome, observation: &[f64]) -> Result<collect::Recorded> {
        self.collector.record(outcome, observation)
    }

    /// The deterministic action at `observation` `[O]`, in the environment's units, `[A]`.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NOT_FINITE`, `DIVERGED`.
    pub fn act(&mut self, observation: &[f64]) -> Result<Vec<f64>> {
        let (learner, steps) = (self.learner.as_mut(), self.collector.steps());
        let action = self.collector.act(learner, observation);
        self.improver.explained(action, learner, steps)
    }
}

/// Checks that the environments can take turns: the caller steps one, and all are reset between two rounds.
fn expect_environments(config: &SessionConfig) -> Result<()> {
    let refuse = |expected| {
        let got = config.environments.to_string();
        Err(EngineError::OutOfRange { name: "collect.environments", expected, got })
    };
    match (&config.world, config.environments) {
        (_, 0) => refuse("at least 1"),
        (World::External(_), 2..) => refuse("1 with an environment that the caller steps"),
        (_, count) if !config.reset_every.is_multiple_of(count as u64) => {
            refuse("a divisor of collect.resetEvery")
        }
        _ => Ok(()),
    }
}

/// Environments of the session's own world on one loaded model; none where the caller steps one.
fn environments(config: &SessionConfig, count: usize) -> Result<Vec<Box<dyn Environment>>> {
    let World::Mujoco { id, model_directory, choices } = &config.world else { return Ok(Vec::new()) };
    let mut first = mujoco::create_with(id, model_directory, choices)?;
    first.set_max_episode_steps(config.max_episode_steps);
    let mut all: Vec<Box<dyn Environment>> = Vec::with_capacity(count);
    for _ in 1..count {
        all.push(Box::new(first.sibling()?));
    }
    all.push(Box::new(first));
    Ok(all)
}

/// More unstable states than allowed end the run; below 10,000 steps the whole allowance counts.
pub(crate) fn expect_stable(config: &SessionConfig, count: u64, steps: u64, reason: &str) -> Result<()> {
    let limit = config.max_unstable_per_10k * steps.div_ceil(10_000).max(1);
    if count > limit {
        return Err(EngineError::SimulatorUnstable { count, steps, limit, reason: reason.to_owned() });
    }
    Ok(())
}
