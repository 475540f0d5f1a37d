//! How this process uses libtorch: the device, the threads, and the calls that must come first.

use std::ffi::CStr;
use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use tch::{Device, Kind, Tensor};

use crate::error::{EngineError, Result};

/// The half of libtorch that holds the CUDA kernels; loading it registers them with the CPU half.
const CUDA_LIBRARY: &str = "libtorch_cuda.so";

/// What mends a missing device, whatever the cause.
const MEND: &str = "`nvidia-smi` lists this machine's GPUs, `npx virel-native setup --device cuda` installs \
                    libtorch's CUDA half, device `cpu` needs neither";

/// The device called `cpu`, `cuda` (the first GPU) or `cuda:<index>`, ready for use.
///
/// # Errors
/// `CONFIG_RANGE` for any other name; `DEVICE_MISSING` if libtorch's CUDA half, a driver or that GPU is missing.
pub fn open(name: &str) -> Result<Device> {
    let index = match name {
        "cpu" => return Ok(Device::Cpu),
        "cuda" => Some(0),
        _ => name.strip_prefix("cuda:").and_then(gpu_index),
    };
    let index = index.ok_or_else(|| EngineError::OutOfRange {
        name: "device",
        expected: "cpu, cuda or cuda:<index>",
        got: name.to_owned(),
    })?;
    let missing = |reason: &str| {
        let first_line = reason.lines().next().unwrap_or_default();
        EngineError::DeviceMissing { device: name.to_owned(), reason: format!("{first_line}; {MEND}") }
    };
    load_cuda().map_err(|reason| missing(&reason))?;
    // a first allocation starts the driver and looks for the GPU; its failure is an error, not an abort
    let device = Device::Cuda(index);
    let _ = Tensor::f_zeros([1], (Kind::Float, device)).map_err(|error| missing(&error.to_string()))?;
    Ok(device)
}

/// Digits alone: `parse` would take a sign too. libtorch counts devices in 8 bits.
fn gpu_index(digits: &str) -> Option<usize> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse::<i8>().ok().map(|index| index as usize) } else { None }
}

/// Loads [`CUDA_LIBRARY`] for the life of the process. It must come before libtorch is asked anything about CUDA:
/// the CPU half remembers its first answer.
fn load_cuda() -> std::result::Result<(), String> {
    // SAFETY: the library is libtorch's own, of the same build as the CPU half this crate is linked with; its
    // constructors only register kernels. Its symbols must be global, as when the linker had named it.
    let library = unsafe { Library::open(Some(CUDA_LIBRARY), RTLD_NOW | RTLD_GLOBAL) };
    // never closed: libtorch keeps pointers into it
    library.map(std::mem::forget).map_err(|error| {
        // the error itself says only that dlopen failed; its source names the file that is not there
        std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
    })
}

/// Makes libtorch use `threads` threads for operations called from the calling thread, and one between operations.
///
/// # Errors
/// `CONFIG_RANGE` for 0 or more than 1024 threads.
pub fn use_threads(threads: usize) -> Result<()> {
    let count = i32::try_from(threads).ok().filter(|count| (1..=1024).contains(count)).ok_or_else(|| {
        EngineError::OutOfRange { name: "threads", expected: "1 to 1024", got: threads.to_string() }
    })?;
    one_thread_between_operations()?;
    // reading also gives a new thread its first setting, which would otherwise come later and undo ours
    // SAFETY: takes nothing, returns a number
    if checked(|| unsafe { torch_sys::at_get_num_threads() })? != count {
        // SAFETY: takes a number, keeps nothing of ours
        checked(|| unsafe { torch_sys::at_set_num_threads(count) })?;
    }
    Ok(())
}

/// libtorch takes this setting once in the life of a process, and only before its first task between operations.
fn one_thread_between_operations() -> Result<()> {
    static DONE: OnceLock<Result<()>> = OnceLock::new();
    // SAFETY: takes a number, keeps nothing of ours
    DONE.get_or_init(|| checked(|| unsafe { torch_sys::at_set_num_interop_threads(1) })).clone()
}

/// What a call of libtorch's C interface returns, or what it threw: tch's own forms of these calls panic.
fn checked<T>(call: impl FnOnce() -> T) -> Result<T> {
    let value = call();
    // SAFETY: the message is this thread's, null or a string by `strdup` that is ours from here on
    let thrown = unsafe { torch_sys::get_and_reset_last_err() };
    if thrown.is_null() {
        return Ok(value);
    }
    // SAFETY: not null, ends in NUL
    let message = unsafe { CStr::from_ptr(thrown) }.to_string_lossy().into_owned();
    // never freed, a few bytes: that takes libc's `free`, and the error is not one that repeats
    Err(tch::TchError::Torch(message).into())
}

/// Calls each of MKL's vector functions once, on one thread, so that results repeat from process to process.
///
/// The first call of such a function picks its code path. On a large tensor two threads make that first call at
/// once, and in 5 to 10 % of process starts the low bits of the result differ; after a tiny call, never. Later
/// calls of this function do nothing.
///
/// # Errors
/// `NATIVE_EXCEPTION`.
pub fn warm_up() -> Result<()> {
    static DONE: OnceLock<Result<()>> = OnceLock::new();
    DONE.get_or_init(|| {
        for kind in [Kind::Float, Kind::Double] {
            // 64 values: libtorch keeps so few on one thread
            let values = Tensor::f_full([64], 0.5, (kind, Device::Cpu))?;
            for function in [
                Tensor::f_tanh,
                Tensor::f_exp,
                Tensor::f_log,
                Tensor::f_log1p,
                Tensor::f_sqrt,
                Tensor::f_erf,
                Tensor::f_sin,
                Tensor::f_cos,
            ] {
                let _ = function(&values)?;
            }
        }
        Ok(())
    })
    .clone()
}
