//! `Policy`: a trained policy on its own, without learner or replay.

use std::path::{Path, PathBuf};

use napi::Env;
use napi::bindgen_prelude::{Float32Array, Float64Array, Object};
use napi_derive::napi;
use virel_engine::checkpoint::load_parameters;
use virel_engine::environments::action::to_raw_units;
use virel_engine::environments::environment::Environment as _;
use virel_engine::environments::mujoco::{self, choices::Choices};
use virel_engine::environments::spec::Spec;
use virel_engine::error::{EngineError, Result, expect_finite, expect_len};
use virel_engine::evaluation::{evaluate, narrow};
use virel_engine::networks::policy::TrainedPolicy;
use virel_engine::random::{Purpose, Stream};

use crate::config::{NativeExternal, whole};
use crate::session::{evaluation_to_js, protocol};
use crate::worker::Worker;

/// The policy with the task it was trained for.
struct Actor {
    policy: TrainedPolicy,
    spec: Spec,
    choices: Choices,
}

impl Actor {
    fn load(
        path: &Path,
        environment: &str,
        choices: Option<&str>,
        external: Option<&NativeExternal>,
    ) -> Result<Self> {
        let choices = choices.map_or_else(|| Ok(Choices::default()), Choices::from_json)?;
        let spec = match external {
            // a policy never looks at the limit
            Some(external) => external.spec(environment, u64::MAX)?,
            None => mujoco::describe(environment, &choices)?,
        };
        let policy = TrainedPolicy::new(&load_parameters(path)?)?;
        let sizes = policy.sizes();
        if (sizes.observation, sizes.action) != (spec.observation_size, spec.action_size) {
            return Err(EngineError::ParameterShape {
                name: "policy".to_owned(),
                expected: format!(
                    "{} observations, {} actions ({environment})",
                    spec.observation_size, spec.action_size
                ),
                got: format!("{} observations, {} actions", sizes.observation, sizes.action),
            });
        }
        Ok(Self { policy, spec, choices })
    }

    /// Raw actions for `rows` observations.
    fn act(&mut self, observations: &[f32], rows: usize) -> Result<Vec<f32>> {
        let (width, actions) = (self.spec.observation_size, self.spec.action_size);
        expect_len("observations", observations.len(), rows.saturating_mul(width))?;
        expect_finite("observations", observations)?;
        let mut action = vec![0.0; actions];
        let mut raw = vec![0.0; actions];
        let mut all = Vec::with_capacity(rows * actions);
        for observation in observations.chunks_exact(width) {
            self.policy.act(observation, None, &mut action)?;
            to_raw_units(&self.spec, &action, &mut raw);
            all.extend(raw.iter().map(|&value| value as f32));
        }
        Ok(all)
    }

    /// One raw action in float64, as a session's own `act` computes it; drawn with `noise` `[A]`.
    fn act_exactly(&mut self, observation: &[f64], noise: Option<&[f32]>) -> Result<Vec<f64>> {
        expect_len("observation", observation.len(), self.spec.observation_size)?;
        expect_finite("observation", observation)?;
        let mut input = vec![0.0; observation.len()];
        let (mut action, mut raw) = (vec![0.0; self.spec.action_size], vec![0.0; self.spec.action_size]);
        narrow(observation, &mut input);
        self.policy.act(&input, noise, &mut action)?;
        to_raw_units(&self.spec, &action, &mut raw);
        Ok(raw)
    }
}

/// A trained policy from a safetensors file; deterministic, actions in environment units.
#[napi]
pub struct Policy {
    worker: Worker<Actor>,
}

#[napi]
impl Policy {
    /// Reads the policy's tensors of `path`, of a task with these choices (JSON: `modelFile`, `taskFile`, options), or of
    /// the environment that `external` describes, which is no task of ours.
    ///
    /// Errors: `IO`, `CHECKPOINT_CORRUPT`, `PARAMETER_SHAPE`, `ENV_UNKNOWN`, `CONFIG_*`, `TASK_INVALID`, `MODEL_*`.
    #[napi(factory, catch_unwind)]
    pub fn load(
        env: &Env,
        path: String,
        environment: String,
        choices: Option<String>,
        external: Option<NativeExternal>,
    ) -> napi::Result<Self, String> {
        let make =
            move || Actor::load(&PathBuf::from(path), &environment, choices.as_deref(), external.as_ref());
        Worker::start(env, "policy", make).map(|worker| Self { worker })
    }

    /// tanh μ(s) in environment units, `[A]`, for one observation `[O]`.
    ///
    /// Errors: `LENGTH_MISMATCH`, `NOT_FINITE`.
    #[napi(catch_unwind)]
    pub fn act(&self, observation: &[f32]) -> napi::Result<Float32Array, String> {
        let observation = observation.to_vec();
        self.worker.call("act", move |actor, _| actor.act(&observation, 1)).map(Float32Array::new)
    }

    /// The same from and to float64, as a session's `act`; with `noise` ξ `[A]` it is tanh(μ(s) + σξ).
    ///
    /// Errors: `LENGTH_MISMATCH`, `NOT_FINITE`, `POLICY_DETERMINISTIC` (noise for one without σ).
    #[napi(catch_unwind)]
    pub fn act_exactly(
        &self,
        observation: &[f64],
        noise: Option<&[f32]>,
    ) -> napi::Result<Float64Array, String> {
        let (observation, noise) = (observation.to_vec(), noise.map(<[f32]>::to_vec));
        let act = move |actor: &mut Actor, _: &_| actor.act_exactly(&observation, noise.as_deref());
        self.worker.call("act", act).map(Float64Array::new)
    }

    /// The same for `rows` observations, `[rows, O]` to `[rows, A]`.
    ///
    /// Errors: `LENGTH_MISMATCH`, `NOT_FINITE`, `CONFIG_RANGE` (rows).
    #[napi(catch_unwind)]
    pub fn act_many(&self, observations: &[f32], rows: f64) -> napi::Result<Float32Array, String> {
        let observations = observations.to_vec();
        let act = move |actor: &mut Actor, _: &_| actor.act(&observations, whole("rows", rows, 0)? as usize);
        self.worker.call("actMany", act).map(Float32Array::new)
    }

    /// Whole episodes on a fresh environment, start states from `seed`; `stochastic`: actions are drawn, by noise from
    /// `seed`, too.
    ///
    /// Errors: `MODEL_MISSING`, `MODEL_INVALID`, `CONFIG_RANGE`, `POLICY_DETERMINISTIC` (actions are to be drawn, and it has no σ).
    #[napi(catch_unwind, ts_return_type = "Promise<NativeEvaluation>")]
    pub fn evaluate<'env>(
        &self,
        env: &'env Env,
        model_directory: String,
        max_episode_steps: f64,
        episodes: f64,
        seed: f64,
        stochastic: bool,
    ) -> napi::Result<Object<'env>, String> {
        let work = move |actor: &mut Actor, stop: &_| {
            let limit = whole("maxEpisodeSteps", max_episode_steps, 1)?;
            let mut environment =
                mujoco::create_with(&actor.spec.id, Path::new(&model_directory), &actor.choices)?;
            environment.set_max_episode_steps(limit);
            let seed = whole("seed", seed, 0)?;
            let mut stream = Stream::new(seed, Purpose::Evaluation, 0);
            let mut draws = stochastic.then(|| Stream::new(seed, Purpose::EvaluationNoise, 0));
            let mut noise = vec![0.0; actor.spec.action_size];
            let policy = &mut actor.policy;
            let mut act = |observation: &[f32], action: &mut [f32]| {
                if let Some(draws) = &mut draws {
                    draws.fill_normal(&mut noise);
                }
                policy.act(observation, draws.is_some().then_some(&noise[..]), action)
            };
            evaluate(&mut act, &mut environment, &mut stream, protocol(Some(episodes), None)?, stop, None)
        };
        self.worker.call_async(env, "evaluate", work, evaluation_to_js)
    }

    /// Makes a running `evaluate` return at its next step.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        self.worker.stop();
    }

    /// Frees the native memory. Idempotent.
    #[napi(catch_unwind)]
    pub fn dispose(&self) {
        self.worker.dispose();
    }
}
