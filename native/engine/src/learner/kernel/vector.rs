//! The equations of `math` and the sweeps between products, compiled for the vector registers at hand.
//!
//! Each function is one loop over slices, compiled three times; the best that the processor has is chosen when
//! it is called. The arithmetic is the same element by element, so all three give the same bits.

use crate::error::Result;
use crate::math::adam::AdamStep;
use crate::math::boltzmann::{self, Partition};
use crate::math::e_step::prior::{self, Pair};
use crate::math::e_step::{self, Factors, Heads};
use crate::math::{bellman, m_step, residual, tanh_gaussian, target_update};
use crate::networks::mlp;

macro_rules! vectorised {
    ($($(#[$doc:meta])* pub fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block)*) => {$(
        $(#[$doc])*
        pub fn $name($($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            fn body($($arg: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq")]
                fn wide($($arg: $type),*) $(-> $result)? { body($($arg),*) }
                #[target_feature(enable = "avx2")]
                fn middle($($arg: $type),*) $(-> $result)? { body($($arg),*) }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                {
                    // SAFETY: the processor has every feature that `wide` is compiled for
                    return unsafe { wide($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has the feature that `middle` is compiled for
                    return unsafe { middle($($arg),*) };
                }
            }
            body($($arg),*)
        }
    )*};
}

vectorised! {
    /// max(x, 0) on the first `n` of every `stride` values, of which the last may be the end; NaN stays NaN.
    pub fn relu(values: &mut [f32], stride: usize, n: usize) {
        for row in values.chunks_mut(stride) {
            for x in &mut row[..n] {
                *x = mlp::relu(*x);
            }
        }
    }

    /// The derivative of [`relu`]: keeps a gradient where the activation is positive.
    pub fn relu_gate(gradients: &mut [f32], stride: usize, activations: &[f32], activations_stride: usize, n: usize) {
        let rows = gradients.chunks_mut(stride).zip(activations.chunks(activations_stride));
        for (gradients, activations) in rows {
            for (gradient, &activation) in gradients[..n].iter_mut().zip(&activations[..n]) {
                *gradient = if activation > 0.0 { *gradient } else { 0.0 };
            }
        }
    }

    /// [`AdamStep::apply`].
    pub fn adam(
        step: &AdamStep<f32>, weight: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32],
    ) -> Result<()> {
        step.apply(weight, gradient, first, second)
    }

    /// [`target_update::target_update`].
    pub fn move_target(target: &mut [f32], online: &[f32], rate: f32) -> Result<()> {
        target_update::target_update(target, online, rate)
    }

    /// [`tanh_gaussian::sample_with_log_density`].
    pub fn sample_with_log_density(
        mean: &[f32], log_std: &[f32], noise: &[f32], action: &mut [f32], log_density: &mut [f32],
    ) -> Result<()> {
        tanh_gaussian::sample_with_log_density(mean, log_std, noise, action, log_density)
    }

    /// [`tanh_gaussian::sample`].
    pub fn sample(mean: &[f32], log_std: &[f32], noise: &[f32], action: &mut [f32]) -> Result<()> {
        tanh_gaussian::sample(mean, log_std, noise, action)
    }

    /// [`tanh_gaussian::mode`].
    pub fn mode(mean: &[f32], action: &mut [f32]) -> Result<()> {
        tanh_gaussian::mode(mean, action)
    }

    /// [`tanh_gaussian::regulariser_sums`].
    pub fn regulariser_sums(mean: &[f32], log_std: &[f32]) -> Result<(f64, f64)> {
        tanh_gaussian::regulariser_sums(mean, log_std)
    }

    /// [`e_step::gradient`].
    pub fn policy_gradient(
        factors: &Factors<f32>, dimensions: usize, heads: &Heads<'_, f32>, by_action: &[f32], by_mean: &mut [f32],
        by_log_std: &mut [f32],
    ) -> Result<()> {
        e_step::gradient(factors, dimensions, heads, by_action, by_mean, by_log_std)
    }

    /// [`e_step::score_gradient`].
    pub fn score_gradient(
        factors: &Factors<f32>, dimensions: usize, heads: &Heads<'_, f32>, advantage: &[f32], by_mean: &mut [f32],
        by_log_std: &mut [f32],
    ) -> Result<()> {
        e_step::score_gradient(factors, dimensions, heads, advantage, by_mean, by_log_std)
    }

    /// [`e_step::advantage`].
    pub fn advantage(
        log_density: &[f32], action_value: &[f32], state_value: &[f32], temperature: f32, advantage: &mut [f32],
    ) -> Result<()> {
        e_step::advantage(log_density, action_value, state_value, temperature, advantage)
    }

    /// [`e_step::deterministic_gradient`].
    pub fn deterministic_gradient(
        factors: &Factors<f32>, dimensions: usize, mean: &[f32], by_action: &[f32], by_mean: &mut [f32],
    ) -> Result<()> {
        e_step::deterministic_gradient(factors, dimensions, mean, by_action, by_mean)
    }

    /// [`prior::likelihood_gradient`].
    pub fn likelihood_gradient(
        factors: &Factors<f32>, dimensions: usize, pair: &Pair<'_, f32>, weight: &[f32], by_mean: &mut [f32],
        by_log_std: &mut [f32],
    ) -> Result<()> {
        prior::likelihood_gradient(factors, dimensions, pair, weight, by_mean, by_log_std)
    }

    /// [`prior::add_log_density_of_prior_samples`].
    pub fn add_log_density_of_prior_samples(pair: &Pair<'_, f32>, log_density: &mut [f32]) -> Result<()> {
        prior::add_log_density_of_prior_samples(pair, log_density)
    }

    /// [`prior::add_kl_gradient`].
    pub fn add_kl_gradient(
        mean_multiplier: f32, covariance_multiplier: f32, pair: &Pair<'_, f32>, by_mean: &mut [f32],
        by_log_std: &mut [f32],
    ) -> Result<()> {
        prior::add_kl_gradient(mean_multiplier, covariance_multiplier, pair, by_mean, by_log_std)
    }

    /// [`prior::kl_divergences`].
    pub fn kl_divergences(pair: &Pair<'_, f32>) -> Result<(f64, f64)> {
        prior::kl_divergences(pair)
    }

    /// [`prior::divergence_gradient`].
    pub fn divergence_gradient(
        factors: &Factors<f32>, dimensions: usize, pair: &Pair<'_, f32>, by_action: &[f32], by_mean: &mut [f32],
        by_log_std: &mut [f32],
    ) -> Result<()> {
        prior::divergence_gradient(factors, dimensions, pair, by_action, by_mean, by_log_std)
    }

    /// [`prior::add_log_ratio`].
    pub fn add_log_ratio(pair: &Pair<'_, f32>, log_ratio: &mut [f32]) -> Result<()> {
        prior::add_log_ratio(pair, log_ratio)
    }

    /// [`boltzmann::weights`].
    pub fn boltzmann_weights(
        rows: usize, temperature: f32, action_value: &[f32], weight: &mut [f32],
    ) -> Result<Partition> {
        boltzmann::weights(rows, temperature, action_value, weight)
    }

    /// [`e_step::action_value_gradient`].
    pub fn action_value_gradient(by_action_value: &mut [f32]) {
        e_step::action_value_gradient(by_action_value);
    }

    /// [`e_step::minimum_gradient`].
    pub fn minimum_gradient(
        first: &[f32], second: &[f32], by_first: &mut [f32], by_second: &mut [f32],
    ) -> Result<()> {
        e_step::minimum_gradient(first, second, by_first, by_second)
    }

    /// Multiplies by a factor, element by element.
    pub fn scale(values: &mut [f32], factor: f32) {
        for value in values {
            *value *= factor;
        }
    }

    /// [`bellman::minimum`].
    pub fn minimum(smaller: &mut [f32], other: &[f32]) -> Result<()> {
        bellman::minimum(smaller, other)
    }

    /// [`bellman::soften`].
    pub fn soften(value: &mut [f32], log_density: &[f32], temperature: f32) -> Result<()> {
        bellman::soften(value, log_density, temperature)
    }

    /// [`bellman::sample_mean`].
    pub fn sample_mean(values: &[f32], mean: &mut [f32]) -> Result<()> {
        bellman::sample_mean(values, mean)
    }

    /// [`bellman::target`].
    pub fn bellman_target(reward: &[f32], discount: &[f32], next: &mut [f32]) -> Result<()> {
        bellman::target(reward, discount, next)
    }

    /// [`m_step::gradient`].
    pub fn value_gradient(prediction: &[f32], target: &[f32], by_prediction: &mut [f32]) -> Result<()> {
        m_step::gradient(prediction, target, by_prediction)
    }

    /// [`m_step::loss`].
    pub fn value_loss(prediction: &[f32], target: &[f32]) -> Result<f64> {
        m_step::loss(prediction, target)
    }

    /// [`residual::squared_sum`].
    pub fn residual_sum(action_value: &[f32], target: &[f32]) -> Result<f64> {
        residual::squared_sum(action_value, target)
    }
}
