//! What the kernel makes of a network's flat, padded vector ([`Shape`]): factors of a matrix product, aligned
//! memory, and Adam's state.

use std::ops::Range;

use super::memory::Floats;
use super::sgemm::{Factor, Product};
use super::vector;
use crate::error::Result;
use crate::lanes::LINE;
use crate::ledger::Ledger;
use crate::math::adam::AdamStep;
use crate::math::real::sum;
use crate::networks::mlp::{Layer, Shape};
use crate::threads::Team;

/// A flat vector for a network, on cache lines.
pub fn zeros(network: &Shape) -> Floats {
    Floats::zeros(network.len())
}

impl Layer {
    /// `[outputs, columns]`; column 0 is the bias, column 1 + i the weight of input i.
    pub(super) fn columns<'a>(&self, flat: &'a [f32], columns: Range<usize>) -> Factor<'a> {
        Factor::new(&self.rows(flat)[columns.start..], self.outputs, columns.len(), self.stride)
    }

    /// `[outputs, 1 + inputs]`, to be written.
    pub(super) fn whole_mut<'a>(&self, flat: &'a mut [f32]) -> Product<'a> {
        let rows = &mut flat[self.offset..self.offset + self.len()];
        Product::new(rows, self.outputs, 1 + self.inputs, self.stride)
    }
}

/// Adam's state for one network.
pub struct Optimiser {
    learning_rate: f64,
    steps: u64,
    first_moment: Floats,
    second_moment: Floats,
}

impl Optimiser {
    /// Before the first step.
    pub fn new(network: &Shape, learning_rate: f64) -> Self {
        Self { learning_rate, steps: 0, first_moment: zeros(network), second_moment: zeros(network) }
    }

    /// One step on the whole flat vector, in parts of a team's threads.
    pub fn step(&mut self, team: &mut Team, weights: &mut [f32], gradient: &[f32]) -> Result<()> {
        self.steps += 1;
        let step = AdamStep::new(self.learning_rate, self.steps);
        let len = weights.len().div_ceil(team.size()).next_multiple_of(LINE);
        let moments = self.first_moment.chunks_mut(len).zip(self.second_moment.chunks_mut(len));
        let parts = weights.chunks_mut(len).zip(gradient.chunks(len)).zip(moments);
        team.share(parts, |((weights, gradient), (first, second))| {
            vector::adam(&step, weights, gradient, first, second)
        })
    }

    /// Steps and moments.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.value("steps", &mut self.steps)?;
        ledger.values("firstMoment", &mut self.first_moment)?;
        ledger.values("secondMoment", &mut self.second_moment)
    }

    /// Σ over the latest step's squared changes; None before the first.
    pub fn squared_update(&self) -> Option<f64> {
        let step = (self.steps > 0).then(|| AdamStep::new(self.learning_rate, self.steps))?;
        let moments = self.first_moment.iter().zip(self.second_moment.iter());
        Some(sum(moments.map(|(&first, &second)| squared(step.change(first, second)))))
    }
}

/// Σ of squares.
pub fn squared_sum(values: &[f32]) -> f64 {
    sum(values.iter().map(|&value| squared(value)))
}

fn squared(value: f32) -> f32 {
    value * value
}
