//! One-step target of the critic:  y_Q = r + γ(1−d) V(s′).

use tch::Tensor;

use crate::error::Result;

/// y_Q `[B, 1]` from r, γ(1−d) and V(s′), all `[B, 1]`. Which V is the caller's choice: V_φ̄ in J_Q, online V_φ in
/// the residual error. No gradient reaches it.
pub fn one_step_target(rewards: &Tensor, discounts: &Tensor, next_state_value: &Tensor) -> Result<Tensor> {
    Ok(rewards.f_addcmul(discounts, next_state_value)?)
}
