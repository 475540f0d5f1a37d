//! `VectorEnvironment`: several environments of one task, stepped from JavaScript in one call.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use napi::bindgen_prelude::{Float64Array, Uint8Array};
use napi_derive::napi;
use virel_engine::environments::environment::Environment as _;
use virel_engine::environments::mujoco::choices::Choices;
use virel_engine::environments::mujoco::{self, MujocoEnvironment};
use virel_engine::environments::vector::{Autoreset, Steps, VectorEnvironment as Inner};
use virel_engine::error::{EngineError, Result};
use virel_engine::memory::{Part, available, expect_fits};

use crate::config::whole;
use crate::environment::NativeSpec;
use crate::error::to_js;
use crate::session::seed_of;
use crate::worker::panic_message;

/// What a step of all yields; row e is of environment e.
#[napi(object)]
pub struct NativeSteps {
    /// What to act on next, `[E, O]`.
    pub observations: Float64Array,
    /// s′ of the step itself, `[E, O]`.
    pub final_observations: Float64Array,
    /// r, unscaled, `[E]`.
    pub rewards: Float64Array,
    /// The task's own rule ended the episode, `[E]`; 1 or 0.
    pub terminated: Uint8Array,
    /// The time limit ended it, `[E]`; 1 or 0.
    pub truncated: Uint8Array,
    /// The simulator left its range, `[E]`; 1 or 0.
    pub unstable: Uint8Array,
    /// Numbers about the step, `[E]` each, by Gymnasium's names.
    pub info: BTreeMap<String, Float64Array>,
}

/// How to make a [`VectorEnvironment`].
#[napi(object)]
pub struct NativeVector {
    /// E, at least 1.
    pub count: f64,
    /// `NEXT_STEP`, `SAME_STEP` or `DISABLED`.
    pub autoreset: String,
    /// How many step them at a time.
    pub threads: f64,
    /// Replaces the task's time limit.
    pub max_episode_steps: Option<f64>,
}

/// Environments of one task on one loaded model, stepped together: raw action units, exactly Gymnasium's numbers.
#[napi]
pub struct VectorEnvironment {
    id: String,
    inner: Option<Inner<MujocoEnvironment>>,
    spec: NativeSpec,
    info: Vec<String>,
}

#[napi]
impl VectorEnvironment {
    /// Loads a task with these choices (JSON: `modelFile`, `taskFile`, options).
    ///
    /// Errors: `ENV_UNKNOWN`, `MODEL_MISSING`, `MODEL_INVALID`, `MODEL_FINGERPRINT`, `TASK_INVALID`, `CONFIG_RANGE`,
    /// `CONFIG_TYPE`, `CONFIG_UNKNOWN_KEY`; `OUT_OF_MEMORY`.
    #[napi(factory, catch_unwind)]
    pub fn create(
        id: String,
        model_directory: String,
        vector: NativeVector,
        choices: String,
    ) -> napi::Result<Self, String> {
        let open = || {
            let count = whole("size", vector.count, 1)?;
            let threads = whole("threads", vector.threads, 1)?;
            let autoreset = autoreset_of(&vector.autoreset)?;
            let limit =
                vector.max_episode_steps.map(|steps| whole("maxEpisodeSteps", steps, 1)).transpose()?;
            let choices = Choices::from_json(&choices)?;
            let mut first = mujoco::create_with(&id, Path::new(&model_directory), &choices)?;
            if let Some(limit) = limit {
                first.set_max_episode_steps(limit);
            }
            let spec = first.spec().clone();
            let name = format!("{count} environments");
            let part = Part { name, lower: "size", bytes: first.bytes().saturating_mul(count) };
            expect_fits(&[part], available())?;
            let mut all = Vec::new();
            for _ in 1..count {
                all.push(first.sibling()?);
            }
            all.push(first);
            Ok((Inner::new(all, autoreset, threads as usize)?, spec))
        };
        let (inner, spec) = open().map_err(to_js)?;
        let info = spec.info.clone();
        Ok(Self { id, inner: Some(inner), spec: spec.into(), info })
    }

    /// Calls `work` with the open environments. A panic closes them: what it left behind is not to be trusted.
    fn with<R>(
        &mut self,
        work: impl FnOnce(&mut Inner<MujocoEnvironment>) -> Result<R>,
    ) -> napi::Result<R, String> {
        let Some(inner) = &mut self.inner else {
            let reason = format!("{} was disposed", self.id);
            return Err(to_js(EngineError::HandleClosed { handle: "vector environment", reason }));
        };
        let result = catch_unwind(AssertUnwindSafe(|| work(inner))).unwrap_or_else(|payload| {
            self.inner = None;
            Err(EngineError::Panic { reason: panic_message(payload.as_ref()) })
        });
        result.map_err(to_js)
    }

    /// Sizes, bounds and times of the task.
    #[napi(getter, catch_unwind)]
    pub fn spec(&self) -> NativeSpec {
        self.spec.clone()
    }

    /// Starts episodes, everywhere or where `mask` `[E]` is not 0; returns the observations of all, `[E, O]`. Environment e
    /// draws from the seed + e.
    ///
    /// Errors: `CONFIG_RANGE`, `LENGTH_MISMATCH`.
    #[napi(catch_unwind)]
    pub fn reset(&mut self, seed: Option<f64>, mask: Option<&[u8]>) -> napi::Result<Float64Array, String> {
        let mask: Option<Vec<bool>> = mask.map(|mask| mask.iter().map(|&each| each != 0).collect());
        self.with(|inner| Ok(Float64Array::new(inner.reset(seed_of(seed)?, mask.as_deref())?)))
    }

    /// Applies raw actions, `[E, A]`, for one step of each.
    ///
    /// Errors: `LENGTH_MISMATCH`, `NOT_FINITE`, `RESET_NEEDED`, before anything is stepped; `REWARD_NOT_FINITE`, after
    /// which all need a reset.
    #[napi(catch_unwind)]
    pub fn step(&mut self, actions: &[f64]) -> napi::Result<NativeSteps, String> {
        let steps = self.with(|inner| inner.step(actions))?;
        Ok(steps_to_js(steps, &self.info))
    }

    /// Frees the native memory. Idempotent.
    #[napi(catch_unwind)]
    pub fn dispose(&mut self) {
        self.inner = None;
    }
}

fn autoreset_of(name: &str) -> Result<Autoreset> {
    match name {
        "NEXT_STEP" => Ok(Autoreset::NextStep),
        "SAME_STEP" => Ok(Autoreset::SameStep),
        "DISABLED" => Ok(Autoreset::Disabled),
        other => Err(EngineError::OutOfRange {
            name: "autoreset",
            expected: "NEXT_STEP, SAME_STEP or DISABLED",
            got: other.to_owned(),
        }),
    }
}

fn steps_to_js(steps: Steps, names: &[String]) -> NativeSteps {
    let flags = |values: Vec<bool>| Uint8Array::new(values.into_iter().map(u8::from).collect());
    let column = |at: usize| steps.info.iter().skip(at).step_by(names.len()).copied().collect();
    let info = names.iter().enumerate().map(|(at, name)| (name.clone(), Float64Array::new(column(at))));
    NativeSteps {
        info: info.collect(),
        observations: Float64Array::new(steps.observations),
        final_observations: Float64Array::new(steps.final_observations),
        rewards: Float64Array::new(steps.rewards),
        terminated: flags(steps.terminated),
        truncated: flags(steps.truncated),
        unstable: flags(steps.unstable),
    }
}
