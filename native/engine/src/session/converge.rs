//! A half of complete EM (F.5; docs/paper.md 4.11): gradient steps on one batch until the change from one to the next is below
//! a tolerance. What it did, how far one is that a stop interrupted, and how much a step changed.

use crate::error::Result;
use crate::learner::{Learner, Losses, Step};
use crate::ledger::Ledger;
use crate::replay::batch::Batch;

/// What the converging halves of complete EM did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Converged {
    /// Halves run.
    pub runs: u64,
    /// Those that ended below the tolerance.
    pub reached: u64,
    /// Gradient steps of the latest.
    pub latest: u64,
}

impl Converged {
    /// Those of a session that is taken up.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.value("runs", &mut self.runs)?;
        ledger.value("reached", &mut self.reached)?;
        ledger.value("latest", &mut self.latest)
    }
}

/// A converging half that a stop interrupted: its batch and noise, and how far it is.
pub struct Suspended {
    /// Rows of its batch.
    pub indices: Vec<u64>,
    /// Its noise.
    pub noise: Vec<f32>,
    /// Gradient steps so far.
    pub latest: u64,
    /// As of [`Change`].
    pub loss: Option<f64>,
    /// As of [`Change`].
    pub before: Option<[Vec<f32>; 2]>,
}

impl Suspended {
    /// No half.
    pub const fn nothing() -> Self {
        Self { indices: Vec::new(), noise: Vec::new(), latest: 0, loss: None, before: None }
    }

    /// Those of a session that is taken up.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        let [mut mean, mut log_std] = self.before.take().unwrap_or_default();
        ledger.list("indices", &mut self.indices)?;
        ledger.list("noise", &mut self.noise)?;
        ledger.value("latest", &mut self.latest)?;
        ledger.optional("loss", &mut self.loss)?;
        ledger.list("mean", &mut mean)?;
        ledger.list("logStd", &mut log_std)?;
        self.before = (!mean.is_empty()).then_some([mean, log_std]);
        Ok(())
    }
}

/// How much one gradient step of a converging half changed.
pub struct Change {
    half: Step,
    observations: Vec<f32>,
    /// J_Q before the latest step, once there is one.
    pub loss: Option<f64>,
    /// μ and log σ, `[B, A]` each, as the latest step left them.
    pub before: Option<[Vec<f32>; 2]>,
    rows: usize,
    values: usize,
}

impl Change {
    /// Before the first step on a batch; A is `action`.
    pub fn new(half: Step, batch: &Batch<'_>, action: usize) -> Self {
        let observations = batch.observations.to_vec();
        let rows = batch.rows();
        Self { half, observations, loss: None, before: None, rows, values: rows * action }
    }

    /// The change that the latest step, of these losses, made; infinite after the first, which has nothing to compare
    /// with.
    ///
    /// # Errors
    /// What the learner reports.
    pub fn after_step(&mut self, losses: &Losses, learner: &mut dyn Learner) -> Result<f64> {
        if self.half == Step::M {
            let loss = f64::from(losses.action_value);
            let before = self.loss.replace(loss);
            return Ok(before.map_or(f64::INFINITY, |before| {
                (loss - before).abs() / before.abs().max(f64::MIN_POSITIVE)
            }));
        }
        let [mut mean, mut log_std] = [(); 2].map(|()| vec![0.0; self.values]);
        learner.policy(&self.observations, &mut mean, &mut log_std)?;
        let rows = self.rows as f64;
        let change = self.before.as_ref().map_or(f64::INFINITY, |[old_mean, old_log_std]| {
            divergence([old_mean, old_log_std], [&mean, &log_std]) / rows
        });
        self.before = Some([mean, log_std]);
        Ok(change)
    }
}

/// Σ over rows and dimensions of KL(old ‖ new) between Gaussians, in nats; the tanh leaves it as it is.
fn divergence([old_mean, old_log_std]: [&[f32]; 2], [mean, log_std]: [&[f32]; 2]) -> f64 {
    let old = old_mean.iter().zip(old_log_std);
    let new = mean.iter().zip(log_std);
    let each = old.zip(new).map(|((&old_mean, &old_log_std), (&mean, &log_std))| {
        let [old_mean, old_log_std, mean, log_std] = [old_mean, old_log_std, mean, log_std].map(f64::from);
        let ratio = (2.0 * (old_log_std - log_std)).exp();
        let distance = (old_mean - mean).powi(2) * (-2.0 * log_std).exp();
        log_std - old_log_std + 0.5 * (ratio + distance - 1.0)
    });
    each.sum()
}

#[cfg(test)]
mod tests {
    use super::divergence;

    #[test]
    fn the_divergence_of_gaussians_is_their_closed_form() {
        let (old, new) = (([0.5_f32], [0.0_f32]), ([-0.5_f32], [1.0_f32]));
        // log σ₂/σ₁ + (σ₁² + (μ₁−μ₂)²) / 2σ₂² − ½ = 1 + (1 + 1) e⁻² / 2 − ½
        let expected = 1.0 + (-2.0_f64).exp() - 0.5;
        assert!((divergence([&old.0, &old.1], [&new.0, &new.1]) - expected).abs() < 1e-7);
        assert_eq!(divergence([&old.0, &old.1], [&old.0, &old.1]), 0.0);
    }
}
