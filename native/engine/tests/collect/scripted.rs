//! An environment that follows a script and a policy that always does the same; both tell what was done to them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use virel_engine::environments::environment::{Environment, Outcome};
use virel_engine::environments::spec::Spec;
use virel_engine::error::{EngineError, Result};
use virel_engine::learner::{Learner, Step, StepGradients, StepNorms, StepTerms, Temperature};
use virel_engine::ledger::Ledger;
use virel_engine::networks::layout::Parameter;
use virel_engine::random::Stream;
use virel_engine::replay::batch::Batch;
use virel_engine::replay::rows::Rows;

/// What an environment does at one step.
#[derive(Clone, Copy)]
pub enum Happens {
    Reward(f64),
    Terminates(f64),
    ReachesTimeLimit(f64),
    Both(f64),
    IsUnstable,
}

/// What was done to an environment.
#[derive(Default)]
pub struct Journal {
    pub resets: usize,
    pub actions: Vec<Vec<f64>>,
}

/// Observations are (episode, step in it), episodes counted from 1; after the script only rewards of 0.
pub struct Scripted {
    pub spec: Spec,
    pub script: VecDeque<Happens>,
    pub step: u64,
    pub journal: Arc<Mutex<Journal>>,
}

impl Scripted {
    fn observe(&self, observation: &mut [f64]) {
        observation.copy_from_slice(&[self.journal.lock().unwrap().resets as f64, self.step as f64]);
    }
}

impl Environment for Scripted {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: &mut Stream, observation: &mut [f64]) -> Result<()> {
        self.journal.lock().unwrap().resets += 1;
        self.step = 0;
        self.observe(observation);
        Ok(())
    }

    fn step(&mut self, action: &[f64], observation: &mut [f64]) -> Result<Outcome> {
        self.journal.lock().unwrap().actions.push(action.to_vec());
        self.step += 1;
        self.observe(observation);
        let outcome = |reward, terminated, truncated| Ok(Outcome { reward, terminated, truncated });
        match self.script.pop_front().unwrap_or(Happens::Reward(0.0)) {
            Happens::Reward(reward) => outcome(reward, false, false),
            Happens::Terminates(reward) => outcome(reward, true, false),
            Happens::ReachesTimeLimit(reward) => outcome(reward, false, true),
            Happens::Both(reward) => outcome(reward, true, true),
            Happens::IsUnstable => {
                observation.fill(f64::NAN);
                Err(EngineError::Unstable { reason: "a scripted one".to_owned() })
            }
        }
    }

    fn set_state(&mut self, _: &[f64], _: &[f64], _: &mut [f64]) -> Result<()> {
        unreachable!()
    }
    fn info(&self) -> &[f64] {
        unreachable!()
    }
    fn qpos(&self) -> &[f64] {
        unreachable!()
    }
    fn qvel(&self) -> &[f64] {
        unreachable!()
    }
    fn set_max_episode_steps(&mut self, _: u64) {
        unreachable!()
    }
    fn state(&mut self, _: &mut Ledger) -> Result<()> {
        unreachable!()
    }
}

/// A policy that always does the same, and what it was asked.
pub struct Constant {
    pub action: [f32; 2],
    pub observations: Vec<Vec<f32>>,
    pub noises: Vec<Option<Vec<f32>>>,
}

impl Constant {
    pub const fn new(action: [f32; 2]) -> Self {
        Self { action, observations: Vec::new(), noises: Vec::new() }
    }
}

impl Learner for Constant {
    fn act(&mut self, observations: &[f32], noise: Option<&[f32]>, actions: &mut [f32]) -> Result<()> {
        self.observations.push(observations.to_vec());
        self.noises.push(noise.map(<[f32]>::to_vec));
        actions.chunks_exact_mut(2).for_each(|action| action.copy_from_slice(&self.action));
        Ok(())
    }

    fn parameters(&self) -> Result<Vec<Parameter>> {
        unreachable!()
    }
    fn set_parameters(&mut self, _: &[Parameter]) -> Result<()> {
        unreachable!()
    }
    fn temperature(&mut self) -> Result<Option<f32>> {
        unreachable!()
    }
    fn residual_error(&mut self, _: &Batch<'_>, _: &[f32], _: Temperature) -> Result<f32> {
        unreachable!()
    }
    fn measure(&mut self, _: &Rows<'_>, _: &[f32], _: Temperature) -> Result<()> {
        unreachable!()
    }
    fn gradients(&mut self, _: &Batch<'_>, _: &[f32], _: Temperature) -> Result<StepGradients> {
        unreachable!()
    }
    fn step(&mut self, _: Step, _: &Batch<'_>, _: &[f32], _: Temperature) -> Result<()> {
        unreachable!()
    }
    fn update_targets(&mut self, _: Step) -> Result<()> {
        unreachable!()
    }
    fn terms(&mut self) -> Result<StepTerms> {
        unreachable!()
    }
    fn norms(&mut self) -> Result<StepNorms> {
        unreachable!()
    }
    fn state(&mut self, _: &mut Ledger) -> Result<()> {
        unreachable!()
    }
    fn action_value(&mut self, _: &[f32], _: &[f32], _: &mut [f32]) -> Result<()> {
        unreachable!()
    }
    fn policy(&mut self, _: &[f32], _: &mut [f32], _: &mut [f32]) -> Result<()> {
        unreachable!()
    }
}
