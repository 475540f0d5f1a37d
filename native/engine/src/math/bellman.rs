//! One-step target (App. H):  y = r + γ(1−d) V(s′).
//!
//! Shapes: `[B]`. `discount` is γ, or 0 where the task itself ended. V is φ̄'s in the loss of Q, φ's in the
//! residual error.

use super::real::Real;
use crate::error::{Result, expect_len};

/// y = r + discount · V(s′), in units of return.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn target<F: Real>(reward: &[F], discount: &[F], next_state_value: &[F], target: &mut [F]) -> Result<()> {
    let len = target.len();
    expect_len("reward", reward.len(), len)?;
    expect_len("discount", discount.len(), len)?;
    expect_len("nextStateValue", next_state_value.len(), len)?;
    let terms = reward.iter().zip(discount).zip(next_state_value);
    for (target, ((&reward, &discount), &next)) in target.iter_mut().zip(terms) {
        *target = reward + discount * next;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_terminal_transition_is_worth_its_reward() {
        let mut y = [0.0; 2];
        target(&[1.0, 1.0], &[0.5, 0.0], &[4.0, 4.0], &mut y).unwrap();
        assert_eq!(y, [3.0, 1.0]);
    }

    #[test]
    fn wrong_lengths_are_named() {
        let error = target(&[1.0_f32], &[0.5], &[4.0, 4.0], &mut [0.0]).unwrap_err();
        assert_eq!(error.code(), "LENGTH_MISMATCH");
        assert!(error.to_string().contains("nextStateValue"));
    }
}
