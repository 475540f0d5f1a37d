//! Adam (Kingma and Ba 2015, Algorithm 1) on flat tensors:
//!
//! m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  θ ← θ − λ (m / (1−β₁ᵗ)) / (√(v / (1−β₂ᵗ)) + offset).
//!
//! Moments, step count and bias corrections live on the device: a step sends nothing there and waits for nothing. What
//! is stepped together shares the count ([`Clock`]).

use tch::{Kind, Tensor};

use super::transfer::{Placement, exchange, exchange_scalar};
use crate::error::Result;
use crate::ledger::Ledger;
use crate::math::adam::{DENOMINATOR_OFFSET, FIRST_MOMENT_DECAY, SECOND_MOMENT_DECAY};

/// Steps taken, and the bias corrections that follow from them, computed in f64: 1 − β₂ᵗ in f32 would be off by 3e-5 at
/// first.
pub struct Clock {
    /// t, a scalar in f64.
    step: Tensor,
    /// (β₁, β₂), in f64.
    decays: Tensor,
    /// √(1−β₂ᵗ), a scalar as precise as the values, which a GPU divides by twice as fast; nothing before the first step.
    second_root: Tensor,
}

impl Clock {
    /// Before the first step.
    pub fn new(placement: Placement) -> Result<Self> {
        let exact = Placement { kind: Kind::Double, ..placement };
        let (step, decays) = (exact.zeros(&[])?, exact.zeros(&[2])?);
        for (index, decay) in [FIRST_MOMENT_DECAY, SECOND_MOMENT_DECAY].into_iter().enumerate() {
            let _ = decays.f_select(0, index as i64)?.f_fill_(decay)?;
        }
        Ok(Self { step, decays, second_root: placement.zeros(&[])? })
    }

    /// Steps taken; what follows from them is computed with the next.
    pub fn state(&mut self, name: &str, ledger: &mut Ledger) -> Result<()> {
        exchange_scalar(ledger, name, &mut self.step)
    }

    /// Moves on to the next step; 1 − β₁ᵗ, in f64. It changes numbers on the device, not what of them the host holds.
    pub fn tick(&self) -> Result<Tensor> {
        let _ = self.step.shallow_clone().f_add_scalar_(1)?;
        let complements = self.decays.f_pow(&self.step)?.f_rsub_scalar(1)?;
        // where it lay: steps that are recorded apart share it
        let _ = complements.f_select(0, 1)?.f_sqrt_out(&self.second_root)?;
        Ok(complements.f_select(0, 0)?)
    }
}

/// One optimiser's state.
pub struct Adam {
    /// −λ, a scalar in f64.
    negative_rate: Tensor,
    /// −λ / (1−β₁ᵗ) of the step that was begun, a scalar as precise as the values.
    rate: Tensor,
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
        let zeros = || values.f_zeros_like();
        Ok(Self {
            negative_rate: Tensor::f_full([0_i64; 0], -learning_rate, (Kind::Double, values.device()))?,
            rate: Tensor::f_zeros([0_i64; 0], (values.f_kind()?, values.device()))?,
            first_moment: zeros()?,
            second_moment: zeros()?,
            scratch: zeros()?,
        })
    }

    /// Moments; the clock has the steps.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        exchange(ledger, "firstMoment", &mut self.first_moment)?;
        exchange(ledger, "secondMoment", &mut self.second_moment)
    }

    /// Begins the step that the clock has come to, given 1 − β₁ᵗ.
    pub fn begin(&self, complement: &Tensor) -> Result<()> {
        let _ = self.negative_rate.f_div_out(&self.rate, complement)?;
        Ok(())
    }

    /// Steps `values` against `gradient`, the step that was begun with the clock.
    pub fn step(&mut self, values: &mut Tensor, gradient: &Tensor, clock: &Clock) -> Result<()> {
        let _ = self.first_moment.f_lerp_(gradient, 1.0 - FIRST_MOMENT_DECAY)?;
        let _ = gradient.f_square_out(&self.scratch)?;
        let _ = self.second_moment.f_lerp_(&self.scratch, 1.0 - SECOND_MOMENT_DECAY)?;
        let quotient = self.quotient(clock)?;
        let _ = values.f_addcmul_(&quotient, &self.rate)?;
        Ok(())
    }

    /// ‖change‖₂ of the latest step, a scalar: the moments still hold it.
    pub fn change_norm(&mut self, clock: &Clock) -> Result<Tensor> {
        Ok(self.quotient(clock)?.f_norm()?.f_mul(&self.rate.f_abs()?)?)
    }

    /// m / (√(v / (1−β₂ᵗ)) + offset).
    fn quotient(&mut self, clock: &Clock) -> Result<Tensor> {
        let scratch = &mut self.scratch;
        let _ = self.second_moment.f_sqrt_out(scratch)?;
        let _ = scratch.f_div_(&clock.second_root)?.f_add_scalar_(DENOMINATOR_OFFSET)?;
        Ok(self.first_moment.f_div_out(scratch, scratch)?)
    }
}
