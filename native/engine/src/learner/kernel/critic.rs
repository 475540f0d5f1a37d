//! The critic's half of a step: Q and V with their optimisers, and the target.
//!
//! Order: V̄(s′) | Q(s, a) | ∂J_Q/∂w | ∂J_V/∂φ, from the actor's V(s) and Q(s, ã) | Adam on φ, target | Adam on w.
//! Every gradient is taken at the parameters that the step began with (docs/paper.md A28): w is stepped last,
//! when the actor has let go of it.

use super::backward::{Deltas, hidden_deltas, weight_gradients};
use super::forward::{Activations, forward};
use super::memory::{Floats, Matrix};
use super::network::Optimiser;
use super::shared::{Inputs, Sampled, Shapes, Shared, Use, lock, read, write};
use super::vector;
use crate::error::Result;
use crate::learner::LearnerConfig;
use crate::math::real::sum;
use crate::networks::mlp::Shape;

/// What the M-step saw; means over its batch.
#[derive(Debug, Clone, Copy)]
pub struct CriticTerms {
    /// J_Q.
    pub action_value_loss: f64,
    /// J_V.
    pub state_value_loss: f64,
    /// Q(s, a).
    pub action_value: f64,
    /// V(s).
    pub state_value: f64,
}

/// Buffers of one step.
struct Buffers {
    capacity: usize,
    /// y_Q, one row.
    target: Matrix,
    next_state_value: Activations,
    action_value: Activations,
    action_value_deltas: Deltas,
    state_value_deltas: Deltas,
}

impl Buffers {
    fn new(shapes: &Shapes, capacity: usize) -> Self {
        Self {
            capacity,
            target: Matrix::zeros(1, capacity),
            next_state_value: Activations::new(&shapes.state_value, capacity),
            action_value: Activations::new(&shapes.action_value, capacity),
            action_value_deltas: Deltas::new(&shapes.action_value, capacity),
            state_value_deltas: Deltas::new(&shapes.state_value, capacity),
        }
    }

    fn fit(&mut self, shapes: &Shapes, n: usize) {
        if n > self.capacity {
            *self = Self::new(shapes, n);
        }
    }

    /// y = r + γ(1−d) V(s′) with the given V.
    fn bellman_target(&mut self, shape: &Shape, state_value: &[f32], inputs: &Inputs) -> Result<()> {
        let n = inputs.n;
        forward(shape, state_value, &[inputs.next_states()], &mut self.next_state_value, n);
        let next = self.next_state_value.output.row(0, n);
        vector::bellman_target(inputs.rewards(), inputs.discounts(), next, self.target.row_mut(0, n))
    }
}

/// All that only the critic's half touches.
pub struct Critic {
    /// φ̄.
    pub target: Floats,
    /// ∂J_Q/∂w of the latest backward pass.
    pub action_value_gradient: Floats,
    /// ∂J_V/∂φ of the latest backward pass.
    pub state_value_gradient: Floats,
    action_value_optimiser: Optimiser,
    state_value_optimiser: Optimiser,
    target_update_rate: f32,
    buffers: Buffers,
}

impl Critic {
    /// All parameters zero.
    pub fn new(config: &LearnerConfig, shapes: &Shapes) -> Self {
        Self {
            target: shapes.target_state_value.zeros(),
            action_value_gradient: shapes.action_value.zeros(),
            state_value_gradient: shapes.state_value.zeros(),
            action_value_optimiser: Optimiser::new(&shapes.action_value, config.action_value_learning_rate),
            state_value_optimiser: Optimiser::new(&shapes.state_value, config.state_value_learning_rate),
            target_update_rate: config.target_update_rate as f32,
            buffers: Buffers::new(shapes, config.batch),
        }
    }

    /// ∂J_Q/∂w; returns J_Q and mean Q(s, a).
    fn differentiate_action_value(
        &mut self,
        shapes: &Shapes,
        weights: &[f32],
        inputs: &Inputs,
    ) -> Result<(f64, f64)> {
        let (shape, n) = (&shapes.action_value, inputs.n);
        let buffers = &mut self.buffers;
        buffers.bellman_target(&shapes.target_state_value, &self.target, inputs)?;
        forward(shape, weights, &[inputs.pairs()], &mut buffers.action_value, n);

        let (prediction, target) = (buffers.action_value.output.row(0, n), buffers.target.row(0, n));
        let deltas = &mut buffers.action_value_deltas;
        vector::value_gradient(prediction, target, deltas.output.row_mut(0, n))?;
        hidden_deltas(shape, weights, &buffers.action_value, deltas, n);
        let gradient = &mut self.action_value_gradient;
        weight_gradients(shape, inputs.pairs(), &buffers.action_value, deltas, gradient, n);
        Ok((vector::value_loss(prediction, target)?, sum(prediction.iter().copied()) / n as f64))
    }

    /// ∂J_V/∂φ; returns J_V and mean V(s).
    fn differentiate_state_value(
        &mut self,
        shapes: &Shapes,
        weights: &[f32],
        inputs: &Inputs,
        sampled: &Sampled,
    ) -> Result<(f64, f64)> {
        let (shape, n) = (&shapes.state_value, inputs.n);
        let (prediction, target) = (sampled.state_value.output.row(0, n), sampled.action_value.row(0, n));
        let deltas = &mut self.buffers.state_value_deltas;
        vector::value_gradient(prediction, target, deltas.output.row_mut(0, n))?;
        hidden_deltas(shape, weights, &sampled.state_value, deltas, n);
        let gradient = &mut self.state_value_gradient;
        weight_gradients(shape, inputs.states(), &sampled.state_value, deltas, gradient, n);
        Ok((vector::value_loss(prediction, target)?, sum(prediction.iter().copied()) / n as f64))
    }

    /// Σ (r + γ(1−d) V(s′) − Q(s, a))², online V, over the batch in `shared`.
    pub fn squared_residuals(&mut self, shared: &Shared) -> Result<f64> {
        let (inputs, shapes) = (read(&shared.inputs)?, &shared.shapes);
        let (action_value, state_value) = (read(&shared.action_value)?, read(&shared.state_value)?);
        let buffers = &mut self.buffers;
        buffers.fit(shapes, inputs.n);
        buffers.bellman_target(&shapes.state_value, &state_value, &inputs)?;
        forward(&shapes.action_value, &action_value, &[inputs.pairs()], &mut buffers.action_value, inputs.n);
        vector::residual_sum(buffers.action_value.output.row(0, inputs.n), buffers.target.row(0, inputs.n))
    }
}

/// The critic's half of a step on the batch in `shared`.
pub fn run(shared: &Shared, gradients: Use) -> Result<CriticTerms> {
    let shapes = &shared.shapes;
    let mut critic = lock(&shared.critic)?;
    let critic = &mut *critic;
    let inputs = read(&shared.inputs)?;
    critic.buffers.fit(shapes, inputs.n);

    let weights = read(&shared.action_value)?;
    let (action_value_loss, action_value) = critic.differentiate_action_value(shapes, &weights, &inputs)?;
    drop(weights);
    let (sampled, weights) = (read(&shared.sampled)?, read(&shared.state_value)?);
    let (state_value_loss, state_value) =
        critic.differentiate_state_value(shapes, &weights, &inputs, &sampled)?;
    drop(weights);

    if gradients == Use::Step {
        let mut weights = write(&shared.state_value)?;
        critic.state_value_optimiser.step(&mut weights, &critic.state_value_gradient)?;
        vector::move_target(&mut critic.target, &weights, critic.target_update_rate)?;
        let mut weights = write(&shared.action_value)?;
        critic.action_value_optimiser.step(&mut weights, &critic.action_value_gradient)?;
    }
    Ok(CriticTerms { action_value_loss, state_value_loss, action_value, state_value })
}
