//! Forward passes of a batch, feature-major, one product a layer; the few samples that a policy acts on go
//! through [`crate::networks::mlp::forward`].

use super::memory::Matrix;
use super::products::Products;
use super::sgemm::{Factor, Finish, Start};
use crate::error::Result;
use crate::networks::mlp::Shape;

/// What one pass leaves behind.
pub struct Activations {
    /// Hidden activations after their ReLU, first layer to last, each below a row of ones.
    pub hidden: Vec<Matrix>,
    /// One row per output.
    pub output: Matrix,
}

impl Activations {
    /// Room for `capacity` samples.
    pub fn new(shape: &Shape, capacity: usize) -> Self {
        Self {
            hidden: shape.hidden().map(|width| Matrix::with_ones(width, capacity)).collect(),
            output: Matrix::zeros(shape.outputs(), capacity),
        }
    }

    /// Takes over the hidden activations of some samples of a pass.
    pub fn gather(&mut self, from: &Self, samples: &[usize]) {
        for (to, from) in self.hidden.iter_mut().zip(&from.hidden) {
            to.gather(from, samples);
        }
    }
}

/// Consecutive columns of the first layer.
#[derive(Clone, Copy)]
pub enum Block<'a> {
    /// What they are multiplied with, `[features, n]`; the first begins with the row of ones for the bias.
    Inputs(Factor<'a>),
    /// Their product, `[outputs, n]`, and how many they are; only the first, and never the last.
    Product(Factor<'a>, usize),
}

impl Block<'_> {
    /// n.
    pub const fn samples(&self) -> usize {
        match self {
            Self::Inputs(block) | Self::Product(block, _) => block.columns(),
        }
    }

    /// How many columns of the layer they are.
    const fn features(&self) -> usize {
        match self {
            Self::Inputs(block) => block.rows(),
            Self::Product(_, features) => *features,
        }
    }
}

/// Runs samples through a network.
///
/// `inputs` are all columns of the first layer. Where a later block has K n samples, the first counts for each of the K runs
/// of n samples: its product is computed once.
pub fn forward(
    products: &mut Products,
    (network, weights): (&Shape, &[f32]),
    inputs: &[Block<'_>],
    to: &mut Activations,
) -> Result<()> {
    let samples = inputs.last().map_or(0, Block::samples);
    for (index, layer) in network.layers.iter().enumerate() {
        // the layer below gives the inputs, except for the first
        let (below, above) = to.hidden.split_at_mut(index);
        let from_below =
            below.last().map(|below| [Block::Inputs(below.view(0..1 + layer.inputs, samples).sparse())]);
        let inputs = from_below.as_ref().map_or(inputs, |block| block.as_slice());
        // hidden layers write below their row of ones
        let (matrix, first_row, is_hidden) = match above.first_mut() {
            Some(hidden) => (hidden, 1, true),
            None => (&mut to.output, 0, false),
        };
        let rows = first_row..first_row + layer.outputs;

        let mut column = 0;
        for (place, block) in inputs.iter().enumerate() {
            let start = if place == 0 { Start::Zero } else { Start::Present };
            let is_complete = is_hidden && place + 1 == inputs.len();
            let finish = if is_complete { Finish::Relu } else { Finish::Store };
            let factor = layer.columns(weights, column..column + block.features());
            match *block {
                Block::Product(product, _) => matrix.copy(rows.start, product),
                Block::Inputs(inputs) => {
                    let to = matrix.view_mut(rows.clone(), inputs.columns());
                    products.multiply(to, (factor, inputs), start, finish)?;
                }
            }
            column += block.features();
            if place == 0 {
                matrix.repeat(rows.clone(), block.samples(), samples);
            }
        }
    }
    Ok(())
}
