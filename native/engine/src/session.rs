//! A training session: environment, replay, learner and streams, advanced by plans of many EM iterations.
//!
//! Streams depend on (seed, purpose) and on how often they were drawn from, never on how the work was cut into
//! plans: one plan of 50 iterations and 50 plans of one leave the same state, bit for bit.

pub mod collect;
pub mod improve;
pub mod needs;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::environments::environment::Environment;
use crate::environments::mujoco::{self, choices::Choices};
use crate::environments::spec::Spec;
use crate::error::{EngineError, Result};
use crate::evaluation::{Evaluation, Protocol, evaluate};
use crate::learner::kernel::KernelLearner;
use crate::learner::tensor::TensorLearner;
use crate::learner::{Learner, LearnerConfig};
use crate::memory;
use crate::networks::initialise;
use crate::random::{Purpose, Stream};
use collect::{Collector, Episode};
use improve::Improver;

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

/// Everything a session is made of; nothing has a default here.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionConfig {
    /// Task id.
    pub environment: String,
    /// Folder of the MuJoCo model files.
    pub model_directory: PathBuf,
    /// What of the task was chosen beside its id.
    pub choices: Choices,
    /// Environment steps after which an episode is truncated, > 0.
    pub max_episode_steps: u64,
    /// Seed of every stream.
    pub seed: u64,
    /// Multiplier of rewards before they are stored.
    pub reward_scale: f64,
    /// T in the policy loss.
    pub temperature: f32,
    /// Transitions to store before the first gradient step, > 0.
    pub start_updates: u64,
    /// First environment steps that act uniformly at random.
    pub uniform_steps: u64,
    /// Environment steps between resets of the training environment; 0 for never.
    pub reset_every: u64,
    /// Rows of the replay ring, > 0.
    pub replay_capacity: usize,
    /// Rows on which [`Session::metrics`] reports the residual error.
    pub residual_batch: usize,
    /// Unstable simulator states allowed per 10,000 environment steps.
    pub max_unstable_per_10k: u64,
    /// Networks, rates, threads.
    pub learner: LearnerConfig,
    /// Implementation.
    pub engine: Engine,
}

/// A part of an EM iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Act for this many environment steps.
    Collect(u64),
    /// Improve. One M-step and one E-step share a batch and ã; any other pair draws a batch for each step,
    /// M-steps first.
    Update {
        /// M-steps: Q, V, target.
        m_steps: u64,
        /// E-steps: π.
        e_steps: u64,
    },
}

/// Iterations of the EM schedule to run in one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How often the phases are run through.
    pub repeat: u64,
    /// The phases of one iteration, in order.
    pub phases: Vec<Phase>,
}

/// What one [`Session::advance`] did, and where the session stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Iterations completed; fewer than planned after a stop.
    pub iterations: u64,
    /// Environment steps since the session began.
    pub steps: u64,
    /// Gradient steps since the session began; an M-step and an E-step on one batch count once.
    pub updates: u64,
    /// Unstable simulator states since the session began.
    pub unstable_resets: u64,
    /// Training episodes that ended during this call.
    pub episodes: Vec<Episode>,
}

/// The native learner with its world.
pub struct Session {
    config: SessionConfig,
    learner: Box<dyn Learner>,
    collector: Collector,
    improver: Improver,
    evaluation_environment: Box<dyn Environment>,
}

impl Session {
    /// Loads the task, initialises the networks, resets the training environment.
    ///
    /// # Errors
    /// `OUT_OF_MEMORY` before anything large is allocated; `ENV_UNKNOWN`, `MODEL_MISSING`, `MODEL_INVALID`,
    /// `MODEL_FINGERPRINT`, `DEVICE_MISSING`, `LENGTH_MISMATCH` when the networks' sizes are not the task's.
    pub fn new(config: SessionConfig) -> Result<Self> {
        memory::expect_fits(&needs::needs(&config), memory::available())?;
        let environment = || -> Result<Box<dyn Environment>> {
            let SessionConfig { environment, model_directory, choices, .. } = &config;
            let mut environment = mujoco::create_with(environment, model_directory, choices)?;
            environment.set_max_episode_steps(config.max_episode_steps);
            Ok(Box::new(environment))
        };
        let initial =
            initialise::rlkit(&config.learner.sizes, &mut Stream::new(config.seed, Purpose::Initialise, 0));
        let learner: Box<dyn Learner> = match &config.engine {
            Engine::Kernel => Box::new(KernelLearner::new(config.learner.clone(), &initial)?),
            Engine::Tensor { device } => {
                let device = crate::device::open(device)?;
                Box::new(TensorLearner::new(config.learner.clone(), &initial, device, tch::Kind::Float)?)
            }
        };
        let collector = Collector::new(&config, environment()?)?;
        let improver = Improver::new(&config);
        let evaluation_environment = environment()?;
        Ok(Self { config, learner, collector, improver, evaluation_environment })
    }

    /// The task.
    pub fn spec(&self) -> &Spec {
        self.evaluation_environment.spec()
    }

    /// The configuration it was made of.
    pub const fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// The learner, for scripts that write their own loop.
    pub fn learner(&mut self) -> &mut dyn Learner {
        self.learner.as_mut()
    }

    /// Runs a plan; `stop` is read before every iteration, environment step and gradient step.
    ///
    /// # Errors
    /// `DIVERGED`, `SIM_UNSTABLE`, or what environment and learner report. What was learned until then stays.
    pub fn advance(&mut self, plan: &Plan, stop: &AtomicBool) -> Result<Progress> {
        let mut progress = Progress::default();
        'iterations: for _ in 0..plan.repeat {
            // an iteration may hold no step that would look
            if stop.load(Ordering::Relaxed) {
                break;
            }
            for phase in &plan.phases {
                if !self.run_phase(*phase, stop, &mut progress.episodes)? {
                    break 'iterations;
                }
            }
            progress.iterations += 1;
        }
        self.improver.expect_finite(self.learner.as_mut(), self.collector.steps())?;
        progress.steps = self.collector.steps();
        progress.updates = self.improver.updates();
        progress.unstable_resets = self.collector.unstable();
        Ok(progress)
    }

    /// Whether the phase was completed; a stop leaves it between two steps.
    fn run_phase(&mut self, phase: Phase, stop: &AtomicBool, episodes: &mut Vec<Episode>) -> Result<bool> {
        let stopped = || stop.load(Ordering::Relaxed);
        let learner = self.learner.as_mut();
        match phase {
            Phase::Collect(steps) => {
                for _ in 0..steps {
                    if stopped() {
                        return Ok(false);
                    }
                    episodes.extend(self.collector.step(learner)?);
                }
            }
            Phase::Update { m_steps, e_steps } => {
                if self.collector.replay().stored() < self.config.start_updates {
                    return Ok(!stopped());
                }
                for step in improve::order(m_steps, e_steps) {
                    if stopped() {
                        return Ok(false);
                    }
                    self.improver.step(step, learner, self.collector.replay())?;
                }
            }
        }
        Ok(true)
    }

    /// Evaluates the deterministic policy tanh μ(s) on an environment of its own. With a `seed` the start states are
    /// that seed's; without, they follow from the session's seed and the steps so far.
    ///
    /// # Errors
    /// `DIVERGED`, or what environment and learner report.
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
        let learner = self.learner.as_mut();
        let mut act = |observation: &[f32], action: &mut [f32]| learner.act(observation, None, action);
        evaluate(&mut act, self.evaluation_environment.as_mut(), &mut stream, protocol, stop)
    }

    /// Public metric names and values of the latest gradient step, the residual error on fresh rows, and counts.
    /// A part that has not run yet is left out.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    pub fn metrics(&mut self) -> Result<Vec<(&'static str, f64)>> {
        let mut metrics = self.improver.metrics(self.learner.as_mut(), self.collector.replay())?;
        metrics.push(("env/unstable_resets", self.collector.unstable() as f64));
        Ok(metrics)
    }
}

/// More unstable states than allowed end the run; below 10,000 steps the whole allowance counts.
pub(crate) fn expect_stable(config: &SessionConfig, count: u64, steps: u64, reason: &str) -> Result<()> {
    let limit = config.max_unstable_per_10k * steps.div_ceil(10_000).max(1);
    if count > limit {
        return Err(EngineError::SimulatorUnstable { count, steps, limit, reason: reason.to_owned() });
    }
    Ok(())
}
