//! The squashed policy π(a|s):  a = tanh u,  u = μ + σξ,  ξ ~ N(0, I),  log σ clipped to [−20, 2]:
//!
//! log π(a|s) = Σ_d [ −ξ²/2 − log σ − ½ log 2π − log(1 − tanh² u) ].
//!
//! Shapes: B batch, K samples, A action width; the network's output is (μ, log σ before its clip), `[B, 2A]`. One
//! action a state is `[B, A]`, several are `[B, K, A]`; a number of each action is `[B, 1]` or `[B, K, 1]`.
//! Guards: log(1 − tanh² u) as 2(log 2 − u − softplus(−2u)), finite for every u; 1 − tanh² u as 4 σ(2u) σ(−2u), σ the
//! logistic function, free of cancellation where the action is near its bounds.

use std::f64::consts::{LN_2, PI};

use tch::Tensor;

use crate::error::Result;
use crate::math::tanh_gaussian::{LOG_STD_MAX, LOG_STD_MIN};

/// N(μ, σ) of u at some states.
pub struct Gaussian {
    /// μ.
    pub mean: Tensor,
    /// log σ after its clip.
    pub log_std: Tensor,
    /// log σ before its clip.
    unclipped: Tensor,
}

/// Actions, and where they lie in a [`Gaussian`]; all `[B, A]` or `[B, K, A]`.
pub struct Sample {
    /// ξ = (u − μ)/σ.
    pub noise: Tensor,
    /// σξ = u − μ.
    pub deviation: Tensor,
    /// u.
    pub pre_tanh: Tensor,
    /// ã = tanh u.
    pub action: Tensor,
}

impl Gaussian {
    /// From a policy network's output, with A = `dimensions`: `[B, A]`.
    pub fn new(output: &Tensor, dimensions: usize) -> Result<Self> {
        let width = dimensions as i64;
        let unclipped = output.f_narrow(1, width, width)?;
        Ok(Self {
            mean: output.f_narrow(1, 0, width)?,
            log_std: unclipped.f_clamp(LOG_STD_MIN, LOG_STD_MAX)?,
            unclipped,
        })
    }

    /// Another handle of the same.
    pub fn shallow_clone(&self) -> Self {
        Self {
            mean: self.mean.shallow_clone(),
            log_std: self.log_std.shallow_clone(),
            unclipped: self.unclipped.shallow_clone(),
        }
    }

    /// A copy, which later steps leave as it is.
    pub fn copy(&self) -> Result<Self> {
        Ok(Self {
            mean: self.mean.f_detach_copy()?,
            log_std: self.log_std.f_detach_copy()?,
            unclipped: self.unclipped.f_detach_copy()?,
        })
    }

    /// The same as `[B, 1, A]`, for several actions a state.
    pub fn over_samples(&self) -> Result<Self> {
        Ok(Self {
            mean: self.mean.f_unsqueeze(1)?,
            log_std: self.log_std.f_unsqueeze(1)?,
            unclipped: self.unclipped.f_unsqueeze(1)?,
        })
    }

    /// ã = tanh(μ + σξ).
    pub fn sample(&self, noise: &Tensor) -> Result<Sample> {
        let deviation = self.log_std.f_exp()?.f_mul(noise)?;
        let pre_tanh = self.mean.f_add(&deviation)?;
        Ok(Sample { noise: noise.shallow_clone(), action: pre_tanh.f_tanh()?, deviation, pre_tanh })
    }

    /// Actions drawn elsewhere, as if they had been drawn from here.
    pub fn place(&self, sample: &Sample) -> Result<Sample> {
        let deviation = sample.pre_tanh.f_sub(&self.mean)?;
        Ok(Sample {
            noise: deviation.f_mul(&self.log_std.f_neg()?.f_exp()?)?,
            deviation,
            pre_tanh: sample.pre_tanh.shallow_clone(),
            action: sample.action.shallow_clone(),
        })
    }

    /// log π(ã|s) of a sample or placement of this distribution, `[B, 1]` or `[B, K, 1]`.
    pub fn log_density(&self, sample: &Sample) -> Result<Tensor> {
        let half_log_two_pi = 0.5 * (2.0 * PI).ln();
        let gaussian = sample
            .noise
            .f_square()?
            .f_mul_scalar_(-0.5)?
            .f_sub_(&self.log_std)?
            .f_sub_scalar_(half_log_two_pi)?;
        // softplus(−2u) = −logsigmoid(2u), which libtorch computes without a cut-off
        let log_sigmoid = sample.pre_tanh.f_mul_scalar(2)?.f_log_sigmoid()?;
        let log_slope = log_sigmoid.f_sub(&sample.pre_tanh)?.f_add_scalar_(LN_2)?.f_mul_scalar_(2)?;
        Ok(gaussian.f_sub(&log_slope)?.f_sum_dim_intlist(-1, true, None)?)
    }

    /// log N(u; μ, σ) + A/2 log 2π of a sample or placement of this distribution, `[B, 1]` or `[B, K, 1]`.
    pub fn log_gaussian(&self, sample: &Sample) -> Result<Tensor> {
        let each = sample.noise.f_square()?.f_mul_scalar_(-0.5)?.f_sub_(&self.log_std)?;
        Ok(each.f_sum_dim_intlist(-1, true, None)?)
    }

    /// ∂J/∂output `[B, 2A]`, from ∂J/∂μ and ∂J/∂(log σ after its clip), `[B, A]`: nothing goes back through log σ
    /// strictly outside its range.
    pub fn output_gradient(&self, by_mean: &Tensor, by_log_std: &Tensor) -> Result<Tensor> {
        let inside = self.unclipped.f_eq_tensor(&self.log_std)?;
        Ok(Tensor::f_cat(&[by_mean, &by_log_std.f_mul(&inside)?], 1)?)
    }
}

impl Sample {
    /// Another handle of the same.
    pub fn shallow_clone(&self) -> Self {
        Self {
            noise: self.noise.shallow_clone(),
            deviation: self.deviation.shallow_clone(),
            pre_tanh: self.pre_tanh.shallow_clone(),
            action: self.action.shallow_clone(),
        }
    }

    /// ∂ã/∂μ and ∂ã/∂(log σ after its clip):  ∂ã/∂u = 1 − ã²,  ∂u/∂μ = 1,  ∂u/∂ log σ = σξ.
    pub fn action_gradients(&self) -> Result<[Tensor; 2]> {
        let slope = slope(&self.pre_tanh)?;
        let by_log_std = slope.f_mul(&self.deviation)?;
        Ok([slope, by_log_std])
    }

    /// ∂J/∂μ and ∂J/∂(log σ after its clip) through log π(ã|s) alone, given ∂J/∂ log π, one number for all actions:
    /// ∂ log π/∂u = 2ã (the Gaussian part does not move with u: ξ is fixed).
    pub fn log_density_gradients(&self, by_log_density: &Tensor) -> Result<[Tensor; 2]> {
        let by_mean = self.action.f_mul(by_log_density)?.f_mul_scalar_(2)?;
        let by_log_std = self.log_std_gradient(&by_mean, by_log_density)?;
        Ok([by_mean, by_log_std])
    }

    /// ∂J/∂(log σ after its clip) through u and log π:  ∂u/∂ log σ = σξ,  ∂ log π/∂ log σ = −1 beside what goes
    /// through u.
    pub fn log_std_gradient(&self, by_pre_tanh: &Tensor, by_log_density: &Tensor) -> Result<Tensor> {
        Ok(by_pre_tanh.f_mul(&self.deviation)?.f_sub_(by_log_density)?)
    }
}

/// 1 − tanh² u.
pub fn slope(pre_tanh: &Tensor) -> Result<Tensor> {
    let doubled = pre_tanh.f_mul_scalar(2)?;
    Ok(doubled.f_sigmoid()?.f_mul_(&doubled.f_neg()?.f_sigmoid()?)?.f_mul_scalar_(4)?)
}

/// The mode's image tanh μ, `[B, A]`, for a policy's output, with A = `dimensions`; all there is of a deterministic
/// policy.
pub fn deterministic(output: &Tensor, dimensions: usize) -> Result<Tensor> {
    Ok(output.f_narrow(1, 0, dimensions as i64)?.f_tanh()?)
}
