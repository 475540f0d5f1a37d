//! Target network (docs/paper.md A10):  φ̄ ← τφ + (1−τ)φ̄.

use super::real::Real;
use crate::error::{Result, expect_len};

/// Moves `target` towards `online` by the share `rate` = τ in [0, 1]; equal values stay equal to the bit, and
/// τ = 1 copies to the bit.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn target_update<F: Real>(target: &mut [F], online: &[F], rate: F) -> Result<()> {
    expect_len("online", online.len(), target.len())?;
    let rest = F::of(1.0) - rate;
    // two forms of one line through both ends; each is exact at the end it starts from
    let from_target = rate < F::of(0.5);
    for (target, &online) in target.iter_mut().zip(online) {
        let gap = online - *target;
        *target = if from_target { *target + rate * gap } else { online - rest * gap };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::target_update;

    #[test]
    fn target_moves_by_its_rate() {
        for rate in [0.25, 0.75] {
            let mut target = [1.0, -2.0];
            target_update(&mut target, &[5.0, 2.0], rate).unwrap();
            assert_eq!(target, [1.0 + 4.0 * rate, -2.0 + 4.0 * rate]);
        }
    }

    #[test]
    fn rates_zero_and_one_and_equal_values_are_exact() {
        let (start, online) = ([0.1_f32, 1e-9, -7.3], [3.3_f32, 1e7, 0.2]);
        let moved = |rate: f32, online: [f32; 3]| {
            let mut target = start;
            target_update(&mut target, &online, rate).unwrap();
            target
        };
        assert_eq!(moved(0.0, online), start);
        assert_eq!(moved(1.0, online), online);
        assert_eq!(moved(0.005, start), start);
    }

    #[test]
    fn wrong_lengths_are_named() {
        assert_eq!(target_update(&mut [0.0_f64], &[], 0.5).unwrap_err().code(), "LENGTH_MISMATCH");
    }
}
