//! A thread of its own for each session or policy: commands go in over a channel, answers come back at once
//! (synchronous calls) or through a promise. The event loop and the libuv pool stay free.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, JsDeferred};
use virel_engine::error::{EngineError, Result};

use crate::error::{to_js, to_rejection};
use crate::threads;

type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

/// What the handle can do now.
enum State<T> {
    Idle(Sender<Job<T>>),
    Running(Sender<Job<T>>, &'static str),
    Closed(String),
}

/// A value that lives on its own thread.
pub struct Worker<T: 'static> {
    handle: &'static str,
    shared: Arc<Shared<T>>,
}

struct Shared<T: 'static> {
    state: Mutex<State<T>>,
    stop: AtomicBool,
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        // the guarded code cannot leave a state half-written
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Running becomes idle again, unless the handle was closed meanwhile.
    fn finish(&self) {
        let mut state = self.state();
        let closed = State::Closed("it was disposed".to_owned());
        *state = match std::mem::replace(&mut *state, closed) {
            State::Running(sender, _) => State::Idle(sender),
            other => other,
        };
    }

    /// Refuses later calls and lets the thread end after what it is doing.
    fn close(&self, reason: &str) {
        self.stop.store(true, Ordering::Relaxed);
        let mut state = self.state();
        if !matches!(*state, State::Closed(_)) {
            *state = State::Closed(reason.to_owned());
        }
    }
}

impl<T: 'static> Worker<T> {
    /// Makes the value on a new thread and waits for it.
    pub fn start(
        env: &Env,
        handle: &'static str,
        make: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> napi::Result<Self, String> {
        let (sender, jobs) = channel();
        let (made, is_made) = channel();
        let shared =
            Arc::new(Shared { state: Mutex::new(State::Idle(sender)), stop: AtomicBool::new(false) });
        let at_exit = Arc::downgrade(&shared);
        let end = move || {
            if let Some(shared) = at_exit.upgrade() {
                shared.close("the process is ending");
            }
        };
        threads::spawn(env, handle, move || serve(make, &made, &jobs), end).map_err(to_js)?;
        is_made
            .recv()
            .unwrap_or_else(|_| Err(defect("the thread ended before it began".to_owned())))
            .map_err(to_js)?;
        Ok(Self { handle, shared })
    }

    /// Runs `work` on the thread and waits for it.
    ///
    /// # Errors
    /// `HANDLE_BUSY`, `HANDLE_CLOSED`, `PANIC`, or what `work` reports.
    pub fn call<R: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut T, &AtomicBool) -> Result<R> + Send + 'static,
    ) -> napi::Result<R, String> {
        let (answer, answered) = channel();
        // the receiver waits below, so sending cannot fail
        self.send(name, work, move |result| drop(answer.send(result)));
        answered.recv().unwrap_or_else(|_| Err(defect("the thread ended".to_owned()))).map_err(to_js)
    }

    /// Runs `work` on the thread; the promise resolves to what `convert` makes of its result on the JavaScript
    /// thread, and rejects with the errors of [`Self::call`].
    pub fn call_async<'env, R: Send + 'static, J: ToNapiValue + 'static>(
        &self,
        env: &'env Env,
        name: &'static str,
        work: impl FnOnce(&mut T, &AtomicBool) -> Result<R> + Send + 'static,
        convert: impl FnOnce(R) -> J + Send + 'static,
    ) -> napi::Result<Object<'env>, String> {
        type Resolver<J> = Box<dyn FnOnce(Env) -> napi::Result<J> + Send>;
        let (deferred, promise): (JsDeferred<J, Resolver<J>>, Object<'env>) =
            env.create_deferred().map_err(|error| to_js(defect(error.reason.clone())))?;
        self.send(name, work, move |result| {
            deferred.resolve(Box::new(move |env| match result {
                Ok(value) => Ok(convert(value)),
                Err(error) => Err(to_rejection(env, error)),
            }));
        });
        Ok(promise)
    }

    /// Hands a job to the thread. `answer` is called exactly once: by the thread, or here when the handle refuses.
    fn send<R: 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut T, &AtomicBool) -> Result<R> + Send + 'static,
        answer: impl FnOnce(Result<R>) + Send + 'static,
    ) {
        let mut state = self.shared.state();
        let sender = match &*state {
            State::Idle(sender) => sender.clone(),
            State::Running(_, with) => {
                return answer(Err(EngineError::HandleBusy { handle: self.handle, with }));
            }
            State::Closed(reason) => {
                return answer(Err(EngineError::HandleClosed {
                    handle: self.handle,
                    reason: reason.clone(),
                }));
            }
        };
        self.shared.stop.store(false, Ordering::Relaxed);
        let shared = Arc::clone(&self.shared);
        let job: Job<T> = Box::new(move |value| {
            let result = catch_unwind(AssertUnwindSafe(|| work(value, &shared.stop)));
            let result = result.unwrap_or_else(|payload| Err(defect(panic_message(payload.as_ref()))));
            // what a panic left behind is not to be trusted, wherever it was caught
            if matches!(result, Err(EngineError::Panic { .. })) {
                shared.close("an internal defect broke it");
            }
            // idle before the answer: whoever hears it may call again at once
            shared.finish();
            answer(result);
        });
        // the thread serves as long as this sender lives, so the job arrives
        let sent = sender.send(job);
        debug_assert!(sent.is_ok(), "the thread ended before its sender");
        *state = State::Running(sender, name);
    }

    /// Asks the running call to return early.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }

    /// Refuses later calls, frees the value once the running call has returned. Idempotent.
    pub fn dispose(&self) {
        self.shared.close("it was disposed");
    }
}

impl<T: 'static> Drop for Worker<T> {
    fn drop(&mut self) {
        self.dispose();
    }
}

/// The thread's life: make the value, run jobs until every sender is gone.
fn serve<T>(make: impl FnOnce() -> Result<T>, made: &Sender<Result<()>>, jobs: &Receiver<Job<T>>) {
    let value = catch_unwind(AssertUnwindSafe(make))
        .unwrap_or_else(|payload| Err(defect(panic_message(payload.as_ref()))));
    match value {
        Ok(mut value) => {
            // whoever started the thread waits for this
            let _ = made.send(Ok(()));
            while let Ok(job) = jobs.recv() {
                job(&mut value);
            }
        }
        Err(error) => {
            let _ = made.send(Err(error));
        }
    }
}

/// An error that only a defect of this package can cause.
fn defect(reason: String) -> EngineError {
    EngineError::Panic { reason }
}

/// What a panic said.
pub fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
