//! Transitions to learn from, gathered already or still in the replay buffer.

use std::ops::Range;

use super::batch::Batch;
use super::buffer::{GatheredBatch, ReplayBuffer};

/// Some transitions. Those that are still in the buffer are gathered by whoever reads them, a few at a time: by several
/// threads at once, and while they are near.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// A batch.
    Gathered(Batch<'a>),
    /// Rows of a buffer.
    Drawn {
        /// The buffer.
        replay: &'a ReplayBuffer,
        /// Which rows, each below [`ReplayBuffer::len`].
        indices: &'a [usize],
    },
}

impl<'a> Rows<'a> {
    /// B.
    pub const fn count(&self) -> usize {
        match self {
            Self::Gathered(batch) => batch.rows(),
            Self::Drawn { indices, .. } => indices.len(),
        }
    }

    /// Those of a range, in `room` where they are not gathered yet.
    pub fn part<'b>(&self, range: Range<usize>, room: &'b mut GatheredBatch) -> Batch<'b>
    where
        'a: 'b,
    {
        match self {
            Self::Gathered(batch) => cut(batch, range),
            Self::Drawn { replay, indices } => {
                replay.gather(&indices[range], room);
                room.as_batch()
            }
        }
    }

    /// All of them.
    pub fn all<'b>(&self, room: &'b mut GatheredBatch) -> Batch<'b>
    where
        'a: 'b,
    {
        self.part(0..self.count(), room)
    }
}

/// Some rows of a batch.
fn cut<'a>(batch: &Batch<'a>, range: Range<usize>) -> Batch<'a> {
    let cut = |values: &'a [f32]| {
        let width = values.len() / batch.rows();
        &values[range.start * width..range.end * width]
    };
    Batch {
        observations: cut(batch.observations),
        actions: cut(batch.actions),
        rewards: cut(batch.rewards),
        next_observations: cut(batch.next_observations),
        discounts: cut(batch.discounts),
    }
}
