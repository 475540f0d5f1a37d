//! A learner that answers what it was told to, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use virel_engine::error::Result;
use virel_engine::learner::{Learner, Losses, Step, StepGradients, StepNorms, StepTerms, Temperature};
use virel_engine::ledger::Ledger;
use virel_engine::networks::layout::Parameter;
use virel_engine::replay::batch::Batch;
use virel_engine::replay::buffer::GatheredBatch;
use virel_engine::replay::buffer::{ReplayBuffer, Transition};
use virel_engine::replay::rows::Rows;

/// What a learner was asked to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    Residual { rows: usize, noise: usize, temperature: Option<f32> },
    Step { step: Step, rewards: Vec<f32>, noise: Vec<f32>, temperature: Option<f32> },
    Targets(Step),
}

#[derive(Default)]
pub struct Scripted {
    pub asked: Vec<Asked>,
    /// Of the next measurements, then 0.
    pub residual_errors: VecDeque<f32>,
    /// The latest measurement.
    pub measured: Option<f32>,
    /// J_Q of the next steps, then the last.
    pub losses: VecDeque<f32>,
    /// μ and log σ after the next steps, then the last.
    pub heads: VecDeque<(f32, f32)>,
    /// Set after so many steps.
    pub stops: Option<(usize, Arc<AtomicBool>)>,
}

impl Scripted {
    /// Steps taken.
    pub fn steps(&self) -> Vec<Step> {
        let step = |asked: &Asked| match asked {
            Asked::Step { step, .. } => Some(*step),
            _ => None,
        };
        self.asked.iter().filter_map(step).collect()
    }

    /// Targets moved, each with the number of steps before it.
    pub fn targets(&self) -> Vec<(usize, Step)> {
        let mut steps = 0;
        let mut targets = Vec::new();
        for asked in &self.asked {
            match asked {
                Asked::Step { .. } => steps += 1,
                Asked::Targets(step) => targets.push((steps, *step)),
                Asked::Residual { .. } => {}
            }
        }
        targets
    }

    /// Temperatures of the steps.
    pub fn temperatures(&self) -> Vec<Option<f32>> {
        let temperature = |asked: &Asked| match asked {
            Asked::Step { temperature, .. } => Some(*temperature),
            _ => None,
        };
        self.asked.iter().filter_map(temperature).collect()
    }

    /// Steps before each measurement.
    pub fn measured_after(&self) -> Vec<usize> {
        let mut steps = 0;
        let mut measured = Vec::new();
        for asked in &self.asked {
            match asked {
                Asked::Step { .. } => steps += 1,
                Asked::Residual { .. } => measured.push(steps),
                Asked::Targets(_) => {}
            }
        }
        measured
    }
}

/// Takes the next of a script, or repeats its last.
fn next<T: Copy>(script: &VecDeque<T>, index: usize) -> Option<T> {
    script.get(index).or(script.back()).copied()
}

impl Learner for Scripted {
    fn parameters(&self) -> Result<Vec<Parameter>> {
        Ok(Vec::new())
    }

    fn set_parameters(&mut self, _: &[Parameter]) -> Result<()> {
        Ok(())
    }

    fn temperature(&mut self) -> Result<Option<f32>> {
        Ok(None)
    }

    fn residual_error(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: Temperature) -> Result<f32> {
        let temperature = temperature.at(self.measured)?;
        self.asked.push(Asked::Residual { rows: batch.rows(), noise: noise.len(), temperature });
        Ok(self.residual_errors.pop_front().unwrap_or_default())
    }

    fn measure(&mut self, rows: &Rows<'_>, noise: &[f32], temperature: Temperature) -> Result<()> {
        let mut room = GatheredBatch::default();
        self.measured = Some(self.residual_error(&rows.all(&mut room), noise, temperature)?);
        Ok(())
    }

    fn gradients(&mut self, _: &Batch<'_>, _: &[f32], _: Temperature) -> Result<StepGradients> {
        unreachable!()
    }

    fn step(&mut self, step: Step, batch: &Batch<'_>, noise: &[f32], temperature: Temperature) -> Result<()> {
        let temperature = temperature.at(self.measured)?;
        let (rewards, noise) = (batch.rewards.to_vec(), noise.to_vec());
        self.asked.push(Asked::Step { step, rewards, noise, temperature });
        if let Some((steps, stop)) = &self.stops
            && self.steps().len() == *steps
        {
            stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn update_targets(&mut self, step: Step) -> Result<()> {
        self.asked.push(Asked::Targets(step));
        Ok(())
    }

    fn terms(&mut self) -> Result<StepTerms> {
        let latest = self.steps().len().saturating_sub(1);
        let action_value = next(&self.losses, latest).unwrap_or_default();
        Ok(StepTerms {
            losses: Losses { action_value, ..Losses::default() },
            residual_error: self.measured,
            ..StepTerms::default()
        })
    }

    fn norms(&mut self) -> Result<StepNorms> {
        Ok(StepNorms::default())
    }
    fn state(&mut self, _: &mut Ledger) -> Result<()> {
        unreachable!()
    }

    fn act(&mut self, _: &[f32], _: Option<&[f32]>, _: &mut [f32]) -> Result<()> {
        unreachable!()
    }

    /// The first number of each action's observation.
    fn action_value(&mut self, observations: &[f32], actions: &[f32], values: &mut [f32]) -> Result<()> {
        let width = observations.len() / values.len();
        assert_eq!(actions.len(), values.len());
        for (value, (state, action)) in values.iter_mut().zip(observations.chunks(width).zip(actions)) {
            *value = state[0] + 10.0 * action;
        }
        Ok(())
    }

    fn policy(&mut self, _: &[f32], mean: &mut [f32], log_std: &mut [f32]) -> Result<()> {
        let (of_mean, of_log_std) = next(&self.heads, self.steps().len() - 1).unwrap_or_default();
        mean.fill(of_mean);
        log_std.fill(of_log_std);
        Ok(())
    }
}

/// A buffer of so many rows, of widths 3 and 2, whose rewards are 1, 2, …
pub fn replay(rows: usize) -> ReplayBuffer {
    let mut replay = ReplayBuffer::new(3, 2, 1000);
    for row in 1..=rows {
        push(&mut replay, row as f32);
    }
    replay
}

pub fn push(replay: &mut ReplayBuffer, reward: f32) {
    let (state, action) = ([0.0; 3], [0.0; 2]);
    let transition =
        Transition { observation: &state, action: &action, reward, next_observation: &state, discount: 0.9 };
    replay.push(&transition).unwrap();
}
