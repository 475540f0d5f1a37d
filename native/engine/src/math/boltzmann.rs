//! The Boltzmann policy over K sampled actions (App. G): with a_k ~ π_φ(·|s) the prior cancels, and the optimum of the
//! E-step has weights  ω_k = exp(Q(s, a_k)/T) / Σ_j exp(Q(s, a_j)/T).
//!
//! Shapes: `[K · B]`, sample k of row b at k B + b. Guard: the row's maximum is subtracted before exp.

use super::real::Real;
use crate::error::{Result, expect_len};

/// What a dual temperature reads of the weights; means over the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Partition {
    /// mean_b log mean_k exp(Q/T), in nats.
    pub log_mean_exp: f64,
    /// mean_b Σ_k ω_k log(K ω_k): the KL divergence of the weights from equal ones, in nats.
    pub divergence: f64,
}

/// Fills `weight` with ω, each row's summing to one, for T > 0.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn weights<F: Real>(
    rows: usize,
    temperature: F,
    action_value: &[F],
    weight: &mut [F],
) -> Result<Partition> {
    let samples = action_value.len() / rows.max(1);
    expect_len("actionValue", action_value.len(), rows * samples)?;
    expect_len("weight", weight.len(), rows * samples)?;
    let (mut log_mean_exp, mut divergence) = (0.0, 0.0);
    for b in 0..rows {
        let row = || (0..samples).map(|k| k * rows + b);
        let largest = row().map(|i| action_value[i]).fold(action_value[b], |a, q| if q > a { q } else { a });
        let (mut total, mut weighted) = (0.0, 0.0);
        for i in row() {
            let exponent = (action_value[i] - largest) / temperature;
            weight[i] = exponent.exponential();
            total += weight[i].wide();
            weighted += weight[i].wide() * exponent.wide();
        }
        let share = F::of(1.0 / total);
        for i in row() {
            weight[i] = weight[i] * share;
        }
        let log_mean = (total / samples as f64).ln();
        log_mean_exp += largest.wide() / temperature.wide() + log_mean;
        divergence += weighted / total - log_mean;
    }
    let count = rows as f64;
    Ok(Partition { log_mean_exp: log_mean_exp / count, divergence: divergence / count })
}

#[cfg(test)]
mod tests {
    use super::weights;

    #[test]
    fn weights_are_a_softmax_of_each_row() {
        // two rows, three samples
        let values = [1.0, -2.0, 0.5, 3.0, 0.0, 3.0_f64];
        let mut got = [0.0; 6];
        let partition = weights(2, 0.5, &values, &mut got).unwrap();
        let (mut log_mean_exp, mut divergence) = (0.0, 0.0);
        for b in 0..2 {
            let row = [values[b], values[2 + b], values[4 + b]];
            let exps = row.map(|q| (q / 0.5).exp());
            let total: f64 = exps.iter().sum();
            for k in 0..3 {
                assert!((got[2 * k + b] - exps[k] / total).abs() < 1e-14);
                divergence += exps[k] / total * (3.0 * exps[k] / total).ln() / 2.0;
            }
            log_mean_exp += (total / 3.0).ln() / 2.0;
        }
        assert!((partition.log_mean_exp - log_mean_exp).abs() < 1e-14);
        assert!((partition.divergence - divergence).abs() < 1e-14);
    }

    #[test]
    fn a_small_temperature_is_greedy_and_a_large_one_uniform() {
        let values = [1.0, 2.0, -5.0_f32];
        let mut got = [0.0; 3];
        weights(1, 1e-6, &values, &mut got).unwrap();
        // the exponential of f32 ends at e⁻⁸⁷ = 2e-38
        assert!(got[1] == 1.0 && got[0] < 1e-37 && got[2] < 1e-37, "{got:?}");
        weights(1, 1e9, &values, &mut got).unwrap();
        assert!(got.iter().all(|w| (w - 1.0 / 3.0).abs() < 1e-7));
    }

    #[test]
    fn f32_agrees_with_f64() {
        let values: [f64; 12] = std::array::from_fn(|i| 3.0 * (1.7 * i as f64).sin());
        let (mut double, mut single) = ([0.0; 12], [0.0; 12]);
        let expected = weights(4, 0.3, &values, &mut double).unwrap();
        let got = weights(4, 0.3, &values.map(|x| x as f32), &mut single).unwrap();
        for (got, expected) in single.iter().zip(&double) {
            // an exponent of at most 20, rounded to 1e-6
            assert!((f64::from(*got) - expected).abs() < 4e-6 * expected + 1e-37, "{got} {expected}");
        }
        assert!((got.log_mean_exp / expected.log_mean_exp - 1.0).abs() < 1e-6);
        assert!((got.divergence / expected.divergence - 1.0).abs() < 1e-6);
    }

    #[test]
    fn wrong_lengths_are_named() {
        assert_eq!(weights(2, 1.0, &[0.0_f64; 3], &mut [0.0; 3]).unwrap_err().code(), "LENGTH_MISMATCH");
    }
}
