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
    /// (Q − max_k Q)/T, `[B, K, 1]`.
    exponent: Tensor,
    /// ω.
    pub weights: Tensor,
}

impl Boltzmann {
    /// From Q(s, a_k) and T.
    pub fn new(action_values: &Tensor, temperature: &Tensor) -> Result<Self> {
        let largest = action_values.f_amax(1, true)?;
        let exponent = action_values.f_sub(&largest)?.f_div(temperature)?;
        Ok(Self { weights: exponent.f_softmax(1, None)?, largest, exponent })
    }

    /// mean_s T log mean_k exp(Q/T), a scalar; K = `samples`.
    pub fn soft_maximum(&self, temperature: &Tensor, samples: usize) -> Result<Tensor> {
        let gap = self.log_mean(samples)?.f_mul(temperature)?;
        Ok(gap.f_add(&self.largest.f_mean(None)?)?)
    }

    /// mean_s Σ_k ω_k log(K ω_k), a scalar: the KL divergence of the weights from equal ones, which is also less the
    /// derivative of the soft maximum by T.
    pub fn divergence(&self, samples: usize) -> Result<Tensor> {
        let expected = self.exponent.f_mul(&self.weights)?.f_sum_dim_intlist(1, false, None)?.f_mean(None)?;
        Ok(expected.f_sub(&self.log_mean(samples)?)?)
    }

    /// mean_s log mean_k exp((Q − max_k Q)/T).
    fn log_mean(&self, samples: usize) -> Result<Tensor> {
        let log_mean = self.exponent.f_logsumexp(1, false)?.f_sub_scalar((samples as f64).ln())?;
        Ok(log_mean.f_mean(None)?)
    }
}
