//! A MuJoCo task as an [`Environment`]: a simulation, the task's rules and a step counter.

use std::path::Path;

use super::measure::Lacking;
use super::model::{self, Proof};
use super::rules::{Place, Rules};
use super::simulator::{Model, Simulator};
use super::task::{Reset, Task};
use crate::environments::environment::{Environment, Outcome};
use crate::environments::spec::Spec;
use crate::error::{EngineError, Result, expect_finite, expect_len};
use crate::ledger::Ledger;
use crate::random::Stream;

/// One task in one simulation of its own.
pub struct MujocoEnvironment {
    spec: Spec,
    simulator: Simulator,
    rules: Rules,
    reset: Reset,
    /// Whether an unhealthy step ends the episode.
    terminates: bool,
    /// Environment steps since the episode began.
    elapsed: u64,
    /// Values of [`Spec::info`]; zeros before the first step.
    info: Vec<f64>,
}

impl MujocoEnvironment {
    /// Loads the task's own model from `model_directory`; stands at the model's own start.
    ///
    /// # Errors
    /// `MODEL_MISSING`, `MODEL_INVALID`, `MODEL_FINGERPRINT`.
    pub fn new(task: &Task, model_directory: &Path) -> Result<Self> {
        let path = model_directory.join(task.model.file.as_ref());
        let (model, path) = (model::shared(&path)?, path.display().to_string());
        model::check(&model, &task.model, Proof::Same, &path)?;
        Self::bind(task, model, &path, &|_, lacking| invalid(&path, lacking))
    }

    /// The task on a model file of the user's, which must fit it.
    ///
    /// # Errors
    /// `MODEL_MISSING`, `MODEL_INVALID`, `MODEL_FINGERPRINT`.
    pub fn with_model(task: &Task, model_file: &Path) -> Result<Self> {
        let (model, path) = (model::load(model_file)?, model_file.display().to_string());
        model::check(&model, &task.model, Proof::Fits, &path)?;
        let mut task = task.clone();
        task.model.timestep = model.opt().timestep;
        Self::bind(&task, model, &path, &|_, lacking| invalid(&path, lacking))
    }

    /// The task on a loaded model; `explain` makes an error of what the model lacks.
    pub(super) fn bind(
        task: &Task,
        model: Model,
        path: &str,
        explain: &dyn Fn(Place, Lacking) -> EngineError,
    ) -> Result<Self> {
        let rules = Rules::new(task, &model).map_err(|(place, lacking)| explain(place, lacking))?;
        let simulator = Simulator::new(model, rules.afterwards(task.refresh), path)?;
        let spec = task.spec();
        let info = vec![0.0; spec.info.len()];
        let (reset, terminates) = (task.reset.clone(), task.terminates);
        let mut environment = Self { spec, simulator, rules, reset, terminates, elapsed: 0, info };
        environment.simulator.forward();
        environment.rules.remember_start(&environment.simulator);
        Ok(environment)
    }

    /// Bytes of the simulator's state, which a [`Self::sibling`] has as many of.
    pub fn bytes(&self) -> u64 {
        self.simulator.bytes()
    }

    /// Another environment of the same task on the same loaded model, which neither changes; it stands at the
    /// model's own start.
    ///
    /// # Errors
    /// `MODEL_INVALID` when MuJoCo cannot allocate its state.
    pub fn sibling(&self) -> Result<Self> {
        let mut simulator = self.simulator.sibling(&self.spec.id)?;
        simulator.forward();
        Ok(Self {
            spec: self.spec.clone(),
            simulator,
            rules: self.rules.clone(),
            reset: self.reset.clone(),
            terminates: self.terminates,
            elapsed: 0,
            info: vec![0.0; self.info.len()],
        })
    }

    /// Begins an episode at the state just written.
    fn begin(&mut self, observation: &mut [f64]) {
        self.simulator.forward();
        self.elapsed = 0;
        self.info.fill(0.0);
        self.rules.look(&self.simulator);
        self.rules.observe(&self.simulator, observation);
    }
}

/// A built-in task names something that the file does not have.
fn invalid(path: &str, lacking: Lacking) -> EngineError {
    EngineError::ModelInvalid { path: path.to_owned(), reason: lacking.reason }
}

impl Environment for MujocoEnvironment {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, stream: &mut Stream, observation: &mut [f64]) -> Result<()> {
        expect_len("observation", observation.len(), self.spec.observation_size)?;
        self.simulator.reset();
        self.reset.write(stream, &mut self.simulator);
        self.begin(observation);
        Ok(())
    }

    fn set_state(&mut self, qpos: &[f64], qvel: &[f64], observation: &mut [f64]) -> Result<()> {
        // everything is checked before anything changes
        expect_len("qpos", qpos.len(), self.qpos().len())?;
        expect_len("qvel", qvel.len(), self.qvel().len())?;
        expect_len("observation", observation.len(), self.spec.observation_size)?;
        expect_finite("qpos", qpos)?;
        expect_finite("qvel", qvel)?;

        self.simulator.reset();
        self.simulator.qpos_mut().copy_from_slice(qpos);
        self.simulator.qvel_mut().copy_from_slice(qvel);
        self.begin(observation);
        Ok(())
    }

    fn step(&mut self, action: &[f64], observation: &mut [f64]) -> Result<Outcome> {
        expect_len("action", action.len(), self.spec.action_size)?;
        expect_len("observation", observation.len(), self.spec.observation_size)?;
        expect_finite("action", action)?;

        // simulate between two looks at the quantities that the task names
        self.simulator.advance(action, self.spec.frame_skip)?;
        self.rules.look(&self.simulator);

        // judge
        let healthy = self.rules.healthy(&self.simulator);
        let reward = self.rules.reward(action, healthy, &mut self.info)?;
        self.rules.observe(&self.simulator, observation);
        self.elapsed += 1;
        let truncated = self.elapsed >= self.spec.max_episode_steps;
        Ok(Outcome { reward, terminated: self.terminates && !healthy, truncated })
    }

    fn info(&self) -> &[f64] {
        &self.info
    }

    fn qpos(&self) -> &[f64] {
        self.simulator.qpos()
    }

    fn qvel(&self) -> &[f64] {
        self.simulator.qvel()
    }

    fn set_max_episode_steps(&mut self, steps: u64) {
        self.spec.max_episode_steps = steps;
    }

    fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.simulator.state(ledger)?;
        self.rules.state(ledger)?;
        ledger.value("elapsed", &mut self.elapsed)
    }
}
