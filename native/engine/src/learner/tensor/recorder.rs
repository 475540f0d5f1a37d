//! The functions of `recorder.cpp`, loaded where a GPU is first used.

use std::ffi::{CStr, c_char, c_void};
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use tch::TchError;

use crate::error::Result;

/// `recorder.cpp` compiled, empty where CUDA's headers were not beside libtorch's.
const RECORDER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/recorder.so"));

/// Whether there is a recorder.
pub const fn is_compiled() -> bool {
    !RECORDER.is_empty()
}

/// What a function of the recorder returns: null, or a message that is ours to free.
pub type Message = *mut c_char;

/// The functions of `recorder.cpp`.
pub struct Recorder {
    pub stream_new: unsafe extern "C" fn(i8, *mut i64) -> Message,
    pub stream_use: unsafe extern "C" fn(i8, i64) -> Message,
    pub stream_follow: unsafe extern "C" fn(i8, i64, i64) -> Message,
    pub graph_begin: unsafe extern "C" fn(*mut *mut c_void) -> Message,
    pub graph_end: unsafe extern "C" fn(*mut c_void) -> Message,
    pub graph_replay: unsafe extern "C" fn(*mut c_void) -> Message,
    pub graph_free: unsafe extern "C" fn(*mut c_void),
}

/// All of them, loaded for the life of the process; to be asked for after libtorch's CUDA half was loaded.
pub fn recorder() -> Result<&'static Recorder> {
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
            stream_follow: *library.get(b"virel_stream_follow").map_err(|error| failed(&error))?,
            graph_begin: *library.get(b"virel_graph_begin").map_err(|error| failed(&error))?,
            graph_end: *library.get(b"virel_graph_end").map_err(|error| failed(&error))?,
            graph_replay: *library.get(b"virel_graph_replay").map_err(|error| failed(&error))?,
            graph_free: *library.get(b"virel_graph_free").map_err(|error| failed(&error))?,
        }
    };
    std::mem::forget(library);
    Ok(recorder)
}

/// An error as libtorch's own.
pub fn torch_error(message: &str) -> crate::error::EngineError {
    TchError::Torch(message.to_owned()).into()
}

/// What a call of the recorder said.
pub fn checked(message: Message) -> Result<()> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: not null, by `strdup`
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    // SAFETY: by `strdup`, and read
    unsafe { libc::free(message.cast()) };
    Err(torch_error(&text))
}
