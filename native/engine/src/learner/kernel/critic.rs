//! The critic's half of a step: Q and V with their optimisers.
//!
//! Order: Q_i(s, a) | next value, y_Q | ∂J_Q/∂w | ∂J_V/∂φ, from the actor's V(s) and y_V | Adam on φ | Adam on w.
//! Every gradient is taken at the parameters that the step began with (docs/paper.md A28): w is stepped last,
//! when the actor has let go of it.

use super::backward::{Deltas, hidden_deltas, weight_gradients};
use super::bellman::{Bellman, of_targets};
use super::memory::Floats;
use super::network::{Optimiser, zeros};
use super::products::Products;
use super::sampler::Draws;
use super::shared::{Inputs, Sampled, Shapes, Shared, Use, expect_part, lock, read, write};
use super::vector;
use crate::error::Result;
use crate::learner::{LearnerConfig, PerActionValue};
use crate::ledger::Ledger;
use crate::math::real::sum;
use crate::networks::mlp::Shape;

/// What the M-step saw; means over its batch.
#[derive(Debug, Clone, Default)]
pub struct CriticTerms {
    /// J of each Q_i, and mean Q_i(s, a).
    pub action_values: PerActionValue<(f64, f64)>,
    /// J_V and mean V(s), where there is a V.
    pub state_value: Option<(f64, f64)>,
}

/// Buffers of one step.
struct Buffers {
    capacity: usize,
    bellman: Bellman,
    /// Of one action value at a time.
    action_value_deltas: Deltas,
    state_value_deltas: Option<Deltas>,
}

impl Buffers {
    fn new(config: &LearnerConfig, shapes: &Shapes, capacity: usize) -> Self {
        Self {
            capacity,
            bellman: Bellman::new(config, shapes, capacity),
            action_value_deltas: Deltas::new(&shapes.action_values[0], capacity),
            state_value_deltas: shapes.state_value.as_ref().map(|network| Deltas::new(network, capacity)),
        }
    }
}

/// All that only the critic's half touches.
pub struct Critic {
    config: LearnerConfig,
    /// On the half's threads.
    pub products: Products,
    /// ∂J_Q/∂w_i of the latest backward pass.
    pub action_value_gradients: Vec<Floats>,
    /// ∂J_V/∂φ of the latest backward pass; nothing without a V.
    pub state_value_gradient: Floats,
    /// Of w_i.
    pub action_value_optimisers: Vec<Optimiser>,
    /// Of φ; None without a V.
    pub state_value_optimiser: Option<Optimiser>,
    buffers: Buffers,
}

impl Critic {
    /// All parameters zero.
    pub fn new(config: &LearnerConfig, shapes: &Shapes, products: Products) -> Self {
        let rates = &config.optimisers;
        let of_value = |network: &Shape| Optimiser::new(network, rates.action_value_learning_rate);
        let state_value = shapes.state_value.as_ref();
        Self {
            products,
            action_value_gradients: shapes.action_values.iter().map(zeros).collect(),
            state_value_gradient: state_value.map_or_else(|| Floats::zeros(0), zeros),
            action_value_optimisers: shapes.action_values.iter().map(of_value).collect(),
            state_value_optimiser: state_value
                .map(|shape| Optimiser::new(shape, rates.state_value_learning_rate)),
            buffers: Buffers::new(config, shapes, config.batch),
            config: config.clone(),
        }
    }

    /// Takes over the noise of `n` rows: the draws at s′ that a prior policy takes.
    pub fn load(&mut self, shapes: &Shapes, noise: &[f32], draws: Draws, n: usize) {
        if n > self.buffers.capacity {
            self.buffers = Buffers::new(&self.config, shapes, n);
        }
        self.buffers.bellman.load(shapes, noise, draws, n);
    }

    /// Of the optimisers.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        for (index, optimiser) in self.action_value_optimisers.iter_mut().enumerate() {
            ledger.section(&format!("actionValue.{index}"), |ledger| optimiser.state(ledger))?;
        }
        match &mut self.state_value_optimiser {
            Some(optimiser) => ledger.section("stateValue", |ledger| optimiser.state(ledger)),
            None => Ok(()),
        }
    }

    /// ∂J_Q/∂w_i; J_Q and mean Q_i(s, a) of each.
    fn differentiate_action_values(
        &mut self,
        shapes: &Shapes,
        weights: &[Floats],
        inputs: &Inputs,
    ) -> Result<PerActionValue<(f64, f64)>> {
        let (n, factor) = (inputs.n, self.config.value_loss_factor);
        let Buffers { bellman: Bellman { target, action_values, .. }, action_value_deltas: deltas, .. } =
            &mut self.buffers;
        let target = target.row(0, n);
        let mut terms = PerActionValue::new();
        for (index, (shape, weights)) in shapes.action_values.iter().zip(weights).enumerate() {
            let (pass, prediction) = (action_values.pass(index), action_values.of(index));
            value_gradient(prediction, target, factor, deltas.output.row_mut(0, n))?;
            let (products, gradient) = (&mut self.products, &mut self.action_value_gradients[index]);
            hidden_deltas(products, (shape, weights), pass, deltas, n)?;
            weight_gradients(products, shape, (inputs.pairs(), pass), deltas, gradient, n)?;
            terms.push(value_terms(prediction, target, factor)?);
        }
        Ok(terms)
    }

    /// ∂J_V/∂φ; J_V and mean V(s).
    fn differentiate_state_value(
        &mut self,
        shape: &Shape,
        weights: &Floats,
        inputs: &Inputs,
        sampled: &Sampled,
    ) -> Result<(f64, f64)> {
        let (n, factor) = (inputs.n, self.config.value_loss_factor);
        let (prediction, target) = (sampled.state_value.output.row(0, n), sampled.target.row(0, n));
        let deltas = expect_part(self.buffers.state_value_deltas.as_mut(), "state value")?;
        value_gradient(prediction, target, factor, deltas.output.row_mut(0, n))?;
        let (products, gradient) = (&mut self.products, &mut self.state_value_gradient);
        hidden_deltas(products, (shape, weights), &sampled.state_value, deltas, n)?;
        weight_gradients(products, shape, (inputs.states(), &sampled.state_value), deltas, gradient, n)?;
        value_terms(prediction, target, factor)
    }

    /// Q_0 of the pairs in `shared`.
    pub fn first_action_value(&mut self, shared: &Shared, values: &mut [f32]) -> Result<()> {
        let (inputs, action_values) = (read(&shared.inputs)?, read(&shared.action_values)?);
        let shapes = &shared.shapes.action_values[..1];
        let networks = (shapes, &action_values[..1]);
        self.buffers.bellman.action_values.forward(&mut self.products, networks, &[inputs.pairs()])?;
        values.copy_from_slice(self.buffers.bellman.action_values.of(0));
        Ok(())
    }
}

/// ∂J/∂prediction of f · mean (prediction − target)².
fn value_gradient(prediction: &[f32], target: &[f32], factor: f32, by: &mut [f32]) -> Result<()> {
    vector::value_gradient(prediction, target, by)?;
    if factor != 1.0 {
        vector::scale(by, factor);
    }
    Ok(())
}

/// f · mean (prediction − target)² and the mean prediction.
fn value_terms(prediction: &[f32], target: &[f32], factor: f32) -> Result<(f64, f64)> {
    let mean = sum(prediction.iter().copied()) / prediction.len() as f64;
    Ok((f64::from(factor) * vector::value_loss(prediction, target)?, mean))
}

/// The critic's half of a step on the batch in `shared`.
pub fn run(shared: &Shared, gradients: Use, temperature: f32) -> Result<CriticTerms> {
    let shapes = &shared.shapes;
    let mut critic = lock(&shared.critic)?;
    let critic = &mut *critic;
    let inputs = read(&shared.inputs)?;
    let mut terms = CriticTerms::default();

    let weights = read(&shared.action_values)?;
    let (bellman, products) = (&mut critic.buffers.bellman, &mut critic.products);
    bellman.action_values.forward(products, (&shapes.action_values, &weights), &[inputs.pairs()])?;
    let targets = read(&shared.targets)?;
    let of_targets = of_targets(&targets, temperature);
    bellman.compute(products, (shapes, &targets), &inputs, &*read(&shared.next)?, &of_targets)?;
    terms.action_values = critic.differentiate_action_values(shapes, &weights, &inputs)?;
    drop((weights, targets));

    if let Some(shape) = &shapes.state_value {
        let (sampled, weights) = (read(&shared.sampled)?, read(&shared.state_value)?);
        let sampled = expect_part(sampled.as_ref(), "state value")?;
        terms.state_value = Some(critic.differentiate_state_value(shape, &weights, &inputs, sampled)?);
    }

    if gradients == Use::Step {
        let team = critic.products.team();
        if let Some(optimiser) = &mut critic.state_value_optimiser {
            optimiser.step(team, &mut write(&shared.state_value)?, &critic.state_value_gradient)?;
        }
        let mut weights = write(&shared.action_values)?;
        let optimisers = critic.action_value_optimisers.iter_mut().zip(&critic.action_value_gradients);
        for ((optimiser, gradient), weights) in optimisers.zip(weights.iter_mut()) {
            optimiser.step(team, weights, gradient)?;
        }
    }
    Ok(terms)
}
