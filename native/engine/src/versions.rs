//! Which libraries this engine works with, and a proof that they compute.

use crate::error::{EngineError, Result};
use crate::learner::tensor::read;

/// Versions of the two native libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// libtorch, as compiled against.
    pub torch: &'static str,
    /// MuJoCo, as loaded.
    pub mujoco: &'static str,
}

/// The versions; a tensor is summed first, so that a libtorch that loads but cannot compute is seen.
///
/// # Errors
/// `NATIVE_EXCEPTION`.
pub fn versions() -> Result<Versions> {
    let sum = tch::Tensor::f_from_slice(&[1.0_f64, 2.0, 3.0])?.f_sum(tch::Kind::Double)?;
    let sum = read(&sum)?;
    if sum != 6.0 {
        return Err(EngineError::Torch { reason: format!("1 + 2 + 3 came out as {sum}") });
    }
    Ok(Versions { torch: env!("VIREL_TORCH_VERSION"), mujoco: mujoco_rs::mujoco_version() })
}
