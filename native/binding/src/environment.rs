//! `Environment`: one task, stepped from JavaScript in raw action units.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;
use virel_engine::environments::environment::Environment as _;
use virel_engine::environments::mujoco::choices::Choices;
use virel_engine::environments::mujoco::options::Declared;
use virel_engine::environments::mujoco::task::Described;
use virel_engine::environments::mujoco::{self, MujocoEnvironment};
use virel_engine::environments::spec::Spec;
use virel_engine::error::{EngineError, Result};
use virel_engine::random::{Purpose, Stream};

use crate::config::whole;
use crate::error::to_js;
use crate::session::seed_of;
use crate::worker::panic_message;

/// What is known of a task without loading its model.
#[napi(object)]
#[derive(Clone)]
pub struct NativeSpec {
    /// Public id.
    pub id: String,
    /// O, values of an observation.
    pub observation_size: i64,
    /// A, values of an action.
    pub action_size: i64,
    /// Smallest raw action, `[A]`.
    pub action_low: Vec<f64>,
    /// Largest raw action, `[A]`.
    pub action_high: Vec<f64>,
    /// Seconds of one physics step.
    pub timestep: f64,
    /// Physics steps of one environment step.
    pub frame_skip: i64,
    /// Environment steps after which an episode is truncated.
    pub max_episode_steps: i64,
}

impl From<Spec> for NativeSpec {
    fn from(spec: Spec) -> Self {
        Self {
            id: spec.id,
            observation_size: spec.observation_size as i64,
            action_size: spec.action_size as i64,
            action_low: spec.action_low,
            action_high: spec.action_high,
            timestep: spec.timestep,
            frame_skip: spec.frame_skip as i64,
            max_episode_steps: spec.max_episode_steps as i64,
        }
    }
}

/// An option of a task: one of Gymnasium's constructor arguments.
#[napi(object)]
pub struct NativeOption {
    /// Gymnasium's name in camelCase.
    pub name: String,
    /// `weight`, `scale`, `count`, `flag`, `interval` or `text`.
    pub kind: String,
    /// What is allowed, in words.
    pub expected: String,
    /// The default, as JSON.
    pub default_value: String,
}

/// A built-in task, without its model loaded.
#[napi(object)]
pub struct NativeTask {
    /// Sizes, bounds and times, every option at its default.
    pub spec: NativeSpec,
    /// What the robot is paid for, in one line.
    pub summary: String,
    /// How v4 and v5 differ, in one line.
    pub versions: String,
    /// Mean return of uniformly random actions; empty if never measured.
    pub random_return: String,
    /// Model file in the folder of models; empty where none is shipped.
    pub model_file: String,
    /// First 12 hex digits of the SHA-256 of Gymnasium 1.4.0's file; empty for other files.
    pub model_sha256: String,
    /// Which file `modelFile` must name where none is shipped; empty for other tasks.
    pub model_needed: String,
    /// What can be changed in it.
    pub options: Vec<NativeOption>,
}

impl From<Described> for NativeTask {
    fn from(Described { task, options }: Described) -> Self {
        let option = |Declared { name, kind }: Declared| NativeOption {
            name: name.to_owned(),
            kind: kind.name().to_owned(),
            expected: kind.expected().to_owned(),
            default_value: kind.default_value().to_string(),
        };
        Self {
            spec: task.spec().into(),
            summary: task.about.summary.into_owned(),
            versions: task.about.versions.into_owned(),
            random_return: task.about.random_return.into_owned(),
            model_file: task.model.file.into_owned(),
            model_sha256: task.model.sha256.into_owned(),
            model_needed: task.about.model_needed.into_owned(),
            options: options.into_iter().map(option).collect(),
        }
    }
}

/// Every built-in task, without loading a model.
#[napi(catch_unwind)]
pub fn list_environments() -> napi::Result<Vec<NativeTask>, String> {
    let tasks = mujoco::described().map_err(to_js)?;
    Ok(tasks.into_iter().map(NativeTask::from).collect())
}

/// What a task is with these choices (JSON: `modelFile`, `taskFile`, options); a model is loaded only for a task of
/// the user's.
///
/// Errors: `ENV_UNKNOWN`, `CONFIG_UNKNOWN_KEY`, `CONFIG_RANGE`, `CONFIG_TYPE`, `TASK_INVALID`, `MODEL_*`.
#[napi(catch_unwind)]
pub fn describe_environment(id: String, choices: String) -> napi::Result<NativeSpec, String> {
    let spec = Choices::from_json(&choices).and_then(|choices| mujoco::describe(&id, &choices));
    spec.map(NativeSpec::from).map_err(to_js)
}

/// What one step yields.
#[napi(object)]
pub struct NativeStep {
    /// s′, `[O]`.
    pub observation: Float64Array,
    /// r, unscaled.
    pub reward: f64,
    /// The task's own rule ended the episode.
    pub terminated: bool,
    /// The time limit ended it; both may be true.
    pub truncated: bool,
    /// Numbers about the step, by Gymnasium's names.
    pub info: HashMap<String, f64>,
}

/// One task, stepped by hand: raw action units, exactly Gymnasium's numbers.
#[napi]
pub struct Environment {
    id: String,
    inner: Option<MujocoEnvironment>,
    stream: Stream,
}

#[napi]
impl Environment {
    /// Loads a task with these choices (JSON: `modelFile`, `taskFile`, options); `maxEpisodeSteps` replaces its time
    /// limit.
    ///
    /// Errors: `ENV_UNKNOWN`, `MODEL_MISSING`, `MODEL_INVALID`, `MODEL_FINGERPRINT`, `TASK_INVALID`, `CONFIG_RANGE`,
    /// `CONFIG_TYPE`, `CONFIG_UNKNOWN_KEY`.
    #[napi(factory, catch_unwind)]
    pub fn create(
        id: String,
        model_directory: String,
        max_episode_steps: Option<f64>,
        choices: Option<String>,
    ) -> napi::Result<Self, String> {
        let limit = max_episode_steps.map(|steps| whole("maxEpisodeSteps", steps, 1));
        let limit = limit.transpose().map_err(to_js)?;
        let choices =
            choices.map_or(Ok(Choices::default()), |text| Choices::from_json(&text)).map_err(to_js)?;
        let mut inner = mujoco::create_with(&id, Path::new(&model_directory), &choices).map_err(to_js)?;
        if let Some(limit) = limit {
            inner.set_max_episode_steps(limit);
        }
        Ok(Self { id, inner: Some(inner), stream: Stream::new(0, Purpose::Reset, 0) })
    }

    /// Calls `work` with the open environment. A panic closes it: what it left behind is not to be trusted.
    fn with<R>(
        &mut self,
        work: impl FnOnce(&mut MujocoEnvironment, &mut Stream) -> Result<R>,
    ) -> napi::Result<R, String> {
        let Some(inner) = &mut self.inner else {
            let reason = format!("{} was disposed", self.id);
            return Err(to_js(EngineError::HandleClosed { handle: "environment", reason }));
        };
        let stream = &mut self.stream;
        let result = catch_unwind(AssertUnwindSafe(|| work(inner, stream))).unwrap_or_else(|payload| {
            self.inner = None;
            Err(EngineError::Panic { reason: panic_message(payload.as_ref()) })
        });
        result.map_err(to_js)
    }

    fn spec(&mut self) -> napi::Result<Spec, String> {
        self.with(|inner, _| Ok(inner.spec().clone()))
    }

    /// O, values of an observation.
    #[napi(getter, catch_unwind)]
    pub fn observation_size(&mut self) -> napi::Result<i64, String> {
        self.spec().map(|spec| spec.observation_size as i64)
    }

    /// A, values of an action.
    #[napi(getter, catch_unwind)]
    pub fn action_size(&mut self) -> napi::Result<i64, String> {
        self.spec().map(|spec| spec.action_size as i64)
    }

    /// Smallest raw action, `[A]`.
    #[napi(getter, catch_unwind)]
    pub fn action_low(&mut self) -> napi::Result<Float64Array, String> {
        self.spec().map(|spec| Float64Array::new(spec.action_low))
    }

    /// Largest raw action, `[A]`.
    #[napi(getter, catch_unwind)]
    pub fn action_high(&mut self) -> napi::Result<Float64Array, String> {
        self.spec().map(|spec| Float64Array::new(spec.action_high))
    }

    /// Starts an episode with the task's reset noise, drawn from the stream of `seed`, or from where the stream stands.
    ///
    /// Errors: `CONFIG_RANGE`.
    #[napi(catch_unwind)]
    pub fn reset(&mut self, seed: Option<f64>) -> napi::Result<Float64Array, String> {
        self.with(|inner, stream| {
            if let Some(seed) = seed_of(seed)? {
                *stream = Stream::new(seed, Purpose::Reset, 0);
            }
            let mut observation = vec![0.0; inner.spec().observation_size];
            inner.reset(stream, &mut observation)?;
            Ok(Float64Array::new(observation))
        })
    }

    /// Starts an episode from this state; the step counter is 0 then.
    ///
    /// Errors: `LENGTH_MISMATCH`, `NOT_FINITE`, before anything is changed.
    #[napi(catch_unwind)]
    pub fn set_state(&mut self, qpos: &[f64], qvel: &[f64]) -> napi::Result<Float64Array, String> {
        self.with(|inner, _| {
            let mut observation = vec![0.0; inner.spec().observation_size];
            inner.set_state(qpos, qvel, &mut observation)?;
            Ok(Float64Array::new(observation))
        })
    }

    /// Applies a raw action for one environment step.
    ///
    /// Errors: `LENGTH_MISMATCH`, `NOT_FINITE`; `SIM_UNSTABLE` when the simulator diverged: reset to go on;
    /// `REWARD_NOT_FINITE`, naming the part.
    #[napi(catch_unwind)]
    pub fn step(&mut self, action: &[f64]) -> napi::Result<NativeStep, String> {
        self.with(|inner, _| {
            let mut observation = vec![0.0; inner.spec().observation_size];
            let outcome = inner.step(action, &mut observation)?;
            let info = inner.spec().info.iter().zip(inner.info());
            Ok(NativeStep {
                info: info.map(|(name, &value)| (name.clone(), value)).collect(),
                observation: Float64Array::new(observation),
                reward: outcome.reward,
                terminated: outcome.terminated,
                truncated: outcome.truncated,
            })
        })
    }

    /// A copy of the generalised positions.
    #[napi(getter, catch_unwind)]
    pub fn qpos(&mut self) -> napi::Result<Float64Array, String> {
        self.with(|inner, _| Ok(Float64Array::new(inner.qpos().to_vec())))
    }

    /// A copy of the generalised velocities.
    #[napi(getter, catch_unwind)]
    pub fn qvel(&mut self) -> napi::Result<Float64Array, String> {
        self.with(|inner, _| Ok(Float64Array::new(inner.qvel().to_vec())))
    }

    /// Frees the native memory. Idempotent.
    #[napi(catch_unwind)]
    pub fn dispose(&mut self) {
        self.inner = None;
    }
}
