//! What this machine can do: the clock for the engine's work.

use std::time::{Duration, Instant};

use napi_derive::napi;
use virel_engine::error::{EngineError, Result};
use virel_engine::learner::kernel::sgemm::Gemm;
use virel_engine::learner::kernel::sgemm::calibration::{Layer, multiply_adds};

use crate::error::to_js;

/// Speed of one candidate for the matrix products.
#[napi(object)]
pub struct NativeGemmSpeed {
    /// As configs call it.
    pub name: String,
    /// 10⁹ floating-point operations a second on one core, over the three products of a hidden layer of 300 and a
    /// batch of 128, with what finishes them.
    pub gflops: f64,
}

/// What one core can do.
#[napi(object)]
pub struct NativeCalibration {
    /// 10⁹ floating-point operations a second of fused multiply-adds in registers: the ceiling.
    pub fma_gflops: f64,
    /// Every candidate for the matrix products.
    pub gemms: Vec<NativeGemmSpeed>,
}

/// Longest measurement of one speed.
const MOST_SECONDS: f64 = 60.0;

/// Measures one core, `seconds` for each speed; the best of many short blocks, so that what else runs on the machine
/// takes no part. It keeps the calling thread.
///
/// Errors: `CONFIG_RANGE`.
#[napi(catch_unwind)]
pub fn calibrate(seconds: f64) -> napi::Result<NativeCalibration, String> {
    measure(seconds).map_err(to_js)
}

fn measure(seconds: f64) -> Result<NativeCalibration> {
    if !(seconds > 0.0 && seconds <= MOST_SECONDS) {
        let (name, expected) = ("seconds", "a number above 0, at most 60");
        return Err(EngineError::OutOfRange { name, expected, got: seconds.to_string() });
    }
    let budget = Duration::from_secs_f64(seconds);
    let mut layer = Layer::new();
    let gemms = Gemm::all().map(|gemm| NativeGemmSpeed {
        name: gemm.name().to_owned(),
        gflops: best(budget, || {
            layer.pass(gemm);
            Layer::OPERATIONS
        }),
    });
    let gemms = gemms.collect();
    Ok(NativeCalibration { fma_gflops: best(budget, multiply_adds), gemms })
}

/// The best rate of work that says how many operations it did, in 10⁹ a second.
fn best(budget: Duration, mut work: impl FnMut() -> f64) -> f64 {
    let start = Instant::now();
    work();
    let mut best = 0.0_f64;
    loop {
        let block = Instant::now();
        let operations = work();
        best = best.max(operations / block.elapsed().as_secs_f64().max(f64::MIN_POSITIVE) / 1e9);
        if start.elapsed() >= budget {
            return best;
        }
    }
}
