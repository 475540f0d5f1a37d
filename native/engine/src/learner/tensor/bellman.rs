//! One-step target of the critic:  y_Q = r + γ(1−d) next.
//!
//! Shapes: B batch; every value of a state `[B, 1]`. No gradient reaches a target.

use tch::Tensor;

use crate::error::{EngineError, Result};

/// y_Q from r, γ(1−d) and the value of s′. Which value is the caller's choice: of the targets in J_Q, of the networks
/// that the config names in the residual error.
pub fn one_step_target(rewards: &Tensor, discounts: &Tensor, next_value: &Tensor) -> Result<Tensor> {
    Ok(rewards.f_addcmul(discounts, next_value)?)
}

/// Q(s, ã) − T log π(ã|s): the value of a state with the entropy it is worth.
pub fn soft_value(action_value: &Tensor, log_density: &Tensor, temperature: &Tensor) -> Result<Tensor> {
    Ok(action_value.f_sub(&log_density.f_mul(temperature)?)?)
}

/// min_i Q_i at the same pairs.
pub fn minimum(action_values: &[Tensor]) -> Result<Tensor> {
    let (first, others) = action_values.split_first().ok_or_else(none)?;
    let start = first.shallow_clone();
    others.iter().try_fold(start, |least, action_value| Ok(least.f_minimum(action_value)?))
}

/// ∂J/∂Q_i for each i, where ∂J/∂ min_i Q_i is `by_least`: that where Q_i is the smallest, the first of equal ones, else 0.
pub fn by_minimum(action_values: &[Tensor], by_least: f64) -> Result<Vec<Tensor>> {
    let (first, others) = action_values.split_first().ok_or_else(none)?;
    let whole = first.f_full_like(by_least)?;
    let mut least = first.shallow_clone();
    let mut gradients = vec![whole.shallow_clone()];
    for action_value in others {
        let is_less = action_value.f_lt_tensor(&least)?;
        let is_not = is_less.f_logical_not()?;
        gradients = gradients.iter().map(|gradient| Ok(gradient.f_mul(&is_not)?)).collect::<Result<_>>()?;
        gradients.push(whole.f_mul(&is_less)?);
        least = least.f_minimum(action_value)?;
    }
    Ok(gradients)
}

/// A learner has one action value at least.
fn none() -> EngineError {
    EngineError::LengthMismatch { name: "action values", expected: 1, got: 0 }
}
