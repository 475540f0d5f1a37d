//! The actor's half of a step: the policy with its optimiser, ã, V(s) and Q(s, ã), and the gradient of J_π.
//!
//! Order: policy forward | ã, log π | V(s) | Q(s, ã) | ∂Q/∂ã | ∂J_π/∂(μ, log σ) | policy backward | Adam.
//! ã = tanh(μ + σξ) is drawn once; V's target and the policy's loss share it and its Q (docs/paper.md A14).

use super::backward::{Deltas, hidden_deltas, input_gradient, weight_gradients};
use super::forward::{Activations, forward};
use super::memory::{Floats, Matrix};
use super::network::Optimiser;
use super::shared::{Inputs, Sampled, Shapes, Shared, Step, Use, read, write};
use super::vector;
use crate::error::Result;
use crate::learner::LearnerConfig;
use crate::math::e_step::{self, Factors, Heads, Means};
use crate::math::real::{Real, sum};
use crate::math::tanh_gaussian::clip;

/// What the E-step saw; means over its batch.
#[derive(Debug, Clone, Copy)]
pub struct PolicyTerms {
    /// J_π.
    pub loss: f64,
    /// log π(ã|s).
    pub log_density: f64,
    /// |ã|, over batch and dimensions.
    pub absolute_action: f64,
    /// log σ after its clip, over batch and dimensions.
    pub log_std: f64,
}

/// The actor's half of a step on the batch in `shared`; None without a policy gradient.
///
/// `begin` is called once this half holds all that the critic's half has to wait for.
pub fn run(
    shared: &Shared,
    actor: &mut Actor,
    step: Step,
    temperature: f32,
    begin: impl FnOnce() -> Result<()>,
) -> Result<Option<PolicyTerms>> {
    let (shapes, inputs) = (&shared.shapes, read(&shared.inputs)?);
    let (action_value, state_value) = (read(&shared.action_value)?, read(&shared.state_value)?);
    let mut sampled = write(&shared.sampled)?;
    sampled.fit(shapes, inputs.n);
    begin()?;

    actor.sample(shapes, &inputs, &action_value, &mut sampled)?;
    if step.critic().is_some() {
        Actor::state_value(shapes, &inputs, &state_value, &mut sampled);
    }
    drop((sampled, state_value));

    let Some(gradients) = step.policy() else { return Ok(None) };
    actor.differentiate_by_action(shapes, &action_value, inputs.n);
    drop(action_value);
    let terms = actor.policy_gradient(shapes, &inputs, temperature)?;
    if gradients == Use::Step {
        actor.optimiser.step(&mut actor.weights, &actor.gradient)?;
    }
    Ok(Some(terms))
}

/// Buffers of one step.
struct Buffers {
    capacity: usize,
    /// ξ, ã and −∂(mean Q)/∂ã, one row per action dimension.
    noise: Matrix,
    action: Matrix,
    by_action: Matrix,
    /// log π(ã|s), one row.
    log_density: Matrix,
    policy: Activations,
    policy_deltas: Deltas,
    action_value: Activations,
    action_value_deltas: Deltas,
}

impl Buffers {
    fn new(shapes: &Shapes, dimensions: usize, capacity: usize) -> Self {
        let rows = |rows| Matrix::zeros(rows, capacity);
        Self {
            capacity,
            noise: rows(dimensions),
            action: rows(dimensions),
            by_action: rows(dimensions),
            log_density: rows(1),
            policy: Activations::new(&shapes.policy, capacity),
            policy_deltas: Deltas::new(&shapes.policy, capacity),
            action_value: Activations::new(&shapes.action_value, capacity),
            action_value_deltas: Deltas::new(&shapes.action_value, capacity),
        }
    }
}

/// The policy and all that only its half touches.
pub struct Actor {
    /// A.
    dimensions: usize,
    factors: Factors<f32>,
    /// θ.
    pub weights: Floats,
    /// ∂J_π/∂θ of the latest backward pass.
    pub gradient: Floats,
    optimiser: Optimiser,
    buffers: Buffers,
    /// What one sample passes through, and μ and log σ at its end.
    between: [Floats; 2],
    heads: Floats,
}

impl Actor {
    /// All parameters zero.
    pub fn new(config: &LearnerConfig, shapes: &Shapes) -> Self {
        Self {
            dimensions: config.sizes.action,
            factors: Factors {
                temperature: 1.0,
                mean_regulariser: config.mean_regulariser,
                log_std_regulariser: config.log_std_regulariser,
            },
            weights: shapes.policy.zeros(),
            gradient: shapes.policy.zeros(),
            optimiser: Optimiser::new(&shapes.policy, config.policy_learning_rate),
            buffers: Buffers::new(shapes, config.sizes.action, config.batch),
            between: [(); 2].map(|()| Floats::zeros(shapes.policy.sample_len())),
            heads: Floats::zeros(shapes.policy.outputs()),
        }
    }

    /// Takes over ξ, `[n, A]`.
    pub fn load(&mut self, shapes: &Shapes, noise: &[f32], n: usize) {
        if n > self.buffers.capacity {
            self.buffers = Buffers::new(shapes, self.dimensions, n);
        }
        self.buffers.noise.load(0, noise, self.dimensions);
    }

    /// ã, its log-density, and Q(s, ã) for whoever needs it.
    fn sample(
        &mut self,
        shapes: &Shapes,
        inputs: &Inputs,
        action_value: &[f32],
        sampled: &mut Sampled,
    ) -> Result<()> {
        let n = inputs.n;
        let buffers = &mut self.buffers;
        forward(&shapes.policy, &self.weights, &[inputs.states()], &mut buffers.policy, n);

        let heads = &buffers.policy.output;
        let log_density = buffers.log_density.row_mut(0, n);
        log_density.fill(0.0);
        for i in 0..self.dimensions {
            let (mean, log_std) = (heads.row(i, n), heads.row(self.dimensions + i, n));
            let (noise, action) = (buffers.noise.row(i, n), buffers.action.row_mut(i, n));
            vector::sample_with_log_density(mean, log_std, noise, action, log_density)?;
        }

        let pairs = [inputs.states(), buffers.action.view(0..self.dimensions, n)];
        forward(&shapes.action_value, action_value, &pairs, &mut buffers.action_value, n);
        sampled.action_value.row_mut(0, n).copy_from_slice(buffers.action_value.output.row(0, n));
        Ok(())
    }

    /// V(s), which the critic's half needs as a prediction.
    fn state_value(shapes: &Shapes, inputs: &Inputs, state_value: &[f32], sampled: &mut Sampled) {
        forward(&shapes.state_value, state_value, &[inputs.states()], &mut sampled.state_value, inputs.n);
    }

    /// −∂(mean Q(s, ã))/∂ã. Neither Q's weights nor s get a gradient.
    fn differentiate_by_action(&mut self, shapes: &Shapes, action_value: &[f32], n: usize) {
        let (shape, buffers) = (&shapes.action_value, &mut self.buffers);
        let deltas = &mut buffers.action_value_deltas;
        e_step::action_value_gradient(deltas.output.row_mut(0, n));
        hidden_deltas(shape, action_value, &buffers.action_value, deltas, n);
        let columns = 1 + shape.layers[0].inputs - self.dimensions..1 + shape.layers[0].inputs;
        let to = buffers.by_action.view_mut(0..self.dimensions, n);
        input_gradient(shape, action_value, columns, deltas, to, n);
    }

    /// ∂J_π/∂θ, with the loss and its terms.
    fn policy_gradient(&mut self, shapes: &Shapes, inputs: &Inputs, temperature: f32) -> Result<PolicyTerms> {
        let n = inputs.n;
        let factors = Factors { temperature, ..self.factors };
        let (heads, deltas) = (&self.buffers.policy.output, &mut self.buffers.policy_deltas);
        for i in 0..self.dimensions {
            let j = self.dimensions + i;
            let (by_mean, by_log_std) = deltas.output.two_rows_mut(i, j, n);
            let heads = Heads {
                mean: heads.row(i, n),
                log_std: heads.row(j, n),
                noise: self.buffers.noise.row(i, n),
            };
            let by_action = self.buffers.by_action.row(i, n);
            vector::policy_gradient(&factors, self.dimensions, &heads, by_action, by_mean, by_log_std)?;
        }
        hidden_deltas(&shapes.policy, &self.weights, &self.buffers.policy, deltas, n);
        let states = inputs.states();
        weight_gradients(&shapes.policy, states, &self.buffers.policy, deltas, &mut self.gradient, n);
        self.terms(&factors, n)
    }

    /// Means over the batch, and over the action dimensions where each has its own.
    fn terms(&self, factors: &Factors<f32>, n: usize) -> Result<PolicyTerms> {
        let (buffers, heads) = (&self.buffers, &self.buffers.policy.output);
        let over_batch = |row: &[f32]| sum(row.iter().copied()) / n as f64;
        let elements = (n * self.dimensions) as f64;
        let (mut squared_mean, mut squared_log_std, mut absolute_action, mut log_std) = (0.0, 0.0, 0.0, 0.0);
        for i in 0..self.dimensions {
            let raw = heads.row(self.dimensions + i, n);
            let squares = vector::regulariser_sums(heads.row(i, n), raw)?;
            squared_mean += squares.0 / elements;
            squared_log_std += squares.1 / elements;
            absolute_action += sum(buffers.action.row(i, n).iter().map(|a| a.absolute())) / elements;
            log_std += sum(raw.iter().map(|&raw| clip(raw))) / elements;
        }
        let log_density = over_batch(buffers.log_density.row(0, n));
        let action_value = over_batch(buffers.action_value.output.row(0, n));
        let means = Means { log_density, action_value, squared_mean, squared_log_std };
        Ok(PolicyTerms { loss: e_step::loss(factors, &means), log_density, absolute_action, log_std })
    }

    /// One action: tanh(μ + σξ), or tanh μ without noise.
    pub fn act(
        &mut self,
        shapes: &Shapes,
        observation: &[f32],
        noise: Option<&[f32]>,
        action: &mut [f32],
    ) -> Result<()> {
        let [now, next] = &mut self.between;
        vector::forward(&shapes.policy, &self.weights, observation, [now, next], &mut self.heads);
        let (mean, log_std) = self.heads.split_at(self.dimensions);
        match noise {
            Some(noise) => vector::sample(mean, log_std, noise, action),
            None => vector::mode(mean, action),
        }
    }
}
