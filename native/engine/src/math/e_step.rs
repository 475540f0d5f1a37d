//! E-step, reparametrised (25), E.4:  J_π = mean_b [ T log π_θ(ã|s) − Q_w(s, ã) ]
//! plus c_μ mean μ² and c_σ mean (log σ)²,  ã = tanh(μ + σξ); the last two means are over batch and dimensions
//!
//! Shapes: B samples; A action dimensions. Gradient reaches μ and log σ; ∂Q/∂ã, T and ξ are constants.
//! With ξ fixed, log N(u; μ, σ) depends on log σ alone, so ∂ log π/∂μ = 2 tanh u and
//! ∂ log π/∂ log σ = 2 tanh u · σξ − 1.

use super::real::{Real, sum};
use super::tanh_gaussian::{clip, clip_slope, log_density_of, slope};
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

/// μ and log σ before its clip of two policies in one action dimension, `[B]` each, and noise for K draws, `[K · B]`.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a, F> {
    /// μ_θ.
    pub mean: &'a [F],
    /// log σ_θ.
    pub log_std: &'a [F],
    /// μ_φ.
    pub prior_mean: &'a [F],
    /// log σ_φ.
    pub prior_log_std: &'a [F],
    /// ξ, sample k of row b at k B + b.
    pub noise: &'a [F],
}

impl<F: Real> Pair<'_, F> {
    /// B and K.
    fn extent(&self) -> Result<(usize, usize)> {
        let rows = self.mean.len();
        expect_len("logStd", self.log_std.len(), rows)?;
        expect_len("priorMean", self.prior_mean.len(), rows)?;
        expect_len("priorLogStd", self.prior_log_std.len(), rows)?;
        let samples = self.noise.len() / rows.max(1);
        expect_len("noise", self.noise.len(), rows * samples)?;
        Ok((rows, samples))
    }
}

/// ∂J_π/∂μ_θ and ∂J_π/∂(log σ_θ) in one action dimension of the weighted likelihood (App. G),
/// −mean_b Σ_k ω_k log π_θ(a_k|s), u_k = μ_φ + σ_φ ξ_k, plus the regularisers.
///
/// * `weight` `[K · B]`: ω.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn likelihood_gradient<F: Real>(
    factors: &Factors<F>,
    dimensions: usize,
    pair: &Pair<'_, F>,
    weight: &[F],
    by_mean: &mut [F],
    by_log_std: &mut [F],
) -> Result<()> {
    let (rows, samples) = pair.extent()?;
    expect_len("weight", weight.len(), rows * samples)?;
    expect_len("byMean", by_mean.len(), rows)?;
    expect_len("byLogStd", by_log_std.len(), rows)?;
    by_mean.fill(F::of(0.0));
    by_log_std.fill(F::of(0.0));
    let share = F::of(-1.0 / rows as f64);
    for k in 0..samples {
        let of_sample = k * rows..(k + 1) * rows;
        let (noise, weight) = (&pair.noise[of_sample.clone()], &weight[of_sample]);
        for b in 0..rows {
            let deviation = (-clip(pair.log_std[b])).exponential();
            let pre_tanh = pair.prior_mean[b] + clip(pair.prior_log_std[b]).exponential() * noise[b];
            let standardised = (pre_tanh - pair.mean[b]) * deviation;
            let by_density = share * weight[b];
            by_mean[b] += by_density * standardised * deviation;
            by_log_std[b] += by_density * (standardised * standardised - F::of(1.0));
        }
    }
    let (mean_pull, log_std_pull) = factors.pulls(rows, dimensions);
    for b in 0..rows {
        let raw = pair.log_std[b];
        by_mean[b] += mean_pull * pair.mean[b];
        by_log_std[b] = clip_slope(raw) * (by_log_std[b] + log_std_pull * clip(raw));
    }
    Ok(())
}

/// Adds the gradient of `mean_multiplier` · KL_mean + `covariance_multiplier` · KL_cov in one action dimension, with
/// KL_mean = mean_b (μ_θ−μ_φ)²/2σ_φ² and KL_cov = mean_b [log(σ_θ/σ_φ) + (σ_φ²/σ_θ² − 1)/2].
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn add_kl_gradient<F: Real>(
    mean_multiplier: F,
    covariance_multiplier: F,
    pair: &Pair<'_, F>,
    by_mean: &mut [F],
    by_log_std: &mut [F],
) -> Result<()> {
    let (rows, _) = pair.extent()?;
    expect_len("byMean", by_mean.len(), rows)?;
    expect_len("byLogStd", by_log_std.len(), rows)?;
    let share = F::of(1.0 / rows as f64);
    for b in 0..rows {
        let (raw, prior) = (pair.log_std[b], clip(pair.prior_log_std[b]));
        let inverse_variance = (F::of(-2.0) * prior).exponential();
        let ratio = (F::of(2.0) * (prior - clip(raw))).exponential();
        let distance = pair.mean[b] - pair.prior_mean[b];
        by_mean[b] += mean_multiplier * share * distance * inverse_variance;
        by_log_std[b] += clip_slope(raw) * covariance_multiplier * share * (F::of(1.0) - ratio);
    }
    Ok(())
}

/// KL_mean and KL_cov of [`add_kl_gradient`] in one action dimension, in nats.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn kl_divergences<F: Real>(pair: &Pair<'_, F>) -> Result<(f64, f64)> {
    let (rows, _) = pair.extent()?;
    let half = F::of(0.5);
    let mean = (0..rows).map(|b| {
        let distance = pair.mean[b] - pair.prior_mean[b];
        half * distance * distance * (F::of(-2.0) * clip(pair.prior_log_std[b])).exponential()
    });
    let covariance = (0..rows).map(|b| {
        let log_ratio = clip(pair.prior_log_std[b]) - clip(pair.log_std[b]);
        half * ((F::of(2.0) * log_ratio).exponential() - F::of(1.0)) - log_ratio
    });
    Ok((sum(mean) / rows as f64, sum(covariance) / rows as f64))
}

/// ∂J_π/∂μ_θ and ∂J_π/∂(log σ_θ) in one action dimension of (43),
/// mean_{b,k}[T(log N(u_k; θ) − log N(u_k; φ)) − Q(s, tanh u_k)], u_k = μ_θ + σ_θ ξ_k, plus the regularisers.
///
/// * `by_action` `[K · B]`: −∂Q/∂ã_k / (K B).
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn divergence_gradient<F: Real>(
    factors: &Factors<F>,
    dimensions: usize,
    pair: &Pair<'_, F>,
    by_action: &[F],
    by_mean: &mut [F],
    by_log_std: &mut [F],
) -> Result<()> {
    let (rows, samples) = pair.extent()?;
    expect_len("byAction", by_action.len(), rows * samples)?;
    expect_len("byMean", by_mean.len(), rows)?;
    expect_len("byLogStd", by_log_std.len(), rows)?;
    by_mean.fill(F::of(0.0));
    by_log_std.fill(F::of(0.0));
    let density = factors.temperature / F::of((rows * samples) as f64);
    for k in 0..samples {
        let of_sample = k * rows..(k + 1) * rows;
        let (noise, by_action) = (&pair.noise[of_sample.clone()], &by_action[of_sample]);
        for b in 0..rows {
            let spread = clip(pair.log_std[b]).exponential() * noise[b];
            let pre_tanh = pair.mean[b] + spread;
            let prior_precision = (F::of(-2.0) * clip(pair.prior_log_std[b])).exponential();
            let by_pre_tanh =
                by_action[b] * slope(pre_tanh) + density * (pre_tanh - pair.prior_mean[b]) * prior_precision;
            by_mean[b] += by_pre_tanh;
            by_log_std[b] += by_pre_tanh * spread - density;
        }
    }
    let (mean_pull, log_std_pull) = factors.pulls(rows, dimensions);
    for b in 0..rows {
        let raw = pair.log_std[b];
        by_mean[b] += mean_pull * pair.mean[b];
        by_log_std[b] = clip_slope(raw) * (by_log_std[b] + log_std_pull * clip(raw));
    }
    Ok(())
}

/// **Adds** log N(u_k; θ) − log N(u_k; φ) of one action dimension, u_k = μ_θ + σ_θ ξ_k, to `log_ratio` `[K · B]`: the
/// change of variables of tanh cancels.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn add_log_ratio<F: Real>(pair: &Pair<'_, F>, log_ratio: &mut [F]) -> Result<()> {
    let (rows, samples) = pair.extent()?;
    expect_len("logRatio", log_ratio.len(), rows * samples)?;
    let half = F::of(0.5);
    for (of_sample, noise) in
        log_ratio.chunks_exact_mut(rows.max(1)).zip(pair.noise.chunks_exact(rows.max(1)))
    {
        for b in 0..rows {
            let (log_std, prior) = (clip(pair.log_std[b]), clip(pair.prior_log_std[b]));
            let pre_tanh = pair.mean[b] + log_std.exponential() * noise[b];
            let standardised = (pre_tanh - pair.prior_mean[b]) * (-prior).exponential();
            of_sample[b] += half * (standardised * standardised - noise[b] * noise[b]) + prior - log_std;
        }
    }
    Ok(())
}

/// **Adds** log π_θ of one action dimension at u_k = μ_φ + σ_φ ξ_k to `log_density` `[K · B]`.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn add_log_density_of_prior_samples<F: Real>(pair: &Pair<'_, F>, log_density: &mut [F]) -> Result<()> {
    let (rows, samples) = pair.extent()?;
    expect_len("logDensity", log_density.len(), rows * samples)?;
    for (of_sample, noise) in
        log_density.chunks_exact_mut(rows.max(1)).zip(pair.noise.chunks_exact(rows.max(1)))
    {
        for b in 0..rows {
            let log_std = clip(pair.log_std[b]);
            let pre_tanh = pair.prior_mean[b] + clip(pair.prior_log_std[b]).exponential() * noise[b];
            let standardised = (pre_tanh - pair.mean[b]) * (-log_std).exponential();
            of_sample[b] += log_density_of(standardised, log_std, pre_tanh);
        }
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
