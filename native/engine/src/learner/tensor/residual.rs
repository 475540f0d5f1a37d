//! Residual error of the critic (Alg. 2):  ε_w = mean_{i,b} (y_b − Q_i(s_b, a_b))².

use tch::{Reduction, Tensor};

use crate::error::Result;

/// ε_w, a scalar in return², from every Q_i(s, a) and y = r + γ(1−d) next, all `[B, 1]`. No factor ½, unlike the
/// theory's norm (E.3).
pub fn residual_error(action_values: &[Tensor], target: &Tensor) -> Result<Tensor> {
    let errors: Vec<_> = action_values
        .iter()
        .map(|action_value| Ok(action_value.f_mse_loss(target, Reduction::Mean)?))
        .collect::<Result<_>>()?;
    Ok(Tensor::f_stack(&errors, 0)?.f_mean(None)?)
}
