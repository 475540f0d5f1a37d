//! A minibatch of transitions, as learners read it.

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
