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
    let all: Vec<Gemm> = Gemm::all().collect();
    let speeds = best(budget * all.len() as u32, &all, |gemm| {
        layer.pass(*gemm);
        Layer::OPERATIONS
    });
    let gemms = all.iter().zip(speeds);
    let gemms =
        gemms.map(|(gemm, gflops)| NativeGemmSpeed { name: gemm.name().to_owned(), gflops }).collect();
    let fma_gflops = best(budget, &[()], |()| multiply_adds())[0];
    Ok(NativeCalibration { fma_gflops, gemms })
}

/// The best rate of each of several kinds of work that says how many operations it did, in 10⁹ a second. They take turns, block
/// by block: a core that is slow for a while, or has yet to reach its speed, is so for all of them.
fn best<T>(budget: Duration, kinds: &[T], mut work: impl FnMut(&T) -> f64) -> Vec<f64> {
    let start = Instant::now();
    for kind in kinds {
        work(kind);
    }
    let mut best = vec![0.0_f64; kinds.len()];
    loop {
        for (kind, best) in kinds.iter().zip(&mut best) {
            let block = Instant::now();
            let operations = work(kind);
            *best = best.max(operations / block.elapsed().as_secs_f64().max(f64::MIN_POSITIVE) / 1e9);
        }
        if start.elapsed() >= budget {
            return best;
        }
    }
}
