//! The operations that libtorch dispatches while a function runs.
//!
//! An operation that the function called is **outermost**; those that it calls in turn, which differ from processor to
//! processor, follow it. Counted are outermost ones that compute or copy ([`Operation::is_work`]): each is a kernel on
//! a GPU, or a few.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_void};

/// A dispatched operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// As libtorch calls it, such as `aten::addmm`.
    pub name: String,
    /// The numbers among its arguments, exact: what a recorded graph would repeat as they are.
    pub numbers: String,
    /// How many operations it was called within.
    pub depth: usize,
}

/// Operations that only make a view of a tensor, or memory; `zeros` is the host's memory of an upload.
const NO_WORK: [&str; 16] = [
    "as_strided",
    "detach",
    "empty",
    "empty_like",
    "expand",
    "flatten",
    "narrow",
    "reshape",
    "select",
    "slice",
    "squeeze",
    "t",
    "transpose",
    "unsqueeze",
    "view",
    "zeros",
];

impl Operation {
    /// Whether it is outermost and computes or copies something.
    pub fn is_work(&self) -> bool {
        self.depth == 0 && !NO_WORK.contains(&self.name.trim_start_matches("aten::"))
    }
}

#[derive(Default)]
struct Seen {
    operations: Vec<Operation>,
    /// Begun and not ended.
    open: usize,
}

type Observer = extern "C" fn(*mut c_void, *const c_char, *const c_char);

unsafe extern "C" {
    fn virel_observe(with: Observer, context: *mut c_void) -> u64;
    fn virel_stop_observing(handle: u64);
}

extern "C" fn see(context: *mut c_void, name: *const c_char, numbers: *const c_char) {
    // SAFETY: `operations` passes its own cell, which outlives the observation, on the thread that is observed
    let mut seen = unsafe { &*context.cast::<RefCell<Seen>>() }.borrow_mut();
    if name.is_null() {
        seen.open -= 1;
        return;
    }
    // SAFETY: the caller's strings, which end in NUL and live until this returns
    let text = |text| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    let depth = seen.open;
    seen.operations.push(Operation { name: text(name), numbers: text(numbers), depth });
    seen.open += 1;
}

/// The operations that `work` dispatches on this thread, in the order in which they begin.
pub fn operations(work: impl FnOnce()) -> Vec<Operation> {
    let seen = RefCell::new(Seen::default());
    let context = (&raw const seen).cast_mut().cast::<c_void>();
    // SAFETY: `see` takes what it is given; the cell lives until the observation ends below
    let handle = unsafe { virel_observe(see, context) };
    work();
    // SAFETY: the handle that this thread got
    unsafe { virel_stop_observing(handle) };
    seen.into_inner().operations
}
