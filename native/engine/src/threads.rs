//! Threads that help their owner, a learner or a vector of environments: they live as long as it does and wait for what it
//! lends them.
//!
//! Work follows work within microseconds, while waking a thread takes tens of them: so who waits looks for a while
//! before it sleeps. A helper sleeps whenever no step is under way, and on a machine that others use it does not hold a
//! core for longer than that while. Nothing here allocates after a helper has started.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread, park};
use std::time::{Duration, Instant};

use crate::error::{EngineError, Result};

/// How long a thread looks before it sleeps: longer than a batch takes to be drawn and a simulator to step.
const LOOKING: Duration = Duration::from_micros(300);
/// Looks between two at the clock.
const LOOKS: u32 = 64;

/// Work that borrows from the thread that waits for it. The lifetime is a promise of [`Helper::join`].
type Lent = &'static mut (dyn FnMut() + Send);

/// Nothing is lent: the owner's turn.
const FREE: u8 = 0;
/// Work is lent: the helper's turn.
const LENT: u8 = 1;
/// The owner is gone.
const CLOSED: u8 = 2;

/// What lies between a helper and its owner.
struct Desk {
    turn: AtomicU8,
    /// What to do, and who waits for its end.
    work: Mutex<Option<(Lent, Thread)>>,
}

impl Desk {
    /// Looks for a while, then sleeps, until the turn is another; says which.
    fn wait_while(&self, turn: u8) -> u8 {
        let other = || Some(self.turn.load(Ordering::Acquire)).filter(|&now| now != turn);
        let since = Instant::now();
        while since.elapsed() < LOOKING {
            for _ in 0..LOOKS {
                if let Some(now) = other() {
                    return now;
                }
                std::hint::spin_loop();
            }
        }
        loop {
            if let Some(now) = other() {
                return now;
            }
            // whoever changes the turn unparks this thread; it may also wake for nothing
            park();
        }
    }

    fn pass(&self, turn: u8, to: &Thread) {
        self.turn.store(turn, Ordering::Release);
        to.unpark();
    }

    /// The life of a helper.
    fn serve(&self) {
        while self.wait_while(FREE) == LENT {
            let taken = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some((work, owner)) = taken else { return };
            work();
            self.pass(FREE, &owner);
        }
    }
}

/// A thread that does what its owner lends it.
pub struct Helper {
    desk: Arc<Desk>,
    /// None once it has been told to end.
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    /// Starts the thread, which looks for work for a while and then sleeps.
    ///
    /// # Errors
    /// `OUT_OF_MEMORY` if the system has no thread to give.
    pub fn spawn() -> Result<Self> {
        let desk = Arc::new(Desk { turn: AtomicU8::new(FREE), work: Mutex::new(None) });
        let served = Arc::clone(&desk);
        let thread = std::thread::Builder::new()
            .name("virel-helper".to_owned())
            .spawn(move || served.serve())
            .map_err(|error| EngineError::NoThread { reason: error.to_string() })?;
        Ok(Self { desk, thread: Some(thread) })
    }

    /// Does `theirs` on the helper and `ours` on the caller's thread; returns when both are done. A panic of either
    /// goes on in the caller, after both.
    pub fn join<T: Send, O>(
        &mut self,
        theirs: impl FnOnce() -> T + Send,
        ours: impl FnOnce() -> O,
    ) -> (T, O) {
        let (mut theirs, mut outcome) = (Some(theirs), None);
        let mut work = || {
            outcome = theirs.take().map(|work| catch_unwind(AssertUnwindSafe(work)));
        };
        let lent: &mut (dyn FnMut() + Send) = &mut work;
        // SAFETY: only the lifetime changes. The helper uses the reference before it gives the turn back and never after,
        // and nothing leaves this function before that: `ours` cannot unwind past its catch
        let lent = unsafe { std::mem::transmute::<&mut (dyn FnMut() + Send), Lent>(lent) };
        *self.desk.work.lock().unwrap_or_else(PoisonError::into_inner) = Some((lent, std::thread::current()));
        if let Some(thread) = &self.thread {
            self.desk.pass(LENT, thread.thread());
        }
        let ours = catch_unwind(AssertUnwindSafe(ours));
        self.desk.wait_while(LENT);
        match (outcome, ours) {
            (Some(Ok(theirs)), Ok(ours)) => (theirs, ours),
            (Some(Err(panic)), _) | (_, Err(panic)) => resume_unwind(panic),
            (None, _) => resume_unwind(Box::new("a helper did not do its work")),
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.desk.pass(CLOSED, thread.thread());
            // what it was lent caught its own panics
            let _ = thread.join();
        }
    }
}

/// Threads that do the same work on parts of something, their owner's among them.
pub struct Team {
    helpers: Vec<Helper>,
}

impl Team {
    /// The owner and `size` − 1 helpers.
    ///
    /// # Errors
    /// As [`Helper::spawn`].
    pub fn new(size: usize) -> Result<Self> {
        Ok(Self { helpers: (1..size).map(|_| Helper::spawn()).collect::<Result<_>>()? })
    }

    /// The owner alone.
    pub const fn alone() -> Self {
        Self { helpers: Vec::new() }
    }

    /// How many threads.
    pub const fn size(&self) -> usize {
        1 + self.helpers.len()
    }

    /// Does `work` on every part: one part a helper, what is left on the caller's thread.
    ///
    /// # Errors
    /// Of the first part, in their order, that has one.
    pub fn share<P: Send>(
        &mut self,
        parts: impl IntoIterator<Item = P>,
        work: impl Fn(P) -> Result<()> + Sync,
    ) -> Result<()> {
        share(&mut self.helpers, &mut parts.into_iter(), &work)
    }
}

fn share<P: Send>(
    helpers: &mut [Helper],
    parts: &mut impl Iterator<Item = P>,
    work: &(impl Fn(P) -> Result<()> + Sync),
) -> Result<()> {
    let Some((helper, others)) = helpers.split_first_mut() else {
        return parts.try_for_each(work);
    };
    let Some(part) = parts.next() else { return Ok(()) };
    let (theirs, ours) = helper.join(|| work(part), || share(others, parts, work));
    theirs.and(ours)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;

    use super::{Helper, Team};
    use crate::error::EngineError;

    #[test]
    fn both_sides_are_done_before_it_returns() {
        let mut helper = Helper::spawn().unwrap();
        let mut theirs = vec![0; 3];
        for round in 1..200 {
            // often beyond the looks: whoever waits has to be woken
            let pause = Duration::from_micros(if round % 20 == 0 { 2000 } else { 0 });
            let (id, ours) = helper.join(
                || {
                    std::thread::sleep(pause);
                    theirs.fill(round);
                    std::thread::current().id()
                },
                || round,
            );
            assert_eq!((theirs.as_slice(), ours), ([round; 3].as_slice(), round));
            assert_ne!(id, std::thread::current().id());
            if round % 30 == 0 {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }

    #[test]
    fn a_panic_of_either_side_reaches_the_caller_and_the_helper_lives_on() {
        let mut helper = Helper::spawn().unwrap();
        for theirs in [true, false] {
            let mut other_is_done = [false; 2];
            let [first, second] = &mut other_is_done;
            let both = AssertUnwindSafe(|| {
                helper.join(
                    || {
                        assert!(!theirs, "theirs");
                        *first = true;
                    },
                    || {
                        assert!(theirs, "ours");
                        *second = true;
                    },
                )
            });
            assert!(catch_unwind(both).is_err());
            assert_eq!(other_is_done, [!theirs, theirs]);
        }
        assert_eq!(helper.join(|| 1, || 2), (1, 2));
    }

    #[test]
    fn a_team_does_every_part_once_and_tells_the_first_error() {
        for size in [1, 2, 5] {
            let mut team = Team::new(size).unwrap();
            assert_eq!(team.size(), size);
            for count in [0, 1, size, 3 * size + 1] {
                let mut parts = vec![0; count];
                team.share(parts.iter_mut().enumerate(), |(index, part)| {
                    *part += index + 1;
                    Ok(())
                })
                .unwrap();
                assert!(parts.iter().copied().eq(1..=count));
                let refused = team.share(0..count, |index| match index {
                    0 => Ok(()),
                    _ => Err(EngineError::Panic { reason: index.to_string() }),
                });
                assert_eq!(refused.is_err(), count > 1);
                if let Err(error) = refused {
                    assert_eq!(error, EngineError::Panic { reason: "1".to_owned() });
                }
            }
        }
    }
}
