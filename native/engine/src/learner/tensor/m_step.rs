//! M-step (7), E.2, direct method F.3; Appendix H without its ½, as in the authors' code:
//!
//! J_Q = mean_b (Q_w(s, a) − y_Q)²,  y_Q = r + γ(1−d) V_φ̄(s′);
//! J_V = mean_b (V_φ(s) − y_V)²,     y_V = Q_w(s, ã).
//!
//! Shapes: all `[B, 1]`. Gradient reaches Q_w(s, a) and V_φ(s); both targets are constants.

use tch::{Reduction, Tensor};

use crate::error::Result;

/// A regression of a value on its target.
pub struct Regression {
    /// Q_w(s, a) or V_φ(s).
    pub prediction: Tensor,
    /// y_Q or y_V.
    pub target: Tensor,
}

impl Regression {
    /// J = mean_b (prediction − target)², a scalar.
    pub fn loss(&self) -> Result<Tensor> {
        Ok(self.prediction.f_mse_loss(&self.target, Reduction::Mean)?)
    }

    /// ∂J/∂prediction = 2 (prediction − target) / B, `[B, 1]`, with B = `rows`.
    pub fn gradient(&self, rows: usize) -> Result<Tensor> {
        Ok(self.prediction.f_sub(&self.target)?.f_mul_scalar_(2.0 / rows as f64)?)
    }
}
