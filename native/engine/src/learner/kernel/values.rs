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

    /// Makes room for `n` other states, of which nothing is known.
    pub fn fit(&mut self, networks: &[Shape], n: usize) {
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

/// The derivative of −mean Q by the actions, through the action value that each pair's Q is read from.
pub struct ByAction {
    /// −∂(mean Q)/∂Q_i, one row each.
    by_value: Matrix,
    /// Pairs that pass one Q_i, and what its forward pass left of them.
    places: Vec<usize>,
    gathered: Option<Activations>,
    deltas: Deltas,
    /// Of these pairs, `[A, ·]`.
    of_gathered: Matrix,
    /// −∂(mean Q)/∂a, `[A, count]`.
    gradient: Matrix,
    dimensions: usize,
}

impl ByAction {
    /// Room for `capacity` pairs. Several networks have the same layers.
    pub fn new(networks: &[Shape], dimensions: usize, capacity: usize) -> Self {
        Self {
            by_value: Matrix::zeros(networks.len(), capacity),
            places: Vec::with_capacity(capacity),
            gathered: (networks.len() > 1).then(|| Activations::new(&networks[0], capacity)),
            deltas: Deltas::new(&networks[0], capacity),
            of_gathered: Matrix::zeros(dimensions, capacity),
            gradient: Matrix::zeros(dimensions, capacity),
            dimensions,
        }
    }

    /// Fills the derivative; neither Q's weights nor s get any. A pair passes only the Q_i that its minimum is read from.
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
            let (by_first, by_second) = self.by_value.two_rows_mut(0, 1, count);
            vector::minimum_gradient(values.of(0), values.of(1), by_first, by_second)?;
        } else {
            vector::action_value_gradient(self.by_value.row_mut(0, count));
        }
        (0..=usize::from(both)).try_for_each(|index| {
            self.through(products, (&networks[index], &weights[index]), (values.pass(index), index), count)
        })
    }

    /// The derivative of the pairs that one Q_i has a share in.
    fn through(
        &mut self,
        products: &mut Products,
        network: (&Shape, &[f32]),
        (from, index): (&Activations, usize),
        count: usize,
    ) -> Result<()> {
        let Self { by_value, places, gathered, deltas, of_gathered, gradient, dimensions } = self;
        let by_value = by_value.row(index, count);
        places.clear();
        places.extend((0..count).filter(|&place| by_value[place] != 0.0));
        let n = places.len();
        let from = match gathered {
            Some(gathered) if n < count => {
                gathered.gather(from, places);
                gathered
            }
            _ => from,
        };
        for (to, &place) in deltas.output.row_mut(0, n).iter_mut().zip(&*places) {
            *to = by_value[place];
        }
        hidden_deltas(products, network, from, deltas, n)?;
        let end = 1 + network.0.layers[0].inputs;
        let of_actions = of_gathered.view_mut(0..*dimensions, n);
        input_gradient(products, network, end - *dimensions..end, deltas, of_actions, n)?;
        for i in 0..*dimensions {
            let to = gradient.row_mut(i, count);
            of_gathered.row(i, n).iter().zip(&*places).for_each(|(&value, &place)| to[place] = value);
        }
        Ok(())
    }

    /// Room for one value a pair, for an objective that reads no derivative by the actions.
    pub fn scratch(&mut self, count: usize) -> &mut [f32] {
        self.gradient.row_mut(0, count)
    }

    /// −∂(mean Q)/∂a of one action dimension.
    pub fn row(&self, dimension: usize, count: usize) -> &[f32] {
        self.gradient.row(dimension, count)
    }
}
