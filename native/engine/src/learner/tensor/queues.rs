//! Queues of work on a GPU. A learner has one, and others beside it for parts of a step that depend on nothing of each other:
//! one operation of a small network leaves most of a GPU idle, so what is in no order should be asked for in none.
//!
//! What an operation allocates belongs to its queue, and is that queue's to use again as soon as it is dropped, while others may
//! still read it. So a part that goes [`aside`](Queue::both) borrows what was there before and drops none of it, nor does the part
//! beside it; and what both would compute when they first need it is computed before they part. What a part leaves may be dropped at
//! any later time: its queue begins again only behind work that has waited for it.

use std::sync::{Mutex, PoisonError};

use tch::Device;

use super::recorder::{checked, is_compiled, recorder};
use crate::error::Result;

/// Queues beside a learner's own. Where work parts in two they are halved, and a part of its own takes one; where none is left, parts go
/// one behind the other. As many as a step of `virel` or `sac-twin` with two hidden layers has parts for at once.
const BESIDE: usize = 25;

/// What learners left, for those that come. In the same places: who uses a stream next waits for who used it.
static FREE: Mutex<Vec<Vec<Stream>>> = Mutex::new(Vec::new());

/// A stream of CUDA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stream {
    device: i8,
    id: i64,
}

impl Stream {
    /// One that nobody else uses.
    fn new(device: i8) -> Result<Self> {
        let mut id = 0;
        // SAFETY: writes the number it is given the place of
        checked(unsafe { (recorder()?.stream_new)(device, &raw mut id) })?;
        Ok(Self { device, id })
    }

    /// Sends the calling thread's operations there from now on.
    fn enter(self) -> Result<()> {
        // SAFETY: takes numbers
        checked(unsafe { (recorder()?.stream_use)(self.device, self.id) })
    }

    /// Some work there, and back to another queue whatever becomes of it.
    fn during<T>(self, back: Self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let done = self.enter().and_then(|()| work());
        back.enter()?;
        done
    }

    /// Has what comes wait for all that the other was asked for.
    fn follow(self, other: Self) -> Result<()> {
        // SAFETY: takes numbers
        checked(unsafe { (recorder()?.stream_follow)(self.device, self.id, other.id) })
    }

    /// Has another queue wait for this one, whatever became of the work in them: a recording has to end in one queue. Where the work
    /// failed, that is the cause.
    fn join<T>(self, other: Self, done: Result<T>) -> Result<T> {
        let joined = other.follow(self);
        let done = done?;
        joined.map(|()| done)
    }
}

/// The queues of one learner: its own, the one for what comes from the host, and those beside.
pub struct Queues(Vec<Stream>);

impl Queues {
    /// None on a CPU, and where the recorder was not compiled: there work goes to libtorch's own queue, one operation behind the
    /// other.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    pub fn on(device: Device) -> Result<Self> {
        let Device::Cuda(index) = device else { return Ok(Self(Vec::new())) };
        if !is_compiled() {
            return Ok(Self(Vec::new()));
        }
        // `device::open` counts in as many bits
        let device = index as i8;
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let left = free.iter().position(|streams| streams.iter().all(|stream| stream.device == device));
        match left {
            Some(index) => Ok(Self(free.swap_remove(index))),
            None => (0..2 + BESIDE).map(|_| Stream::new(device)).collect::<Result<_>>().map(Self),
        }
    }

    /// Whether work can be recorded.
    pub const fn can_record(&self) -> bool {
        !self.0.is_empty()
    }

    /// The learner's own, which the calling thread's operations go to from now on. Whatever touches the learner's tensors must
    /// enter first: work in different queues is in no order.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    pub fn enter(&self) -> Result<Queue<'_>> {
        let [own, _, beside @ ..] = self.0.as_slice() else { return Ok(Queue { own: None, beside: &[] }) };
        own.enter()?;
        Ok(Queue { own: Some(*own), beside })
    }

    /// Has what is fetched from the host taken in the learner's own queue. It is fetched once what was fetched before has been taken, and
    /// does not wait for the work asked for since: a GPU fetches while it computes.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`; those of the parts.
    pub fn ahead<T>(
        &self,
        fetch: impl FnOnce() -> Result<T>,
        take: impl FnOnce(&T) -> Result<()>,
    ) -> Result<()> {
        let [own, from_host, ..] = self.0.as_slice() else { return take(&fetch()?) };
        let fetched = from_host.during(*own, fetch)?;
        own.follow(*from_host)?;
        let taken = take(&fetched);
        // what comes next may lie where this does
        from_host.follow(*own)?;
        taken
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        let streams = std::mem::take(&mut self.0);
        if !streams.is_empty() {
            FREE.lock().unwrap_or_else(PoisonError::into_inner).push(streams);
        }
    }
}

/// The queue that the calling thread's operations go to, and those beside it.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'a> {
    own: Option<Stream>,
    beside: &'a [Stream],
}

impl Queue<'_> {
    /// Two parts of some work, neither of which needs anything of the other: the first goes to a queue beside, if there is one. What
    /// comes after waits for both. Where the first fails, the second is not begun.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`; those of the parts.
    pub fn both<A, B>(
        self,
        aside: impl FnOnce(Self) -> Result<A>,
        here: impl FnOnce(Self) -> Result<B>,
    ) -> Result<(A, B)> {
        let (Some(own), Some((&side, beside))) = (self.own, self.beside.split_first()) else {
            return Ok((aside(self)?, here(self)?));
        };
        let (theirs, ours) = beside.split_at(beside.len() / 2);
        side.follow(own)?;
        let both = side
            .during(own, || aside(Self { own: Some(side), beside: theirs }))
            .and_then(|first| Ok((first, here(Self { own: Some(own), beside: ours })?)));
        side.join(own, both)
    }

    /// Some work, and a part beside it that needs nothing of it and parts no further: what decides how long a step takes is the work.
    /// What comes after waits for both. Where the work fails, the part is not begun.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`; those of the parts.
    pub fn with<A, B>(
        self,
        here: impl FnOnce(Self) -> Result<A>,
        aside: impl FnOnce() -> Result<B>,
    ) -> Result<(A, B)> {
        let (Some(own), Some((&side, beside))) = (self.own, self.beside.split_first()) else {
            return Ok((here(self)?, aside()?));
        };
        side.follow(own)?;
        let both =
            here(Self { own: Some(own), beside }).and_then(|first| Ok((first, side.during(own, aside)?)));
        side.join(own, both)
    }

    /// Parts of some work, none of which needs anything of another.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`; those of the parts.
    pub fn map<I, T>(self, mut parts: Vec<I>, work: &impl Fn(Self, I) -> Result<T>) -> Result<Vec<T>> {
        if parts.len() < 2 {
            return parts.into_iter().map(|part| work(self, part)).collect();
        }
        let others = parts.split_off(parts.len() / 2);
        let (mut done, others) =
            self.both(|queue| queue.map(parts, work), |queue| queue.map(others, work))?;
        done.extend(others);
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use tch::Device;

    use super::Queues;
    use crate::error::{EngineError, Result};

    fn failure() -> EngineError {
        EngineError::LengthMismatch { name: "part", expected: 1, got: 0 }
    }

    #[test]
    fn parts_come_back_in_their_order() {
        let queues = Queues::on(Device::Cpu).unwrap();
        for count in [0, 1, 2, 3, 8, 13] {
            let parts: Vec<usize> = (0..count).collect();
            let squares = queues.enter().unwrap().map(parts, &|_, part| Ok(part * part)).unwrap();
            assert_eq!(squares, (0..count).map(|part| part * part).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_fails_is_told_and_nothing_is_begun_after_it() {
        let queues = Queues::on(Device::Cpu).unwrap();
        let is_begun = Cell::new(false);
        let failing = |_| -> Result<()> { Err(failure()) };
        let other = |_| {
            is_begun.set(true);
            Ok(())
        };
        assert_eq!(queues.enter().unwrap().both(failing, other).unwrap_err().code(), "LENGTH_MISMATCH");
        assert!(!is_begun.get());
        assert_eq!(queues.enter().unwrap().both(other, failing).unwrap_err().code(), "LENGTH_MISMATCH");
        assert!(is_begun.get());
    }

    #[test]
    fn work_comes_before_what_is_beside_it_and_its_failure_instead() {
        let queues = Queues::on(Device::Cpu).unwrap();
        let order = RefCell::new(Vec::new());
        let note = |name| -> Result<()> {
            order.borrow_mut().push(name);
            Ok(())
        };
        queues.enter().unwrap().with(|_| note("work"), || note("beside")).unwrap();
        let refused = queues.enter().unwrap().with(|_| -> Result<()> { Err(failure()) }, || note("never"));
        assert_eq!(refused.unwrap_err().code(), "LENGTH_MISMATCH");
        let refused = queues.ahead(|| -> Result<()> { Err(failure()) }, |()| note("never"));
        assert_eq!(refused.unwrap_err().code(), "LENGTH_MISMATCH");
        queues.ahead(|| note("fetched"), |()| note("taken")).unwrap();
        assert_eq!(*order.borrow(), ["work", "beside", "fetched", "taken"]);
    }
}
