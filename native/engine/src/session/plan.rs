//! What a session is asked to do, and what it did.

use super::record::Episode;
use crate::error::Result;
use crate::learner::Step;
use crate::ledger::Ledger;

/// A part of an EM iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Phase {
    /// Act for this many environment steps.
    Collect(u64),
    /// Improve. One M-step and one E-step share a batch and ã; any other pair draws a batch for each step,
    /// M-steps first.
    Update {
        /// M-steps: Q, V, target.
        m_steps: u64,
        /// E-steps: π.
        e_steps: u64,
    },
    /// One complete half of EM (paper.md 4.11): gradient steps on one batch with all else frozen, until the change from
    /// one to the next is below the tolerance.
    Converge {
        /// M: Q and V, until the relative change of J_Q is small. E: π, until the mean KL divergence is.
        half: Step,
        /// Change below which it ends, > 0.
        tolerance: f64,
        /// Most gradient steps, > 0.
        max_steps: u64,
    },
}

/// An iteration that a stop interrupted, and where.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Unfinished {
    /// All of its phases.
    pub phases: Vec<Phase>,
    /// The one that was interrupted.
    pub phase: usize,
    /// Steps of it that are done.
    pub done: u64,
}

impl Unfinished {
    /// Phases as rows of four numbers: kind, two counts, a tolerance.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        let rows = self.phases.iter().map(|phase| match *phase {
            Phase::Collect(steps) => [0.0, steps as f64, 0.0, 0.0],
            Phase::Update { m_steps, e_steps } => [1.0, m_steps as f64, e_steps as f64, 0.0],
            Phase::Converge { half, tolerance, max_steps } => {
                [2.0, f64::from(u8::from(half == Step::M)), max_steps as f64, tolerance]
            }
        });
        let mut rows: Vec<f64> = rows.flatten().collect();
        ledger.list("phases", &mut rows)?;
        ledger.index("phase", &mut self.phase)?;
        ledger.value("done", &mut self.done)?;
        let (rows, _) = rows.as_chunks::<4>();
        let phase = |&[kind, first, second, tolerance]: &[f64; 4]| match kind as u8 {
            0 => Phase::Collect(first as u64),
            1 => Phase::Update { m_steps: first as u64, e_steps: second as u64 },
            _ => {
                let half = if first == 1.0 { Step::M } else { Step::E };
                Phase::Converge { half, tolerance, max_steps: second as u64 }
            }
        };
        self.phases = rows.iter().map(phase).collect();
        Ok(())
    }
}

/// Iterations of the EM schedule to run in one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How often the phases are run through.
    pub repeat: u64,
    /// The phases of one iteration, in order.
    pub phases: Vec<Phase>,
    /// ε_k of incremental EM, added to the residual error in use (F.2); 0 without.
    pub residual_floor: f64,
}

/// What one [`super::Session::advance`] did, and where the session stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Iterations completed; fewer than planned after a stop.
    pub iterations: u64,
    /// Environment steps since the session began.
    pub steps: u64,
    /// Gradient steps since the session began; an M-step and an E-step on one batch count once.
    pub updates: u64,
    /// Unstable simulator states since the session began.
    pub unstable_resets: u64,
    /// Training episodes that ended since the last that were told.
    pub episodes: Vec<Episode>,
}
