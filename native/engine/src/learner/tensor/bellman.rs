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

/// ∂ min_i Q_i/∂Q_i for each i: 1 where Q_i is the smallest, the first of equal ones, else 0.
pub fn minimum_shares(action_values: &[Tensor]) -> Result<Vec<Tensor>> {
    let (first, others) = action_values.split_first().ok_or_else(none)?;
    let mut least = first.shallow_clone();
    let mut shares = vec![first.f_ones_like()?];
    for action_value in others {
        let is_less = action_value.f_lt_tensor(&least)?;
        let is_not = is_less.f_logical_not()?;
        shares = shares.iter().map(|share| Ok(share.f_mul(&is_not)?)).collect::<Result<_>>()?;
        shares.push(is_less.f_to_dtype(first.f_kind()?, false, false)?);
        least = least.f_minimum(action_value)?;
    }
    Ok(shares)
}

/// A learner has one action value at least.
fn none() -> EngineError {
    EngineError::LengthMismatch { name: "action values", expected: 1, got: 0 }
}
