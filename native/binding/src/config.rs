//! Flat, all-required structs of the boundary, and their engine counterparts. No defaults: TypeScript resolved them.

use napi_derive::napi;
use virel_engine::environments::mujoco::{self, choices::Choices};
use virel_engine::environments::spec::Spec;
use virel_engine::error::{EngineError, Result};
use virel_engine::learner::{Bootstrap, KlBounds, LearnerConfig, Optimisers, ProjectedSteps, Step};
use virel_engine::networks::initialise::{Scheme, TrainedStart};
use virel_engine::networks::layout::Sizes;
use virel_engine::recipe::{Named, Recipe};
use virel_engine::session::exploration::Exploration;
use virel_engine::session::temperature::TemperatureSource;
use virel_engine::session::{Engine, Phase, Plan, ResidualConfig, SessionConfig, World};

/// An algorithm's parts, by the names of `src/algorithms/recipe.ts`.
#[napi(object)]
pub struct NativeRecipe {
    /// What π_θ is.
    pub policy: String,
    /// What every Q_i is regressed on.
    pub action_value_target: String,
    /// What V is regressed on.
    pub state_value_target: String,
    /// The loss of π_θ.
    pub policy_objective: String,
    /// Which Q that loss reads.
    pub policy_critic: String,
    /// How w follows the Bellman residual.
    pub m_step: String,
    /// A temperature that the learner trains.
    pub trained_temperature: String,
}

/// An environment that the caller steps between `propose` and `record`.
#[napi(object)]
pub struct NativeExternal {
    /// O, values of an observation.
    pub observation_size: f64,
    /// Smallest action per dimension, `[A]`.
    pub action_low: Vec<f64>,
    /// Largest action per dimension, `[A]`.
    pub action_high: Vec<f64>,
}

/// Where T comes from: `fixed` (value: T), `residual` (value: the factor of ε), `residualAuto` or `trained` (no value).
#[napi(object)]
pub struct NativeTemperature {
    /// Which of them.
    pub kind: String,
    /// Its number; 0 where it has none.
    pub value: f64,
    /// Target entropy of a tuned one, in nats; null: minus the action size.
    pub target_entropy: Option<f64>,
    /// KL bound of a dual one.
    pub kl_bound: f64,
    /// KL bound on the fitted mean.
    pub mean_kl_bound: f64,
    /// KL bound on the fitted covariance.
    pub covariance_kl_bound: f64,
    /// Rate of a trained one and of its multipliers.
    pub learning_rate: f64,
    /// Starting value of a trained one, > 0.
    pub initial: f64,
    /// Starting value of the multipliers of the mean's bound, > 0.
    pub initial_mean_multiplier: f64,
    /// Starting value of the multipliers of the covariance's bound, > 0.
    pub initial_covariance_multiplier: f64,
}

/// The residual error and what it is measured on.
#[napi(object)]
pub struct NativeResidual {
    /// Fresh rows of each measurement, > 0.
    pub batch: f64,
    /// Whether it has a factor ½.
    pub half: bool,
    /// Its value until the buffer holds more than `batch` rows.
    pub warmup_value: f64,
    /// Whether it bootstraps with target networks.
    pub target: bool,
    /// Gradient steps from one measurement to the next, > 0.
    pub every: f64,
}

/// Step sizes of the projected M-step.
#[napi(object)]
pub struct NativeProjected {
    /// α_w(0).
    pub value_step: f64,
    /// Decay of α_w.
    pub value_decay: f64,
    /// α_ζ(0).
    pub auxiliary_step: f64,
    /// Decay of α_ζ.
    pub auxiliary_decay: f64,
    /// M-steps after which the decay is felt, > 0.
    pub scale: f64,
    /// Largest ‖w‖₂, > 0.
    pub radius: f64,
    /// Share of ζ forgotten with each step.
    pub leak: f64,
}

/// What a session is made of; every field is chosen by `resolveConfig`, nothing has a default here.
#[napi(object)]
pub struct NativeConfig {
    /// Task id, such as `HalfCheetah-v5`; only a name where `external` is given.
    pub environment: String,
    /// Folder of the MuJoCo model files.
    pub model_directory: String,
    /// An environment of the caller's instead of a task.
    pub external: Option<NativeExternal>,
    /// What of the task was chosen, as JSON: `modelFile`, `taskFile`, options.
    pub environment_choices: String,
    /// Environment steps after which an episode is truncated, > 0.
    pub max_episode_steps: f64,
    /// The algorithm.
    pub recipe: NativeRecipe,
    /// Seed of every random stream, a whole number from 0 to 2^53 − 1.
    pub seed: f64,
    /// γ in [0, 1].
    pub discount: f64,
    /// Multiplier of rewards before they are stored.
    pub reward_scale: f64,
    /// T.
    pub temperature: NativeTemperature,
    /// ε.
    pub residual: NativeResidual,
    /// Steps of a half from one update of its targets to the next, > 0.
    pub target_every: f64,
    /// θ of an Ornstein-Uhlenbeck process added to the deterministic action; null for the policy's own noise.
    pub exploration_theta: Option<f64>,
    /// σ of that process.
    pub exploration_sigma: Option<f64>,
    /// Transitions to store before the first gradient step, > 0.
    pub start_updates: f64,
    /// First environment steps that act uniformly at random.
    pub uniform_steps: f64,
    /// Environment steps between resets of the training environment; 0 for never.
    pub reset_every: f64,
    /// Environments that collect in turn, > 0.
    pub environments: f64,
    /// Transitions kept, > 0.
    pub replay_capacity: f64,
    /// Transitions of a gradient step, > 0.
    pub batch_size: f64,
    /// K, actions sampled from a prior policy, > 0.
    pub samples: f64,
    /// Widths of the hidden layers of Q and V, each > 0.
    pub hidden: Vec<f64>,
    /// Widths of the policy's hidden layers, each > 0.
    pub policy_hidden: Vec<f64>,
    /// Number of action values, 1 or 2.
    pub action_values: f64,
    /// `rlkit`, `glorot` or `fanIn`.
    pub initialise: String,
    /// λ_π, > 0.
    pub policy_learning_rate: f64,
    /// λ_Q, > 0.
    pub action_value_learning_rate: f64,
    /// λ_V, > 0.
    pub state_value_learning_rate: f64,
    /// τ in (0, 1].
    pub target_update_rate: f64,
    /// Factor of J_Q and J_V, > 0.
    pub value_loss_factor: f64,
    /// Factor of mean μ² in the policy loss, >= 0.
    pub mean_regulariser: f64,
    /// Factor of mean (log σ)² in the policy loss, >= 0.
    pub log_std_regulariser: f64,
    /// Step sizes of the projected M-step.
    pub projected: NativeProjected,
    /// Unstable simulator states allowed per 10,000 steps.
    pub max_unstable_per_10k: f64,
    /// `kernel` or `tensor`.
    pub engine: String,
    /// `cpu`, `cuda` or `cuda:<index>`.
    pub device: String,
    /// Threads of a gradient step, > 0.
    pub threads: f64,
    /// What computes the products of the `kernel` engine: `own`, `gemm` or `matrixmultiply`.
    pub gemm: String,
}

/// One part of an iteration: exactly one of the three.
#[napi(object)]
pub struct NativePhase {
    /// Environment steps.
    pub collect: Option<f64>,
    /// Gradient steps.
    pub update: Option<NativeUpdate>,
    /// Gradient steps on one half until it no longer changes.
    pub converge: Option<NativeConverge>,
}

/// Gradient steps of an iteration; at 1 and 1 both share a batch.
#[napi(object)]
pub struct NativeUpdate {
    /// M-steps: Q, V, target.
    pub m_steps: f64,
    /// E-steps: policy.
    pub e_steps: f64,
}

/// A complete half of EM: gradient steps on one batch until the change from one to the next is below the tolerance.
#[napi(object)]
pub struct NativeConverge {
    /// `m`: relative change of the action value loss; `e`: mean KL divergence of the policy, nats.
    pub part: String,
    /// Change below which it ends, > 0.
    pub tolerance: f64,
    /// Most gradient steps, > 0.
    pub max_steps: f64,
}

/// Iterations of the EM schedule to run in one call.
#[napi(object)]
pub struct NativePlan {
    /// How often the phases are run through.
    pub repeat: f64,
    /// The phases of one iteration, in order.
    pub phases: Vec<NativePhase>,
    /// ε_k of incremental EM, added to the residual error in use; 0 without.
    pub residual_floor: Option<f64>,
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

/// A number of at least 0 that float32 can hold.
fn weight(name: &'static str, value: f64) -> Result<f32> {
    number(name, value, 0.0..=f64::from(f32::MAX), "a number, at least 0").map(|value| value as f32)
}

/// A number above 0.
fn positive(name: &'static str, value: f64) -> Result<f64> {
    number(name, value, f64::MIN_POSITIVE..=f64::MAX, "a number above 0")
}

/// A number in (0, 1].
fn rate(name: &'static str, value: f64) -> Result<f64> {
    number(name, value, f64::MIN_POSITIVE..=1.0, "a number in (0, 1]")
}

fn widths(name: &'static str, values: &[f64]) -> Result<Vec<usize>> {
    if values.is_empty() {
        return refuse(name, "at least one width", "none");
    }
    values.iter().map(|&width| size(name, width)).collect()
}

impl NativeRecipe {
    fn to_engine(&self) -> Result<Recipe> {
        Ok(Recipe {
            policy: Named::named("policy", &self.policy)?,
            action_value_target: Named::named("actionValueTarget", &self.action_value_target)?,
            state_value_target: Named::named("stateValueTarget", &self.state_value_target)?,
            policy_objective: Named::named("policyObjective", &self.policy_objective)?,
            policy_critic: Named::named("policyCritic", &self.policy_critic)?,
            m_step: Named::named("mStep", &self.m_step)?,
            trained_temperature: Named::named("trainedTemperature", &self.trained_temperature)?,
        })
    }
}

impl NativeTemperature {
    fn source(&self, discount: f64) -> Result<TemperatureSource> {
        match self.kind.as_str() {
            "fixed" => Ok(TemperatureSource::Fixed(weight("temperature", self.value)?)),
            "residual" => {
                let temperature_scale = f64::from(weight("temperatureScale", self.value)?);
                Ok(TemperatureSource::Residual { temperature_scale })
            }
            "residualAuto" => Ok(TemperatureSource::ResidualAuto { discount }),
            "trained" => Ok(TemperatureSource::Trained),
            other => refuse("temperature.kind", "fixed, residual, residualAuto or trained", other),
        }
    }

    fn start(&self) -> Result<TrainedStart> {
        Ok(TrainedStart {
            temperature: positive("temperature.initial", self.initial)?,
            mean_multiplier: positive("initialMeanMultiplier", self.initial_mean_multiplier)?,
            covariance_multiplier: positive(
                "initialCovarianceMultiplier",
                self.initial_covariance_multiplier,
            )?,
        })
    }

    fn kl_bounds(&self) -> Result<KlBounds> {
        Ok(KlBounds {
            dual: weight("klBound", self.kl_bound)?,
            mean: weight("meanKlBound", self.mean_kl_bound)?,
            covariance: weight("covarianceKlBound", self.covariance_kl_bound)?,
        })
    }
}

impl NativeProjected {
    fn to_engine(&self) -> Result<ProjectedSteps> {
        Ok(ProjectedSteps {
            value_step: positive("valueStep", self.value_step)?,
            value_decay: positive("valueDecay", self.value_decay)?,
            auxiliary_step: positive("auxiliaryStep", self.auxiliary_step)?,
            auxiliary_decay: positive("auxiliaryDecay", self.auxiliary_decay)?,
            scale: positive("stepScale", self.scale)?,
            radius: positive("radius", self.radius)?,
            leak: number("leak", self.leak, 0.0..=1.0, "a number in [0, 1]")?,
        })
    }
}

impl NativeConfig {
    /// Checks every field by itself.
    pub fn to_engine(&self) -> Result<SessionConfig> {
        let (world, spec) = self.world()?;
        let learner = self.learner(&spec)?;
        Ok(SessionConfig {
            world,
            max_episode_steps: whole("maxEpisodeSteps", self.max_episode_steps, 1)?,
            seed: whole("seed", self.seed, 0)?,
            reward_scale: number("rewardScale", self.reward_scale, -1e30..=1e30, "a finite number")?,
            temperature: self.temperature.source(self.discount)?,
            residual: ResidualConfig {
                batch: size("residualBatch", self.residual.batch)?,
                factor: if self.residual.half { 0.5 } else { 1.0 },
                warmup_value: positive("residual.warmupValue", self.residual.warmup_value)?,
                every: whole("residualEvery", self.residual.every, 1)?,
            },
            exploration: self.exploration()?,
            target_every: whole("targetEvery", self.target_every, 1)?,
            start_updates: whole("startUpdates", self.start_updates, 1)?,
            uniform_steps: whole("uniformSteps", self.uniform_steps, 0)?,
            reset_every: whole("resetEvery", self.reset_every, 0)?,
            environments: size("collect.environments", self.environments)?,
            replay_capacity: size("replayCapacity", self.replay_capacity)?,
            max_unstable_per_10k: whole("maxUnstablePer10k", self.max_unstable_per_10k, 0)?,
            initialise: self.scheme()?,
            start: self.temperature.start()?,
            learner,
            engine: self.engine()?,
        })
    }

    fn learner(&self, spec: &Spec) -> Result<LearnerConfig> {
        Ok(LearnerConfig {
            recipe: self.recipe.to_engine()?,
            sizes: Sizes {
                observation: spec.observation_size,
                action: spec.action_size,
                policy_hidden: widths("policyHidden", &self.policy_hidden)?,
                hidden: widths("hidden", &self.hidden)?,
                action_values: match size("actionValues", self.action_values)? {
                    number @ 1..=2 => number,
                    other => return refuse("actionValues", "1 or 2", other),
                },
            },
            batch: size("batchSize", self.batch_size)?,
            samples: size("samples", self.samples)?,
            discount: number("discount", self.discount, 0.0..=1.0, "a number in [0, 1]")? as f32,
            optimisers: Optimisers {
                policy_learning_rate: rate("policyLearningRate", self.policy_learning_rate)?,
                action_value_learning_rate: rate("actionValueLearningRate", self.action_value_learning_rate)?,
                state_value_learning_rate: rate("stateValueLearningRate", self.state_value_learning_rate)?,
                temperature_learning_rate: rate("temperature.learningRate", self.temperature.learning_rate)?,
                target_update_rate: rate("targetUpdateRate", self.target_update_rate)?,
            },
            mean_regulariser: weight("meanRegulariser", self.mean_regulariser)?,
            log_std_regulariser: weight("logStdRegulariser", self.log_std_regulariser)?,
            value_loss_factor: positive("valueLossFactor", self.value_loss_factor)? as f32,
            target_entropy: number(
                "targetEntropy",
                self.temperature.target_entropy.unwrap_or(-(spec.action_size as f64)),
                f64::from(f32::MIN)..=f64::from(f32::MAX),
                "a finite number",
            )? as f32,
            kl_bounds: self.temperature.kl_bounds()?,
            projected: self.projected.to_engine()?,
            residual_bootstrap: if self.residual.target { Bootstrap::Target } else { Bootstrap::Online },
            threads: size("threads", self.threads)?,
            gemm: Named::named("gemm", &self.gemm)?,
        })
    }

    /// What the session acts in, and its sizes and bounds.
    fn world(&self) -> Result<(World, Spec)> {
        match &self.external {
            None => {
                let choices = Choices::from_json(&self.environment_choices)?;
                let spec = mujoco::describe(&self.environment, &choices)?;
                let (id, model_directory) = (self.environment.clone(), self.model_directory.clone().into());
                Ok((World::Mujoco { id, model_directory, choices }, spec))
            }
            Some(external) => {
                let spec =
                    external.spec(&self.environment, whole("maxEpisodeSteps", self.max_episode_steps, 1)?)?;
                Ok((World::External(spec.clone()), spec))
            }
        }
    }

    fn exploration(&self) -> Result<Exploration> {
        match (self.exploration_theta, self.exploration_sigma) {
            (Some(theta), Some(sigma)) => Ok(Exploration::OrnsteinUhlenbeck {
                theta: number("exploration.theta", theta, 0.0..=1.0, "a number in [0, 1]")?,
                sigma: f64::from(weight("exploration.sigma", sigma)?),
            }),
            _ => Ok(Exploration::Policy),
        }
    }

    fn scheme(&self) -> Result<Scheme> {
        match self.initialise.as_str() {
            "rlkit" => Ok(Scheme::Rlkit),
            "glorot" => Ok(Scheme::Glorot),
            "fanIn" => Ok(Scheme::FanIn),
            other => refuse("initialise", "rlkit, glorot or fanIn", other),
        }
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

impl NativeExternal {
    /// The description as the engine has it.
    ///
    /// # Errors
    /// `CONFIG_RANGE`.
    pub fn spec(&self, id: &str, max_episode_steps: u64) -> Result<Spec> {
        if self.action_low.is_empty() || self.action_low.len() != self.action_high.len() {
            return refuse("actionHigh", "as many bounds as actionLow, at least one", self.action_high.len());
        }
        let wrong = self
            .action_low
            .iter()
            .zip(&self.action_high)
            .find(|(low, high)| !low.is_finite() || !high.is_finite() || low >= high);
        if let Some((low, high)) = wrong {
            return refuse(
                "actionLow",
                "finite bounds, each below that of actionHigh",
                format!("{low}..{high}"),
            );
        }
        Ok(Spec {
            id: id.to_owned(),
            observation_size: size("observationSize", self.observation_size)?,
            action_size: self.action_low.len(),
            action_low: self.action_low.clone(),
            action_high: self.action_high.clone(),
            timestep: 1.0,
            frame_skip: 1,
            max_episode_steps,
            info: Vec::new(),
        })
    }
}

impl NativePlan {
    /// Checks that every phase is one thing.
    pub fn to_engine(&self) -> Result<Plan> {
        let phases = self.phases.iter().map(NativePhase::to_engine).collect::<Result<Vec<_>>>()?;
        if phases.is_empty() {
            return refuse("phases", "at least one phase", "none");
        }
        let residual_floor = f64::from(weight("residualFloor", self.residual_floor.unwrap_or_default())?);
        Ok(Plan { repeat: whole("repeat", self.repeat, 0)?, phases, residual_floor })
    }
}

impl NativePhase {
    fn to_engine(&self) -> Result<Phase> {
        match self {
            Self { collect: Some(steps), update: None, converge: None } => {
                Ok(Phase::Collect(whole("collect", *steps, 0)?))
            }
            Self { collect: None, update: Some(update), converge: None } => Ok(Phase::Update {
                m_steps: whole("mSteps", update.m_steps, 0)?,
                e_steps: whole("eSteps", update.e_steps, 0)?,
            }),
            Self { collect: None, update: None, converge: Some(converge) } => Ok(Phase::Converge {
                half: match converge.part.as_str() {
                    "m" => Step::M,
                    "e" => Step::E,
                    other => return refuse("converge.part", "m or e", other),
                },
                tolerance: positive("converge.tolerance", converge.tolerance)?,
                max_steps: whole("converge.maxSteps", converge.max_steps, 1)?,
            }),
            _ => refuse("phases", "either collect, update or converge in each phase", "several or none"),
        }
    }
}
