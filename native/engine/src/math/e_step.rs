//! E-step, reparametrised (25), E.4:  J_π = mean_b [ T log π_θ(ã|s) − Q_w(s, ã) ]
//! plus c_μ mean μ² and c_σ mean (log σ)²,  ã = tanh(μ + σξ); the last two means are over batch and dimensions
//!
//! Shapes: B samples; A action dimensions. Gradient reaches μ and log σ; ∂Q/∂ã, T and ξ are constants.
//! With ξ fixed, log N(u; μ, σ) depends on log σ alone, so ∂ log π/∂μ = 2 tanh u and
//! ∂ log π/∂ log σ = 2 tanh u · σξ − 1. Objectives that read a prior policy are in [`prior`].

pub mod prior;

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

impl<F: Real> Factors<F> {
    /// What c_μ mean μ² and c_σ mean (log σ)² leave on each element, per unit of it.
    #[inline(always)]
    fn pulls(&self, rows: usize, dimensions: usize) -> (F, F) {
        let doubled_share = F::of(2.0 / (rows * dimensions) as f64);
        (self.mean_regulariser * doubled_share, self.log_std_regulariser * doubled_share)
    }

    /// c_μ mean μ² + c_σ mean (log σ)² of the means.
    pub fn regularisers(&self, squared_mean: f64, squared_log_std: f64) -> f64 {
        self.mean_regulariser.wide() * squared_mean + self.log_std_regulariser.wide() * squared_log_std
    }
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
        + factors.regularisers(means.squared_mean, means.squared_log_std)
}

/// ∂J_π/∂Q(s, ã) = −1/B for each of the B samples of `by_action_value`.
pub fn action_value_gradient<F: Real>(by_action_value: &mut [F]) {
    let share = F::of(-1.0 / by_action_value.len() as f64);
    by_action_value.fill(share);
}

/// ∂J_π/∂Q_1 and ∂J_π/∂Q_2 where J_π reads min(Q_1, Q_2): −1/B for the smaller one, the first of two equal ones.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn minimum_gradient<F: Real>(
    first: &[F],
    second: &[F],
    by_first: &mut [F],
    by_second: &mut [F],
) -> Result<()> {
    let len = first.len();
    expect_len("second", second.len(), len)?;
    expect_len("byFirst", by_first.len(), len)?;
    expect_len("bySecond", by_second.len(), len)?;
    let (share, nothing) = (F::of(-1.0 / len as f64), F::of(0.0));
    let by = by_first.iter_mut().zip(by_second);
    for ((by_first, by_second), (&first, &second)) in by.zip(first.iter().zip(second)) {
        let second_is_smaller = second < first;
        *by_first = if second_is_smaller { nothing } else { share };
        *by_second = if second_is_smaller { share } else { nothing };
    }
    Ok(())
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

impl<F> Heads<'_, F> {
    fn expect_len(&self, len: usize) -> Result<()> {
        expect_len("mean", self.mean.len(), len)?;
        expect_len("logStd", self.log_std.len(), len)?;
        expect_len("noise", self.noise.len(), len)
    }
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
    heads.expect_len(len)?;
    expect_len("byAction", by_action.len(), len)?;
    expect_len("byLogStd", by_log_std.len(), len)?;
    // what a mean over the batch, or over batch and dimensions, leaves on each element
    let density = factors.temperature / F::of(len as f64);
    let (mean_pull, log_std_pull) = factors.pulls(len, dimensions);

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

/// A = T lp − (Q(s, ã) − V(s)), `[B]`: what the score form weights lp with, a constant.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn advantage<F: Real>(
    log_density: &[F],
    action_value: &[F],
    state_value: &[F],
    temperature: F,
    advantage: &mut [F],
) -> Result<()> {
    let len = advantage.len();
    expect_len("logDensity", log_density.len(), len)?;
    expect_len("actionValue", action_value.len(), len)?;
    expect_len("stateValue", state_value.len(), len)?;
    let terms = log_density.iter().zip(action_value).zip(state_value);
    for (advantage, ((&log_density, &action_value), &state_value)) in advantage.iter_mut().zip(terms) {
        *advantage = temperature * log_density - (action_value - state_value);
    }
    Ok(())
}

/// ∂J_π/∂μ and ∂J_π/∂(log σ) in one action dimension of the score form, mean[lp · A] plus the regularisers: u is
/// held constant, so ∂lp/∂μ = ξ/σ and ∂lp/∂ log σ = ξ² − 1.
///
/// * `advantage` `[B]`: A = T lp − (Q(s, ã) − V(s)), a constant.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn score_gradient<F: Real>(
    factors: &Factors<F>,
    dimensions: usize,
    heads: &Heads<'_, F>,
    advantage: &[F],
    by_mean: &mut [F],
    by_log_std: &mut [F],
) -> Result<()> {
    let len = by_mean.len();
    heads.expect_len(len)?;
    expect_len("advantage", advantage.len(), len)?;
    expect_len("byLogStd", by_log_std.len(), len)?;
    let share = F::of(1.0 / len as f64);
    let (mean_pull, log_std_pull) = factors.pulls(len, dimensions);

    let heads = heads.mean.iter().zip(heads.log_std).zip(heads.noise).zip(advantage);
    for ((by_mean, by_log_std), (((&mean, &raw), &noise), &advantage)) in
        by_mean.iter_mut().zip(by_log_std).zip(heads)
    {
        let log_std = clip(raw);
        let by_density = share * advantage;
        *by_mean = by_density * noise * (-log_std).exponential() + mean_pull * mean;
        *by_log_std = clip_slope(raw) * (by_density * (noise * noise - F::of(1.0)) + log_std_pull * log_std);
    }
    Ok(())
}

/// ∂J_π/∂μ in one action dimension of a deterministic policy a = tanh μ: −mean Q(s, a) + c_μ mean μ².
///
/// * `by_action` `[B]`: −∂Q/∂a / B.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn deterministic_gradient<F: Real>(
    factors: &Factors<F>,
    dimensions: usize,
    mean: &[F],
    by_action: &[F],
    by_mean: &mut [F],
) -> Result<()> {
    let len = by_mean.len();
    expect_len("mean", mean.len(), len)?;
    expect_len("byAction", by_action.len(), len)?;
    let (mean_pull, _) = factors.pulls(len, dimensions);
    for (by_mean, (&mean, &by_action)) in by_mean.iter_mut().zip(mean.iter().zip(by_action)) {
        *by_mean = by_action * slope(mean) + mean_pull * mean;
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

    /// Compares a gradient by μ and log σ at [`heads`] with central differences of `loss`.
    fn expect_gradient(
        heads: &[[f64; SAMPLES]; 3],
        loss: impl Fn(&[f64; SAMPLES], &[f64; SAMPLES]) -> f64,
        by_mean: &[f64; SAMPLES],
        by_log_std: &[f64; SAMPLES],
    ) {
        const STEP: f64 = 1e-5;
        for b in 0..SAMPLES {
            let at = |of_mean: f64, of_log_std: f64| {
                let [mut mean, mut log_std, _] = *heads;
                mean[b] += of_mean;
                log_std[b] += of_log_std;
                loss(&mean, &log_std)
            };
            // h² = 1e-10 times third derivatives of at most some hundreds, and rounding 1e-16 / h
            let scale = 1.0 + by_mean[b].abs() + by_log_std[b].abs();
            let difference = (at(STEP, 0.0) - at(-STEP, 0.0)) / (2.0 * STEP);
            assert!((by_mean[b] - difference).abs() < 1e-8 * scale, "μ_{b}: {} {difference}", by_mean[b]);
            let difference = (at(0.0, STEP) - at(0.0, -STEP)) / (2.0 * STEP);
            assert!((by_log_std[b] - difference).abs() < 1e-8 * scale, "σ_{b}: {difference}");
        }
    }

    #[test]
    fn score_gradient_is_the_difference_at_a_constant_action_and_advantage() {
        const ADVANTAGE: [f64; SAMPLES] = [0.8, -1.5, 0.2, 2.2, -0.1];
        let [mean, mut log_std, noise] = heads();
        // one beyond its clip
        log_std[3] = 2.3;
        let pre_tanh: Vec<f64> =
            (0..SAMPLES).map(|b| mean[b] + log_std[b].clamp(-20.0, 2.0).exp() * noise[b]).collect();
        // the density of u; that of ã differs by a constant of μ and σ
        let loss = |mean: &[f64; SAMPLES], log_std: &[f64; SAMPLES]| {
            let terms = (0..SAMPLES).map(|b| {
                let log_std = log_std[b].clamp(-20.0, 2.0);
                let standardised = (pre_tanh[b] - mean[b]) / log_std.exp();
                ADVANTAGE[b] * (-0.5 * standardised * standardised - log_std)
            });
            let (squared_mean, squared_log_std) = regulariser_sums(mean, log_std).unwrap();
            let count = SAMPLES as f64;
            terms.sum::<f64>() / count + FACTORS.regularisers(squared_mean / count, squared_log_std / count)
        };
        let (mut by_mean, mut by_log_std) = ([9.0; SAMPLES], [9.0; SAMPLES]);
        let given = Heads { mean: &mean, log_std: &log_std, noise: &noise };
        score_gradient(&FACTORS, 1, &given, &ADVANTAGE, &mut by_mean, &mut by_log_std).unwrap();
        expect_gradient(&[mean, log_std, noise], loss, &by_mean, &by_log_std);
        assert_eq!(by_log_std[3], 0.0);
    }

    #[test]
    fn an_advantage_of_zero_leaves_the_regularisers_alone() {
        let [mean, log_std, noise] = heads();
        let given = Heads { mean: &mean, log_std: &log_std, noise: &noise };
        let (mut by_mean, mut by_log_std) = ([9.0; SAMPLES], [9.0; SAMPLES]);
        score_gradient(&FACTORS, 1, &given, &[0.0; SAMPLES], &mut by_mean, &mut by_log_std).unwrap();
        for b in 0..SAMPLES {
            assert!((by_mean[b] - 0.4 * FACTORS.mean_regulariser * mean[b]).abs() < 1e-16);
            assert!((by_log_std[b] - 0.4 * FACTORS.log_std_regulariser * log_std[b]).abs() < 1e-16);
        }
    }

    #[test]
    fn advantage_is_the_soft_value_less_its_baseline() {
        let mut got = [0.0; 2];
        advantage(&[-1.0, 2.0], &[3.0, 0.5], &[1.0, 4.0], 0.5, &mut got).unwrap();
        assert_eq!(got, [-2.5, 4.5]);
    }

    #[test]
    fn deterministic_gradient_is_the_difference_of_its_loss() {
        let [mean, log_std, noise] = heads();
        let loss = |mean: &[f64; SAMPLES], _: &[f64; SAMPLES]| {
            let terms = mean
                .iter()
                .enumerate()
                .map(|(b, &mean)| FACTORS.mean_regulariser * mean * mean - action_value(b, mean.tanh()));
            terms.sum::<f64>() / SAMPLES as f64
        };
        let mut by_action_value = [0.0; SAMPLES];
        action_value_gradient(&mut by_action_value);
        let by_action: Vec<f64> =
            (0..SAMPLES).map(|b| by_action_value[b] * action_value_slope(b, mean[b].tanh())).collect();
        let mut by_mean = [9.0; SAMPLES];
        deterministic_gradient(&FACTORS, 1, &mean, &by_action, &mut by_mean).unwrap();
        expect_gradient(&[mean, log_std, noise], loss, &by_mean, &[0.0; SAMPLES]);
    }

    #[test]
    fn the_smaller_action_value_takes_the_gradient_and_the_first_of_two_equal_ones() {
        let (first, second) = ([1.0, 3.0, 2.0, -1.0], [2.0, 0.5, 2.0, -1.5]);
        let (mut by_first, mut by_second) = ([9.0; 4], [9.0; 4]);
        minimum_gradient(&first, &second, &mut by_first, &mut by_second).unwrap();
        assert_eq!((by_first, by_second), ([-0.25, 0.0, -0.25, 0.0], [0.0, -0.25, 0.0, -0.25]));
        // of −mean min away from ties
        let loss = |first: &[f64; 4], second: &[f64; 4]| {
            -first.iter().zip(second).map(|(a, b)| a.min(*b)).sum::<f64>() / 4.0
        };
        for b in [0, 1, 3] {
            let at = |h: f64, k: f64| {
                let (mut first, mut second) = (first, second);
                first[b] += h;
                second[b] += k;
                loss(&first, &second)
            };
            // piecewise linear: exact but for rounding
            assert!((by_first[b] - (at(1e-3, 0.0) - at(-1e-3, 0.0)) / 2e-3).abs() < 1e-12);
            assert!((by_second[b] - (at(0.0, 1e-3) - at(0.0, -1e-3)) / 2e-3).abs() < 1e-12);
        }
    }

    /// Every gradient of this file in one precision.
    fn everything<F: Real>() -> Vec<f64> {
        let narrow = |values: &[f64]| -> Vec<F> { values.iter().map(|&x| F::of(x)).collect() };
        let [mean, log_std, noise] = heads().map(|values| narrow(&values));
        let signal = narrow(&[0.8, -1.5, 0.2, 2.2, -0.1]);
        let factors = Factors {
            temperature: F::of(FACTORS.temperature),
            mean_regulariser: F::of(FACTORS.mean_regulariser),
            log_std_regulariser: F::of(FACTORS.log_std_regulariser),
        };
        let heads = Heads { mean: &mean, log_std: &log_std, noise: &noise };
        let mut results = [(); 6].map(|()| vec![F::of(0.0); SAMPLES]);
        let [a, b, c, d, e, f] = &mut results;
        gradient(&factors, 3, &heads, &signal, a, b).unwrap();
        score_gradient(&factors, 3, &heads, &signal, c, d).unwrap();
        deterministic_gradient(&factors, 3, &mean, &signal, e).unwrap();
        advantage(&mean, &log_std, &noise, factors.temperature, f).unwrap();
        results.concat().into_iter().map(Real::wide).collect()
    }

    #[test]
    fn f32_agrees_with_f64() {
        let (single, double) = (everything::<f32>(), everything::<f64>());
        for (index, (got, expected)) in single.iter().zip(&double).enumerate() {
            // ten roundings of values up to 20
            assert!((got - expected).abs() < 2e-6 * (1.0 + expected.abs()), "{index}: {got} {expected}");
        }
        assert_ne!(single, double);
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
