//! M-step by the direct method (F.3; App. H without its factor ½, as the authors' code):
//! J_Q = mean_b (Q_w(s, a) − y_Q)²,  J_V = mean_b (V_φ(s) − y_V)².
//!
//! Both are one function of a prediction and its target: y_Q = r + γ(1−d) V_φ̄(s′) is [`super::bellman::target`],
//! y_V = Q_w(s, ã) has no entropy bonus (docs/paper.md A14).
//! Shapes: `[B]`. Gradient reaches the prediction; the target is a constant.

use super::real::{Real, sum};
use crate::error::{Result, expect_len};

/// mean (prediction − target)².
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn loss<F: Real>(prediction: &[F], target: &[F]) -> Result<f64> {
    expect_len("target", target.len(), prediction.len())?;
    let squares = prediction.iter().zip(target).map(|(&prediction, &target)| {
        let error = prediction - target;
        error * error
    });
    Ok(sum(squares) / prediction.len() as f64)
}

/// ∂ [`loss`] / ∂ prediction = 2 (prediction − target) / B.
///
/// # Errors
/// `LENGTH_MISMATCH`.
#[inline(always)]
pub fn gradient<F: Real>(prediction: &[F], target: &[F], by_prediction: &mut [F]) -> Result<()> {
    expect_len("target", target.len(), prediction.len())?;
    expect_len("byPrediction", by_prediction.len(), prediction.len())?;
    let share = F::of(2.0 / prediction.len() as f64);
    for (by_prediction, (&prediction, &target)) in by_prediction.iter_mut().zip(prediction.iter().zip(target))
    {
        *by_prediction = share * (prediction - target);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{gradient, loss};

    #[test]
    fn gradient_is_the_difference_of_the_loss() {
        let (prediction, target) = ([1.5, -0.25, 3.0], [0.5, 0.75, 2.0]);
        let mut by_prediction = [0.0; 3];
        gradient(&prediction, &target, &mut by_prediction).unwrap();
        for i in 0..3 {
            let at = |h: f64| {
                let mut moved = prediction;
                moved[i] += h;
                loss(&moved, &target).unwrap()
            };
            // a quadratic: central differences are exact up to 1e-16 / h
            assert!((by_prediction[i] - (at(1e-4) - at(-1e-4)) / 2e-4).abs() < 1e-11);
        }
    }

    #[test]
    fn loss_has_no_factor_one_half() {
        assert_eq!(loss(&[3.0], &[1.0]).unwrap(), 4.0);
    }

    #[test]
    fn loss_and_gradient_vanish_at_the_target() {
        let mut by_prediction = [1.0; 2];
        gradient(&[2.0_f32, -1.0], &[2.0, -1.0], &mut by_prediction).unwrap();
        assert_eq!(by_prediction, [0.0; 2]);
        assert_eq!(loss(&[2.0_f32, -1.0], &[2.0, -1.0]).unwrap(), 0.0);
    }

    #[test]
    fn wrong_lengths_are_named() {
        assert_eq!(loss(&[0.0_f64], &[]).unwrap_err().code(), "LENGTH_MISMATCH");
        assert_eq!(gradient(&[0.0_f64], &[0.0], &mut []).unwrap_err().code(), "LENGTH_MISMATCH");
    }
}
