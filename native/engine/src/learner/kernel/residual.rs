//! The residual error ε_w on many rows (Alg. 2; docs/paper.md A7): tiles of a training batch's rows pass through all
//! networks at once, so that what one layer leaves is still near when the next reads it. Tiles are apart: every thread takes
//! one after the other, gathers it from the replay buffer and works through it, and their sums are added in one order.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::bellman::{Bellman, Next, of_targets};
use super::memory::Floats;
use super::products::Products;
use super::sampler::{Draws, Sampler};
use super::shared::{Inputs, Shapes, Targets};
use super::values::Pairs;
use super::vector;
use crate::error::Result;
use crate::learner::{Bootstrap, LearnerConfig};
use crate::recipe::ActionValueTarget;
use crate::replay::buffer::GatheredBatch;
use crate::replay::rows::Rows;
use crate::threads::Team;

/// All that the residual error is a function of, but rows and noise.
pub struct Present<'a> {
    /// Of every network.
    pub shapes: &'a Shapes,
    /// θ.
    pub policy: &'a Floats,
    /// w_i.
    pub action_values: &'a [Floats],
    /// φ; nothing without a V.
    pub state_value: &'a Floats,
    /// Targets.
    pub targets: &'a Targets,
    /// T.
    pub temperature: f32,
}

/// One thread's room for a tile.
pub struct Tile {
    config: LearnerConfig,
    products: Products,
    gathered: GatheredBatch,
    inputs: Inputs,
    next: Sampler,
    bellman: Bellman,
}

impl Tile {
    /// Of the training batch's rows.
    pub fn new(config: &LearnerConfig, shapes: &Shapes) -> Self {
        let (sizes, rows) = (&config.sizes, config.batch);
        Self {
            inputs: Inputs::new(sizes.observation, sizes.action, rows),
            next: Sampler::new(config.recipe.policy, &shapes.policy, sizes.action, 1, rows),
            bellman: Bellman::new(config, shapes, rows),
            gathered: GatheredBatch::default(),
            products: Products::alone(config.gemm),
            config: config.clone(),
        }
    }

    fn squared_sum(
        &mut self,
        at: &Present<'_>,
        (rows, tile): (&Rows<'_>, Range<usize>),
        noise: &[f32],
    ) -> Result<f64> {
        let (recipe, shapes, n) = (&self.config.recipe, at.shapes, tile.len());
        let draws = Draws { first: 0, total: recipe.draws_at_next_state(self.config.samples) };
        self.inputs.load(&rows.part(tile, &mut self.gathered));
        self.bellman.load(shapes, noise, draws, n);
        let policy = self.config.residual_bootstrap;
        let reads_policy = recipe.action_value_target == ActionValueTarget::SoftActionValue
            || policy == Bootstrap::Online && recipe.action_value_target == ActionValueTarget::TargetPolicy;
        if reads_policy {
            self.next.load(&shapes.policy, noise, draws, n);
            self.next.sample(&mut self.products, (&shapes.policy, at.policy), self.inputs.next_states())?;
        }
        let next = match policy {
            Bootstrap::Online => Next {
                state_value: shapes.state_value.is_some().then_some(at.state_value),
                action_values: at.action_values,
                temperature: at.temperature,
                policy,
            },
            Bootstrap::Target => of_targets(at.targets, at.temperature),
        };
        let (bellman, products) = (&mut self.bellman, &mut self.products);
        bellman.compute(products, (shapes, at.targets), &self.inputs, &self.next, &next)?;
        let networks = (shapes.action_values.as_slice(), at.action_values);
        bellman.action_values.forward(products, networks, Pairs::Whole(self.inputs.pairs()))?;
        let target = bellman.target.row(0, n);
        (0..shapes.action_values.len())
            .map(|index| vector::residual_sum(bellman.action_values.of(index), target))
            .sum()
    }
}

/// Tiles of some rows. Each thread takes the next one when it is free, so a core that others use too does fewer; each tile has
/// a place for its sum, so who computes it changes nothing.
pub struct Tiles {
    taken: AtomicUsize,
    sums: Vec<AtomicU64>,
}

impl Tiles {
    /// Before any is taken.
    pub const fn new() -> Self {
        Self { taken: AtomicUsize::new(0), sums: Vec::new() }
    }

    /// Puts `count` of them up to be taken.
    pub fn fill(&mut self, count: usize) {
        *self.taken.get_mut() = 0;
        self.sums.resize_with(count, AtomicU64::default);
    }

    /// Σ over rows and action values of (r + γ(1−d) next − Q_i(s, a))² of each tile that the team takes, in the room of its
    /// threads.
    pub fn squared_sums(
        &self,
        team: &mut Team,
        room: &mut [Tile],
        at: &Present<'_>,
        (rows, noise): (&Rows<'_>, &[f32]),
    ) -> Result<()> {
        let values_per_row = noise.len() / rows.count();
        team.share(room, |room| {
            let len = room.config.batch;
            loop {
                let index = self.taken.fetch_add(1, Ordering::Relaxed);
                let Some(sum) = self.sums.get(index) else { return Ok(()) };
                let tile = index * len..rows.count().min((index + 1) * len);
                let noise = &noise[tile.start * values_per_row..tile.end * values_per_row];
                sum.store(room.squared_sum(at, (rows, tile), noise)?.to_bits(), Ordering::Relaxed);
            }
        })
    }

    /// The sum over all tiles, in their order, once all who take them have returned without an error.
    pub fn total(&self) -> f64 {
        self.sums.iter().map(|sum| f64::from_bits(sum.load(Ordering::Relaxed))).sum()
    }
}
