//! E-step of objectives that read a prior policy π_φ (App. G): the weighted likelihood with its KL constraints, and the
//! divergence (43).
//!
//! Shapes: B rows, K actions sampled at each; sample k of row b is at k B + b. Gradient reaches μ_θ and log σ_θ alone.

use super::Factors;
use crate::error::{Result, expect_len};
use crate::math::real::{Real, sum};
use crate::math::tanh_gaussian::{clip, clip_slope, log_density_of, slope};

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
    finish(factors, dimensions, pair, by_mean, by_log_std);
    Ok(())
}

/// Adds the regularisers' gradients to sums over the samples, and takes the one by the clipped log σ to the head's own.
#[inline(always)]
fn finish<F: Real>(
    factors: &Factors<F>,
    dimensions: usize,
    pair: &Pair<'_, F>,
    by_mean: &mut [F],
    by_log_std: &mut [F],
) {
    let rows = by_mean.len();
    let (mean_pull, log_std_pull) = factors.pulls(rows, dimensions);
    for b in 0..rows {
        let raw = pair.log_std[b];
        by_mean[b] += mean_pull * pair.mean[b];
        by_log_std[b] = clip_slope(raw) * (by_log_std[b] + log_std_pull * clip(raw));
    }
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
    finish(factors, dimensions, pair, by_mean, by_log_std);
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

    const ROWS: usize = 4;
    const COUNT: usize = 3 * ROWS;
    const FACTORS: Factors<f64> =
        Factors { temperature: 0.7, mean_regulariser: 2e-2, log_std_regulariser: 3e-2 };
    /// In two of three dimensions, so that the regularisers' mean shows.
    const DIMENSIONS: usize = 3;
    const MEAN: [f64; ROWS] = [0.3, -1.2, 0.1, 0.8];
    /// The third is beyond its clip.
    const LOG_STD: [f64; ROWS] = [-0.5, 0.9, 2.5, -1.0];
    const PRIOR_MEAN: [f64; ROWS] = [0.1, -0.7, 0.4, 0.9];
    /// The second is beyond its clip.
    const PRIOR_LOG_STD: [f64; ROWS] = [-0.3, 2.2, 0.2, -0.8];
    const NOISE: [f64; COUNT] = [0.7, -1.1, 2.0, 0.1, -0.3, 0.4, -0.9, 1.6, 0.2, -0.6, 0.5, -1.8];
    const WEIGHT: [f64; COUNT] = [0.2, 0.5, 0.1, 0.9, 0.3, 0.25, 0.6, 0.05, 0.5, 0.25, 0.3, 0.05];

    fn bounded(log_std: f64) -> f64 {
        log_std.clamp(-20.0, 2.0)
    }

    fn log_gaussian(mean: f64, log_std: f64, at: f64) -> f64 {
        let standardised = (at - mean) / bounded(log_std).exp();
        -0.5 * standardised * standardised - bounded(log_std) - 0.5 * (2.0 * std::f64::consts::PI).ln()
    }

    /// A smooth stand-in for Q(s, ã), and its slope.
    fn action_value(index: usize, action: f64) -> (f64, f64) {
        let angle = 1.3 * action + index as f64;
        (angle.sin() + 0.4 * action * action, 1.3 * angle.cos() + 0.8 * action)
    }

    /// c_μ mean μ² + c_σ mean (log σ)², this dimension's part.
    fn regulariser(mean: &[f64; ROWS], log_std: &[f64; ROWS]) -> f64 {
        let square =
            |values: [f64; ROWS]| values.iter().map(|x| x * x).sum::<f64>() / (ROWS * DIMENSIONS) as f64;
        FACTORS.mean_regulariser * square(*mean) + FACTORS.log_std_regulariser * square(log_std.map(bounded))
    }

    fn pair() -> Pair<'static, f64> {
        Pair {
            mean: &MEAN,
            log_std: &LOG_STD,
            prior_mean: &PRIOR_MEAN,
            prior_log_std: &PRIOR_LOG_STD,
            noise: &NOISE,
        }
    }

    /// −∂Q/∂ã_k / (K B) at the actions of π_θ.
    fn by_action() -> [f64; COUNT] {
        std::array::from_fn(|i| {
            let b = i % ROWS;
            let action = (MEAN[b] + bounded(LOG_STD[b]).exp() * NOISE[i]).tanh();
            -action_value(i, action).1 / COUNT as f64
        })
    }

    /// Compares a gradient at [`MEAN`] and [`LOG_STD`] with central differences of `loss`.
    fn expect_gradient(
        loss: impl Fn(&[f64; ROWS], &[f64; ROWS]) -> f64,
        by_mean: &[f64; ROWS],
        by_log_std: &[f64; ROWS],
    ) {
        const STEP: f64 = 1e-5;
        for b in 0..ROWS {
            let at = |of_mean: f64, of_log_std: f64| {
                let (mut mean, mut log_std) = (MEAN, LOG_STD);
                mean[b] += of_mean;
                log_std[b] += of_log_std;
                loss(&mean, &log_std)
            };
            // third derivatives of some tens times h² = 1e-10, and rounding 1e-16 / h = 1e-11
            let difference = (at(STEP, 0.0) - at(-STEP, 0.0)) / (2.0 * STEP);
            assert!((by_mean[b] - difference).abs() < 1e-8, "μ_{b}: {} {difference}", by_mean[b]);
            let difference = (at(0.0, STEP) - at(0.0, -STEP)) / (2.0 * STEP);
            assert!((by_log_std[b] - difference).abs() < 1e-8, "σ_{b}: {} {difference}", by_log_std[b]);
        }
        assert_eq!(by_log_std[2], 0.0, "beyond its clip");
    }

    #[test]
    fn likelihood_gradient_is_the_difference_of_the_weighted_likelihood() {
        let loss = |mean: &[f64; ROWS], log_std: &[f64; ROWS]| {
            let terms = (0..COUNT).map(|i| {
                let b = i % ROWS;
                let pre_tanh = PRIOR_MEAN[b] + bounded(PRIOR_LOG_STD[b]).exp() * NOISE[i];
                let slope = (1.0 - pre_tanh.tanh().powi(2)).ln();
                WEIGHT[i] * (log_gaussian(mean[b], log_std[b], pre_tanh) - slope)
            });
            regulariser(mean, log_std) - terms.sum::<f64>() / ROWS as f64
        };
        let (mut by_mean, mut by_log_std) = ([9.0; ROWS], [9.0; ROWS]);
        likelihood_gradient(&FACTORS, DIMENSIONS, &pair(), &WEIGHT, &mut by_mean, &mut by_log_std).unwrap();
        expect_gradient(loss, &by_mean, &by_log_std);
    }

    #[test]
    fn divergence_gradient_is_the_difference_of_equation_43() {
        let loss = |mean: &[f64; ROWS], log_std: &[f64; ROWS]| {
            let terms = (0..COUNT).map(|i| {
                let b = i % ROWS;
                let pre_tanh = mean[b] + bounded(log_std[b]).exp() * NOISE[i];
                let divergence = log_gaussian(mean[b], log_std[b], pre_tanh)
                    - log_gaussian(PRIOR_MEAN[b], PRIOR_LOG_STD[b], pre_tanh);
                FACTORS.temperature * divergence - action_value(i, pre_tanh.tanh()).0
            });
            regulariser(mean, log_std) + terms.sum::<f64>() / COUNT as f64
        };
        let (mut by_mean, mut by_log_std) = ([9.0; ROWS], [9.0; ROWS]);
        divergence_gradient(&FACTORS, DIMENSIONS, &pair(), &by_action(), &mut by_mean, &mut by_log_std)
            .unwrap();
        expect_gradient(loss, &by_mean, &by_log_std);
    }

    /// (μ_θ−μ_φ)²/2σ_φ² and log(σ_θ/σ_φ) + (σ_φ²/σ_θ² − 1)/2, means over rows.
    fn divergences(mean: &[f64; ROWS], log_std: &[f64; ROWS]) -> (f64, f64) {
        let of = |b: usize| {
            let (std, prior_std) = (bounded(log_std[b]).exp(), bounded(PRIOR_LOG_STD[b]).exp());
            let of_mean = (mean[b] - PRIOR_MEAN[b]).powi(2) / (2.0 * prior_std * prior_std);
            (of_mean, (std / prior_std).ln() + ((prior_std / std).powi(2) - 1.0) / 2.0)
        };
        let total = (0..ROWS).map(of).fold((0.0, 0.0), |sum, each| (sum.0 + each.0, sum.1 + each.1));
        (total.0 / ROWS as f64, total.1 / ROWS as f64)
    }

    #[test]
    fn kl_divergences_have_their_closed_form_and_its_gradient() {
        let (got, expected) = (kl_divergences(&pair()).unwrap(), divergences(&MEAN, &LOG_STD));
        assert!((got.0 - expected.0).abs() < 1e-14 && (got.1 - expected.1).abs() < 1e-14);
        // added to what is there
        let (mut by_mean, mut by_log_std) = ([0.5; ROWS], [0.0; ROWS]);
        add_kl_gradient(1.7, 0.6, &pair(), &mut by_mean, &mut by_log_std).unwrap();
        let loss = |mean: &[f64; ROWS], log_std: &[f64; ROWS]| {
            let (of_mean, of_covariance) = divergences(mean, log_std);
            1.7 * of_mean + 0.6 * of_covariance + 0.5 * mean.iter().sum::<f64>()
        };
        expect_gradient(loss, &by_mean, &by_log_std);
    }

    #[test]
    fn a_policy_that_is_its_prior_has_neither_divergence_nor_pull() {
        let same = Pair { prior_mean: &MEAN, prior_log_std: &LOG_STD, ..pair() };
        assert_eq!(kl_divergences(&same).unwrap(), (0.0, 0.0));
        let (mut by_mean, mut by_log_std, mut log_ratio) = ([0.0; ROWS], [0.0; ROWS], [0.0; COUNT]);
        add_kl_gradient(1.7, 0.6, &same, &mut by_mean, &mut by_log_std).unwrap();
        assert_eq!((by_mean, by_log_std), ([0.0; ROWS], [0.0; ROWS]));
        add_log_ratio(&same, &mut log_ratio).unwrap();
        // u is rounded once between ξ and (u − μ)/σ
        assert!(log_ratio.iter().all(|x| x.abs() < 1e-14), "{log_ratio:?}");
    }

    #[test]
    fn log_ratio_and_densities_are_those_of_the_gaussians() {
        let (mut log_ratio, mut log_density) = ([1.0; COUNT], [1.0; COUNT]);
        add_log_ratio(&pair(), &mut log_ratio).unwrap();
        add_log_density_of_prior_samples(&pair(), &mut log_density).unwrap();
        for i in 0..COUNT {
            let b = i % ROWS;
            let own = MEAN[b] + bounded(LOG_STD[b]).exp() * NOISE[i];
            let expected = 1.0 + log_gaussian(MEAN[b], LOG_STD[b], own)
                - log_gaussian(PRIOR_MEAN[b], PRIOR_LOG_STD[b], own);
            // sums of terms up to 100
            assert!((log_ratio[i] - expected).abs() < 1e-12, "{i}: {} {expected}", log_ratio[i]);
            let prior = PRIOR_MEAN[b] + bounded(PRIOR_LOG_STD[b]).exp() * NOISE[i];
            // 1 / cosh² u, which does not cancel
            let slope = -2.0 * prior.cosh().ln();
            let expected = 1.0 + log_gaussian(MEAN[b], LOG_STD[b], prior) - slope;
            assert!((log_density[i] - expected).abs() < 1e-12, "{i}: {} {expected}", log_density[i]);
        }
    }

    #[test]
    fn a_deviation_at_its_lower_clip_receives_nothing() {
        let clipped = Pair { log_std: &[-20.5; ROWS], ..pair() };
        let (mut by_mean, mut by_log_std) = ([0.0; ROWS], [0.0; ROWS]);
        likelihood_gradient(&FACTORS, 1, &clipped, &WEIGHT, &mut by_mean, &mut by_log_std).unwrap();
        add_kl_gradient(1.0, 1.0, &clipped, &mut by_mean, &mut by_log_std).unwrap();
        assert_eq!(by_log_std, [0.0; ROWS]);
        divergence_gradient(&FACTORS, 1, &clipped, &by_action(), &mut by_mean, &mut by_log_std).unwrap();
        assert_eq!(by_log_std, [0.0; ROWS]);
        assert!(by_mean.iter().all(|&x| x.is_finite() && x != 0.0));
    }

    /// Every function of this file in one precision, end to end.
    fn everything<F: Real>() -> Vec<f64> {
        let narrow = |values: &[f64]| -> Vec<F> { values.iter().map(|&x| F::of(x)).collect() };
        let inputs = [&MEAN, &LOG_STD, &PRIOR_MEAN, &PRIOR_LOG_STD].map(|values| narrow(values));
        let (noise, weight, by_action) = (narrow(&NOISE), narrow(&WEIGHT), narrow(&by_action()));
        let [mean, log_std, prior_mean, prior_log_std] = &inputs;
        let pair = Pair { mean, log_std, prior_mean, prior_log_std, noise: &noise };
        let factors = Factors {
            temperature: F::of(FACTORS.temperature),
            mean_regulariser: F::of(FACTORS.mean_regulariser),
            log_std_regulariser: F::of(FACTORS.log_std_regulariser),
        };
        let zeros = |len: usize| vec![F::of(0.0); len];
        let [mut a, mut b, mut c, mut d] = [(); 4].map(|()| zeros(ROWS));
        likelihood_gradient(&factors, DIMENSIONS, &pair, &weight, &mut a, &mut b).unwrap();
        add_kl_gradient(F::of(1.7), F::of(0.6), &pair, &mut a, &mut b).unwrap();
        divergence_gradient(&factors, DIMENSIONS, &pair, &by_action, &mut c, &mut d).unwrap();
        let [mut ratio, mut density] = [(); 2].map(|()| zeros(COUNT));
        add_log_ratio(&pair, &mut ratio).unwrap();
        add_log_density_of_prior_samples(&pair, &mut density).unwrap();
        let (of_mean, of_covariance) = kl_divergences(&pair).unwrap();
        let all = [a, b, c, d, ratio, density].concat().into_iter().map(Real::wide);
        all.chain([of_mean, of_covariance]).collect()
    }

    #[test]
    fn f32_agrees_with_f64() {
        let (single, double) = (everything::<f32>(), everything::<f64>());
        for (index, (got, expected)) in single.iter().zip(&double).enumerate() {
            // u up to 15 carries 1e-6, the densities square a standardised value of some ten
            assert!((got - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{index}: {got} {expected}");
        }
        assert_ne!(single, double);
    }

    #[test]
    fn wrong_lengths_are_named() {
        let (mut by_mean, mut by_log_std) = ([0.0; ROWS], [0.0; ROWS]);
        let odd = Pair { noise: &NOISE[1..], ..pair() };
        for (error, name) in [
            (likelihood_gradient(&FACTORS, 1, &odd, &WEIGHT, &mut by_mean, &mut by_log_std), "noise"),
            (
                likelihood_gradient(&FACTORS, 1, &pair(), &WEIGHT[1..], &mut by_mean, &mut by_log_std),
                "weight",
            ),
            (
                divergence_gradient(&FACTORS, 1, &pair(), &[0.0; ROWS], &mut by_mean, &mut by_log_std),
                "byAction",
            ),
            (add_kl_gradient(1.0, 1.0, &pair(), &mut [0.0], &mut by_log_std), "byMean"),
            (add_log_ratio(&pair(), &mut [0.0]), "logRatio"),
            (add_log_density_of_prior_samples(&pair(), &mut [0.0]), "logDensity"),
            (kl_divergences(&Pair { prior_mean: &[0.0], ..pair() }).map(|_| ()), "priorMean"),
        ] {
            let error = error.unwrap_err();
            assert_eq!(error.code(), "LENGTH_MISMATCH");
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
