//! M-step by the projected residual error, F.1, (32)-(35), with auxiliary weights ζ shaped as w (A19, A20 of
//! docs/paper.md):
//!
//! L(w, ζ) = mean_b [ β j − ½ j² ],  β = r + γ(1−d) Q_w(s′, ã′) − Q_w(s, a),  j = ∇_w Q_w(s, a) · ζ:
//! ∂L/∂w = mean_b [ (∇β) j + (β − j) ∇_w j ],  ∂L/∂ζ = mean_b [ (β − j) ∇_w Q_w(s, a) ];
//! w ← onto the ball |w| ≤ radius (w − α_w ∂L/∂w),  ζ ← (1 − leak) ζ + α_ζ ∂L/∂ζ.
//!
//! α(k) = step / (1 + k / scale)^decay after k steps. w minimises L, ζ maximises it. β is differentiated through its own target; ã′ ~ π_θ is a constant.
//! Shapes: B rows; β, j, Q `[B, 1]`.

use tch::{Kind, Tensor};

use super::network::{Network, Pass};
use super::queues::Queue;
use super::transfer::{Inputs, exchange_scalar};
use crate::error::Result;
use crate::learner::ProjectedSteps;
use crate::ledger::Ledger;

/// What L is computed from.
pub struct ProjectedResidual {
    /// Q_w(s, a).
    pub action_value: Tensor,
    /// β.
    residual: Tensor,
    /// j.
    derivative: Tensor,
}

/// w and ζ, or the gradients by them.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    /// w.
    pub action_value: &'a Network,
    /// ζ.
    pub auxiliary: &'a Network,
}

impl ProjectedResidual {
    /// Computes β and j, and writes ∂L/∂w and −∂L/∂ζ, the gradient of what each minimises, given Q_w at (s′, ã′).
    pub fn backward(
        queue: Queue<'_>,
        weights: Weights<'_>,
        inputs: &Inputs,
        next: &Pass,
        target: &Tensor,
        gradient: Weights<'_>,
    ) -> Result<Self> {
        let Weights { action_value: network, auxiliary } = weights;
        let pass = network.forward(&inputs.state_action)?;
        let tangent = network.tangent(&pass, auxiliary)?;
        let residual = target.f_sub(&pass.output)?;
        // of β j through β: γ(1−d) j/B at (s′, ã′), −j/B at (s, a)
        let share = tangent.output.f_div_scalar(inputs.rows as f64)?;
        network.backward(queue, next, &share.f_mul(&inputs.discounts)?, gradient.action_value)?;
        // of β j − ½ j² through j: (β − j)/B
        let remainder = residual.f_sub(&tangent.output)?.f_div_scalar_(inputs.rows as f64)?;
        network.backward_tangent(
            (&pass, &tangent),
            auxiliary,
            [&share.f_neg()?, &remainder],
            gradient.action_value,
            gradient.auxiliary,
        )?;
        let _ = gradient.auxiliary.values.shallow_clone().f_neg_()?;
        Ok(Self { action_value: pass.output, residual, derivative: tangent.output })
    }

    /// L, a scalar.
    pub fn loss(&self) -> Result<Tensor> {
        let linear = self.residual.f_mul(&self.derivative)?;
        let square = self.derivative.f_square()?.f_mul_scalar_(0.5)?;
        Ok(linear.f_sub(&square)?.f_mean(None)?)
    }
}

/// The optimiser of w and ζ: plain gradient steps of decaying length.
pub struct ProjectedDescent {
    steps: ProjectedSteps,
    /// k, steps taken, a scalar in f64 on the device.
    taken: Tensor,
    /// Room for w before a step.
    previous: Tensor,
    /// ‖change of w‖₂ of the latest step, a scalar: unlike Adam's it cannot be told from what is kept.
    change_norm: Tensor,
}

impl ProjectedDescent {
    /// Before the first step on weights shaped as `values`.
    pub fn new(values: &Tensor, steps: ProjectedSteps) -> Result<Self> {
        let change_norm = Tensor::f_zeros([], (values.f_kind()?, values.device()))?;
        let taken = Tensor::f_zeros([], (Kind::Double, values.device()))?;
        Ok(Self { steps, taken, previous: values.f_zeros_like()?, change_norm })
    }

    /// k; w and ζ are parameters.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        exchange_scalar(ledger, "taken", &mut self.taken)
    }

    /// One step of w and ζ against the gradients that [`ProjectedResidual::backward`] wrote.
    pub fn step(&mut self, weights: Weights<'_>, gradient: Weights<'_>) -> Result<()> {
        let steps = &self.steps;
        let age = self.taken.f_div_scalar(steps.scale)?.f_add_scalar_(1)?;
        let _ = self.taken.f_add_scalar_(1)?;
        let minus = |step: f64, decay: f64| age.f_pow_tensor_scalar(-decay)?.f_mul_scalar(-step);
        let mut values = weights.action_value.values.shallow_clone();
        self.previous.f_copy_(&values)?;
        let value_step = minus(steps.value_step, steps.value_decay)?;
        let _ = values.f_addcmul_(&gradient.action_value.values, &value_step)?;
        // onto the ball: by 1 inside, to the bit
        let shrink = values.f_norm()?.f_reciprocal()?.f_mul_scalar_(steps.radius)?.f_clamp_max_(1.0)?;
        let _ = values.f_mul_(&shrink)?;
        // where it lay: a recorded step writes it each time
        self.change_norm.f_copy_(&self.previous.f_sub_(&values)?.f_norm()?)?;
        let mut auxiliary = weights.auxiliary.values.shallow_clone();
        let auxiliary_step = minus(steps.auxiliary_step, steps.auxiliary_decay)?;
        let _ = auxiliary.f_mul_scalar_(1.0 - steps.leak)?;
        let _ = auxiliary.f_addcmul_(&gradient.auxiliary.values, &auxiliary_step)?;
        Ok(())
    }

    /// ‖change of w‖₂ of the latest step, a scalar.
    pub fn change_norm(&self) -> Tensor {
        self.change_norm.shallow_clone()
    }
}
