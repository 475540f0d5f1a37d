//! The threads that handles live on: the end of a JavaScript environment waits for them, since libtorch must not be
//! in use while the process tears its libraries down.

use std::cell::RefCell;
use std::thread::JoinHandle;

use napi::Env;
use virel_engine::error::{EngineError, Result};

/// A thread that may still run, and how to make it end.
struct Running {
    thread: JoinHandle<()>,
    end: Box<dyn FnOnce()>,
}

thread_local! {
    /// The threads that this JavaScript thread started: a worker's end must not wait for another's.
    static RUNNING: RefCell<Option<Vec<Running>>> = const { RefCell::new(None) };
}

/// Starts a thread that the end of the JavaScript environment waits for, after it called `end`.
///
/// # Errors
/// `OUT_OF_MEMORY` if the system has no thread to give.
pub fn spawn(
    env: &Env,
    handle: &'static str,
    run: impl FnOnce() + Send + 'static,
    end: impl FnOnce() + 'static,
) -> Result<()> {
    let thread = std::thread::Builder::new()
        .name(format!("virel-{handle}"))
        .spawn(run)
        .map_err(|error| EngineError::NoThread { reason: error.to_string() })?;
    RUNNING.with_borrow_mut(|running| {
        let running = running.get_or_insert_with(|| {
            // without the hook a thread would only lose its orderly end
            drop(env.add_env_cleanup_hook((), |()| join_all()));
            Vec::new()
        });
        running.retain(|earlier| !earlier.thread.is_finished());
        running.push(Running { thread, end: Box::new(end) });
    });
    Ok(())
}

/// Ends every thread and waits for it.
fn join_all() {
    let running = RUNNING.take().unwrap_or_default();
    let (threads, ends): (Vec<_>, Vec<_>) = running.into_iter().map(|each| (each.thread, each.end)).unzip();
    // all are told first, so that they end side by side
    ends.into_iter().for_each(|end| end());
    for thread in threads {
        // a panic was already turned into an error by the job that met it
        let _ = thread.join();
    }
}
