//! Adam (Kingma and Ba 2015, Algorithm 1):  m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,
//! w ← w − λ m̂ / (√v̂ + 1e-8),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ).
//!
//! Decays and offset are the defaults of that paper and of PyTorch.
//!
//! Where a unit no longer answers to anything, its gradients are zero and its moments decay until they are subnormal, which
//! some processors compute with a hundred times as slowly; and there they would stay, since 0.9 of the least number rounds to
//! that number. Every now and then such moments become 0: no weight is moved by so little.

use super::real::Real;
use crate::error::{Result, expect_len};

/// β₁.
pub const FIRST_MOMENT_DECAY: f64 = 0.9;
/// β₂.
pub const SECOND_MOMENT_DECAY: f64 = 0.999;
/// Added to √v̂.
pub const DENOMINATOR_OFFSET: f64 = 1e-8;

/// Steps from one that clears subnormal moments to the next: few enough to be rid of them, and enough that looking for them costs
/// nothing.
const CLEAR_EVERY: u64 = 256;

/// What step t multiplies with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep<F> {
    /// λ / (1 − β₁ᵗ).
    rate: F,
    /// 1 / √(1 − β₂ᵗ).
    root_correction: F,
    /// Whether moments that are subnormal become 0 first.
    clears: bool,
}

impl<F: Real> AdamStep<F> {
    /// Step `step`, counted from 1, at learning rate λ.
    pub fn new(learning_rate: f64, step: u64) -> Self {
        let correction = |decay: f64| 1.0 - decay.powf(step as f64);
        Self {
            rate: F::of(learning_rate / correction(FIRST_MOMENT_DECAY)),
            root_correction: F::of(1.0 / correction(SECOND_MOMENT_DECAY).sqrt()),
            clears: step.is_multiple_of(CLEAR_EVERY),
        }
    }

    /// What this step subtracts from a weight whose moments, after it, are these.
    #[inline(always)]
    pub fn change(&self, first: F, second: F) -> F {
        self.rate * first / (second.root() * self.root_correction + F::of(DENOMINATOR_OFFSET))
    }

    /// Moves `weight` against `gradient`, element by element; `first` and `second` are m and v.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`.
    #[inline(always)]
    pub fn apply(&self, weight: &mut [F], gradient: &[F], first: &mut [F], second: &mut [F]) -> Result<()> {
        let len = weight.len();
        expect_len("gradient", gradient.len(), len)?;
        expect_len("firstMoment", first.len(), len)?;
        expect_len("secondMoment", second.len(), len)?;
        if self.clears {
            for moment in first.iter_mut().chain(second.iter_mut()) {
                *moment = moment.normal_or_zero();
            }
        }
        let (first_decay, second_decay) = (F::of(FIRST_MOMENT_DECAY), F::of(SECOND_MOMENT_DECAY));
        let (first_share, second_share) = (F::of(1.0 - FIRST_MOMENT_DECAY), F::of(1.0 - SECOND_MOMENT_DECAY));
        let moments = first.iter_mut().zip(second);
        for ((weight, &gradient), (first, second)) in weight.iter_mut().zip(gradient).zip(moments) {
            *first = first_decay * *first + first_share * gradient;
            *second = second_decay * *second + second_share * gradient * gradient;
            *weight = *weight - self.change(*first, *second);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::AdamStep;

    #[test]
    fn first_step_moves_by_the_learning_rate_against_the_sign() {
        let (mut weight, mut first, mut second) = ([1.0, 1.0, 1.0], [0.0; 3], [0.0; 3]);
        AdamStep::new(0.01, 1).apply(&mut weight, &[3.0, -1e-3, 0.0], &mut first, &mut second).unwrap();
        // m̂ = g, √v̂ = |g|; the offset shortens the second by 1e-8 / 1e-3
        for (got, expected) in weight.iter().zip([0.99, 1.01 - 1e-7, 1.0_f64]) {
            assert!((got - expected).abs() < 1e-9, "{got} {expected}");
        }
    }

    #[test]
    fn several_steps_follow_the_published_recurrence() {
        let gradients = [0.3, -0.1, 0.7, 0.7, -2.0_f64];
        let (mut weight, mut first, mut second) = ([0.5], [0.0], [0.0]);
        let (mut w, mut m, mut v) = (0.5, 0.0, 0.0_f64);
        for (index, &g) in gradients.iter().enumerate() {
            let t = index as i32 + 1;
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            w -= 3e-4 * (m / (1.0 - 0.9_f64.powi(t))) / ((v / (1.0 - 0.999_f64.powi(t))).sqrt() + 1e-8);
            AdamStep::new(3e-4, t as u64).apply(&mut weight, &[g], &mut first, &mut second).unwrap();
            assert!((weight[0] - w).abs() < 1e-14);
        }
    }

    #[test]
    fn zero_gradients_from_the_start_move_nothing() {
        let (mut weight, mut first, mut second) = ([0.25_f32; 4], [0.0; 4], [0.0; 4]);
        for step in 1..5 {
            AdamStep::new(1.0, step).apply(&mut weight, &[0.0; 4], &mut first, &mut second).unwrap();
        }
        assert_eq!(weight, [0.25; 4]);
    }

    #[test]
    fn moments_that_nothing_feeds_become_zero_and_move_nothing_on_their_way() {
        let (mut weight, mut first, mut second) = ([0.25_f32], [1e-3], [1e-6]);
        let mut resting = weight;
        for step in 100..100_000 {
            AdamStep::new(3e-4, step).apply(&mut weight, &[0.0], &mut first, &mut second).unwrap();
            if step == 400 {
                resting = weight;
            }
        }
        assert_eq!((first, second), ([0.0], [0.0]));
        assert_eq!(weight, resting);
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        let (mut weight, mut first, mut second) = ([0.25_f32; 2], [0.0; 2], [0.0; 2]);
        let gradient = [f32::NAN, f32::INFINITY];
        AdamStep::new(3e-4, 1).apply(&mut weight, &gradient, &mut first, &mut second).unwrap();
        assert!(first[0].is_nan() && second[0].is_nan() && weight.iter().all(|weight| weight.is_nan()));
        assert_eq!((first[1], second[1]), (f32::INFINITY, f32::INFINITY));
    }

    #[test]
    fn wrong_lengths_are_named() {
        let error = AdamStep::new(1.0, 1).apply(&mut [0.0_f32], &[0.0], &mut [], &mut [0.0]).unwrap_err();
        assert_eq!(error.code(), "LENGTH_MISMATCH");
    }
}
