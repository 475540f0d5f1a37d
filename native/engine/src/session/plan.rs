//! What a session is asked to do, and what it did.

use super::record::Episode;
use crate::learner::Step;

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
