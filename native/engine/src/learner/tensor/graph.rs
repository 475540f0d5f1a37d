//! CUDA graphs: operations recorded once, then done again by one call. A GPU does an operation of a small network in less
//! time than a host takes to ask for it, so a recorded step is several times faster.
//!
//! A replay reads and writes the same places as the recording did; what should differ must lie in one of them.

use std::ffi::{CStr, c_char, c_void};
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::ptr::{NonNull, null_mut};
use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use tch::{Device, TchError};

use crate::error::Result;

/// `recorder.cpp` compiled, empty where CUDA's headers were not beside libtorch's.
const RECORDER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/recorder.so"));

/// What a function of the recorder returns: null, or a message that is ours to free.
type Message = *mut c_char;

/// The functions of `recorder.cpp`.
struct Recorder {
    stream_new: unsafe extern "C" fn(i8, *mut i64) -> Message,
    stream_use: unsafe extern "C" fn(i8, i64) -> Message,
    graph_begin: unsafe extern "C" fn(*mut *mut c_void) -> Message,
    graph_end: unsafe extern "C" fn(*mut c_void) -> Message,
    graph_replay: unsafe extern "C" fn(*mut c_void) -> Message,
    graph_free: unsafe extern "C" fn(*mut c_void),
}

/// The recorder, loaded for the life of the process; to be asked for after libtorch's CUDA half was loaded.
fn recorder() -> Result<&'static Recorder> {
    static LOADED: OnceLock<Result<Recorder>> = OnceLock::new();
    LOADED.get_or_init(load).as_ref().map_err(Clone::clone)
}

fn load() -> Result<Recorder> {
    let failed =
        |reason: &dyn std::fmt::Display| torch_error(&format!("the recorder of CUDA graphs: {reason}"));
    // a file in memory: nothing to install, and a temporary folder may forbid to run what lies in it
    // SAFETY: a name that ends in NUL; the descriptor is checked and then the file's
    let descriptor = unsafe { libc::memfd_create(c"virel-recorder".as_ptr(), libc::MFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(failed(&std::io::Error::last_os_error()));
    }
    // SAFETY: open, and nobody else's
    let mut file = unsafe { File::from_raw_fd(descriptor) };
    file.write_all(RECORDER).map_err(|error| failed(&error))?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: our own library, of plain functions; it has no constructors
    let library =
        unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map_err(|error| failed(&error))?;
    // SAFETY: the types are those of recorder.cpp; the library is never closed, below
    let recorder = unsafe {
        Recorder {
            stream_new: *library.get(b"virel_stream_new").map_err(|error| failed(&error))?,
            stream_use: *library.get(b"virel_stream_use").map_err(|error| failed(&error))?,
            graph_begin: *library.get(b"virel_graph_begin").map_err(|error| failed(&error))?,
            graph_end: *library.get(b"virel_graph_end").map_err(|error| failed(&error))?,
            graph_replay: *library.get(b"virel_graph_replay").map_err(|error| failed(&error))?,
            graph_free: *library.get(b"virel_graph_free").map_err(|error| failed(&error))?,
        }
    };
    std::mem::forget(library);
    Ok(recorder)
}

fn torch_error(message: &str) -> crate::error::EngineError {
    TchError::Torch(message.to_owned()).into()
}

/// What a call of the recorder said.
fn checked(message: Message) -> Result<()> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: not null, by `strdup`
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    // SAFETY: by `strdup`, and read
    unsafe { libc::free(message.cast()) };
    Err(torch_error(&text))
}

/// A learner's own queue of work on a GPU. Whatever touches the learner's tensors must [`Self::enter`] first: work in different
/// queues is in no order.
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    device: i8,
    id: i64,
}

impl Stream {
    /// None on a CPU, and where the recorder was not compiled: there work goes to libtorch's own queue.
    pub fn on(device: Device) -> Result<Option<Self>> {
        let Device::Cuda(index) = device else { return Ok(None) };
        if RECORDER.is_empty() {
            return Ok(None);
        }
        // `device::open` counts in as many bits
        let (device, mut id) = (index as i8, 0);
        // SAFETY: writes the number it is given the place of
        checked(unsafe { (recorder()?.stream_new)(device, &raw mut id) })?;
        Ok(Some(Self { device, id }))
    }

    /// Sends the calling thread's operations there from now on.
    pub fn enter(self) -> Result<()> {
        // SAFETY: takes numbers
        checked(unsafe { (recorder()?.stream_use)(self.device, self.id) })
    }
}

/// Operations that were recorded.
pub struct Graph {
    handle: NonNull<c_void>,
}

// SAFETY: libtorch binds a graph to a device and a stream, not to a thread
unsafe impl Send for Graph {}

impl Graph {
    /// Records what `work` asks of the GPU, in a [`Stream`] that was entered, without doing any of it.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION` where an operation cannot be recorded; those of `work`.
    pub fn record<T>(work: impl FnOnce() -> Result<T>) -> Result<(Self, T)> {
        let mut handle = null_mut();
        // SAFETY: writes the handle it is given the place of
        checked(unsafe { (recorder()?.graph_begin)(&raw mut handle) })?;
        let handle = NonNull::new(handle).ok_or_else(|| torch_error("no graph was begun"))?;
        let graph = Self { handle };
        let recorded = work();
        // SAFETY: begun above, ended once, whatever became of the work
        let ended = checked(unsafe { (recorder()?.graph_end)(handle.as_ptr()) });
        let recorded = recorded?;
        ended?;
        Ok((graph, recorded))
    }

    /// Does what was recorded.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    pub fn replay(&self) -> Result<()> {
        // SAFETY: a graph that was ended
        checked(unsafe { (recorder()?.graph_replay)(self.handle.as_ptr()) })
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        if let Ok(recorder) = recorder() {
            // SAFETY: nobody else's, and not used again
            unsafe { (recorder.graph_free)(self.handle.as_ptr()) };
        }
    }
}
