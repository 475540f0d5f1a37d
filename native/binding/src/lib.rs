//! The Node addon: every entry checks what it was given, calls the engine, fills the caller's arrays.
//! Each is wrapped twice: `Result` for errors with a code, `catch_unwind` for defects.

pub mod calibration;
pub mod config;
pub mod environment;
mod error;
pub mod policy;
pub mod session;
mod threads;
pub mod vector;
mod worker;

use napi_derive::napi;

/// Versions of what is loaded.
#[napi(object)]
pub struct NativeVersions {
    /// This package.
    pub package: String,
    /// libtorch, as compiled against.
    pub torch: String,
    /// MuJoCo, as loaded.
    pub mujoco: String,
}

/// Loads nothing more than importing the addon does: what set-up runs in a child process as its proof.
/// A tensor is summed, so that a libtorch that loads but cannot compute is seen.
///
/// Errors: `NATIVE_EXCEPTION`.
#[napi(catch_unwind)]
pub fn versions() -> napi::Result<NativeVersions, String> {
    let versions = virel_engine::versions::versions().map_err(error::to_js)?;
    Ok(NativeVersions {
        package: env!("CARGO_PKG_VERSION").to_owned(),
        torch: versions.torch.to_owned(),
        mujoco: versions.mujoco.to_owned(),
    })
}
