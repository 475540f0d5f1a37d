//! What the kernel makes of a network's flat, padded vector ([`Shape`]): factors of a matrix product, aligned
//! memory, and Adam's state.

use std::ops::Range;

use super::memory::Floats;
use super::sgemm::Factor;
use crate::error::Result;
use crate::ledger::Ledger;
use crate::math::adam::AdamStep;
use crate::math::real::sum;
use crate::networks::mlp::{Layer, Shape};

/// A flat vector for a network, on cache lines.
pub fn zeros(network: &Shape) -> Floats {
    Floats::zeros(network.len())
}

impl Layer {
    /// `[outputs, columns]`; column 0 is the bias, column 1 + i the weight of input i.
    pub(super) fn columns<'a>(&self, flat: &'a [f32], columns: Range<usize>) -> Factor<'a> {
        Factor::new(&self.rows(flat)[columns.start..], self.outputs, columns.len(), self.stride)
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

    /// Begins a step: its factors, and the first and second moments that it changes with the weights.
    pub fn begin(&mut self) -> (AdamStep<f32>, [&mut [f32]; 2]) {
        self.steps += 1;
        let step = AdamStep::new(self.learning_rate, self.steps);
        (step, [&mut self.first_moment, &mut self.second_moment])
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
