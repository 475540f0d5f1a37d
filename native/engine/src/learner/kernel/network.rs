//! What the kernel makes of a network's flat, padded vector ([`Shape`]): factors of a matrix product, aligned
//! memory, and Adam's state.

use std::ops::{Deref, Range};

use super::memory::Floats;
use super::sgemm::{Factor, Gemm, Product};
use super::vector;
use crate::error::Result;
use crate::math::adam::AdamStep;
use crate::math::real::sum;
use crate::networks::mlp::{Layer, Shape};

/// A network's shape, and what computes its products.
pub struct Network {
    shape: Shape,
    /// The same for every network of a learner.
    pub gemm: Gemm,
}

impl Network {
    /// Layers without parameters: those are vectors laid out like the shape.
    pub const fn new(shape: Shape, gemm: Gemm) -> Self {
        Self { shape, gemm }
    }

    /// A flat vector for this network, on cache lines.
    pub fn zeros(&self) -> Floats {
        Floats::zeros(self.len())
    }
}

impl Deref for Network {
    type Target = Shape;
    fn deref(&self) -> &Shape {
        &self.shape
    }
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
    pub fn new(network: &Network, learning_rate: f64) -> Self {
        Self { learning_rate, steps: 0, first_moment: network.zeros(), second_moment: network.zeros() }
    }

    /// One step on the whole flat vector.
    pub fn step(&mut self, weights: &mut [f32], gradient: &[f32]) -> Result<()> {
        self.steps += 1;
        let step = AdamStep::new(self.learning_rate, self.steps);
        vector::adam(&step, weights, gradient, &mut self.first_moment, &mut self.second_moment)
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
