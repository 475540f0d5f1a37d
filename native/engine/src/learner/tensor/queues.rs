//! Queues of work on a GPU. A learner has one, and a few beside it for parts of a step that depend on nothing of each other:
//! one operation of a small network leaves most of a GPU idle, so what is in no order should be asked for in none.
//!
//! What an operation allocates belongs to its queue, and is that queue's to use again as soon as it is dropped, while others may
//! still read it. So a part that goes [`aside`](Queue::both) borrows what was there before, and drops none of it; and what several
//! parts would compute when they first need it is computed before they part.

use std::sync::{Mutex, PoisonError};

use tch::Device;

use super::recorder::{checked, is_compiled, recorder};
use crate::error::Result;

/// Queues beside a learner's own: of two halves with several networks each, all of whose gradients are taken at once, more
/// would seldom have work.
const BESIDE: usize = 15;

/// Streams that no learner uses: made once, for those that come.
static FREE: Mutex<Vec<Stream>> = Mutex::new(Vec::new());

/// A stream of CUDA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stream {
    device: i8,
    id: i64,
}

impl Stream {
    /// One that nobody else uses.
    fn take(device: i8) -> Result<Self> {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = free.iter().position(|stream| stream.device == device) {
            return Ok(free.swap_remove(index));
        }
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

    /// Has what comes wait for all that the other was asked for.
    fn follow(self, other: Self) -> Result<()> {
        // SAFETY: takes numbers
        checked(unsafe { (recorder()?.stream_follow)(self.device, self.id, other.id) })
    }
}

/// The queues of one learner.
pub struct Queues(Vec<Stream>);

impl Queues {
    /// None on a CPU, and where the recorder was not compiled: there work goes to libtorch's own queue, one operation behind the
    /// other.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    pub fn on(device: Device) -> Result<Self> {
        let mut queues = Self(Vec::new());
        if let Device::Cuda(index) = device
            && is_compiled()
        {
            for _ in 0..=BESIDE {
                // `device::open` counts in as many bits
                queues.0.push(Stream::take(index as i8)?);
            }
        }
        Ok(queues)
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
        let Some((&own, beside)) = self.0.split_first() else { return Ok(Queue { own: None, beside: &[] }) };
        own.enter()?;
        Ok(Queue { own: Some(own), beside })
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        FREE.lock().unwrap_or_else(PoisonError::into_inner).append(&mut self.0);
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
    /// comes after waits for both.
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
        side.enter()?;
        let first = aside(Self { own: Some(side), beside: theirs });
        own.enter()?;
        let second = here(Self { own: Some(own), beside: ours });
        // a recording has to end in one queue, whatever became of the parts
        own.follow(side)?;
        Ok((first?, second?))
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
