//! Target network:  φ̄ ← τφ + (1−τ)φ̄  (A10 of docs/paper.md: the printed update does nothing).

use tch::Tensor;

use crate::error::Result;

/// Moves the target's flat parameters a share τ = `rate` of the way to the online ones; τ = 1 copies them to the bit.
pub fn target_update(target: &mut Tensor, online: &Tensor, rate: f64) -> Result<()> {
    if rate == 1.0 {
        target.f_copy_(online)?;
    } else {
        let _ = target.f_lerp_(online, rate)?;
    }
    Ok(())
}
