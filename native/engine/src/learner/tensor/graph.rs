//! CUDA graphs: operations recorded once, then done again by one call. A GPU does an operation of a small network in less
//! time than a host takes to ask for it, so a recorded step is several times faster.
//!
//! A replay reads and writes the same places as the recording did; what should differ must lie in one of them.

use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

use super::recorder::{checked, recorder, torch_error};
use crate::error::Result;

/// Operations that were recorded.
pub struct Graph {
    handle: NonNull<c_void>,
}

// SAFETY: libtorch binds a graph to a device and a stream, not to a thread
unsafe impl Send for Graph {}

impl Graph {
    /// Records what `work` asks of the GPU, in a [`Queue`](super::queues::Queue) that was entered, without doing any of it.
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
