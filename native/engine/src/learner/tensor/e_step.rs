//! E-step, reparameterised (25), E.4, with the authors' regularisers:
//!
//! J_π = mean_b [ T log π_θ(ã|s) − Q_w(s, ã) ] + c_μ mean μ² + c_σ mean (log σ)²,  ã = tanh(μ + σξ).
//!
//! The regularisers' means are over batch and dimensions, log σ after its clip.
//! Shapes: B batch, A action width. Gradient reaches θ, through ã as well; w, T, ξ are constants.

use tch::Tensor;

use super::tanh_gaussian::TanhGaussian;
use crate::error::Result;

/// Factors of the loss that are fixed for a run.
#[derive(Debug, Clone, Copy)]
pub struct Regularisers {
    /// c_μ.
    pub mean: f64,
    /// c_σ.
    pub log_std: f64,
}

/// What J_π is computed from.
pub struct PolicyLoss {
    /// B.
    pub rows: usize,
    /// A.
    pub dimensions: usize,
    /// ã and its distribution.
    pub sample: TanhGaussian,
    /// Q_w(s, ã), `[B, 1]`.
    pub action_value: Tensor,
    /// T, a scalar on the device: one that comes from the residual error need not visit the host.
    pub temperature: Tensor,
    /// c_μ and c_σ.
    pub regularisers: Regularisers,
}

impl PolicyLoss {
    /// J_π, a scalar.
    pub fn loss(&self) -> Result<Tensor> {
        let log_density = self.sample.log_density()?.f_mean(None)?;
        let mean = self.sample.mean.f_square()?.f_mean(None)?;
        let log_std = self.sample.log_std.f_square()?.f_mean(None)?;
        let expected = log_density.f_mul(&self.temperature)?.f_sub(&self.action_value.f_mean(None)?)?;
        let regularised = expected.f_add(&mean.f_mul_scalar(self.regularisers.mean)?)?;
        Ok(regularised.f_add(&log_std.f_mul_scalar(self.regularisers.log_std)?)?)
    }

    /// ∂J_π/∂Q_w(s, ã) = −1/B, `[B, 1]`.
    pub fn action_value_gradient(&self) -> Result<Tensor> {
        Ok(self.action_value.f_full_like(-1.0 / self.rows as f64)?)
    }

    /// ∂J_π/∂(output of the policy network), `[B, 2A]`, given ∂J_π/∂ã through Q alone, `[B, A]`.
    pub fn output_gradient(&self, by_action: &Tensor) -> Result<Tensor> {
        let values = (self.rows * self.dimensions) as f64;
        // ∂J/∂ log π = T/B
        let by_log_density = self.temperature.f_div_scalar(self.rows as f64)?;
        let by_pre_tanh = self.sample.pre_tanh_gradient(by_action, &by_log_density)?;
        let by_log_std = self.sample.log_std_gradient(&by_pre_tanh, &by_log_density)?;
        // regularisers: d/dx c mean x² = 2cx / BA;  ∂u/∂μ = 1
        let mean_pull = self.sample.mean.f_mul_scalar(2.0 * self.regularisers.mean / values)?;
        let log_std_pull = self.sample.log_std.f_mul_scalar(2.0 * self.regularisers.log_std / values)?;
        self.sample.output_gradient(&by_pre_tanh.f_add(&mean_pull)?, &by_log_std.f_add(&log_std_pull)?)
    }
}
