//! The residual error ε_w on many rows (Alg. 2; docs/paper.md A7): tiles of a training batch's rows pass through all
//! networks at once, so that what one layer leaves is still near when the next reads it. Tiles are apart: every thread gathers
//! its share of them from the replay buffer and works through it, and their sums are added in one order.

use std::ops::Range;

use super::bellman::{Bellman, Next, of_targets};
use super::memory::Floats;
use super::products::Products;
use super::sampler::{Draws, Sampler};
use super::shared::{Inputs, Shapes, Targets};
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
        bellman.action_values.forward(products, networks, &[self.inputs.pairs()])?;
        let target = bellman.target.row(0, n);
        (0..shapes.action_values.len())
            .map(|index| vector::residual_sum(bellman.action_values.of(index), target))
            .sum()
    }
}

/// Σ over rows and action values of (r + γ(1−d) next − Q_i(s, a))² of each of the rows' tiles from `first` on, into
/// `sums`: `each` of them in the room of one thread of the team.
pub fn squared_sums(
    team: &mut Team,
    room: &mut [Tile],
    (at, (rows, noise)): (&Present<'_>, (&Rows<'_>, &[f32])),
    (first, each): (usize, usize),
    sums: &mut [f64],
) -> Result<()> {
    let values_per_row = noise.len() / rows.count();
    team.share(room.iter_mut().zip(sums.chunks_mut(each)).enumerate(), |(part, (room, sums))| {
        let len = room.config.batch;
        for (tile, sum) in (first + part * each..).zip(sums) {
            let tile = tile * len..rows.count().min((tile + 1) * len);
            let noise = &noise[tile.start * values_per_row..tile.end * values_per_row];
            *sum = room.squared_sum(at, (rows, tile), noise)?;
        }
        Ok(())
    })
}
