//! The replay buffer D: a ring of rows, one row per transition, contiguous in memory.

use std::ops::Range;

use super::batch::Batch;
use crate::error::{Result, expect_len};
use crate::lanes::{LINE, prefetch};
use crate::ledger::Ledger;
use crate::memory::reserve;

/// Rows that the ring grows by: the allocator can move so large a block by its pages, and the ring never has more
/// than this to spare, where doubling would take three times the ring for a moment and twice for good.
const BLOCK_ROWS: usize = 1 << 16;

/// How many rows before it is copied a row is asked for: rows lie all over main memory.
const AHEAD: usize = 4;

/// One transition on its way into the buffer.
#[derive(Debug, Clone, Copy)]
pub struct Transition<'a> {
    /// s, `[O]`.
    pub observation: &'a [f32],
    /// a in [−1, 1], `[A]`.
    pub action: &'a [f32],
    /// r, scaled.
    pub reward: f32,
    /// s′, `[O]`.
    pub next_observation: &'a [f32],
    /// γ, or 0 at a termination.
    pub discount: f32,
}

/// A ring of transitions; the oldest row is overwritten when it is full.
#[derive(Debug)]
pub struct ReplayBuffer {
    rows: Vec<f32>,
    observation: usize,
    action: usize,
    capacity: usize,
    stored: u64,
    /// Σ |r| over the rows held.
    absolute_rewards: f64,
}

impl ReplayBuffer {
    /// An empty ring of `capacity` (> 0) rows. Memory is taken as rows come, not at once.
    pub const fn new(observation: usize, action: usize, capacity: usize) -> Self {
        Self { rows: Vec::new(), observation, action, capacity, stored: 0, absolute_rewards: 0.0 }
    }

    /// Values in a row: s, a, r, γ(1−d), s′.
    pub const fn row_values(observation: usize, action: usize) -> usize {
        observation.saturating_mul(2).saturating_add(action).saturating_add(2)
    }

    /// Widths of an observation and of an action.
    pub const fn widths(&self) -> (usize, usize) {
        (self.observation, self.action)
    }

    /// Values in a row of this buffer.
    pub const fn row_width(&self) -> usize {
        Self::row_values(self.observation, self.action)
    }

    /// Transitions that can be drawn.
    pub fn len(&self) -> usize {
        self.rows.len() / self.row_width()
    }

    /// Whether nothing is stored yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Transitions ever stored.
    pub const fn stored(&self) -> u64 {
        self.stored
    }

    /// mean |r| over the rows held, rewards as stored; 0 without any.
    pub fn mean_absolute_reward(&self) -> f64 {
        if self.is_empty() { 0.0 } else { self.absolute_rewards / self.len() as f64 }
    }

    /// Counts and sums over the rows; the rows themselves come by [`Self::rows`] and [`Self::restore`].
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.value("stored", &mut self.stored)?;
        ledger.value("absoluteRewards", &mut self.absolute_rewards)
    }

    /// Number of the oldest transition held.
    pub const fn oldest(&self) -> u64 {
        self.stored.saturating_sub(self.capacity as u64)
    }

    /// The row of the `number`-th transition ever stored, which the ring must still hold.
    pub fn row(&self, number: u64) -> &[f32] {
        let width = self.row_width();
        &self.rows[(number % self.capacity as u64) as usize * width..][..width]
    }

    /// Puts rows in their places, from transition `first` on, into a ring whose [`Self::state`] says how many there
    /// are in all.
    ///
    /// # Errors
    /// `OUT_OF_MEMORY`.
    pub fn restore(&mut self, first: u64, rows: &[f32]) -> Result<()> {
        let (width, capacity) = (self.row_width(), self.capacity as u64);
        let held = self.stored.min(capacity) as usize * width;
        if self.rows.len() < held {
            let more = held - self.rows.len();
            reserve(&mut self.rows, more, "the replay buffer", "replay.capacity")?;
            self.rows.resize(held, 0.0);
        }
        for (number, row) in (first..).zip(rows.chunks_exact(width)) {
            self.rows[(number % capacity) as usize * width..][..width].copy_from_slice(row);
        }
        Ok(())
    }

    /// Stores one transition.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`; `OUT_OF_MEMORY` when the ring cannot grow, with all it has kept.
    pub fn push(&mut self, transition: &Transition<'_>) -> Result<()> {
        expect_len("observation", transition.observation.len(), self.observation)?;
        expect_len("action", transition.action.len(), self.action)?;
        expect_len("nextObservation", transition.next_observation.len(), self.observation)?;
        let width = self.row_width();
        let slot = (self.stored % self.capacity as u64) as usize * width;
        if slot == self.rows.len() {
            self.make_room()?;
            self.rows.resize(slot + width, 0.0);
        }
        let (observation, rest) = self.rows[slot..slot + width].split_at_mut(self.observation);
        let (action, rest) = rest.split_at_mut(self.action);
        let (outcome, next) = rest.split_at_mut(2);
        observation.copy_from_slice(transition.observation);
        action.copy_from_slice(transition.action);
        // a fresh row holds zeros; 1e6 roundings of 1e-16 leave nothing to see
        self.absolute_rewards += f64::from(transition.reward.abs()) - f64::from(outcome[0].abs());
        outcome.copy_from_slice(&[transition.reward, transition.discount]);
        next.copy_from_slice(transition.next_observation);
        self.stored += 1;
        Ok(())
    }

    /// Memory for the next row and those after it, up to the capacity.
    fn make_room(&mut self) -> Result<()> {
        let width = self.row_width();
        if self.rows.capacity() - self.rows.len() >= width {
            return Ok(());
        }
        let rows = BLOCK_ROWS.min(self.capacity - self.len());
        reserve(&mut self.rows, rows.saturating_mul(width), "the replay buffer", "replay.capacity")
    }

    /// Asks for the cache lines of some columns of a row.
    fn prefetch_columns(&self, index: usize, columns: &Range<usize>) {
        let start = self.rows.as_ptr().wrapping_add(index * self.row_width() + columns.start);
        // one more than fits: they begin anywhere in their first line
        (0..columns.len() + LINE).step_by(LINE).for_each(|at| prefetch(start.wrapping_add(at)));
    }

    /// Calls `take` with some columns of the rows `indices` (each below [`Self::len`]), in their order.
    fn each(&self, indices: &[usize], columns: Range<usize>, mut take: impl FnMut(&[f32])) {
        for (place, &index) in indices.iter().enumerate() {
            if let Some(&next) = indices.get(place + AHEAD) {
                self.prefetch_columns(next, &columns);
            }
            let row = index * self.row_width();
            take(&self.rows[row + columns.start..row + columns.end]);
        }
    }

    /// Copies the rows `indices` (each below [`Self::len`]) into `gathered`.
    pub fn gather(&self, indices: &[usize], gathered: &mut GatheredBatch) {
        let (pairs, outcomes) = gathered.halves();
        self.gather_pairs(indices, pairs);
        self.gather_outcomes(indices, outcomes);
    }

    /// [`Self::gather`] of (s, a), the first columns of a row.
    pub fn gather_pairs(&self, indices: &[usize], pairs: &mut GatheredPairs) {
        pairs.observations.clear();
        pairs.actions.clear();
        self.each(indices, 0..self.observation + self.action, |columns| {
            let (observation, action) = columns.split_at(self.observation);
            pairs.observations.extend_from_slice(observation);
            pairs.actions.extend_from_slice(action);
        });
    }

    /// [`Self::gather`] of r, γ(1−d) and s′, the other columns.
    pub fn gather_outcomes(&self, indices: &[usize], outcomes: &mut GatheredOutcomes) {
        outcomes.rewards.clear();
        outcomes.discounts.clear();
        outcomes.next_observations.clear();
        self.each(indices, self.observation + self.action..self.row_width(), |columns| {
            outcomes.rewards.push(columns[0]);
            outcomes.discounts.push(columns[1]);
            outcomes.next_observations.extend_from_slice(&columns[2..]);
        });
    }
}

/// Memory of a minibatch, reused from draw to draw.
#[derive(Debug, Default)]
pub struct GatheredBatch {
    pairs: GatheredPairs,
    outcomes: GatheredOutcomes,
}

/// The (s, a) of a minibatch.
#[derive(Debug, Default)]
pub struct GatheredPairs {
    /// s, `[B, O]`.
    pub observations: Vec<f32>,
    /// a, `[B, A]`.
    pub actions: Vec<f32>,
}

/// What followed on the (s, a) of a minibatch.
#[derive(Debug, Default)]
pub struct GatheredOutcomes {
    /// r, `[B]`.
    pub rewards: Vec<f32>,
    /// γ, or 0 at a terminal transition, `[B]`.
    pub discounts: Vec<f32>,
    /// s′, `[B, O]`.
    pub next_observations: Vec<f32>,
}

impl GatheredBatch {
    /// Both halves, to be filled apart.
    pub const fn halves(&mut self) -> (&mut GatheredPairs, &mut GatheredOutcomes) {
        (&mut self.pairs, &mut self.outcomes)
    }

    /// The minibatch as learners read it.
    pub fn as_batch(&self) -> Batch<'_> {
        let (pairs, outcomes) = (&self.pairs, &self.outcomes);
        Batch {
            observations: &pairs.observations,
            actions: &pairs.actions,
            rewards: &outcomes.rewards,
            next_observations: &outcomes.next_observations,
            discounts: &outcomes.discounts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_ROWS, GatheredBatch, ReplayBuffer, Transition};

    fn push(buffer: &mut ReplayBuffer, value: f32) {
        let (observation, next) = ([value, value + 0.1], [value + 1.0, value + 1.1]);
        let transition = Transition {
            observation: &observation,
            action: &[value - 0.5],
            reward: value * 2.0,
            next_observation: &next,
            discount: 0.99,
        };
        buffer.push(&transition).unwrap();
    }

    #[test]
    fn a_row_comes_back_as_it_was_stored() {
        let mut buffer = ReplayBuffer::new(2, 1, 10);
        (0..3).for_each(|i| push(&mut buffer, i as f32));
        let mut gathered = GatheredBatch::default();
        buffer.gather(&[2, 0], &mut gathered);
        let batch = gathered.as_batch();
        assert_eq!(batch.observations, [2.0, 2.1, 0.0, 0.1]);
        assert_eq!(batch.actions, [1.5, -0.5]);
        assert_eq!(batch.rewards, [4.0, 0.0]);
        assert_eq!(batch.discounts, [0.99, 0.99]);
        assert_eq!(batch.next_observations, [3.0, 3.1, 1.0, 1.1]);
    }

    #[test]
    fn a_full_ring_overwrites_its_oldest_row() {
        let mut buffer = ReplayBuffer::new(2, 1, 3);
        (0..5).for_each(|i| push(&mut buffer, i as f32));
        assert_eq!((buffer.len(), buffer.stored()), (3, 5));
        let mut gathered = GatheredBatch::default();
        buffer.gather(&[0, 1, 2], &mut gathered);
        assert_eq!(gathered.as_batch().rewards, [6.0, 8.0, 4.0]);
    }

    #[test]
    fn a_ring_takes_memory_in_blocks_and_never_more_than_its_capacity() {
        let mut buffer = ReplayBuffer::new(2, 1, 100_000);
        let width = ReplayBuffer::row_values(2, 1);
        push(&mut buffer, 0.0);
        assert_eq!(buffer.rows.capacity(), BLOCK_ROWS * width);
        (1..200_000).for_each(|i| push(&mut buffer, i as f32));
        assert_eq!(buffer.rows.capacity(), 100_000 * width);
        assert_eq!(ReplayBuffer::new(2, 1, 100_000).rows.capacity(), 0);
    }

    #[test]
    fn a_row_of_the_wrong_width_is_refused() {
        let mut buffer = ReplayBuffer::new(2, 1, 3);
        let transition = Transition {
            observation: &[0.0],
            action: &[0.0],
            reward: 0.0,
            next_observation: &[0.0; 2],
            discount: 0.0,
        };
        assert_eq!(buffer.push(&transition).unwrap_err().code(), "LENGTH_MISMATCH");
        assert!(buffer.is_empty());
    }
}
