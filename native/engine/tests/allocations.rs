//! A session of the kernel engine allocates nothing while it collects and learns.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use support::recipes::VARIANTS;
use support::session;
use virel_engine::learner::LearnerConfig;
use virel_engine::recipe::MStepKind;
use virel_engine::session::temperature::TemperatureSource;
use virel_engine::session::{Phase, Plan, Session, SessionConfig};

/// The system's allocator, counting the calls of every thread but the process's first. That is the harness of tests, which runs
/// nothing of ours here and allocates when a test has taken a minute, to say so.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: both only answer, and allocate nothing
        if unsafe { libc::gettid() != libc::getpid() } {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: as the caller promises
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Steps that are counted: episodes end, parameters are looked at (every 256 updates), the ring goes round.
const STEPS: u64 = 1000;

#[test]
fn a_thousand_steps_and_updates_allocate_nothing() {
    // in a thread of its own: with one thread for all tests, the harness would run it in the first
    std::thread::spawn(count).join().unwrap();
}

fn count() {
    // the counter counts
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    drop(std::hint::black_box(Box::new(0)));
    assert_ne!(ALLOCATIONS.load(Ordering::Relaxed), before);

    for variant in VARIANTS.into_iter().filter(|variant| variant.recipe.m_step == MStepKind::Direct) {
        for threads in [1, 2, 3] {
            // the residual error, on more rows than a batch, where the variant leaves the temperature to the session
            let source = TemperatureSource::Residual { temperature_scale: 1e-3 };
            let plain = session::in_task("Hopper-v5", variant, source);
            let mut residual = plain.residual;
            residual.batch = 40;
            let learner = LearnerConfig { threads, ..plain.learner.clone() };
            let config = SessionConfig { residual, learner, replay_capacity: 500, ..plain };
            let mut session = Session::new(config).unwrap();
            let plan = |repeat| Plan {
                repeat,
                phases: vec![Phase::Collect(1), Phase::Update { m_steps: 1, e_steps: 1 }],
                residual_floor: 0.0,
            };
            let stop = AtomicBool::new(false);
            // the ring fills, lists grow to what they need
            session.advance(&plan(STEPS), &stop).unwrap();
            let plan = plan(STEPS);
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            let progress = session.advance(&plan, &stop).unwrap();
            let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
            assert_eq!(progress.updates, 2 * STEPS);
            // the list of episodes that the caller is told
            let told = usize::from(!progress.episodes.is_empty());
            assert_eq!(allocations, told, "{}, {threads} threads", variant.name);
        }
    }
}
