//! `Session`: the engine's session on a thread of its own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use napi::Env;
use napi::bindgen_prelude::{Float32Array, Float64Array, Object};
use napi_derive::napi;
use virel_engine::checkpoint::{load_parameters, load_state, save_parameters, save_state};
use virel_engine::environments::environment::Outcome;
use virel_engine::error::{EngineError, Result, expect_finite, expect_len};
use virel_engine::evaluation::{Evaluation, Protocol};
use virel_engine::learner::{Losses, StepGradients, Temperature};
use virel_engine::networks::layout::{Parameter, ParameterSpec};
use virel_engine::replay::batch::{Batch, discounts};
use virel_engine::replay::segment;
use virel_engine::session::record::Episode;
use virel_engine::session::{Progress, Session as EngineSession};

use crate::config::{NativeConfig, NativePlan, refuse, whole};
use crate::error::to_js;
use crate::worker::Worker;

/// A training episode that ended.
#[napi(object)]
pub struct NativeEpisode {
    /// Environment steps of the session at its end.
    pub step: i64,
    /// Undiscounted, unscaled return.
    pub episode_return: f64,
    /// Environment steps.
    pub length: i64,
}

/// What an `advance` did, and where the session stands.
#[napi(object)]
pub struct NativeProgress {
    /// Iterations completed; fewer than asked for after `stop`.
    pub iterations: i64,
    /// Environment steps since the session began.
    pub steps: i64,
    /// Gradient steps since the session began.
    pub updates: i64,
    /// Unstable simulator states since the session began.
    pub unstable_resets: i64,
    /// Training episodes that ended since the last that were told.
    pub episodes: Vec<NativeEpisode>,
}

/// Finished evaluation episodes.
#[napi(object)]
pub struct NativeEvaluation {
    /// Undiscounted, unscaled returns.
    pub returns: Vec<f64>,
    /// Environment steps.
    pub lengths: Vec<i64>,
    /// Whether `stop` ended it before its protocol was fulfilled.
    pub stopped: bool,
}

/// A named parameter or its gradient; weights `[out, in]`, row-major.
#[napi(object)]
pub struct NativeParameter {
    /// Such as `policy.trunk.0.weight`.
    pub name: String,
    /// `[out, in]` or `[out]`.
    pub shape: Vec<i64>,
    /// Row-major values.
    pub data: Float32Array,
}

/// A minibatch of B transitions, row-major.
#[napi(object)]
pub struct NativeBatch {
    /// s, `[B, O]`.
    pub observations: Float32Array,
    /// a in [−1, 1], `[B, A]`.
    pub actions: Float32Array,
    /// r, taken as given, `[B]`.
    pub rewards: Float32Array,
    /// s′, `[B, O]`.
    pub next_observations: Float32Array,
    /// 1 where the task itself ended, else 0, `[B]`.
    pub terminated: Float32Array,
}

/// Losses and gradients at one set of parameters.
#[napi(object)]
pub struct NativeGradients {
    /// Loss values as minimised, by name: `policy`, `actionValue` and whatever else the recipe has.
    pub losses: Vec<NativeMetric>,
    /// By trained parameter.
    pub gradients: Vec<NativeParameter>,
    /// T that was used.
    pub temperature: f64,
    /// The residual error in use, where the temperature reads one.
    pub residual_error: Option<f64>,
}

/// What `record` stored, and what is to be done next.
#[napi(object)]
pub struct NativeRecorded {
    /// The training episode that ended.
    pub episode: Option<NativeEpisode>,
    /// Whether the environment must be reset: an episode ended, or a reset is due.
    pub reset: bool,
    /// Environment steps since the session began.
    pub steps: i64,
}

/// Transitions that were written.
#[napi(object)]
pub struct NativeRows {
    /// Number of the first, counted from the first ever stored.
    pub first: i64,
    /// How many.
    pub count: i64,
}

/// A number with its public name.
#[napi(object)]
pub struct NativeMetric {
    /// As in `src/logging/metrics.ts`, or a loss's.
    pub name: String,
    /// Value.
    pub value: f64,
}

/// The native learner: networks, replay, environments and random streams in native memory, on a thread of its own.
/// One call at a time: a second one while one runs is refused with `HANDLE_BUSY`; after `dispose`, `HANDLE_CLOSED`.
#[napi]
pub struct Session {
    worker: Worker<EngineSession>,
}

#[napi]
impl Session {
    /// Loads the task, initialises the networks, resets the training environment.
    ///
    /// Errors: `CONFIG_RANGE`, `ENV_UNKNOWN`, `ALGORITHM_UNKNOWN`, `RECIPE_UNSUPPORTED`, `MODEL_MISSING`,
    /// `MODEL_INVALID`, `MODEL_FINGERPRINT`, `DEVICE_MISSING`.
    #[napi(factory, catch_unwind)]
    pub fn create(env: &Env, config: NativeConfig) -> napi::Result<Self, String> {
        let config = config.to_engine().map_err(to_js)?;
        Worker::start(env, "session", move || EngineSession::new(config)).map(|worker| Self { worker })
    }

    /// Runs a plan: many environment steps and gradient steps in one call.
    ///
    /// Errors: `CONFIG_RANGE`, `DIVERGED`, `SIM_UNSTABLE`; what was learned until then stays.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeProgress>")]
    pub fn advance<'env>(&self, env: &'env Env, plan: NativePlan) -> napi::Result<Object<'env>, String> {
        let plan = plan.to_engine();
        let work = move |session: &mut EngineSession, stop: &_| session.advance(&plan?, stop);
        self.worker.call_async(env, "advance", work, progress_to_js)
    }

    /// The deterministic policy on an environment of its own: `episodes` of them, or whole episodes until more than
    /// `minSteps` steps are collected (exactly one of the two). Without a `seed` the start states follow from the
    /// session's seed and the steps so far.
    ///
    /// Errors: `CONFIG_RANGE`, `DIVERGED`.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeEvaluation>")]
    pub fn evaluate<'env>(
        &self,
        env: &'env Env,
        episodes: Option<f64>,
        min_steps: Option<f64>,
        seed: Option<f64>,
    ) -> napi::Result<Object<'env>, String> {
        let choice = protocol(episodes, min_steps).and_then(|protocol| Ok((protocol, seed_of(seed)?)));
        let work = move |session: &mut EngineSession, stop: &_| {
            let (protocol, seed) = choice?;
            session.evaluate(protocol, seed, stop)
        };
        self.worker.call_async(env, "evaluate", work, evaluation_to_js)
    }

    /// Where the session stands, with the episodes of an `advance` that failed: each is told once.
    #[napi(catch_unwind)]
    pub fn progress(&self) -> napi::Result<NativeProgress, String> {
        self.worker.call("progress", |session, _| Ok(session.progress())).map(progress_to_js)
    }

    /// Makes a running `advance` or `evaluate` return at its next step.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        self.worker.stop();
    }

    /// Numbers about the latest gradient step, the residual error on fresh rows, counts.
    #[napi(catch_unwind)]
    pub fn metrics(&self) -> napi::Result<Vec<NativeMetric>, String> {
        self.worker.call("metrics", |session, _| session.metrics()).map(metrics_to_js)
    }

    /// The same as `metrics`, without keeping the event loop: the residual error takes some 10 ms.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NativeMetric>>")]
    pub fn measure<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>, String> {
        self.worker.call_async(env, "measure", |session, _| session.metrics(), metrics_to_js)
    }

    /// A copy of every parameter, targets included.
    #[napi(catch_unwind)]
    pub fn parameters(&self) -> napi::Result<Vec<NativeParameter>, String> {
        let parameters = self.worker.call("parameters", |session, _| session.learner().parameters())?;
        Ok(parameters_to_js(parameters))
    }

    /// Overwrites the named parameters; the others and the optimisers stay.
    ///
    /// Errors: `PARAMETER_SHAPE`, `NOT_FINITE`, before anything is changed.
    #[napi(catch_unwind)]
    pub fn set_parameters(&self, parameters: Vec<NativeParameter>) -> napi::Result<(), String> {
        let parameters =
            parameters.iter().map(parameter_from_js).collect::<Result<Vec<_>>>().map_err(to_js)?;
        self.worker.call("setParameters", move |session, _| session.set_parameters(&parameters))
    }

    /// One step's losses and gradients on the given batch and noise; nothing is stepped.
    ///
    /// Errors: `LENGTH_MISMATCH`, `NOT_FINITE`, `CONFIG_RANGE` (temperature).
    #[napi(catch_unwind)]
    pub fn gradients(
        &self,
        batch: NativeBatch,
        noise: &[f32],
        temperature: Option<f64>,
    ) -> napi::Result<NativeGradients, String> {
        let (batch, noise) = (OwnedBatch::new(&batch), noise.to_vec());
        self.worker
            .call("gradients", move |session, _| {
                let given = given_temperature(temperature)?;
                let discounts = batch.checked_discounts(session, &noise)?;
                let in_use = given.map_or_else(|| session.temperature(), Temperature::Given);
                let result = session.learner().gradients(&batch.borrow(&discounts), &noise, in_use)?;
                let temperature = given.map_or_else(|| session.temperature_value(), Ok)?;
                Ok((result, temperature, session.residual_error()?))
            })
            .map(|(StepGradients { losses, gradients }, temperature, residual_error)| NativeGradients {
                losses: losses_to_js(&losses),
                gradients: parameters_to_js(gradients),
                temperature: f64::from(temperature),
                residual_error,
            })
    }

    /// The same, then every optimiser and the targets that are due are stepped; the losses before the step.
    ///
    /// Errors: as `gradients`.
    #[napi(catch_unwind)]
    pub fn update(
        &self,
        batch: NativeBatch,
        noise: &[f32],
        temperature: Option<f64>,
    ) -> napi::Result<Vec<NativeMetric>, String> {
        let (batch, noise) = (OwnedBatch::new(&batch), noise.to_vec());
        let losses = self.worker.call("update", move |session, _| {
            let given = given_temperature(temperature)?;
            let discounts = batch.checked_discounts(session, &noise)?;
            session.update(&batch.borrow(&discounts), &noise, given)?;
            Ok(session.learner().terms()?.losses)
        })?;
        Ok(losses_to_js(&losses))
    }

    /// Q_0(s, a), `[n]`, for `[n, O]` observations and `[n, A]` actions in [−1, 1].
    ///
    /// Errors: `LENGTH_MISMATCH`, `NOT_FINITE`.
    #[napi(catch_unwind)]
    pub fn action_value(&self, observations: &[f32], actions: &[f32]) -> napi::Result<Float32Array, String> {
        let (observations, actions) = (observations.to_vec(), actions.to_vec());
        let values = self.worker.call("actionValue", move |session, _| {
            expect_finite("observations", &observations)?;
            expect_finite("actions", &actions)?;
            let width = session.spec().action_size;
            let mut values = vec![0.0; actions.len() / width];
            session.learner().action_value(&observations, &actions, &mut values)?;
            Ok(values)
        })?;
        Ok(Float32Array::new(values))
    }

    /// Begins an episode of the caller's environment at `observation`, `[O]`.
    ///
    /// Errors: `LENGTH_MISMATCH`, `NOT_FINITE`.
    #[napi(catch_unwind)]
    pub fn begin(&self, observation: &[f64]) -> napi::Result<(), String> {
        let observation = observation.to_vec();
        self.worker.call("begin", move |session, _| session.begin(&observation))
    }

    /// What the behaviour policy does next in the caller's environment, in its units, `[A]`.
    ///
    /// Errors: `DIVERGED`.
    #[napi(catch_unwind)]
    pub fn propose(&self) -> napi::Result<Float64Array, String> {
        self.worker
            .call("propose", |session, _| session.propose().map(<[f64]>::to_vec))
            .map(Float64Array::new)
    }

    /// Stores what the caller's environment answered to `propose`: reward, flags and the next observation `[O]`.
    ///
    /// Errors: `LENGTH_MISMATCH`, `NOT_FINITE`, before anything is stored.
    #[napi(catch_unwind)]
    pub fn record(
        &self,
        reward: f64,
        terminated: bool,
        truncated: bool,
        observation: &[f64],
    ) -> napi::Result<NativeRecorded, String> {
        let observation = observation.to_vec();
        self.worker.call("record", move |session, _| {
            let outcome = Outcome { reward, terminated, truncated };
            let recorded = session.record(outcome, &observation)?;
            Ok(NativeRecorded {
                episode: recorded.episode.map(episode_to_js),
                reset: recorded.reset,
                steps: session.steps() as i64,
            })
        })
    }

    /// tanh μ at `observation` `[O]`, in the environment's units, `[A]`.
    ///
    /// Errors: `LENGTH_MISMATCH`, `NOT_FINITE`, `DIVERGED`.
    #[napi(catch_unwind)]
    pub fn act(&self, observation: &[f64]) -> napi::Result<Float64Array, String> {
        let observation = observation.to_vec();
        self.worker.call("act", move |session, _| session.act(&observation)).map(Float64Array::new)
    }

    /// Writes all parameters to a safetensors file: temporary file, synced, renamed.
    ///
    /// Errors: `IO`, `NOT_FINITE`; an older file stays then.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn save_parameters<'env>(
        &self,
        env: &'env Env,
        path: String,
        metadata: HashMap<String, String>,
    ) -> napi::Result<Object<'env>, String> {
        let save = move |session: &mut EngineSession, _: &_| {
            save_parameters(Path::new(&path), &session.learner().parameters()?, metadata)
        };
        self.worker.call_async(env, "saveParameters", save, |()| ())
    }

    /// Writes all that the session's future depends on, beside its parameters and the rows of its replay buffer, to files
    /// of `folder`.
    ///
    /// Errors: `IO`, `NOT_FINITE`.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn save_state<'env>(&self, env: &'env Env, folder: String) -> napi::Result<Object<'env>, String> {
        let save =
            move |session: &mut EngineSession, _: &_| save_state(Path::new(&folder), &session.save_state()?);
        self.worker.call_async(env, "saveState", save, |()| ())
    }

    /// Writes the transitions from number `first` on to a file, as far as the replay buffer still holds them and one
    /// file takes them; none where there are none.
    ///
    /// Errors: `CONFIG_RANGE`, `IO`.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeRows>")]
    pub fn save_replay<'env>(
        &self,
        env: &'env Env,
        path: String,
        first: f64,
    ) -> napi::Result<Object<'env>, String> {
        let first = whole("first", first, 0);
        let save = move |session: &mut EngineSession, _: &_| {
            segment::save(Path::new(&path), session.replay(), first?)
        };
        self.worker.call_async(env, "saveReplay", save, |(first, count)| NativeRows {
            first: first as i64,
            count: count as i64,
        })
    }

    /// Takes up what `saveParameters`, `saveState` and `saveReplay` of a session of the same config wrote; `rows` are the
    /// files of the replay buffer, in the order of their transitions. After an error the session cannot be used.
    ///
    /// Errors: `IO`, `CHECKPOINT_CORRUPT`, `PARAMETER_SHAPE`, `OUT_OF_MEMORY`.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn load_state<'env>(
        &self,
        env: &'env Env,
        parameters: String,
        folder: String,
        rows: Vec<String>,
    ) -> napi::Result<Object<'env>, String> {
        let load = move |session: &mut EngineSession, _: &_| {
            let parameters = load_parameters(Path::new(&parameters))?;
            session.load_state(&parameters, load_state(Path::new(&folder))?)?;
            let rows: Vec<PathBuf> = rows.into_iter().map(PathBuf::from).collect();
            segment::load(&rows, session.replay_mut())
        };
        self.worker.call_async(env, "loadState", load, |()| ())
    }

    /// Frees the native memory, once a running call has returned. Idempotent.
    #[napi(catch_unwind)]
    pub fn dispose(&self) {
        self.worker.dispose();
    }
}

/// A batch copied out of JavaScript's memory before it crosses to the session's thread.
struct OwnedBatch {
    observations: Vec<f32>,
    actions: Vec<f32>,
    rewards: Vec<f32>,
    next_observations: Vec<f32>,
    terminated: Vec<f32>,
}

impl OwnedBatch {
    fn new(batch: &NativeBatch) -> Self {
        Self {
            observations: batch.observations.to_vec(),
            actions: batch.actions.to_vec(),
            rewards: batch.rewards.to_vec(),
            next_observations: batch.next_observations.to_vec(),
            terminated: batch.terminated.to_vec(),
        }
    }

    fn borrow<'a>(&'a self, discounts: &'a [f32]) -> Batch<'a> {
        Batch {
            observations: &self.observations,
            actions: &self.actions,
            rewards: &self.rewards,
            next_observations: &self.next_observations,
            discounts,
        }
    }

    /// Refuses values that are not finite, which a learner takes as they are; returns the discounts.
    fn checked_discounts(&self, session: &EngineSession, noise: &[f32]) -> Result<Vec<f32>> {
        expect_len("terminated", self.terminated.len(), self.rewards.len())?;
        expect_finite("observations", &self.observations)?;
        expect_finite("actions", &self.actions)?;
        expect_finite("rewards", &self.rewards)?;
        expect_finite("nextObservations", &self.next_observations)?;
        expect_finite("noise", noise)?;
        discounts(&self.terminated, session.config().learner.discount)
    }
}

/// T from outside.
fn given_temperature(given: Option<f64>) -> Result<Option<f32>> {
    match given {
        None => Ok(None),
        Some(value) if (0.0..=f64::from(f32::MAX)).contains(&value) => Ok(Some(value as f32)),
        Some(value) => refuse("temperature", "a number, at least 0", value),
    }
}

/// Exactly one of the two limits.
pub fn protocol(episodes: Option<f64>, min_steps: Option<f64>) -> Result<Protocol> {
    match (episodes, min_steps) {
        (Some(episodes), None) => Ok(Protocol::Episodes(whole("episodes", episodes, 1)?)),
        (None, Some(steps)) => Ok(Protocol::MoreThanSteps(whole("minSteps", steps, 0)?)),
        (Some(_), Some(_)) => refuse("episodes", "either episodes or minSteps", "both"),
        (None, None) => refuse("episodes", "either episodes or minSteps", "neither"),
    }
}

/// A whole number as a seed.
pub fn seed_of(seed: Option<f64>) -> Result<Option<u64>> {
    seed.map(|seed| whole("seed", seed, 0)).transpose()
}

fn metrics_to_js(metrics: Vec<(&'static str, f64)>) -> Vec<NativeMetric> {
    metrics.into_iter().map(|(name, value)| NativeMetric { name: name.to_owned(), value }).collect()
}

fn progress_to_js(progress: Progress) -> NativeProgress {
    NativeProgress {
        iterations: progress.iterations as i64,
        steps: progress.steps as i64,
        updates: progress.updates as i64,
        unstable_resets: progress.unstable_resets as i64,
        episodes: progress.episodes.into_iter().map(episode_to_js).collect(),
    }
}

const fn episode_to_js(episode: Episode) -> NativeEpisode {
    NativeEpisode {
        step: episode.step as i64,
        episode_return: episode.episode_return,
        length: episode.length as i64,
    }
}

/// Lengths become numbers.
pub fn evaluation_to_js(evaluation: Evaluation) -> NativeEvaluation {
    NativeEvaluation {
        returns: evaluation.returns,
        lengths: evaluation.lengths.into_iter().map(|length| length as i64).collect(),
        stopped: evaluation.stopped,
    }
}

fn losses_to_js(losses: &Losses) -> Vec<NativeMetric> {
    let named = losses.named();
    named.map(|(name, value)| NativeMetric { name: name.to_owned(), value: f64::from(value) }).collect()
}

fn parameters_to_js(parameters: Vec<Parameter>) -> Vec<NativeParameter> {
    let convert = |Parameter { spec, data }| NativeParameter {
        name: spec.name,
        shape: spec.shape.into_iter().map(|size| size as i64).collect(),
        data: Float32Array::new(data),
    };
    parameters.into_iter().map(convert).collect()
}

fn parameter_from_js(parameter: &NativeParameter) -> Result<Parameter> {
    let shape: Option<Vec<usize>> = parameter.shape.iter().map(|&size| usize::try_from(size).ok()).collect();
    let shape = shape.ok_or_else(|| EngineError::ParameterShape {
        name: parameter.name.clone(),
        expected: "sizes of at least 0".to_owned(),
        got: format!("shape {:?}", parameter.shape),
    })?;
    Ok(Parameter {
        spec: ParameterSpec { name: parameter.name.clone(), shape },
        data: parameter.data.to_vec(),
    })
}
