//! A policy at n states and K actions drawn from it at each: π_θ at s or s′, π̄, or the prior π_φ.
//!
//! Sample k of state b is column k n + b of every matrix here.

use super::forward::{Activations, Block, forward};
use super::memory::{Floats, Matrix};
use super::products::Products;
use super::sgemm::Factor;
use super::vector;
use crate::error::Result;
use crate::networks::mlp::Shape;
use crate::recipe::PolicyKind;

/// Which draws of a row's noise a sampler takes.
#[derive(Debug, Clone, Copy)]
pub struct Draws {
    /// The first of them.
    pub first: usize,
    /// Draws of the whole row.
    pub total: usize,
}

/// Buffers and results of one policy's pass.
pub struct Sampler {
    kind: PolicyKind,
    /// A.
    dimensions: usize,
    /// K.
    samples: usize,
    capacity: usize,
    /// States in use.
    n: usize,
    /// The policy's activations, `[·, n]`.
    pub activations: Activations,
    noise: Matrix,
    action: Matrix,
    log_density: Matrix,
}

impl Sampler {
    /// Room for `samples` actions at each of `capacity` states.
    pub fn new(kind: PolicyKind, shape: &Shape, dimensions: usize, samples: usize, capacity: usize) -> Self {
        Self {
            kind,
            dimensions,
            samples,
            capacity,
            n: 0,
            activations: Activations::new(shape, capacity),
            noise: Matrix::zeros(dimensions, samples * capacity),
            action: Matrix::zeros(dimensions, samples * capacity),
            log_density: Matrix::zeros(1, samples * capacity),
        }
    }

    /// Takes over the noise of `n` states, `[n, draws.total, A]`, as far as it holds draws for this policy: a
    /// deterministic one has none, and one that is not run need not have any.
    pub fn load(&mut self, shape: &Shape, noise: &[f32], draws: Draws, n: usize) {
        if n > self.capacity {
            *self = Self::new(self.kind, shape, self.dimensions, self.samples, n);
        }
        self.n = n;
        if self.kind == PolicyKind::TanhGaussian && draws.first + self.samples <= draws.total {
            for k in 0..self.samples {
                self.noise.load_draw(k * n, noise, draws.first + k, draws.total, self.dimensions);
            }
        }
    }

    /// K n, the actions in all.
    pub const fn count(&self) -> usize {
        self.samples * self.n
    }

    /// μ and log σ at the states loaded for, `[1, s]`.
    pub fn forward(
        &mut self,
        products: &mut Products,
        network: (&Shape, &Floats),
        states: Factor<'_>,
    ) -> Result<()> {
        forward(products, (network.0, network.1), &[Block::Inputs(states)], &mut self.activations)
    }

    /// The actions and, of a Gaussian, their log-densities.
    pub fn draw(&mut self) -> Result<()> {
        let (n, count) = (self.n, self.count());
        let heads = &self.activations.output;
        self.log_density.row_mut(0, count).fill(0.0);
        for i in 0..self.dimensions {
            let mean = heads.row(i, n);
            match self.kind {
                PolicyKind::Deterministic => vector::mode(mean, self.action.row_mut(i, n))?,
                PolicyKind::TanhGaussian => {
                    let log_std = heads.row(self.dimensions + i, n);
                    let noise = self.noise.row(i, count).chunks_exact(n);
                    let actions = self.action.row_mut(i, count).chunks_exact_mut(n);
                    let densities = self.log_density.row_mut(0, count).chunks_exact_mut(n);
                    for ((noise, action), density) in noise.zip(actions).zip(densities) {
                        vector::sample_with_log_density(mean, log_std, noise, action, density)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// [`Self::forward`], then [`Self::draw`].
    pub fn sample(
        &mut self,
        products: &mut Products,
        network: (&Shape, &Floats),
        states: Factor<'_>,
    ) -> Result<()> {
        self.forward(products, network, states)?;
        self.draw()
    }

    /// μ of one dimension, `[n]`.
    pub fn mean(&self, dimension: usize) -> &[f32] {
        self.activations.output.row(dimension, self.n)
    }

    /// log σ of one dimension before its clip, `[n]`.
    pub fn log_std(&self, dimension: usize) -> &[f32] {
        self.activations.output.row(self.dimensions + dimension, self.n)
    }

    /// ξ of one dimension, `[K n]`.
    pub fn noise(&self, dimension: usize) -> &[f32] {
        self.noise.row(dimension, self.count())
    }

    /// The actions of one dimension, `[K n]`.
    pub fn action(&self, dimension: usize) -> &[f32] {
        self.action.row(dimension, self.count())
    }

    /// All actions, `[A, K n]`.
    pub fn actions(&self) -> Factor<'_> {
        self.action.view(0..self.dimensions, self.count())
    }

    /// log π of each action, `[K n]`.
    pub fn log_density(&self) -> &[f32] {
        self.log_density.row(0, self.count())
    }
}
