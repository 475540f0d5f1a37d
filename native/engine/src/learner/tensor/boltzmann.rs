//! Weights of K sampled actions (App. G):  ω_k = softmax_k(Q(s, a_k)/T),  and the soft maximum that they belong to:
//!
//! T log mean_k exp(Q(s, a_k)/T).
//!
//! Shapes: B batch, K samples; Q and ω `[B, K, 1]`, T a scalar.
//! Guard: the largest of each state's values is taken off **before** the division, so that a small T neither
//! overflows nor loses the digits in which the values differ.

use tch::Tensor;

use crate::error::Result;

/// The sampled actions of some states by their values.
pub struct Boltzmann {
    /// max_k Q, `[B, 1, 1]`.
    largest: Tensor,
    /// Q − max_k Q, `[B, K, 1]`.
    gap: Tensor,
    /// (Q − max_k Q)/T.
    exponent: Tensor,
    /// ω.
    pub weights: Tensor,
}

impl Boltzmann {
    /// From Q(s, a_k) and T.
    pub fn new(action_values: &Tensor, temperature: &Tensor) -> Result<Self> {
        let largest = action_values.f_amax(1, true)?;
        let gap = action_values.f_sub(&largest)?;
        let exponent = gap.f_div(temperature)?;
        Ok(Self { weights: exponent.f_softmax(1, None)?, largest, gap, exponent })
    }

    /// mean_s T log mean_k exp(Q/T), a scalar; K = `samples`.
    pub fn soft_maximum(&self, temperature: &Tensor, samples: usize) -> Result<Tensor> {
        Ok(self.soft_gap(temperature, samples)?.f_add(&self.largest.f_mean(None)?)?)
    }

    /// Its derivative by log T: mean_s [T log mean_k exp(Q/T) − Σ_k ω_k Q], a scalar.
    pub fn soft_maximum_gradient(&self, temperature: &Tensor, samples: usize) -> Result<Tensor> {
        let expected = self.gap.f_mul(&self.weights)?.f_sum_dim_intlist(1, false, None)?.f_mean(None)?;
        Ok(self.soft_gap(temperature, samples)?.f_sub(&expected)?)
    }

    /// mean_s T log mean_k exp((Q − max_k Q)/T).
    fn soft_gap(&self, temperature: &Tensor, samples: usize) -> Result<Tensor> {
        let log_mean = self.exponent.f_logsumexp(1, false)?.f_sub_scalar((samples as f64).ln())?;
        Ok(log_mean.f_mean(None)?.f_mul(temperature)?)
    }
}
