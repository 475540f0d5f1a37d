//! E-step, reparametrised (25), E.4:  J_π = mean_b [ T log π_θ(ã|s) − Q_w(s, ã) ]
//! plus c_μ mean μ² and c_σ mean (log σ)²,  ã = tanh(μ + σξ); the last two means are over batch and dimensions
//!
//! Shapes: B samples; A action dimensions. Gradient reaches μ and log σ; ∂Q/∂ã, T and ξ are constants.
//! With ξ fixed, log N(u; μ, σ) depends on log σ alone, so ∂ log π/∂μ = 2 tanh u and
//! ∂ log π/∂ log σ = 2 tanh u · σξ − 1.

use super::real::Real;
use super::tanh_gaussian::{clip, clip_slope, slope};
use crate::error::{Result, expect_len};

/// Constants of J_π.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factors<F> {
    /// T.
    pub temperature: F,
    /// c_μ.
    pub mean_regulariser: F,
    /// c_σ.
    pub log_std_regulariser: F,
}

/// Means that J_π is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Means {
    /// mean log π(ã|s).
    pub log_density: f64,
    /// mean Q(s, ã).
    pub action_value: f64,
    /// mean μ², over batch and dimensions.
    pub squared_mean: f64,
    /// mean (log σ)², over batch and dimensions, log σ after its clip.
    pub squared_log_std: f64,
}

/// J_π from the means of its terms.
pub fn loss<F: Real>(factors: &Factors<F>, means: &Means) -> f64 {
    factors.temperature.wide() * means.log_density - means.action_value
        + factors.mean_regulariser.wide() * means.squared_mean
        + factors.log_std_regulariser.wide() * means.squared_log_std
}

/// ∂J_π/∂Q_w(s, ã) = −1/B for each of the B samples of `by_action_value`.
pub fn action_value_gradient<F: Real>(by_action_value: &mut [F]) {
    let share = F::of(-1.0 / by_action_value.len() as f64);
    by_action_value.fill(share);
}

/// What a policy's heads gave in one action dimension, `[B]` each.
#[derive(Debug, Clone, Copy)]
pub struct Heads<'a, F> {
    /// μ.
    pub mean: &'a [F],
    /// log σ before its clip.
    pub log_std: &'a [F],
    /// ξ.
    pub noise: &'a [F],
}

/// ∂J_π/∂μ and ∂J_π/∂(log σ) in one action dimension.
///
/// * `by_action` `[B]`: the derivative of −mean Q(s, ã) by ã, that is −∂Q/∂ã / B.
/// * `dimensions`: A.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn gradient<F: Real>(
    factors: &Factors<F>,
    dimensions: usize,
    heads: &Heads<'_, F>,
    by_action: &[F],
    by_mean: &mut [F],
    by_log_std: &mut [F],
) -> Result<()> {
    let len = by_mean.len();
    expect_len("mean", heads.mean.len(), len)?;
    expect_len("logStd", heads.log_std.len(), len)?;
    expect_len("noise", heads.noise.len(), len)?;
    expect_len("byAction", by_action.len(), len)?;
    expect_len("byLogStd", by_log_std.len(), len)?;
    // what a mean over the batch, or over batch and dimensions, leaves on each element
    let density = factors.temperature / F::of(len as f64);
    let doubled_share = F::of(2.0 / (len * dimensions) as f64);
    let mean_pull = factors.mean_regulariser * doubled_share;
    let log_std_pull = factors.log_std_regulariser * doubled_share;

    let heads = heads.mean.iter().zip(heads.log_std).zip(heads.noise).zip(by_action);
    for ((by_mean, by_log_std), (((&mean, &raw), &noise), &by_action)) in
        by_mean.iter_mut().zip(by_log_std).zip(heads)
    {
        let log_std = clip(raw);
        let spread = log_std.exponential() * noise;
        let pre_tanh = mean + spread;
        let by_pre_tanh = by_action * slope(pre_tanh) + density * F::of(2.0) * pre_tanh.hyperbolic_tangent();
        *by_mean = by_pre_tanh + mean_pull * mean;
        *by_log_std = clip_slope(raw) * (by_pre_tanh * spread - density + log_std_pull * log_std);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::tanh_gaussian::{regulariser_sums, sample_with_log_density};

    const SAMPLES: usize = 5;
    const FACTORS: Factors<f64> =
        Factors { temperature: 0.7, mean_regulariser: 2e-2, log_std_regulariser: 3e-2 };

    /// A smooth stand-in for Q(s, ã) of each sample.
    fn action_value(b: usize, action: f64) -> f64 {
        (1.3 * action + b as f64).sin() + 0.4 * action * action
    }

    fn action_value_slope(b: usize, action: f64) -> f64 {
        1.3 * (1.3 * action + b as f64).cos() + 0.8 * action
    }

    fn heads() -> [[f64; SAMPLES]; 3] {
        [[0.3, -1.2, 0.0, 2.5, -0.4], [-0.5, 0.9, -3.0, 1.5, -1.0], [0.7, -1.1, 2.0, 0.1, -0.3]]
    }

    fn policy_loss(mean: &[f64], log_std: &[f64], noise: &[f64]) -> f64 {
        let (mut action, mut log_density) = ([0.0; SAMPLES], [0.0; SAMPLES]);
        sample_with_log_density(mean, log_std, noise, &mut action, &mut log_density).unwrap();
        let (squared_mean, squared_log_std) = regulariser_sums(mean, log_std).unwrap();
        let count = SAMPLES as f64;
        let values = action.iter().enumerate().map(|(b, &a)| action_value(b, a));
        let means = Means {
            log_density: log_density.iter().sum::<f64>() / count,
            action_value: values.sum::<f64>() / count,
            squared_mean: squared_mean / count,
            squared_log_std: squared_log_std / count,
        };
        loss(&FACTORS, &means)
    }

    fn analytic(mean: &[f64], log_std: &[f64], noise: &[f64]) -> ([f64; SAMPLES], [f64; SAMPLES]) {
        let (mut by_mean, mut by_log_std) = ([0.0; SAMPLES], [0.0; SAMPLES]);
        let mut by_action_value = [0.0; SAMPLES];
        action_value_gradient(&mut by_action_value);
        let by_action: Vec<f64> = (0..SAMPLES)
            .map(|b| {
                let action = (mean[b] + log_std[b].clamp(-20.0, 2.0).exp() * noise[b]).tanh();
                by_action_value[b] * action_value_slope(b, action)
            })
            .collect();
        let heads = Heads { mean, log_std, noise };
        gradient(&FACTORS, 1, &heads, &by_action, &mut by_mean, &mut by_log_std).unwrap();
        (by_mean, by_log_std)
    }

    #[test]
    fn gradient_is_the_difference_of_the_loss() {
        let [mean, log_std, noise] = heads();
        let (by_mean, by_log_std) = analytic(&mean, &log_std, &noise);
        let h = 1e-6;
        for b in 0..SAMPLES {
            let difference = |of_mean: bool| {
                let at = |h: f64| {
                    let (mut mean, mut log_std) = (mean, log_std);
                    if of_mean {
                        mean[b] += h
                    } else {
                        log_std[b] += h
                    }
                    policy_loss(&mean, &log_std, &noise)
                };
                (at(h) - at(-h)) / (2.0 * h)
            };
            // h² and 1e-16 / h are both far below 1e-9
            assert!((by_mean[b] - difference(true)).abs() < 1e-9);
            assert!((by_log_std[b] - difference(false)).abs() < 1e-9);
        }
    }

    #[test]
    fn clipped_log_std_receives_nothing() {
        let [mean, mut log_std, noise] = heads();
        log_std[0] = -20.5;
        log_std[3] = 2.5;
        let (_, by_log_std) = analytic(&mean, &log_std, &noise);
        assert_eq!((by_log_std[0], by_log_std[3]), (0.0, 0.0));
        assert!(by_log_std[1] != 0.0 && by_log_std[2] != 0.0);
    }

    #[test]
    fn gradient_vanishes_where_the_loss_is_flat() {
        let factors = Factors { temperature: 0.0, mean_regulariser: 0.0, log_std_regulariser: 0.0 };
        let [mean, log_std, noise] = heads();
        let heads = Heads { mean: &mean, log_std: &log_std, noise: &noise };
        let (mut by_mean, mut by_log_std) = ([1.0; SAMPLES], [1.0; SAMPLES]);
        gradient(&factors, 1, &heads, &[0.0; SAMPLES], &mut by_mean, &mut by_log_std).unwrap();
        assert_eq!((by_mean, by_log_std), ([0.0; SAMPLES], [0.0; SAMPLES]));
    }

    #[test]
    fn wrong_lengths_are_named() {
        let [mean, log_std, noise] = heads();
        let heads = Heads { mean: &mean, log_std: &log_std, noise: &noise };
        let error =
            gradient(&FACTORS, 1, &heads, &[0.0; 4], &mut [0.0; SAMPLES], &mut [0.0; SAMPLES]).unwrap_err();
        assert_eq!(error.code(), "LENGTH_MISMATCH");
        assert!(error.to_string().contains("byAction"));
    }
}
