//! One-step target (App. H):  y = r + γ(1−d) · next, and what `next` is made of: V(s′), min_i Q_i(s′, ã′) − T log π,
//! or mean_k Q(s′, a′_k).
//!
//! Shapes: `[B]`. `discount` is γ, or 0 where the task itself ended. Values are those of target networks in the loss
//! of Q, of online ones in the residual error.

use super::real::Real;
use crate::error::{Result, expect_len};

/// y = r + discount · next, in units of return; `value` holds the value of s′ on entry and y after.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn target<F: Real>(reward: &[F], discount: &[F], value: &mut [F]) -> Result<()> {
    let len = value.len();
    expect_len("reward", reward.len(), len)?;
    expect_len("discount", discount.len(), len)?;
    for (value, (&reward, &discount)) in value.iter_mut().zip(reward.iter().zip(discount)) {
        *value = reward + discount * *value;
    }
    Ok(())
}

/// The smaller of two action values, min_i Q_i; `smaller` holds Q_1 on entry.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn minimum<F: Real>(smaller: &mut [F], other: &[F]) -> Result<()> {
    expect_len("other", other.len(), smaller.len())?;
    for (smaller, &other) in smaller.iter_mut().zip(other) {
        *smaller = if other < *smaller { other } else { *smaller };
    }
    Ok(())
}

/// Soft value: turns Q into Q − T log π, in units of return.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn soften<F: Real>(value: &mut [F], log_density: &[F], temperature: F) -> Result<()> {
    expect_len("logDensity", log_density.len(), value.len())?;
    for (value, &log_density) in value.iter_mut().zip(log_density) {
        *value = *value - temperature * log_density;
    }
    Ok(())
}

/// mean_k Q(s, a_k), `[B]`, of values `[K · B]`, sample k of row b at k B + b.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn sample_mean<F: Real>(values: &[F], mean: &mut [F]) -> Result<()> {
    let rows = mean.len();
    let samples = values.len() / rows.max(1);
    expect_len("values", values.len(), rows * samples)?;
    mean.fill(F::of(0.0));
    for of_sample in values.chunks_exact(rows.max(1)) {
        for (mean, &value) in mean.iter_mut().zip(of_sample) {
            *mean += value;
        }
    }
    let share = F::of(1.0 / samples as f64);
    for mean in mean {
        *mean = *mean * share;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{minimum, sample_mean, soften, target};

    #[test]
    fn a_terminal_transition_is_worth_its_reward() {
        let mut y = [4.0; 2];
        target(&[1.0, 1.0], &[0.5, 0.0], &mut y).unwrap();
        assert_eq!(y, [3.0, 1.0]);
    }

    #[test]
    fn the_smaller_value_less_its_temperature_is_soft() {
        let mut value = [1.0, 5.0];
        minimum(&mut value, &[2.0, 3.0]).unwrap();
        assert_eq!(value, [1.0, 3.0]);
        soften(&mut value, &[-1.0, 2.0], 0.5).unwrap();
        assert_eq!(value, [1.5, 2.0]);
    }

    #[test]
    fn samples_of_a_row_are_averaged() {
        let mut mean = [9.0; 2];
        sample_mean(&[1.0, 10.0, 2.0, 20.0, 6.0, 0.0], &mut mean).unwrap();
        // a third in binary is not exact
        assert!((mean[0] - 3.0_f64).abs() < 1e-15 && (mean[1] - 10.0).abs() < 1e-14);
    }

    #[test]
    fn wrong_lengths_are_named() {
        let error = target(&[1.0_f32], &[0.5, 0.5], &mut [0.0, 0.0]).unwrap_err();
        assert_eq!(error.code(), "LENGTH_MISMATCH");
        assert!(error.to_string().contains("reward"));
    }
}
