//! The squashed Gaussian policy (App. H; docs/paper.md A12): u = μ + σξ, ã = tanh u, σ = e^(log σ) with log σ
//! clipped to [−20, 2], and
//! log π(ã|s) = Σ [ log N(u; μ, σ) − log(1 − tanh² u) ].
//!
//! Shapes: one slice is one action dimension of B samples, or the A dimensions of one sample.
//! Guards: log(1 − tanh² u) = 2(log 2 − u − softplus(−2u)) = 2(log 2 − |u| − log(1 + e^(−2|u|))) and
//! 1 − tanh² u = 4 e^(−2|u|) / (1 + e^(−2|u|))², finite and free of cancellation for every u.

use super::real::{Real, sum};
use crate::error::{Result, expect_len};

/// Lower bound of log σ (rlkit's `LOG_SIG_MIN`).
pub const LOG_STD_MIN: f64 = -20.0;
/// Upper bound of log σ (rlkit's `LOG_SIG_MAX`).
pub const LOG_STD_MAX: f64 = 2.0;
/// ½ log 2π.
const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// log σ after its clip.
#[inline(always)]
pub fn clip<F: Real>(log_std: F) -> F {
    log_std.between(F::of(LOG_STD_MIN), F::of(LOG_STD_MAX))
}

/// d clip(x) / dx: 0 strictly outside the bounds, where the clip is active, else 1.
#[inline(always)]
pub fn clip_slope<F: Real>(log_std: F) -> F {
    if clip(log_std) == log_std { F::of(1.0) } else { F::of(0.0) }
}

/// log(1 − tanh² u).
#[inline(always)]
pub fn log_slope<F: Real>(pre_tanh: F) -> F {
    let magnitude = pre_tanh.absolute();
    let tail = (F::of(-2.0) * magnitude).exponential();
    F::of(2.0) * (F::of(std::f64::consts::LN_2) - magnitude - tail.log_one_plus())
}

/// 1 − tanh² u.
#[inline(always)]
pub fn slope<F: Real>(pre_tanh: F) -> F {
    let tail = (F::of(-2.0) * pre_tanh.absolute()).exponential();
    let one_more = F::of(1.0) + tail;
    F::of(4.0) * tail / (one_more * one_more)
}

/// log π of one dimension at u = μ + σξ, `log_std` after its clip.
#[inline(always)]
pub fn log_density_of<F: Real>(noise: F, log_std: F, pre_tanh: F) -> F {
    F::of(-0.5) * noise * noise - log_std - F::of(HALF_LOG_TWO_PI) - log_slope(pre_tanh)
}

/// ã = tanh(μ + σξ).
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn sample<F: Real>(mean: &[F], log_std: &[F], noise: &[F], action: &mut [F]) -> Result<()> {
    let len = action.len();
    expect_len("mean", mean.len(), len)?;
    expect_len("logStd", log_std.len(), len)?;
    expect_len("noise", noise.len(), len)?;
    for (((action, &mean), &log_std), &noise) in action.iter_mut().zip(mean).zip(log_std).zip(noise) {
        *action = (mean + clip(log_std).exponential() * noise).hyperbolic_tangent();
    }
    Ok(())
}

/// [`sample`] that also **adds** each element's log π to `log_density`: calling it for every dimension sums them.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn sample_with_log_density<F: Real>(
    mean: &[F],
    log_std: &[F],
    noise: &[F],
    action: &mut [F],
    log_density: &mut [F],
) -> Result<()> {
    let len = action.len();
    expect_len("mean", mean.len(), len)?;
    expect_len("logStd", log_std.len(), len)?;
    expect_len("noise", noise.len(), len)?;
    expect_len("logDensity", log_density.len(), len)?;
    let inputs = mean.iter().zip(log_std).zip(noise);
    for ((action, log_density), ((&mean, &log_std), &noise)) in action.iter_mut().zip(log_density).zip(inputs)
    {
        let log_std = clip(log_std);
        let pre_tanh = mean + log_std.exponential() * noise;
        *action = pre_tanh.hyperbolic_tangent();
        *log_density += log_density_of(noise, log_std, pre_tanh);
    }
    Ok(())
}

/// tanh μ, the deterministic policy.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn mode<F: Real>(mean: &[F], action: &mut [F]) -> Result<()> {
    expect_len("mean", mean.len(), action.len())?;
    for (action, &mean) in action.iter_mut().zip(mean) {
        *action = mean.hyperbolic_tangent();
    }
    Ok(())
}

/// Σ μ² and Σ (clipped log σ)², whose means over batch and dimensions the policy loss is regularised by
/// (docs/paper.md A13).
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn regulariser_sums<F: Real>(mean: &[F], log_std: &[F]) -> Result<(f64, f64)> {
    expect_len("logStd", log_std.len(), mean.len())?;
    let squares = |value: F| value * value;
    Ok((sum(mean.iter().map(|&x| squares(x))), sum(log_std.iter().map(|&x| squares(clip(x))))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFFERENCE: f64 = 1e-5;

    fn density(mean: f64, log_std: f64, noise: f64) -> (f64, f64) {
        let (mut action, mut log_density) = ([0.0], [0.0]);
        sample_with_log_density(&[mean], &[log_std], &[noise], &mut action, &mut log_density).unwrap();
        (action[0], log_density[0])
    }

    #[test]
    fn log_density_has_the_golden_values() {
        // f64, by the formula and by its direct form, at μ = 0.3, σ = 0.8 and this u
        for (pre_tanh, expected) in
            [(-5.0, -14.0273110452), (0.0, -0.7661074819), (2.0, -0.3036019872), (9.0, -43.2149018126)]
        {
            let (_, got) = density(0.3, 0.8_f64.ln(), (pre_tanh - 0.3) / 0.8);
            assert!((got - expected).abs() < 1e-9, "u = {pre_tanh}: {got}");
        }
    }

    #[test]
    fn density_integrates_to_one_over_actions() {
        // midpoint rule in u, where the density is smooth: da = (1 − tanh² u) du
        let (mean, std) = (0.3, 0.8_f64);
        let step = 20.0 / 4000.0;
        let total: f64 = (0..4000)
            .map(|i| -10.0 + (f64::from(i) + 0.5) * step)
            .map(|u| density(mean, std.ln(), (u - mean) / std).1.exp() * slope(u) * step)
            .sum();
        assert!((total - 1.0).abs() < 1e-12, "{total}");
    }

    #[test]
    fn slope_and_log_slope_are_those_of_the_hyperbolic_tangent() {
        for i in -60..=60 {
            let u = f64::from(i) / 10.0;
            let difference = ((u + DIFFERENCE).tanh() - (u - DIFFERENCE).tanh()) / (2.0 * DIFFERENCE);
            // central differences: h² = 1e-10 and rounding 1e-16 / h = 1e-11
            assert!((slope(u) - difference).abs() < 1e-9);
            assert!((log_slope(u) - slope(u).ln()).abs() < 1e-12);
        }
        assert!(log_slope(500.0_f64).is_finite() && log_slope(-500.0_f32).is_finite());
    }

    #[test]
    fn f32_agrees_with_f64() {
        for i in 0..2000 {
            let (mean, log_std, noise) = (
                (f64::from(i % 41) - 20.0) / 5.0,
                (f64::from(i % 29) - 24.0) / 2.0,
                (f64::from(i % 37) - 18.0) / 6.0,
            );
            let (action, log_density) = density(mean, log_std, noise);
            let (mut got_action, mut got_density) = ([0.0_f32], [0.0_f32]);
            sample_with_log_density(
                &[mean as f32],
                &[log_std as f32],
                &[noise as f32],
                &mut got_action,
                &mut got_density,
            )
            .unwrap();
            // u up to 26 carries 2 ulp = 4e-6 in f32; |dã/du| ≤ 1, |d log π/du| ≤ 2
            assert!((f64::from(got_action[0]) - action).abs() < 4e-6);
            assert!((f64::from(got_density[0]) - log_density).abs() < 2e-5, "{log_density}");
        }
    }

    #[test]
    fn log_std_outside_its_bounds_has_no_slope() {
        assert_eq!([-20.1, -20.0, 0.0, 2.0, 2.1].map(clip_slope), [0.0, 1.0, 1.0, 1.0, 0.0]);
        assert_eq!([-20.1, 2.1].map(clip), [-20.0, 2.0]);
    }

    #[test]
    fn sample_without_noise_is_the_mode() {
        let mean = [-1.5, 0.0, 0.25_f32];
        let (mut sampled, mut expected) = ([0.0; 3], [0.0; 3]);
        sample(&mean, &[0.3; 3], &[0.0; 3], &mut sampled).unwrap();
        mode(&mean, &mut expected).unwrap();
        assert_eq!(sampled, expected);
    }

    #[test]
    fn wrong_lengths_are_named() {
        let error = sample(&[0.0; 2], &[0.0; 2], &[0.0_f32; 3], &mut [0.0; 2]).unwrap_err();
        assert_eq!(error.code(), "LENGTH_MISMATCH");
        assert!(error.to_string().contains("noise"));
    }
}
