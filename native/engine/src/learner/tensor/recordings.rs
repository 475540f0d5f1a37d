//! What a learner does again and again on a GPU, each recorded as a graph when it is asked for the second time: the first
//! warms libtorch up, which a recording cannot. A recording of its own for each kind of work, number of rows and source of
//! the temperature, since these decide the operations.

use tch::Tensor;

use super::graph::Graph;
use super::halves::Saw;
use super::queues::Queues;
use super::transfer::{Placement, Shipment};
use crate::error::Result;
use crate::learner::{Step, Temperature};

/// Recordings that a learner keeps; a caller with ever other numbers of rows gets no more.
const MOST: usize = 16;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The gradients of some halves and their optimisers.
    Step(Step),
    /// The residual error.
    Measure,
}

/// What decides the operations of some work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Routine {
    work: Work,
    rows: usize,
    source: Source,
}

/// Where T comes from; its numbers are in the shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Own,
    Given,
    OfResidual,
}

impl Routine {
    /// Of some work on so many rows.
    pub const fn new(work: Work, rows: usize, temperature: Temperature) -> Self {
        let source = match temperature {
            Temperature::Own => Source::Own,
            Temperature::Given(_) => Source::Given,
            Temperature::OfResidual { .. } => Source::OfResidual,
        };
        Self { work, rows, source }
    }
}

/// A recording, with the place it reads and what it leaves.
struct Recording {
    routine: Routine,
    arrived: Tensor,
    graph: Graph,
    saw: Saw,
}

/// Every recording of a learner, by number.
#[derive(Default)]
pub struct Recordings {
    warm: Vec<Routine>,
    recordings: Vec<Recording>,
}

/// What is to be done with a routine.
pub enum Stage {
    /// Operation by operation.
    Directly,
    /// Recorded, then replayed.
    Record,
    /// Replayed, by the number of the recording.
    Replay(usize),
}

impl Recordings {
    /// What is to be done with a routine that is asked for.
    pub fn stage(&mut self, routine: Routine) -> Stage {
        if let Some(index) = self.recordings.iter().position(|each| each.routine == routine) {
            return Stage::Replay(index);
        }
        if self.recordings.len() == MOST {
            return Stage::Directly;
        }
        if self.warm.contains(&routine) {
            return Stage::Record;
        }
        if self.warm.len() < MOST {
            self.warm.push(routine);
        }
        Stage::Directly
    }

    /// Keeps a recording; returns its number.
    pub fn keep(&mut self, routine: Routine, arrived: Tensor, (graph, saw): (Graph, Saw)) -> usize {
        self.recordings.push(Recording { routine, arrived, graph, saw });
        self.recordings.len() - 1
    }

    /// Does what was recorded with another shipment of the same size.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    pub fn replay(
        &mut self,
        queues: &Queues,
        index: usize,
        shipment: &Shipment,
        placement: Placement,
    ) -> Result<()> {
        let Recording { arrived, graph, .. } = &mut self.recordings[index];
        queues.ahead(|| shipment.upload(placement), |uploaded| Ok(arrived.f_copy_(uploaded)?))?;
        graph.replay()
    }

    /// What the latest replay saw.
    pub fn saw(&self, index: usize) -> &Saw {
        &self.recordings[index].saw
    }
}

/// Where what the latest half saw lies.
pub enum Latest<T> {
    /// Here.
    Here(T),
    /// In a recording, by its number; its next replay overwrites it.
    Recorded(usize),
}
