//! A network's parameters as one flat, padded vector, and the way from and to named parameters.
//!
//! Row f of a layer is [bias, weights, zeros up to a whole cache line]: the bias is one more column of the
//! weight matrix, multiplied with a row of ones, so that no pass treats it apart and its gradient comes with the
//! weights'. The zeros have no gradient and stay zero. A policy's two heads are one layer, μ's rows first.

use std::ops::Range;

use super::memory::{Floats, LINE};
use super::sgemm::{Factor, Product};
use super::vector;
use crate::error::Result;
use crate::math::adam::AdamStep;
use crate::networks::layout::{Parameter, ParameterSpec};

/// One affine layer inside a flat vector.
#[derive(Clone)]
pub struct Layer {
    /// Where its first row starts.
    pub offset: usize,
    /// Inputs, without the bias.
    pub inputs: usize,
    /// Rows.
    pub outputs: usize,
    /// Floats from row to row.
    pub stride: usize,
}

impl Layer {
    const fn new(offset: usize, inputs: usize, outputs: usize) -> Self {
        Self { offset, inputs, outputs, stride: (1 + inputs).next_multiple_of(LINE) }
    }

    const fn len(&self) -> usize {
        self.outputs * self.stride
    }

    /// All rows with their padding.
    pub fn rows<'a>(&self, flat: &'a [f32]) -> &'a [f32] {
        &flat[self.offset..self.offset + self.len()]
    }

    /// `[outputs, columns]`; column 0 is the bias, column 1 + i the weight of input i.
    pub fn columns<'a>(&self, flat: &'a [f32], columns: Range<usize>) -> Factor<'a> {
        Factor::new(&self.rows(flat)[columns.start..], self.outputs, columns.len(), self.stride)
    }

    /// `[outputs, 1 + inputs]`, to be written.
    pub fn whole_mut<'a>(&self, flat: &'a mut [f32]) -> Product<'a> {
        let rows = &mut flat[self.offset..self.offset + self.len()];
        Product::new(rows, self.outputs, 1 + self.inputs, self.stride)
    }
}

/// Where a named parameter lies.
struct Slot {
    spec: ParameterSpec,
    layer: usize,
    /// Column 0 for a bias, the others for a weight.
    columns: Range<usize>,
    first_row: usize,
}

/// The layers of one network and the names of its parameters.
pub struct Shape {
    /// Hidden layers, then the heads as one layer.
    pub layers: Vec<Layer>,
    len: usize,
    slots: Vec<Slot>,
}

impl Shape {
    /// A network with the given widths and the parameters `specs`, as `networks::layout` lists them: weight and
    /// bias of each hidden layer, then of each head.
    pub fn new(inputs: usize, hidden: &[usize], specs: Vec<ParameterSpec>) -> Self {
        let heads: usize = specs.iter().skip(2 * hidden.len() + 1).step_by(2).map(|bias| bias.shape[0]).sum();
        let (mut layers, mut len, mut width) = (Vec::new(), 0, inputs);
        for &outputs in hidden.iter().chain([&heads]) {
            let layer = Layer::new(len, width, outputs);
            len += layer.len();
            width = outputs;
            layers.push(layer);
        }
        let slots = Self::slots(&layers, specs);
        Self { layers, len, slots }
    }

    fn slots(layers: &[Layer], specs: Vec<ParameterSpec>) -> Vec<Slot> {
        let last = layers.len() - 1;
        let mut head_row = 0;
        let slots = specs.into_iter().enumerate().map(|(index, spec)| {
            let (layer, bias) = ((index / 2).min(last), index % 2 == 1);
            let columns = if bias { 0..1 } else { 1..1 + layers[layer].inputs };
            let first_row = if layer == last { head_row } else { 0 };
            // the next head's rows follow once this one has had weight and bias
            head_row += if layer == last && bias { spec.shape[0] } else { 0 };
            Slot { spec, layer, columns, first_row }
        });
        slots.collect()
    }

    /// Widths of the hidden layers.
    pub fn hidden(&self) -> impl Iterator<Item = usize> {
        self.layers[..self.layers.len() - 1].iter().map(|layer| layer.outputs)
    }

    /// Rows of all heads together.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs
    }

    /// A flat vector for this network.
    pub fn zeros(&self) -> Floats {
        Floats::zeros(self.len)
    }

    /// The named parameters of a flat vector, or anything else laid out like them.
    pub fn read(&self, flat: &[f32]) -> Vec<Parameter> {
        let parameters = self.slots.iter().map(|slot| {
            let rows = self.rows_of(slot);
            let data = rows.flat_map(|at| flat[at..at + slot.columns.len()].iter().copied()).collect();
            Parameter { spec: slot.spec.clone(), data }
        });
        parameters.collect()
    }

    /// Writes those of `parameters` that are this network's into a flat vector; lengths have been checked.
    pub fn write(&self, parameters: &[Parameter], flat: &mut [f32]) {
        for Parameter { spec, data } in parameters {
            if let Some(slot) = self.slots.iter().find(|slot| slot.spec.name == spec.name) {
                let width = slot.columns.len();
                for (at, row) in self.rows_of(slot).zip(data.chunks_exact(width)) {
                    flat[at..at + width].copy_from_slice(row);
                }
            }
        }
    }

    /// Starts of a slot's rows in a flat vector.
    fn rows_of(&self, slot: &Slot) -> impl Iterator<Item = usize> + use<> {
        let layer = &self.layers[slot.layer];
        let (start, stride) = (layer.offset + slot.columns.start, layer.stride);
        (slot.first_row..slot.first_row + slot.spec.shape[0]).map(move |row| start + row * stride)
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
    pub fn new(shape: &Shape, learning_rate: f64) -> Self {
        Self { learning_rate, steps: 0, first_moment: shape.zeros(), second_moment: shape.zeros() }
    }

    /// One step on the whole flat vector.
    pub fn step(&mut self, weights: &mut [f32], gradient: &[f32]) -> Result<()> {
        self.steps += 1;
        let step = AdamStep::new(self.learning_rate, self.steps);
        vector::adam(&step, weights, gradient, &mut self.first_moment, &mut self.second_moment)
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;
    use crate::networks::layout::{self, Parameter, Sizes};

    #[test]
    fn named_parameters_survive_the_way_there_and_back() {
        let sizes = Sizes { observation: 5, action: 3, hidden: vec![17, 4] };
        for (inputs, specs) in [
            (5, layout::policy(&sizes)),
            (8, layout::action_value(&sizes)),
            (5, layout::target_state_value(&sizes)),
        ] {
            let shape = Shape::new(inputs, &sizes.hidden, specs.clone());
            let mut next = 0.0;
            let parameters: Vec<Parameter> = specs
                .into_iter()
                .map(|spec| {
                    let data = (0..spec.len()).map(|_| {
                        next += 1.0;
                        next
                    });
                    Parameter { data: data.collect(), spec }
                })
                .collect();
            let mut flat = shape.zeros();
            shape.write(&parameters, &mut flat);
            assert_eq!(shape.read(&flat), parameters);
            // all else is padding
            assert_eq!(flat.iter().filter(|&&x| x != 0.0).count() as f32, next);
        }
    }
}
