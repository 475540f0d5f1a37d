//! E-step: the losses of π_θ, each as values with its gradient by the policy's heads.
//!
//! * reparameterised (25), E.4:  mean_b [ T log π_θ(ã|s) − Q(s, ã) ],  ã = tanh(μ + σξ);
//! * score (A4):  mean_b [ log π_θ(ã|s) · A ],  A = T log π_θ(ã|s) − (Q(s, ã) − V(s)), ã and A constants;
//! * deterministic:  −mean_b Q(s, tanh μ);
//! * weighted likelihood, App. G:  −mean_b Σ_k ω_k log π_θ(a_k|s),  a_k ~ π_φ,  ω = softmax_k(Q̄(s, a_k)/T);
//!   with multipliers m also Σ_i [ m_mean,i KL_mean,i + m_covariance,i KL_covariance,i ],
//!   KL_mean = mean_b (μ_θ − μ_φ)²/(2σ_φ²),  KL_covariance = mean_b [ log(σ_θ/σ_φ) + (σ_φ²/σ_θ² − 1)/2 ], those of
//!   the prior from its fit, in the mean alone and in the covariance alone;
//! * prior divergence (43):  mean_{b,k} [ T (log π_θ(ã_k|s) − log π_φ(ã_k|s)) − Q(s, ã_k) ],  ã_k ~ π_θ.
//!
//! To each the authors' regularisers are added: c_μ mean μ² + c_σ mean (log σ)², means over batch and dimensions,
//! log σ after its clip.
//! Shapes: B batch, K samples, A action width. Gradient reaches θ, through ã as well where ã moves with it; the critic,
//! V, the prior, T, ω and m are constants.

use tch::Tensor;

use super::boltzmann::Boltzmann;
use super::tanh_gaussian::{Gaussian, Sample, slope};
use super::temperature::{KlDivergences, Multipliers};
use crate::error::Result;
use crate::learner::LearnerConfig;

/// A policy's loss, computed when it is asked for.
pub trait PolicyLoss: Send {
    /// Without regularisers, a scalar.
    fn loss(&self) -> Result<Tensor>;
    /// The actions it read, tanh u.
    fn action(&self) -> &Tensor;
    /// log π_θ of each of them; none for a deterministic policy.
    fn log_density(&self) -> Result<Option<Tensor>> {
        Ok(None)
    }
    /// The fit to weighted actions of a prior policy, where the loss is one.
    fn weighted_likelihood(&self) -> Option<&WeightedLikelihood> {
        None
    }
}

/// ∂J/∂μ and ∂J/∂(log σ after its clip), `[B, A]`.
pub struct HeadGradients {
    /// By μ.
    pub by_mean: Tensor,
    /// By log σ.
    pub by_log_std: Tensor,
}

/// ∂J/∂output, `[B, 2A]` or `[B, A]`, from that with Q(s, ã) `held`, from ∂ã/∂output, by which ã is `moved`, and from ∂J/∂ã through Q
/// alone, `[B, A]` with A = `dimensions`: all that waits for Q is this one operation.
pub fn through_action(
    held: &Tensor,
    moved: &Tensor,
    by_action: &Tensor,
    dimensions: usize,
) -> Result<Tensor> {
    let heads = |by_output: &Tensor| by_output.f_unflatten(1, [-1, dimensions as i64].as_slice());
    Ok(heads(held)?.f_addcmul(&heads(moved)?, &by_action.f_unsqueeze(1)?)?.f_flatten(1, 2)?)
}

/// Factors of the regularisers.
#[derive(Debug, Clone, Copy)]
pub struct Regularisers {
    /// c_μ.
    pub mean: f64,
    /// c_σ.
    pub log_std: f64,
}

impl Regularisers {
    /// Those of a learner.
    pub fn of(config: &LearnerConfig) -> Self {
        Self { mean: f64::from(config.mean_regulariser), log_std: f64::from(config.log_std_regulariser) }
    }
}

/// c mean x², a scalar.
pub fn regulariser(values: &Tensor, factor: f64) -> Result<Tensor> {
    Ok(values.f_square()?.f_mean(None)?.f_mul_scalar(factor)?)
}

/// d/dx of [`regulariser`] of `len` values: 2cx / `len`.
pub fn pull(values: &Tensor, factor: f64, len: usize) -> Result<Tensor> {
    Ok(values.f_mul_scalar(2.0 * factor / len as f64)?)
}

/// Reparameterised.
pub struct Reparameterised {
    /// π_θ(·|s).
    pub distribution: Gaussian,
    /// ã, `[B, A]`.
    pub sample: Sample,
    /// Q(s, ã), `[B, 1]`.
    pub action_value: Tensor,
    /// T.
    pub temperature: Tensor,
}

impl Reparameterised {
    /// The gradient with Q(s, ã) held, of T log π_θ(ã|s) alone:  ∂J/∂ log π = T/B with B = `rows`. It needs nothing of Q, whose part
    /// [`through_action`] adds.
    pub fn held(sample: &Sample, temperature: &Tensor, rows: usize) -> Result<HeadGradients> {
        let by_log_density = temperature.f_div_scalar(rows as f64)?;
        let [by_mean, by_log_std] = sample.log_density_gradients(&by_log_density)?;
        Ok(HeadGradients { by_mean, by_log_std })
    }
}

impl PolicyLoss for Reparameterised {
    fn loss(&self) -> Result<Tensor> {
        let log_density = self.distribution.log_density(&self.sample)?.f_mean(None)?;
        Ok(log_density.f_mul(&self.temperature)?.f_sub(&self.action_value.f_mean(None)?)?)
    }

    fn action(&self) -> &Tensor {
        &self.sample.action
    }

    fn log_density(&self) -> Result<Option<Tensor>> {
        self.distribution.log_density(&self.sample).map(Some)
    }
}

/// Score.
pub struct Score {
    /// B.
    pub rows: usize,
    /// π_θ(·|s).
    pub distribution: Gaussian,
    /// ã, `[B, A]`.
    pub sample: Sample,
    /// Q(s, ã), `[B, 1]`.
    pub action_value: Tensor,
    /// V(s), `[B, 1]`.
    pub state_value: Tensor,
    /// T.
    pub temperature: Tensor,
}

impl Score {
    /// log π_θ(ã|s) and A, `[B, 1]`.
    fn factors(&self) -> Result<[Tensor; 2]> {
        let log_density = self.distribution.log_density(&self.sample)?;
        let advantage = self.action_value.f_sub(&self.state_value)?;
        let signal = log_density.f_mul(&self.temperature)?.f_sub(&advantage)?;
        Ok([log_density, signal])
    }

    /// With u held:  ∂ log π/∂μ = ξ/σ,  ∂ log π/∂ log σ = ξ² − 1.
    pub fn gradients(&self) -> Result<HeadGradients> {
        let [_, signal] = self.factors()?;
        let share = signal.f_div_scalar(self.rows as f64)?;
        let noise = &self.sample.noise;
        let precision = self.distribution.log_std.f_neg()?.f_exp()?;
        Ok(HeadGradients {
            by_mean: noise.f_mul(&precision)?.f_mul_(&share)?,
            by_log_std: noise.f_square()?.f_sub_scalar_(1)?.f_mul_(&share)?,
        })
    }
}

impl PolicyLoss for Score {
    fn loss(&self) -> Result<Tensor> {
        let [log_density, signal] = self.factors()?;
        Ok(log_density.f_mul(&signal)?.f_mean(None)?)
    }

    fn action(&self) -> &Tensor {
        &self.sample.action
    }

    fn log_density(&self) -> Result<Option<Tensor>> {
        self.distribution.log_density(&self.sample).map(Some)
    }
}

/// Deterministic.
pub struct Deterministic {
    /// ã = tanh μ, `[B, A]`.
    pub action: Tensor,
    /// Q(s, tanh μ), `[B, 1]`.
    pub action_value: Tensor,
}

impl PolicyLoss for Deterministic {
    fn loss(&self) -> Result<Tensor> {
        Ok(self.action_value.f_mean(None)?.f_neg()?)
    }

    fn action(&self) -> &Tensor {
        &self.action
    }
}

/// A policy and the prior that it is held near.
pub struct PriorGap {
    /// π_θ(·|s), `[B, 1, A]`.
    pub distribution: Gaussian,
    /// π_φ(·|s), `[B, 1, A]`.
    pub prior: Gaussian,
}

/// Weighted likelihood.
pub struct WeightedLikelihood {
    /// B.
    pub rows: usize,
    /// π_θ(·|s) and π_φ(·|s).
    pub gap: PriorGap,
    /// a_k ~ π_φ as they lie in π_θ, `[B, K, A]`.
    pub placed: Sample,
    /// ω.
    pub boltzmann: Boltzmann,
    /// m; none where the fit is not held near the prior.
    pub multipliers: Option<Multipliers>,
}

impl PriorGap {
    /// Another handle of the same.
    pub fn shallow_clone(&self) -> Self {
        Self { distribution: self.distribution.shallow_clone(), prior: self.prior.shallow_clone() }
    }

    /// A copy, which later steps leave as it is.
    pub fn copy(&self) -> Result<Self> {
        Ok(Self { distribution: self.distribution.copy()?, prior: self.prior.copy()? })
    }

    /// (μ_θ − μ_φ)/σ_φ² and σ_φ²/σ_θ², `[B, 1, A]`.
    fn ratios(&self) -> Result<[Tensor; 2]> {
        let prior_precision = self.prior.log_std.f_mul_scalar(-2)?.f_exp()?;
        let by_mean = self.distribution.mean.f_sub(&self.prior.mean)?.f_mul_(&prior_precision)?;
        let log_ratio = self.prior.log_std.f_sub(&self.distribution.log_std)?;
        Ok([by_mean, log_ratio.f_mul_scalar(2)?.f_exp()?])
    }

    /// KL_mean and KL_covariance.
    pub fn divergences(&self) -> Result<KlDivergences> {
        let [by_mean, ratio] = self.ratios()?;
        let gap = self.distribution.mean.f_sub(&self.prior.mean)?;
        let log_ratio = self.distribution.log_std.f_sub(&self.prior.log_std)?;
        let mean_over_batch = |values: Tensor| values.f_mean_dim([0_i64, 1].as_slice(), false, None);
        Ok(KlDivergences {
            mean: mean_over_batch(by_mean.f_mul(&gap)?.f_mul_scalar_(0.5)?)?,
            covariance: mean_over_batch(ratio.f_sub_scalar(1)?.f_mul_scalar_(0.5)?.f_add(&log_ratio)?)?,
        })
    }
}

impl WeightedLikelihood {
    /// With z = (u_k − μ_θ)/σ_θ:  ∂ log π/∂μ = z/σ_θ,  ∂ log π/∂ log σ = z² − 1;
    /// ∂KL_mean/∂μ = (μ_θ − μ_φ)/σ_φ²/B,  ∂KL_covariance/∂ log σ = (1 − σ_φ²/σ_θ²)/B.
    pub fn gradients(&self) -> Result<HeadGradients> {
        let share = self.boltzmann.weights.f_div_scalar(-(self.rows as f64))?;
        let noise = &self.placed.noise;
        let precision = self.gap.distribution.log_std.f_neg()?.f_exp()?;
        let over_samples = |values: Tensor| values.f_sum_dim_intlist(1, false, None);
        let by_mean = over_samples(noise.f_mul(&precision)?.f_mul_(&share)?)?;
        let by_log_std = over_samples(noise.f_square()?.f_sub_scalar_(1)?.f_mul_(&share)?)?;
        let Some(multipliers) = &self.multipliers else {
            return Ok(HeadGradients { by_mean, by_log_std });
        };
        let [mean_pull, ratio] = self.gap.ratios()?;
        let mean_pull = mean_pull.f_squeeze_dim(1)?.f_mul(&multipliers.mean)?;
        let log_std_pull = ratio.f_squeeze_dim(1)?.f_rsub_scalar(1)?.f_mul_(&multipliers.covariance)?;
        let rows = self.rows as f64;
        Ok(HeadGradients {
            by_mean: by_mean.f_add(&mean_pull.f_div_scalar(rows)?)?,
            by_log_std: by_log_std.f_add(&log_std_pull.f_div_scalar(rows)?)?,
        })
    }
}

impl PolicyLoss for WeightedLikelihood {
    fn loss(&self) -> Result<Tensor> {
        let log_density = self.gap.distribution.log_density(&self.placed)?;
        let weighted = log_density.f_mul(&self.boltzmann.weights)?.f_sum(None)?;
        let likelihood = weighted.f_div_scalar(-(self.rows as f64))?;
        let Some(multipliers) = &self.multipliers else { return Ok(likelihood) };
        let divergences = self.gap.divergences()?;
        let mean = divergences.mean.f_mul(&multipliers.mean)?.f_sum(None)?;
        let covariance = divergences.covariance.f_mul(&multipliers.covariance)?.f_sum(None)?;
        Ok(likelihood.f_add(&mean)?.f_add(&covariance)?)
    }

    fn action(&self) -> &Tensor {
        &self.placed.action
    }

    fn log_density(&self) -> Result<Option<Tensor>> {
        self.gap.distribution.log_density(&self.placed).map(Some)
    }

    fn weighted_likelihood(&self) -> Option<&WeightedLikelihood> {
        Some(self)
    }
}

/// Prior divergence.
pub struct PriorDivergence {
    /// B · K.
    pub actions: usize,
    /// π_θ(·|s), `[B, 1, A]`.
    pub distribution: Gaussian,
    /// π_φ(·|s), `[B, 1, A]`.
    pub prior: Gaussian,
    /// ã_k, `[B, K, A]`.
    pub sample: Sample,
    /// The same as they lie in π_φ.
    pub placed: Sample,
    /// Q(s, ã_k), `[B, K, 1]`.
    pub action_value: Tensor,
    /// T.
    pub temperature: Tensor,
}

impl PriorDivergence {
    /// Given ∂J/∂ã_k through Q alone, `[B, K, A]`. The squash is the same in both densities, and with ξ fixed log π_θ
    /// does not move with u but for it:  ∂(log π_θ − log π_φ)/∂u = (u − μ_φ)/σ_φ²,  ∂ log π_θ/∂ log σ_θ = −1.
    pub fn gradients(&self, by_action: &Tensor) -> Result<HeadGradients> {
        let by_divergence = self.temperature.f_div_scalar(self.actions as f64)?;
        let precision = self.prior.log_std.f_neg()?.f_exp()?;
        let from_prior = self.placed.noise.f_mul(&precision)?.f_mul_(&by_divergence)?;
        let by_pre_tanh = slope(&self.sample.pre_tanh)?.f_mul_(by_action)?.f_add_(&from_prior)?;
        let by_log_std = self.sample.log_std_gradient(&by_pre_tanh, &by_divergence)?;
        Ok(HeadGradients {
            by_mean: by_pre_tanh.f_sum_dim_intlist(1, false, None)?,
            by_log_std: by_log_std.f_sum_dim_intlist(1, false, None)?,
        })
    }
}

impl PolicyLoss for PriorDivergence {
    fn loss(&self) -> Result<Tensor> {
        let of_policy = self.distribution.log_gaussian(&self.sample)?;
        let divergence = of_policy.f_sub(&self.prior.log_gaussian(&self.placed)?)?;
        let cost = divergence.f_mean(None)?.f_mul(&self.temperature)?;
        Ok(cost.f_sub(&self.action_value.f_mean(None)?)?)
    }

    fn action(&self) -> &Tensor {
        &self.sample.action
    }

    fn log_density(&self) -> Result<Option<Tensor>> {
        self.distribution.log_density(&self.sample).map(Some)
    }
}
