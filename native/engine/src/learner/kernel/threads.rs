//! The second thread: it lives as long as its learner, runs the critic's half of each step, and lends a hand otherwise.
//!
//! A step follows the last within microseconds, while waking a thread takes tens of them: so a waiting thread
//! looks for its message for a while before it sleeps. It sleeps whenever no step is under way, and on a machine
//! that others use it does not hold a core for longer than that while.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use super::critic::{self, CriticTerms};
use super::shared::{Shared, Use};
use crate::error::{EngineError, Result};

/// Looks before a thread sleeps: about 50 microseconds.
const LOOKS: u32 = 2_000;

/// Work that borrows from the thread that waits for it.
type Lent<'a> = &'a mut (dyn FnMut() -> Result<()> + Send);

/// What the thread is asked to do.
enum Job {
    /// The critic's half of a step.
    Critic(Use, f32),
    /// Something that its owner does the other half of. The lifetime is a promise of [`CriticThread::beside`].
    Lent(Lent<'static>),
}

/// What came of it.
enum Answer {
    Critic(Result<CriticTerms>),
    Lent(Result<()>),
}

/// The thread and both ways to it.
pub struct CriticThread {
    /// None once it has been told to end.
    jobs: Option<SyncSender<Job>>,
    results: Receiver<Answer>,
    thread: Option<JoinHandle<()>>,
    /// A job whose result has not been fetched.
    pending: bool,
}

impl CriticThread {
    /// Starts the thread, asleep.
    ///
    /// # Errors
    /// `OUT_OF_MEMORY` if the system has no thread to give.
    pub fn spawn(shared: Arc<Shared>) -> Result<Self> {
        let (jobs, inbox) = sync_channel(1);
        let (outbox, results) = sync_channel(1);
        let work = move || {
            while let Ok(job) = receive(&inbox) {
                let answer = match job {
                    Job::Critic(gradients, temperature) => {
                        Answer::Critic(caught(|| critic::run(&shared, gradients, temperature)))
                    }
                    Job::Lent(work) => Answer::Lent(caught(work)),
                };
                if outbox.send(answer).is_err() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("virel-critic".to_owned())
            .spawn(work)
            .map_err(|error| EngineError::NoThread { reason: error.to_string() })?;
        Ok(Self { jobs: Some(jobs), results, thread: Some(thread), pending: false })
    }

    /// Begins the critic's half of a step; the caller holds what it must wait for.
    pub fn start(&mut self, gradients: Use, temperature: f32) -> Result<()> {
        // a step that unwound between start and finish left its result behind
        if self.pending {
            return Err(defect());
        }
        self.pending = true;
        self.send(Job::Critic(gradients, temperature))
    }

    /// Does `theirs` on this thread and `ours` on the caller's; returns when both are done.
    ///
    /// # Errors
    /// Those of either.
    pub fn beside(&mut self, theirs: Lent<'_>, ours: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.pending {
            return Err(defect());
        }
        // SAFETY: only the lifetime changes. The thread drops the reference before it answers, and from here on nothing
        // leaves this function before that answer or the thread's end: `ours` cannot unwind past `caught`
        let theirs = unsafe { std::mem::transmute::<Lent<'_>, Lent<'static>>(theirs) };
        self.send(Job::Lent(theirs))?;
        let ours = caught(ours);
        loop {
            match receive(&self.results) {
                Ok(Answer::Lent(theirs)) => return ours.and(theirs),
                // not the answer to this: the work may still be under way
                Ok(Answer::Critic(_)) => {}
                Err(_) => return Err(defect()),
            }
        }
    }

    fn send(&self, job: Job) -> Result<()> {
        self.jobs.as_ref().ok_or_else(defect)?.send(job).map_err(|_| defect())
    }

    /// Waits for the end of what [`Self::start`] began.
    pub fn finish(&mut self) -> Result<CriticTerms> {
        // a first half that failed before it began the other: there is nothing to wait for
        if !self.pending {
            return Err(defect());
        }
        let answer = receive(&self.results).map_err(|_| defect())?;
        self.pending = false;
        match answer {
            Answer::Critic(result) => result,
            Answer::Lent(_) => Err(defect()),
        }
    }
}

impl Drop for CriticThread {
    fn drop(&mut self) {
        // without a sender the thread leaves its loop
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // its panics are caught inside and have been reported
            let _ = thread.join();
        }
    }
}

/// What `work` returns; a panic becomes an error.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(defect()))
}

/// The next message: looks for a while, then sleeps.
fn receive<T>(from: &Receiver<T>) -> std::result::Result<T, RecvError> {
    for _ in 0..LOOKS {
        match from.try_recv() {
            Ok(message) => return Ok(message),
            Err(TryRecvError::Disconnected) => return Err(RecvError),
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
        }
    }
    from.recv()
}

fn defect() -> EngineError {
    EngineError::Panic { reason: "the critic's thread ended in a panic".to_owned() }
}
