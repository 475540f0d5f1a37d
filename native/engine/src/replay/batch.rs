//! A minibatch of transitions, as learners read it.

use crate::error::{EngineError, Result};

/// B transitions, row-major, borrowed from whoever gathered them.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// s, `[B, O]`.
    pub observations: &'a [f32],
    /// a in [−1, 1], `[B, A]`.
    pub actions: &'a [f32],
    /// r as stored (scaled by the reward scale), `[B]`.
    pub rewards: &'a [f32],
    /// s′, `[B, O]`.
    pub next_observations: &'a [f32],
    /// γ, or 0 where the task itself ended, `[B]`. A time limit keeps γ.
    pub discounts: &'a [f32],
}

impl Batch<'_> {
    /// B.
    pub const fn rows(&self) -> usize {
        self.rewards.len()
    }
}

/// What the value of s′ counts for: γ(1 − d).
///
/// * `terminated` d, `[B]`, each 0 or 1; * `discount` γ.
///
/// # Errors
/// `CONFIG_RANGE` for any other d.
pub fn discounts(terminated: &[f32], discount: f32) -> Result<Vec<f32>> {
    let each = |&terminated: &f32| match terminated {
        0.0 => Ok(discount),
        1.0 => Ok(0.0),
        other => Err(EngineError::OutOfRange {
            name: "terminated",
            expected: "0 or 1 in each row",
            got: other.to_string(),
        }),
    };
    terminated.iter().map(each).collect()
}
