//! Adam (Kingma and Ba 2015, Algorithm 1) on one flat tensor:
//!
//! m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  θ ← θ − λ (m / (1−β₁ᵗ)) / (√(v / (1−β₂ᵗ)) + offset).
//!
//! Moments, step count and bias corrections live on the device: a step sends nothing there and waits for nothing.

use tch::{Kind, Tensor};

use crate::error::Result;
use crate::math::adam::{DENOMINATOR_OFFSET, FIRST_MOMENT_DECAY, SECOND_MOMENT_DECAY};

/// One optimiser's state.
pub struct Adam {
    learning_rate: f64,
    /// m.
    first_moment: Tensor,
    /// v.
    second_moment: Tensor,
    /// t, a scalar in f64: 1 − β₂ᵗ in f32 would be off by 3e-5 at first.
    step: Tensor,
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
            step: Tensor::f_zeros([], (Kind::Double, values.device()))?,
            scratch: values.f_zeros_like()?,
        })
    }

    /// One step of `values` against `gradient`.
    pub fn step(&mut self, values: &mut Tensor, gradient: &Tensor) -> Result<()> {
        let _ = self.step.f_add_scalar_(1)?;
        let _ = self.first_moment.f_lerp_(gradient, 1.0 - FIRST_MOMENT_DECAY)?;
        let _ = gradient.f_square_out(&self.scratch)?;
        let _ = self.second_moment.f_lerp_(&self.scratch, 1.0 - SECOND_MOMENT_DECAY)?;
        let (quotient, rate) = self.quotient()?;
        let _ = values.f_addcmul_(&quotient, &rate)?;
        Ok(())
    }

    /// ‖change‖₂ of the latest step, a scalar: the moments still hold it.
    pub fn change_norm(&mut self) -> Result<Tensor> {
        let (quotient, rate) = self.quotient()?;
        Ok(quotient.f_norm()?.f_mul(&rate.f_abs()?)?)
    }

    /// m / (√(v / (1−β₂ᵗ)) + offset), and −λ / (1−β₁ᵗ) that the change multiplies it with.
    fn quotient(&mut self) -> Result<(Tensor, Tensor)> {
        let scratch = &mut self.scratch;
        // bias corrections, scalars
        let first = Tensor::f_pow_scalar(FIRST_MOMENT_DECAY, &self.step)?.f_rsub_scalar(1)?;
        let second = Tensor::f_pow_scalar(SECOND_MOMENT_DECAY, &self.step)?.f_rsub_scalar(1)?;
        // √(v / (1−β₂ᵗ)) + offset
        let _ = self.second_moment.f_sqrt_out(scratch)?;
        let _ = scratch.f_div_(&second.f_sqrt()?)?.f_add_scalar_(DENOMINATOR_OFFSET)?;
        let quotient = self.first_moment.f_div_out(scratch, scratch)?;
        Ok((quotient, first.f_reciprocal()?.f_mul_scalar(-self.learning_rate)?))
    }
}
