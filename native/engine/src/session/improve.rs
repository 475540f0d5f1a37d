//! Improving: draw a batch and its noise, take a gradient step.

use crate::error::{EngineError, Result};
use crate::learner::Learner;
use crate::random::{Purpose, Stream};
use crate::replay::buffer::{GatheredBatch, ReplayBuffer};

use super::SessionConfig;

/// One gradient step of an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An M-step and an E-step on one batch and one ã.
    Joint,
    /// Q and V, then the target.
    M,
    /// π.
    E,
}

/// The steps of an update phase, in order: at 1:1 one joint step, otherwise all M-steps, then all E-steps.
pub fn order(m_steps: u64, e_steps: u64) -> impl Iterator<Item = Step> {
    let joint = u64::from(m_steps == 1 && e_steps == 1);
    let repeat = |step, count: u64| (0..count).map(move |_| step);
    repeat(Step::Joint, joint).chain(repeat(Step::M, m_steps - joint)).chain(repeat(Step::E, e_steps - joint))
}

/// Draws for the learner and counts what it did.
pub struct Improver {
    seed: u64,
    batch: usize,
    residual_batch: usize,
    temperature: f32,
    index_stream: Stream,
    noise_stream: Stream,
    m_steps: u64,
    e_steps: u64,
    joint_steps: u64,
    indices: Vec<usize>,
    noise: Vec<f32>,
    gathered: GatheredBatch,
}

impl Improver {
    /// Nothing drawn, nothing counted yet.
    pub fn new(config: &SessionConfig) -> Self {
        Self {
            seed: config.seed,
            batch: config.learner.batch,
            residual_batch: config.residual_batch,
            temperature: config.temperature,
            index_stream: Stream::new(config.seed, Purpose::ReplayIndex, 0),
            noise_stream: Stream::new(config.seed, Purpose::PolicyNoise, 0),
            m_steps: 0,
            e_steps: 0,
            joint_steps: 0,
            indices: Vec::new(),
            noise: vec![0.0; config.learner.batch * config.learner.sizes.action],
            gathered: GatheredBatch::default(),
        }
    }

    /// Gradient steps so far.
    pub const fn updates(&self) -> u64 {
        self.joint_steps + self.m_steps + self.e_steps
    }

    /// One gradient step on `B` rows, drawn uniformly with replacement.
    ///
    /// # Errors
    /// What the learner reports.
    pub fn step(&mut self, step: Step, learner: &mut dyn Learner, replay: &ReplayBuffer) -> Result<()> {
        draw(&mut self.index_stream, self.batch, replay, &mut self.indices, &mut self.gathered);
        self.noise_stream.fill_normal(&mut self.noise);
        let batch = self.gathered.as_batch();
        match step {
            Step::Joint => {
                self.joint_steps += 1;
                learner.update(&batch, &self.noise, self.temperature)
            }
            Step::M => {
                self.m_steps += 1;
                learner.m_step(&batch, &self.noise)
            }
            Step::E => {
                self.e_steps += 1;
                learner.e_step(&batch, &self.noise, self.temperature)
            }
        }
    }

    /// Stops a session whose losses left the finite numbers.
    ///
    /// # Errors
    /// `DIVERGED`, naming the loss.
    pub fn expect_finite(&self, learner: &mut dyn Learner, step: u64) -> Result<()> {
        if self.updates() == 0 {
            return Ok(());
        }
        let losses = learner.terms()?.losses;
        let named = [
            ("the action value loss", losses.action_value),
            ("the state value loss", losses.state_value),
            ("the policy loss", losses.policy),
        ];
        match named.into_iter().find(|(_, value)| !value.is_finite()) {
            None => Ok(()),
            Some((quantity, value)) => Err(EngineError::Diverged { step, quantity, value: f64::from(value) }),
        }
    }

    /// Public metrics of the latest steps, by the names of `src/logging/metrics.ts`.
    ///
    /// # Errors
    /// What the learner reports.
    pub fn metrics(
        &mut self,
        learner: &mut dyn Learner,
        replay: &ReplayBuffer,
    ) -> Result<Vec<(&'static str, f64)>> {
        let mut metrics = vec![
            ("virel/m_step", (self.joint_steps + self.m_steps) as f64),
            ("virel/e_step", (self.joint_steps + self.e_steps) as f64),
            ("virel/temperature", f64::from(self.temperature)),
        ];
        if !replay.is_empty() {
            let residual_error = self.residual_error(learner, replay)?;
            metrics.push(("virel/residual_error_raw", residual_error));
        }
        let terms = learner.terms()?;
        if self.joint_steps + self.m_steps > 0 {
            metrics.extend([
                ("losses/qf1_loss", f64::from(terms.losses.action_value)),
                ("losses/vf_loss", f64::from(terms.losses.state_value)),
                ("losses/qf1_values", f64::from(terms.action_value)),
                ("losses/vf_values", f64::from(terms.state_value)),
            ]);
        }
        if self.joint_steps + self.e_steps > 0 {
            metrics.extend([
                ("losses/actor_loss", f64::from(terms.losses.policy)),
                ("policy/log_prob", f64::from(terms.log_density)),
                ("policy/entropy", f64::from(-terms.log_density)),
                ("policy/mean_abs_action", f64::from(terms.absolute_action)),
                ("policy/log_std", f64::from(terms.log_std)),
            ]);
        }
        Ok(metrics)
    }

    /// ε_w on fresh rows; which ones follows from the updates so far, not from how often this was asked.
    fn residual_error(&mut self, learner: &mut dyn Learner, replay: &ReplayBuffer) -> Result<f64> {
        let mut stream = Stream::new(self.seed, Purpose::Diagnostics, self.updates());
        let mut gathered = GatheredBatch::default();
        draw(&mut stream, self.residual_batch, replay, &mut self.indices, &mut gathered);
        learner.residual_error(&gathered.as_batch()).map(f64::from)
    }
}

/// Gathers `rows` rows of `replay`, uniformly with replacement.
fn draw(
    stream: &mut Stream,
    rows: usize,
    replay: &ReplayBuffer,
    indices: &mut Vec<usize>,
    gathered: &mut GatheredBatch,
) {
    indices.clear();
    indices.extend((0..rows).map(|_| stream.index(replay.len())));
    replay.gather(indices, gathered);
}

#[cfg(test)]
mod tests {
    use super::{Step, order};

    #[test]
    fn one_to_one_is_one_joint_step() {
        assert_eq!(order(1, 1).collect::<Vec<_>>(), [Step::Joint]);
    }

    #[test]
    fn any_other_pair_takes_m_steps_first() {
        assert_eq!(order(2, 1).collect::<Vec<_>>(), [Step::M, Step::M, Step::E]);
        assert_eq!(order(0, 2).collect::<Vec<_>>(), [Step::E, Step::E]);
        assert_eq!(order(0, 0).count(), 0);
    }
}
