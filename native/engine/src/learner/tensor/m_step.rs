//! M-step (7), E.2, direct method F.3:
//!
//! J_Q = f Σ_i mean_b (Q_i(s, a) − y_Q)²,  J_V = f mean_b (V_φ(s) − y_V)².
//!
//! f is 1 in the authors' code and ½ in Appendix H. Shapes: all `[B, 1]`. Gradient reaches Q_i(s, a) and V_φ(s); the
//! targets are constants.

use tch::{Reduction, Tensor};

use crate::error::Result;

/// A regression of a value on its target.
pub struct Regression {
    /// f.
    pub factor: f64,
    /// Q_i(s, a) or V_φ(s).
    pub prediction: Tensor,
    /// y_Q or y_V.
    pub target: Tensor,
}

impl Regression {
    /// J = f mean_b (prediction − target)², a scalar.
    pub fn loss(&self) -> Result<Tensor> {
        Ok(self.prediction.f_mse_loss(&self.target, Reduction::Mean)?.f_mul_scalar(self.factor)?)
    }

    /// ∂J/∂prediction = 2f (prediction − target) / B, `[B, 1]`, with B = `rows`.
    pub fn gradient(&self, rows: usize) -> Result<Tensor> {
        Ok(self.prediction.f_sub(&self.target)?.f_mul_scalar_(2.0 * self.factor / rows as f64)?)
    }
}
