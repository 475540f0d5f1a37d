//! y_Q of a batch (docs/paper.md A6, A7), and what it is made of: the value of s′ by the recipe's target.

use super::forward::{Activations, Block, forward};
use super::memory::{Floats, Matrix};
use super::products::Products;
use super::sampler::{Draws, Sampler};
use super::shared::{Inputs, Shapes, Targets, expect_part};
use super::values::{ActionValues, Pairs};
use super::vector;
use crate::error::Result;
use crate::learner::{Bootstrap, LearnerConfig};
use crate::networks::mlp::Shape;
use crate::recipe::ActionValueTarget;

/// What the value of s′ is made of: online or target networks.
pub struct Next<'a> {
    /// V or V̄, where the recipe has one.
    pub state_value: Option<&'a Floats>,
    /// Q_i or Q̄_i.
    pub action_values: &'a [Floats],
    /// T.
    pub temperature: f32,
    /// Whose action a deterministic policy takes at s′.
    pub policy: Bootstrap,
}

/// The value of s′ as the M-step's target reads it.
pub fn of_targets(targets: &Targets, temperature: f32) -> Next<'_> {
    Next {
        state_value: targets.state_value.as_ref(),
        action_values: &targets.action_values,
        temperature,
        policy: Bootstrap::Target,
    }
}

/// The forward passes of a target, and of Q at (s, a) beside it.
pub struct Bellman {
    config: LearnerConfig,
    capacity: usize,
    /// y_Q, one row.
    pub target: Matrix,
    /// V at s′; without a V it is never run.
    next_state_value: Option<Activations>,
    /// π̄ or π_φ at s′, and its actions.
    bootstrap: Option<Sampler>,
    /// Q̄_i at s′.
    next_action_values: ActionValues,
    /// Q_i(s, a).
    pub action_values: ActionValues,
}

impl Bellman {
    /// Room for `capacity` rows.
    pub fn new(config: &LearnerConfig, shapes: &Shapes, capacity: usize) -> Self {
        // a target policy has one action a state
        let is_prior = config.recipe.action_value_target == ActionValueTarget::PriorPolicy;
        let samples = if is_prior { config.samples } else { 1 };
        let sampler = |network: &Shape| {
            Sampler::new(config.recipe.policy, network, config.sizes.action, samples, capacity)
        };
        let state_value = shapes.state_value.as_ref();
        let next = if state_value.is_some() { &[] } else { shapes.action_values.as_slice() };
        Self {
            capacity,
            target: Matrix::zeros(1, capacity),
            next_state_value: state_value.map(|network| Activations::new(network, capacity)),
            bootstrap: shapes.target_policy.as_ref().map(sampler),
            next_action_values: ActionValues::new(next, samples * capacity),
            action_values: ActionValues::new(&shapes.action_values, capacity),
            config: config.clone(),
        }
    }

    /// Takes over the noise of `n` rows: the draws at s′ that a prior policy takes.
    pub fn load(&mut self, shapes: &Shapes, noise: &[f32], draws: Draws, n: usize) {
        if n > self.capacity {
            *self = Self::new(&self.config, shapes, n);
        }
        if let (Some(bootstrap), Some(network)) = (&mut self.bootstrap, &shapes.target_policy) {
            bootstrap.load(network, noise, draws, n);
        }
    }

    /// y_Q = r + γ(1−d) · next, by the recipe's target with the given networks.
    /// `sampled` are the policy's actions at s′, where the target reads them.
    pub fn compute(
        &mut self,
        products: &mut Products,
        (shapes, targets): (&Shapes, &Targets),
        inputs: &Inputs,
        sampled: &Sampler,
        next: &Next<'_>,
    ) -> Result<()> {
        let n = inputs.n;
        let Self { target, next_state_value, bootstrap, next_action_values, .. } = self;
        let states = inputs.next_states();
        let target = target.row_mut(0, n);
        let action_values = (shapes.action_values.as_slice(), next.action_values);
        match self.config.recipe.action_value_target {
            ActionValueTarget::StateValue => {
                let shape = expect_part(shapes.state_value.as_ref(), "state value")?;
                let pass = expect_part(next_state_value.as_mut(), "state value")?;
                let weights = expect_part(next.state_value, "state value")?;
                forward(products, (shape, weights), &[Block::Inputs(states)], pass)?;
                target.copy_from_slice(pass.output.row(0, n));
            }
            ActionValueTarget::SoftActionValue => {
                let pairs = Pairs::Apart(states, sampled.actions());
                next_action_values.forward(products, action_values, pairs)?;
                next_action_values.minimum(target)?;
                vector::soften(target, sampled.log_density(), next.temperature)?;
            }
            ActionValueTarget::TargetPolicy if next.policy == Bootstrap::Online => {
                let pairs = Pairs::Apart(states, sampled.actions());
                next_action_values.forward(products, action_values, pairs)?;
                target.copy_from_slice(next_action_values.of(0));
            }
            ActionValueTarget::TargetPolicy | ActionValueTarget::PriorPolicy => {
                let weights = expect_part(targets.policy.as_ref(), "target policy")?;
                let bootstrap = expect_part(bootstrap.as_mut(), "target policy")?;
                bootstrap.sample(products, (&shapes.policy, weights), states)?;
                let pairs = Pairs::Apart(states, bootstrap.actions());
                next_action_values.forward(products, action_values, pairs)?;
                vector::sample_mean(next_action_values.of(0), target)?;
            }
        }
        vector::bellman_target(inputs.rewards(), inputs.discounts(), target)
    }
}
