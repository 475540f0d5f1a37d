//! The action values together: Q_i at the same pairs, and the smaller of them.

use super::backward::{Deltas, hidden_deltas, input_gradient};
use super::forward::{Activations, Block, forward};
use super::memory::{Floats, Matrix};
use super::products::Products;
use super::sgemm::{Factor, Finish, Start};
use super::vector;
use crate::error::Result;
use crate::networks::mlp::Shape;

/// What [1, s] gives to the first layer of every Q_i, whatever the action.
pub struct StateTerms {
    capacity: usize,
    terms: Vec<Matrix>,
    /// States in use.
    n: usize,
    /// Whether they are those of the batch at hand.
    pub is_known: bool,
}

impl StateTerms {
    /// Room for `capacity` states.
    pub fn new(networks: &[Shape], capacity: usize) -> Self {
        let first = networks.iter().map(|network| network.layers[0].outputs);
        let terms = first.map(|outputs| Matrix::zeros(outputs, capacity)).collect();
        Self { capacity, terms, n: 0, is_known: false }
    }

    /// Makes room for `n` other states.
    pub fn expect(&mut self, networks: &[Shape], n: usize) {
        if n > self.capacity {
            *self = Self::new(networks, n);
        }
        (self.n, self.is_known) = (n, false);
    }

    /// Computes them.
    pub fn compute(
        &mut self,
        products: &mut Products,
        (networks, weights): (&[Shape], &[Floats]),
        states: Factor<'_>,
    ) -> Result<()> {
        for ((network, weights), to) in networks.iter().zip(weights).zip(&mut self.terms) {
            let layer = &network.layers[0];
            let (to, factor) =
                (to.view_mut(0..layer.outputs, self.n), layer.columns(weights, 0..states.rows()));
            products.multiply(to, (factor, states), Start::Zero, Finish::Store)?;
        }
        self.is_known = true;
        Ok(())
    }

    fn of(&self, index: usize, network: &Shape, actions: usize) -> Block<'_> {
        let layer = &network.layers[0];
        Block::Product(self.terms[index].view(0..layer.outputs, self.n), 1 + layer.inputs - actions)
    }
}

/// Pairs (s, a).
#[derive(Clone, Copy)]
pub enum Pairs<'a> {
    /// [1, s, a].
    Whole(Factor<'a>),
    /// [1, s] and a; where there are K n actions, K for each of n states.
    Apart(Factor<'a>, Factor<'a>),
    /// What the states give, and a.
    Begun(&'a StateTerms, Factor<'a>),
}

/// Passes of some action values at the same pairs.
pub struct ActionValues {
    passes: Vec<Activations>,
    /// Samples in use.
    count: usize,
}

impl ActionValues {
    /// Room for `capacity` pairs.
    pub fn new(networks: &[Shape], capacity: usize) -> Self {
        let passes = networks.iter().map(|network| Activations::new(network, capacity)).collect();
        Self { passes, count: 0 }
    }

    /// Q_i(s, a) for every i.
    pub fn forward(
        &mut self,
        products: &mut Products,
        (networks, weights): (&[Shape], &[Floats]),
        pairs: Pairs<'_>,
    ) -> Result<()> {
        let (Pairs::Whole(last) | Pairs::Apart(_, last) | Pairs::Begun(_, last)) = pairs;
        self.count = last.columns();
        let networks = networks.iter().zip(weights);
        for (index, (pass, (network, weights))) in self.passes.iter_mut().zip(networks).enumerate() {
            let last = Block::Inputs(last);
            let first = match pairs {
                Pairs::Whole(_) => None,
                Pairs::Apart(states, _) => Some(Block::Inputs(states)),
                Pairs::Begun(terms, actions) => Some(terms.of(index, network, actions.rows())),
            };
            match first {
                Some(first) => forward(products, (network, weights), &[first, last], pass)?,
                None => forward(products, (network, weights), &[last], pass)?,
            }
        }
        Ok(())
    }

    /// Q_i of every pair.
    pub fn of(&self, index: usize) -> &[f32] {
        self.passes[index].output.row(0, self.count)
    }

    /// What the pass of Q_i left behind.
    pub fn pass(&self, index: usize) -> &Activations {
        &self.passes[index]
    }

    /// min_i Q_i of every pair.
    pub fn minimum(&self, smallest: &mut [f32]) -> Result<()> {
        smallest.copy_from_slice(self.of(0));
        for index in 1..self.passes.len() {
            vector::minimum(smallest, self.of(index))?;
        }
        Ok(())
    }
}

/// Which Q_i a loss reads, with −1/count as its derivative by what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Q_0.
    First,
    /// min_i Q_i.
    Minimum,
}

/// Derivatives of −mean Q by the actions, through one or both action values.
pub struct ByAction {
    deltas: Vec<Deltas>,
    /// −∂(mean Q)/∂a of each action value alone, `[A, count]`.
    parts: Vec<Matrix>,
    dimensions: usize,
}

impl ByAction {
    /// Room for `capacity` pairs.
    pub fn new(networks: &[Shape], dimensions: usize, capacity: usize) -> Self {
        Self {
            deltas: networks.iter().map(|network| Deltas::new(network, capacity)).collect(),
            parts: networks.iter().map(|_| Matrix::zeros(dimensions, capacity)).collect(),
            dimensions,
        }
    }

    /// Fills the derivative; neither Q's weights nor s get any.
    pub fn differentiate(
        &mut self,
        products: &mut Products,
        (networks, weights): (&[Shape], &[Floats]),
        values: &ActionValues,
        read: Read,
    ) -> Result<()> {
        let count = values.count;
        let both = read == Read::Minimum && networks.len() > 1;
        if both {
            let [first, second] = self.deltas.as_mut_slice() else { return Ok(()) };
            let (by_first, by_second) = (first.output.row_mut(0, count), second.output.row_mut(0, count));
            vector::minimum_gradient(values.of(0), values.of(1), by_first, by_second)?;
        } else {
            vector::action_value_gradient(self.deltas[0].output.row_mut(0, count));
        }
        for index in 0..=usize::from(both) {
            let (network, deltas) = ((&networks[index], &*weights[index]), &mut self.deltas[index]);
            hidden_deltas(products, network, values.pass(index), deltas, count)?;
            let end = 1 + network.0.layers[0].inputs;
            let columns = end - self.dimensions..end;
            let to = self.parts[index].view_mut(0..self.dimensions, count);
            input_gradient(products, network, columns, deltas, to, count)?;
        }
        if both {
            let [first, second] = self.parts.as_mut_slice() else { return Ok(()) };
            for i in 0..self.dimensions {
                vector::add(first.row_mut(i, count), second.row(i, count));
            }
        }
        Ok(())
    }

    /// Room for one value a pair, for an objective that reads no derivative by the actions.
    pub fn scratch(&mut self, count: usize) -> &mut [f32] {
        self.parts[0].row_mut(0, count)
    }

    /// −∂(mean Q)/∂a of one action dimension.
    pub fn row(&self, dimension: usize, count: usize) -> &[f32] {
        self.parts[0].row(dimension, count)
    }
}
