//! Backward passes over the activations of a forward pass.

use std::ops::Range;

use super::forward::Activations;
use super::memory::Matrix;
use super::products::Products;
use super::sgemm::{Factor, Finish, Gemm, Product, Start};
use crate::error::Result;
use crate::networks::mlp::Shape;

/// Gradients by the pre-activations of one network.
pub struct Deltas {
    /// First hidden layer to last.
    hidden: Vec<Matrix>,
    /// One row per output; what a backward pass starts from.
    pub output: Matrix,
}

impl Deltas {
    /// Room for `capacity` samples.
    pub fn new(shape: &Shape, capacity: usize) -> Self {
        Self {
            hidden: shape.hidden().map(|width| Matrix::zeros(width, capacity)).collect(),
            output: Matrix::zeros(shape.outputs(), capacity),
        }
    }

    /// Some of those of layer `index`, `[rows, n]`; the heads come after the hidden layers.
    fn of_layer(&self, index: usize, rows: Range<usize>, n: usize) -> Factor<'_> {
        match self.hidden.get(index) {
            Some(hidden) => hidden.view(rows, n).sparse(),
            None => self.output.view(rows, n),
        }
    }
}

/// From the gradients by the outputs down to those by the first layer's pre-activations.
pub fn hidden_deltas(
    products: &mut Products,
    (network, weights): (&Shape, &[f32]),
    from: &Activations,
    deltas: &mut Deltas,
    n: usize,
) -> Result<()> {
    for (index, activation) in from.hidden.iter().enumerate().rev() {
        let layer = &network.layers[index + 1];
        let (below, above) = deltas.hidden.split_at_mut(index + 1);
        let by_outputs = match above.first() {
            Some(above) => above.view(0..layer.outputs, n).sparse(),
            None => deltas.output.view(0..layer.outputs, n),
        };
        let to = &mut below[index];
        // dx = Wᵀ dy, without the bias, and through the ReLU
        let factor = layer.columns(weights, 1..1 + layer.inputs).transposed();
        let gate = Finish::Gate(activation.view(1..1 + layer.inputs, n));
        products.multiply(to.view_mut(0..layer.inputs, n), (factor, by_outputs), Start::Zero, gate)?;
    }
    Ok(())
}

/// Gradients by some of the network's inputs, `[columns, n]`; column 1 + i is input i.
pub fn input_gradient(
    products: &mut Products,
    (network, weights): (&Shape, &[f32]),
    columns: Range<usize>,
    deltas: &Deltas,
    to: Product<'_>,
    n: usize,
) -> Result<()> {
    let layer = &network.layers[0];
    let factors = (layer.columns(weights, columns).transposed(), deltas.of_layer(0, 0..layer.outputs, n));
    products.multiply(to, factors, Start::Zero, Finish::Store)
}

/// What the gradients by a network's weights are made of, once [`hidden_deltas`] has been through it.
#[derive(Clone, Copy)]
pub struct Passed<'a> {
    /// The network.
    pub network: &'a Shape,
    /// `[1 + inputs, n]`, its first row ones.
    pub input: Factor<'a>,
    /// Of the forward pass.
    pub activations: &'a Activations,
    /// Of the backward pass.
    pub deltas: &'a Deltas,
}

impl Passed<'_> {
    /// Gradients by the weights and biases of some rows of a layer, laid out as these: dW = dy (1; x)ᵀ, summed over samples.
    pub fn weight_gradient(&self, gemm: Gemm, (index, rows): (usize, Range<usize>), gradient: &mut [f32]) {
        let (n, layer) = (self.input.columns(), &self.network.layers[index]);
        let x = match index {
            0 => self.input,
            _ => self.activations.hidden[index - 1].view(0..1 + layer.inputs, n),
        };
        let to = Product::new(gradient, rows.len(), 1 + layer.inputs, layer.stride);
        let by_outputs = self.deltas.of_layer(index, rows, n);
        gemm.multiply(to, (by_outputs, x.transposed()), Start::Zero, Finish::Store);
    }
}
