//! The squashed policy π_θ(a|s):  a = tanh u,  u = μ + σξ,  ξ ~ N(0, I),  log σ clipped to [−20, 2]:
//!
//! log π(a|s) = Σ_d [ −ξ²/2 − log σ − ½ log 2π − log(1 − tanh² u) ].
//!
//! Shapes: B batch, A action width; the network's output is (μ, log σ before its clip), `[B, 2A]`.
//! Guards: log(1 − tanh² u) as 2(log 2 − u − softplus(−2u)), finite for every u; 1 − tanh² u as 4 σ(2u) σ(−2u), σ the
//! logistic function, free of cancellation where the action is near its bounds.

use std::f64::consts::{LN_2, PI};

use tch::Tensor;

use crate::error::Result;
use crate::math::tanh_gaussian::{LOG_STD_MAX, LOG_STD_MIN};

/// An action drawn from π_θ with given noise, and what it was made of; all `[B, A]`.
pub struct TanhGaussian {
    /// ξ.
    noise: Tensor,
    /// μ.
    pub mean: Tensor,
    /// log σ after its clip.
    pub log_std: Tensor,
    /// log σ before its clip.
    unclipped: Tensor,
    /// σξ.
    deviation: Tensor,
    /// u.
    pre_tanh: Tensor,
    /// ã = tanh u.
    pub action: Tensor,
}

impl TanhGaussian {
    /// ã = tanh(μ + σξ) for the policy's output and noise ξ, with A = `dimensions`.
    pub fn sample(output: &Tensor, noise: &Tensor, dimensions: usize) -> Result<Self> {
        let width = dimensions as i64;
        let mean = output.f_narrow(1, 0, width)?;
        let unclipped = output.f_narrow(1, width, width)?;
        let log_std = unclipped.f_clamp(LOG_STD_MIN, LOG_STD_MAX)?;
        let deviation = log_std.f_exp()?.f_mul_(noise)?;
        let pre_tanh = mean.f_add(&deviation)?;
        let action = pre_tanh.f_tanh()?;
        Ok(Self { noise: noise.shallow_clone(), mean, log_std, unclipped, deviation, pre_tanh, action })
    }

    /// log π(ã|s), `[B]`.
    pub fn log_density(&self) -> Result<Tensor> {
        let half_log_two_pi = 0.5 * (2.0 * PI).ln();
        let gaussian = self
            .noise
            .f_square()?
            .f_mul_scalar_(-0.5)?
            .f_sub_(&self.log_std)?
            .f_sub_scalar_(half_log_two_pi)?;
        // softplus(−2u) = −logsigmoid(2u), which libtorch computes without a cut-off
        let log_sigmoid = self.pre_tanh.f_mul_scalar(2)?.f_log_sigmoid()?;
        let log_slope = log_sigmoid.f_sub(&self.pre_tanh)?.f_add_scalar_(LN_2)?.f_mul_scalar_(2)?;
        Ok(gaussian.f_sub(&log_slope)?.f_sum_dim_intlist(1, false, None)?)
    }

    /// ∂J/∂u `[B, A]`, given ∂J/∂ã `[B, A]` and ∂J/∂ log π(ã|s), one number for all rows:
    /// ∂ã/∂u = 1 − ã²,  ∂ log π/∂u = 2ã (the Gaussian part does not move with u: ξ is fixed).
    pub fn pre_tanh_gradient(&self, by_action: &Tensor, by_log_density: &Tensor) -> Result<Tensor> {
        let through_density = self.action.f_mul(by_log_density)?.f_mul_scalar_(2)?;
        let doubled = self.pre_tanh.f_mul_scalar(2)?;
        let slope = doubled.f_sigmoid()?.f_mul_(&doubled.f_neg()?.f_sigmoid()?)?.f_mul_scalar_(4)?;
        Ok(slope.f_mul(by_action)?.f_add_(&through_density)?)
    }

    /// ∂J/∂(log σ after its clip) through u and log π, both `[B, A]`-wide:  ∂u/∂ log σ = σξ,  ∂ log π/∂ log σ = −1
    /// beside what goes through u.
    pub fn log_std_gradient(&self, by_pre_tanh: &Tensor, by_log_density: &Tensor) -> Result<Tensor> {
        Ok(by_pre_tanh.f_mul(&self.deviation)?.f_sub_(by_log_density)?)
    }

    /// ∂J/∂output `[B, 2A]`: nothing goes back through log σ strictly outside its range.
    pub fn output_gradient(&self, by_mean: &Tensor, by_log_std: &Tensor) -> Result<Tensor> {
        let inside = self.unclipped.f_eq_tensor(&self.log_std)?;
        Ok(Tensor::f_cat(&[by_mean, &by_log_std.f_mul(&inside)?], 1)?)
    }
}

/// The mode's image tanh μ, `[B, A]`, for the policy's output, with A = `dimensions`.
pub fn deterministic(output: &Tensor, dimensions: usize) -> Result<Tensor> {
    Ok(output.f_narrow(1, 0, dimensions as i64)?.f_tanh()?)
}
