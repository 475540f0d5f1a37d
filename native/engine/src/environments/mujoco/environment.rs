//! A MuJoCo task as an [`Environment`]: a simulation, the task's rules and a step counter.

use std::path::Path;

use super::model;
use super::rules::Rules;
use super::simulator::Simulator;
use super::task::{Noise, Reset, Task};
use crate::environments::environment::{Environment, Outcome};
use crate::environments::spec::Spec;
use crate::error::{Result, expect_finite, expect_len};
use crate::random::Stream;

/// One task in one simulation of its own.
pub struct MujocoEnvironment {
    spec: Spec,
    simulator: Simulator,
    rules: Rules,
    reset: Reset,
    /// Environment steps since the episode began.
    elapsed: u64,
    /// Values of [`Spec::info`]; zeros before the first step.
    info: Vec<f64>,
}

impl MujocoEnvironment {
    /// Loads the task's model from `model_directory`; stands at the model's own start.
    ///
    /// # Errors
    /// `MODEL_MISSING`, `MODEL_INVALID`, `MODEL_FINGERPRINT`.
    pub fn new(task: &Task, model_directory: &Path) -> Result<Self> {
        let path = model_directory.join(task.model.file.as_ref()).display().to_string();
        let model = model::load(model_directory, &task.model)?;
        let rules = Rules::new(task, &model, &path)?;
        let spec = task.spec();
        let info = vec![0.0; spec.info.len()];
        let mut simulator = Simulator::new(model, &path)?;
        simulator.forward();
        Ok(Self { spec, simulator, rules, reset: task.reset.clone(), elapsed: 0, info })
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
            elapsed: 0,
            info: vec![0.0; self.info.len()],
        })
    }

    /// Begins an episode at the state just written.
    fn begin(&mut self, observation: &mut [f64]) {
        self.simulator.forward();
        self.elapsed = 0;
        self.info.fill(0.0);
        self.rules.observe(&self.simulator, observation);
    }
}

impl Environment for MujocoEnvironment {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, stream: &mut Stream, observation: &mut [f64]) -> Result<()> {
        expect_len("observation", observation.len(), self.spec.observation_size)?;
        let Reset { positions, velocities } = &self.reset;
        self.simulator.reset();
        positions.add(stream, self.simulator.qpos_mut());
        velocities.add(stream, self.simulator.qvel_mut());
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
        self.rules.before_step(&self.simulator);
        self.simulator.advance(action, self.spec.frame_skip)?;
        self.rules.after_step(&self.simulator);

        // judge
        let healthy = self.rules.healthy(&self.simulator);
        let reward = self.rules.reward(action, healthy, &mut self.info);
        self.rules.observe(&self.simulator, observation);
        self.elapsed += 1;
        let truncated = self.elapsed >= self.spec.max_episode_steps;
        Ok(Outcome { reward, terminated: !healthy, truncated })
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
}

impl Noise {
    /// Adds one draw to each value.
    fn add(self, stream: &mut Stream, values: &mut [f64]) {
        for value in values {
            *value += match self {
                Self::Uniform(limit) => stream.uniform_in(-limit, limit),
                Self::Normal(deviation) => deviation * stream.normal(),
            };
        }
    }
}
