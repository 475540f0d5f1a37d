//! Residual error of the critic on a minibatch (Alg. 2; docs/paper.md A7):  ε_w = mean_b (y_b − Q_w(s_b, a_b))².
//!
//! Shapes: `[B]`. No gradient; no factor ½, unlike the theory's norm (E.3).

use super::real::{Real, sum};
use crate::error::{Result, expect_len};

/// Σ_b (y_b − Q_w(s_b, a_b))²: a part of the residual error, for batches that are read in tiles.
///
/// * `action_value` `[B]`: online Q_w, in units of return.
/// * `target` `[B]`: y = r + γ(1−d) V_φ(s′), online V as in the released code; Alg. 2 prints V_φ̄.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn squared_sum<F: Real>(action_value: &[F], target: &[F]) -> Result<f64> {
    expect_len("target", target.len(), action_value.len())?;
    let squares = action_value.iter().zip(target).map(|(&action_value, &target)| {
        let residual = target - action_value;
        residual * residual
    });
    Ok(sum(squares))
}

/// ε_w, in return², from Σ_b (y_b − Q_w(s_b, a_b))² over all `rows` of the batch.
pub fn residual_error(squared_sum: f64, rows: usize) -> f64 {
    squared_sum / rows as f64
}

#[cfg(test)]
mod tests {
    use super::{residual_error, squared_sum};

    #[test]
    fn residual_error_is_a_plain_mean_square() {
        let of_two = |action_value: &[f32], target: &[f32]| {
            residual_error(squared_sum(action_value, target).unwrap(), 2)
        };
        assert_eq!(of_two(&[1.0, 2.0], &[2.0, 5.0]), 5.0);
        assert_eq!(of_two(&[1.0, 2.0], &[1.0, 2.0]), 0.0);
    }

    #[test]
    fn residual_error_of_tiles_is_that_of_their_batch() {
        let (action_value, target) = ([1.0, 2.0, -1.0], [2.0, 5.0, 1.0]);
        let first = squared_sum(&action_value[..2], &target[..2]).unwrap();
        let rest = squared_sum(&action_value[2..], &target[2..]).unwrap();
        let whole = squared_sum(&action_value, &target).unwrap();
        assert_eq!(residual_error(first + rest, 3), residual_error(whole, 3));
    }

    #[test]
    fn wrong_lengths_are_named() {
        assert_eq!(squared_sum(&[1.0_f32], &[1.0, 2.0]).unwrap_err().code(), "LENGTH_MISMATCH");
    }
}
