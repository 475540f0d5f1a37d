//! Residual error of the critic (Alg. 2):  ε_w = mean_b (y_b − Q_w(s_b, a_b))².

use tch::{Reduction, Tensor};

use crate::error::Result;

/// ε_w, a scalar in return², from Q_w(s, a) and y = r + γ(1−d) V_φ(s′), both `[B, 1]`. No factor ½, unlike the
/// theory's norm (E.3).
pub fn residual_error(action_value: &Tensor, target: &Tensor) -> Result<Tensor> {
    Ok(action_value.f_mse_loss(target, Reduction::Mean)?)
}
