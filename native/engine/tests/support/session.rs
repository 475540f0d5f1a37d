//! Sessions in small.

use std::path::PathBuf;

use virel_engine::environments::mujoco::choices::Choices;
use virel_engine::environments::mujoco::describe;
use virel_engine::environments::spec::Spec;
use virel_engine::networks::initialise::{Scheme, TrainedStart};
use virel_engine::networks::layout::Sizes;
use virel_engine::recipe::{PolicyKind, TrainedTemperature};
use virel_engine::session::exploration::Exploration;
use virel_engine::session::temperature::TemperatureSource;
use virel_engine::session::{Engine, ResidualConfig, SessionConfig, World};

use super::Case;
use super::recipes::Variant;

/// A session of the kernel in an environment of the caller's: `rows` of a training batch, a
/// ring of 1000, targets and residual error after every gradient step.
pub fn config(variant: Variant, sizes: Sizes, rows: usize) -> SessionConfig {
    let case = Case::of(variant, 0, sizes, rows, 1.0);
    let (recipe, sizes) = (variant.recipe, &case.sizes);
    let temperature = match (recipe.trained_temperature, recipe.policy) {
        (TrainedTemperature::None, PolicyKind::TanhGaussian) => TemperatureSource::Fixed(0.7),
        (TrainedTemperature::None, PolicyKind::Deterministic) => TemperatureSource::Fixed(0.0),
        _ => TemperatureSource::Trained,
    };
    SessionConfig {
        world: World::External(spec(sizes.observation, vec![-1.0; sizes.action], vec![1.0; sizes.action])),
        max_episode_steps: 1000,
        seed: 3,
        reward_scale: 1.0,
        temperature,
        residual: ResidualConfig { batch: 4, factor: 1.0, warmup_value: 1.0, every: 1 },
        exploration: match recipe.policy {
            PolicyKind::TanhGaussian => Exploration::Policy,
            PolicyKind::Deterministic => Exploration::OrnsteinUhlenbeck { theta: 0.15, sigma: 0.3 },
        },
        target_every: 1,
        start_updates: 1,
        uniform_steps: 0,
        reset_every: 0,
        environments: 1,
        replay_capacity: 1000,
        max_unstable_per_10k: 10,
        initialise: Scheme::FanIn,
        start: TrainedStart { temperature: 0.5, mean_multiplier: 1.0, covariance_multiplier: 2.0 },
        learner: case.config(),
        engine: Engine::Kernel,
    }
}

/// A small session in one of our tasks, its models in the folder `VIREL_MODELS`; T is `temperature` where the variant leaves
/// it to the session.
pub fn in_task(id: &str, variant: Variant, temperature: TemperatureSource) -> SessionConfig {
    let (choices, task) = (Choices::default(), describe(id, &Choices::default()).unwrap());
    let sizes = Sizes {
        observation: task.observation_size,
        action: task.action_size,
        policy_hidden: vec![20, 18],
        hidden: vec![19, 17],
        action_values: 1,
    };
    let plain = config(variant, sizes, 16);
    let model_directory =
        std::env::var_os("VIREL_MODELS").map(PathBuf::from).expect("VIREL_MODELS must name a folder");
    let temperature = match (variant.recipe.trained_temperature, plain.temperature) {
        (TrainedTemperature::None, TemperatureSource::Fixed(value)) if value > 0.0 => temperature,
        (_, source) => source,
    };
    SessionConfig { world: World::Mujoco { id: task.id, model_directory, choices }, temperature, ..plain }
}

/// A task of the caller's.
pub fn spec(observation_size: usize, action_low: Vec<f64>, action_high: Vec<f64>) -> Spec {
    Spec {
        id: "scripted".to_owned(),
        observation_size,
        action_size: action_low.len(),
        action_low,
        action_high,
        timestep: 1.0,
        frame_skip: 1,
        max_episode_steps: 1000,
        info: Vec::new(),
    }
}
