//! A multilayer perceptron's parameters as one flat, padded vector, the way from and to named parameters, and the
//! forward pass of a few samples.
//!
//! Row f of a layer is [bias, weights, zeros up to a whole cache line]: the bias is one more column of the
//! weight matrix, multiplied with a one, so that no pass treats it apart and its gradient comes with the
//! weights'. The zeros have no gradient and stay zero. A policy's two heads are one layer, μ's rows first.

use std::ops::Range;

use super::affine::{Pass, affine};
use super::layout::{LayerSpec, Parameter, ParameterSpec, stacked};
use crate::lanes::LINE;

/// One affine layer inside a flat vector.
#[derive(Debug, Clone)]
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

    /// Floats of all rows with their padding.
    pub const fn len(&self) -> usize {
        self.outputs * self.stride
    }

    /// Whether it has no rows.
    pub const fn is_empty(&self) -> bool {
        self.outputs == 0
    }

    /// All rows with their padding.
    pub fn rows<'a>(&self, flat: &'a [f32]) -> &'a [f32] {
        &flat[self.offset..self.offset + self.len()]
    }
}

/// Where a named parameter lies.
#[derive(Debug, Clone)]
struct Slot {
    spec: ParameterSpec,
    layer: usize,
    /// Column 0 for a bias, the others for a weight.
    columns: Range<usize>,
    first_row: usize,
}

/// The layers of one network and the names of its parameters.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Hidden layers, then the heads as one layer.
    pub layers: Vec<Layer>,
    len: usize,
    slots: Vec<Slot>,
}

impl Shape {
    /// A network of the given layers.
    pub fn new(layers: Vec<LayerSpec>) -> Self {
        let mut shape = Self { layers: Vec::new(), len: 0, slots: Vec::new() };
        for stack in stacked(layers) {
            let inputs = stack.first().map_or(0, |layer| layer.inputs);
            let mut rows = 0;
            for spec in stack {
                let (layer, first_row) = (shape.layers.len(), rows);
                let (weight, bias) = (spec.weight(), spec.bias());
                shape.slots.push(Slot { spec: weight, layer, columns: 1..1 + inputs, first_row });
                shape.slots.push(Slot { spec: bias, layer, columns: 0..1, first_row });
                rows += spec.outputs;
            }
            let layer = Layer::new(shape.len, inputs, rows);
            shape.len += layer.len();
            shape.layers.push(layer);
        }
        shape
    }

    /// Floats of a flat vector for this network.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no parameters.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Widths of the hidden layers.
    pub fn hidden(&self) -> impl Iterator<Item = usize> {
        self.layers[..self.layers.len() - 1].iter().map(|layer| layer.outputs)
    }

    /// Rows of all heads together.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs
    }

    /// Floats that one sample needs between two layers, in each of the two matrices of [`forward`].
    pub fn sample_len(&self) -> usize {
        let widths = self.layers.iter().map(|layer| layer.stride.max(1 + layer.outputs));
        widths.fold(0, usize::max).next_multiple_of(LINE)
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

    /// Overwrites those of `parameters` that are this network's from a flat vector, as [`Self::read`] made them.
    pub fn refresh(&self, flat: &[f32], parameters: &mut [Parameter]) {
        for Parameter { spec, data } in parameters {
            if let Some(slot) = self.slots.iter().find(|slot| slot.spec.name == spec.name) {
                let width = slot.columns.len();
                for (at, row) in self.rows_of(slot).zip(data.chunks_exact_mut(width)) {
                    row.copy_from_slice(&flat[at..at + width]);
                }
            }
        }
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

/// max(x, 0); NaN stays NaN.
#[inline(always)]
pub const fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

/// The outputs of a network for a few samples, each as if it were alone.
///
/// * `flat`: parameters laid out as [`Shape`] says.
/// * `inputs`: `[n, I]`.
/// * `between`: two matrices `[n, sample_len]`, with [`Shape::sample_len`], that the samples go back and forth between.
/// * `outputs`: `[n, outputs]`, with [`Shape::outputs`].
pub fn forward(shape: &Shape, flat: &[f32], inputs: &[f32], between: [&mut [f32]; 2], outputs: &mut [f32]) {
    let [mut now, mut next] = between;
    let (stride, width) = (shape.sample_len(), shape.outputs());
    let (n, input_len) = (outputs.len() / width, shape.layers[0].inputs);
    assert!(outputs.len() == n * width && inputs.len() == n * input_len, "whole samples");
    for (now, input) in now.chunks_exact_mut(stride).zip(inputs.chunks_exact(input_len)) {
        now[1..=input_len].copy_from_slice(input);
    }
    for (index, layer) in shape.layers.iter().enumerate() {
        // [1, inputs, zeros], as the layer's rows are [bias, weights, zeros]
        for now in now.chunks_exact_mut(stride).take(n) {
            now[0] = 1.0;
            now[1 + layer.inputs..layer.stride].fill(0.0);
        }
        let rows = layer.rows(flat);
        let pass = Pass { rows, outputs: layer.outputs, inputs: layer.stride, samples: n };
        if index + 1 == shape.layers.len() {
            affine(pass, (now, stride), (outputs, width));
        } else {
            affine(pass, (now, stride), (&mut next[1..], stride));
            for next in next.chunks_exact_mut(stride).take(n) {
                for x in &mut next[1..1 + layer.outputs] {
                    *x = relu(*x);
                }
            }
            std::mem::swap(&mut now, &mut next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Shape, relu};
    use crate::networks::layout::{self, Parameter, Sizes};
    use crate::recipe::PolicyKind;

    #[test]
    fn relu_keeps_what_is_not_a_number() {
        assert_eq!((relu(-1.0), relu(0.5)), (0.0, 0.5));
        assert!(relu(f32::NAN).is_nan());
    }

    #[test]
    fn named_parameters_survive_the_way_there_and_back() {
        let sizes = Sizes {
            observation: 5,
            action: 3,
            policy_hidden: vec![17, 4],
            hidden: vec![6, 18],
            action_values: 1,
        };
        for layers in [
            layout::policy("policy", PolicyKind::TanhGaussian, &sizes),
            layout::action_value("actionValue.0", &sizes),
            layout::state_value("target.stateValue", &sizes),
        ] {
            let shape = Shape::new(layers.clone());
            let mut next = 0.0;
            let parameters: Vec<Parameter> = layout::parameters(&layers)
                .into_iter()
                .map(|spec| {
                    let data = (0..spec.len()).map(|_| {
                        next += 1.0;
                        next
                    });
                    Parameter { data: data.collect(), spec }
                })
                .collect();
            let mut flat = vec![0.0; shape.len()];
            shape.write(&parameters, &mut flat);
            assert_eq!(shape.read(&flat), parameters);
            let mut old = shape.read(&vec![-1.0; shape.len()]);
            shape.refresh(&flat, &mut old);
            assert_eq!(old, parameters);
            // all else is padding
            assert_eq!(flat.iter().filter(|&&x| x != 0.0).count() as f32, next);
        }
    }
}
