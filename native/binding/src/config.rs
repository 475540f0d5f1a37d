//! Flat, all-required structs of the boundary, and their engine counterparts. No defaults: TypeScript resolved them.

use napi_derive::napi;
use virel_engine::agents;
use virel_engine::environments::mujoco::{self, choices::Choices};
use virel_engine::error::{EngineError, Result};
use virel_engine::learner::LearnerConfig;
use virel_engine::networks::layout::Sizes;
use virel_engine::session::{Engine, Phase, Plan, SessionConfig};

/// What a session is made of; every field is chosen by `resolveConfig`, nothing has a default here.
#[napi(object)]
pub struct NativeConfig {
    /// Task id, such as `HalfCheetah-v5`.
    pub environment: String,
    /// Folder of the MuJoCo model files.
    pub model_directory: String,
    /// What of the task was chosen, as JSON: `modelFile`, `taskFile`, options.
    pub environment_choices: String,
    /// Environment steps after which an episode is truncated, > 0.
    pub max_episode_steps: f64,
    /// Name of the algorithm.
    pub algorithm: String,
    /// Seed of every random stream, a whole number from 0 to 2^53 − 1.
    pub seed: f64,
    /// γ in [0, 1].
    pub discount: f64,
    /// Multiplier of rewards before they are stored.
    pub reward_scale: f64,
    /// T, factor of log π in the policy loss, >= 0.
    pub temperature: f64,
    /// Transitions to store before the first gradient step, > 0.
    pub start_updates: f64,
    /// First environment steps that act uniformly at random.
    pub uniform_steps: f64,
    /// Environment steps between resets of the training environment; 0 for never.
    pub reset_every: f64,
    /// Transitions kept, > 0.
    pub replay_capacity: f64,
    /// Transitions of a gradient step, > 0.
    pub batch_size: f64,
    /// Transitions on which `metrics` measures the residual error, > 0.
    pub residual_batch: f64,
    /// Widths of the hidden layers, each > 0.
    pub hidden: Vec<f64>,
    /// λ_π, > 0.
    pub policy_learning_rate: f64,
    /// λ_Q, > 0.
    pub action_value_learning_rate: f64,
    /// λ_V, > 0.
    pub state_value_learning_rate: f64,
    /// τ in (0, 1].
    pub target_update_rate: f64,
    /// Factor of mean μ² in the policy loss, >= 0.
    pub mean_regulariser: f64,
    /// Factor of mean (log σ)² in the policy loss, >= 0.
    pub log_std_regulariser: f64,
    /// Unstable simulator states allowed per 10,000 steps.
    pub max_unstable_per_10k: f64,
    /// `kernel` or `tensor`.
    pub engine: String,
    /// `cpu`, `cuda` or `cuda:<index>`.
    pub device: String,
    /// Threads of a gradient step, > 0.
    pub threads: f64,
}

/// One part of an iteration: exactly one of the two.
#[napi(object)]
pub struct NativePhase {
    /// Environment steps.
    pub collect: Option<f64>,
    /// Gradient steps.
    pub update: Option<NativeUpdate>,
}

/// Gradient steps of an iteration; at 1 and 1 both share a batch.
#[napi(object)]
pub struct NativeUpdate {
    /// M-steps: Q, V, target.
    pub m_steps: f64,
    /// E-steps: policy.
    pub e_steps: f64,
}

/// Iterations of the EM schedule to run in one call.
#[napi(object)]
pub struct NativePlan {
    /// How often the phases are run through.
    pub repeat: f64,
    /// The phases of one iteration, in order.
    pub phases: Vec<NativePhase>,
}

/// The error of a field outside its range.
pub fn refuse<T>(name: &'static str, expected: &'static str, got: impl ToString) -> Result<T> {
    Err(EngineError::OutOfRange { name, expected, got: got.to_string() })
}

/// The largest whole number that JavaScript can tell from its neighbours, 2^53 − 1.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_991.0;

/// A whole number from `least` to 2^53 − 1. It crosses as a float: an integer crossing would make NaN a 0.
pub fn whole(name: &'static str, value: f64, least: u32) -> Result<u64> {
    if value.fract() == 0.0 && (f64::from(least)..=LARGEST_WHOLE).contains(&value) {
        return Ok(value as u64);
    }
    let expected = if least == 0 { "a whole number, at least 0" } else { "a whole number, at least 1" };
    refuse(name, expected, value)
}

/// A whole number from 1 to 2^32, which a size can be.
fn size(name: &'static str, value: f64) -> Result<usize> {
    const LARGEST: u64 = 1 << 32;
    match whole(name, value, 1) {
        Ok(size @ 1..=LARGEST) => Ok(size as usize),
        _ => refuse(name, "a whole number from 1 to 2^32", value),
    }
}

/// A number in `range`, which `expected` says in words.
fn number(
    name: &'static str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
    expected: &'static str,
) -> Result<f64> {
    if range.contains(&value) { Ok(value) } else { refuse(name, expected, value) }
}

impl NativeConfig {
    /// Checks every field by itself.
    pub fn to_engine(&self) -> Result<SessionConfig> {
        let rate = |name, value| number(name, value, f64::MIN_POSITIVE..=1.0, "a number in (0, 1]");
        let weight = |name, value| number(name, value, 0.0..=f64::from(f32::MAX), "a number, at least 0");
        let hidden = self.hidden.iter().map(|&width| size("hidden", width)).collect::<Result<Vec<_>>>()?;
        if hidden.is_empty() {
            return refuse("hidden", "at least one width", "none");
        }
        let choices = Choices::from_json(&self.environment_choices)?;
        let spec = mujoco::describe(&self.environment, &choices)?;
        let learner = LearnerConfig {
            recipe: agents::recipe(&self.algorithm)?,
            sizes: Sizes { observation: spec.observation_size, action: spec.action_size, hidden },
            batch: size("batchSize", self.batch_size)?,
            discount: number("discount", self.discount, 0.0..=1.0, "a number in [0, 1]")? as f32,
            policy_learning_rate: rate("policyLearningRate", self.policy_learning_rate)?,
            action_value_learning_rate: rate("actionValueLearningRate", self.action_value_learning_rate)?,
            state_value_learning_rate: rate("stateValueLearningRate", self.state_value_learning_rate)?,
            target_update_rate: rate("targetUpdateRate", self.target_update_rate)?,
            mean_regulariser: weight("meanRegulariser", self.mean_regulariser)? as f32,
            log_std_regulariser: weight("logStdRegulariser", self.log_std_regulariser)? as f32,
            threads: size("threads", self.threads)?,
        };
        Ok(SessionConfig {
            environment: self.environment.clone(),
            model_directory: self.model_directory.clone().into(),
            choices,
            max_episode_steps: whole("maxEpisodeSteps", self.max_episode_steps, 1)?,
            seed: whole("seed", self.seed, 0)?,
            reward_scale: number("rewardScale", self.reward_scale, -1e30..=1e30, "a finite number")?,
            temperature: weight("temperature", self.temperature)? as f32,
            start_updates: whole("startUpdates", self.start_updates, 1)?,
            uniform_steps: whole("uniformSteps", self.uniform_steps, 0)?,
            reset_every: whole("resetEvery", self.reset_every, 0)?,
            replay_capacity: size("replayCapacity", self.replay_capacity)?,
            residual_batch: size("residualBatch", self.residual_batch)?,
            max_unstable_per_10k: whole("maxUnstablePer10k", self.max_unstable_per_10k, 0)?,
            learner,
            engine: self.engine()?,
        })
    }

    fn engine(&self) -> Result<Engine> {
        match (self.engine.as_str(), self.device.as_str()) {
            ("kernel", "cpu") => Ok(Engine::Kernel),
            ("kernel", device) => Err(EngineError::RecipeUnsupported {
                engine: "kernel",
                recipe: format!("device {device}; it runs on cpu, the tensor engine on both"),
            }),
            ("tensor", device) => Ok(Engine::Tensor { device: device.to_owned() }),
            (other, _) => refuse("engine", "kernel or tensor", other),
        }
    }
}

impl NativePlan {
    /// Checks that every phase is one thing.
    pub fn to_engine(&self) -> Result<Plan> {
        let phases = self.phases.iter().map(|phase| match phase {
            NativePhase { collect: Some(steps), update: None } => {
                Ok(Phase::Collect(whole("collect", *steps, 0)?))
            }
            NativePhase { collect: None, update: Some(update) } => Ok(Phase::Update {
                m_steps: whole("mSteps", update.m_steps, 0)?,
                e_steps: whole("eSteps", update.e_steps, 0)?,
            }),
            _ => refuse("phases", "either collect or update in each phase", "both or none"),
        });
        let phases = phases.collect::<Result<Vec<_>>>()?;
        if phases.is_empty() {
            return refuse("phases", "at least one phase", "none");
        }
        Ok(Plan { repeat: whole("repeat", self.repeat, 0)?, phases })
    }
}
