//! Adam (Kingma and Ba 2015, Algorithm 1) on flat tensors:
//!
//! m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  θ ← θ − λ (m / (1−β₁ᵗ)) / (√(v / (1−β₂ᵗ)) + offset).
//!
//! Moments, step count and bias corrections live on the device: a step sends nothing there and waits for nothing. What
//! is stepped together shares the count ([`Clock`]).

use tch::{Device, Kind, Tensor};

use super::transfer::{exchange, exchange_scalar};
use crate::error::Result;
use crate::ledger::Ledger;
use crate::math::adam::{DENOMINATOR_OFFSET, FIRST_MOMENT_DECAY, SECOND_MOMENT_DECAY};

/// Steps taken, and the bias corrections that follow from them; scalars in f64: 1 − β₂ᵗ in f32 would be off by 3e-5 at
/// first.
pub struct Clock {
    /// t.
    step: Tensor,
    /// 1 / (1−β₁ᵗ); nothing before the first step.
    first_correction: Tensor,
    /// √(1−β₂ᵗ); nothing before the first step.
    second_root: Tensor,
}

impl Clock {
    /// Before the first step.
    pub fn new(device: Device) -> Result<Self> {
        let zero = || Tensor::f_zeros([], (Kind::Double, device));
        Ok(Self { step: zero()?, first_correction: zero()?, second_root: zero()? })
    }

    /// Steps taken; what follows from them is computed with the next.
    pub fn state(&mut self, name: &str, ledger: &mut Ledger) -> Result<()> {
        exchange_scalar(ledger, name, &mut self.step)
    }

    /// Moves on to the next step. It changes numbers on the device, not what of them the host holds.
    pub fn tick(&self) -> Result<()> {
        let _ = self.step.shallow_clone().f_add_scalar_(1)?;
        let complement = |decay: f64| Tensor::f_pow_scalar(decay, &self.step)?.f_rsub_scalar(1);
        // where they lay: steps that are recorded apart share them
        let _ = complement(FIRST_MOMENT_DECAY)?.f_reciprocal_out(&self.first_correction)?;
        let _ = complement(SECOND_MOMENT_DECAY)?.f_sqrt_out(&self.second_root)?;
        Ok(())
    }
}

/// One optimiser's state.
pub struct Adam {
    learning_rate: f64,
    /// m.
    first_moment: Tensor,
    /// v.
    second_moment: Tensor,
    /// Room for g², then the denominator, then the quotient.
    scratch: Tensor,
}

impl Adam {
    /// The state before the first step on parameters shaped as `values`.
    pub fn new(values: &Tensor, learning_rate: f64) -> Result<Self> {
        Ok(Self {
            learning_rate,
            first_moment: values.f_zeros_like()?,
            second_moment: values.f_zeros_like()?,
            scratch: values.f_zeros_like()?,
        })
    }

    /// Moments; the clock has the steps.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        exchange(ledger, "firstMoment", &mut self.first_moment)?;
        exchange(ledger, "secondMoment", &mut self.second_moment)
    }

    /// Steps `values` against `gradient`, the step that the clock has come to.
    pub fn step(&mut self, values: &mut Tensor, gradient: &Tensor, clock: &Clock) -> Result<()> {
        let _ = self.first_moment.f_lerp_(gradient, 1.0 - FIRST_MOMENT_DECAY)?;
        let _ = gradient.f_square_out(&self.scratch)?;
        let _ = self.second_moment.f_lerp_(&self.scratch, 1.0 - SECOND_MOMENT_DECAY)?;
        let (quotient, rate) = self.quotient(clock)?;
        let _ = values.f_addcmul_(&quotient, &rate)?;
        Ok(())
    }

    /// ‖change‖₂ of the latest step, a scalar: the moments still hold it.
    pub fn change_norm(&mut self, clock: &Clock) -> Result<Tensor> {
        let (quotient, rate) = self.quotient(clock)?;
        Ok(quotient.f_norm()?.f_mul(&rate.f_abs()?)?)
    }

    /// m / (√(v / (1−β₂ᵗ)) + offset), and −λ / (1−β₁ᵗ) that the change multiplies it with.
    fn quotient(&mut self, clock: &Clock) -> Result<(Tensor, Tensor)> {
        let scratch = &mut self.scratch;
        let _ = self.second_moment.f_sqrt_out(scratch)?;
        let _ = scratch.f_div_(&clock.second_root)?.f_add_scalar_(DENOMINATOR_OFFSET)?;
        let quotient = self.first_moment.f_div_out(scratch, scratch)?;
        Ok((quotient, clock.first_correction.f_mul_scalar(-self.learning_rate)?))
    }
}
