//! What stepping a task does to the process around it: nothing.

// clippy exempts functions marked as tests; here the others are of tests too
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use virel_engine::environments::environment::Environment;
use virel_engine::environments::mujoco::choices::Choices;
use virel_engine::environments::mujoco::{MujocoEnvironment, create_with, specs, take_warnings};
use virel_engine::random::{Purpose, Stream};

/// The system's allocator, counting the calls of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
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

fn make(id: &str) -> MujocoEnvironment {
    let models = std::env::var_os("VIREL_MODELS")
        .map(PathBuf::from)
        .expect("VIREL_MODELS must name the folder with Gymnasium's model files (half_cheetah.xml, ...)");
    let model_file = id.ends_with("-rllab").then(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__tests__/fixtures/environments");
        folder.join(format!("{id}.xml"))
    });
    let choices = Choices { model_file, ..Choices::default() };
    create_with(id, &models, &choices).unwrap_or_else(|error| panic!("{id}: {error}"))
}

#[test]
fn steps_and_resets_do_not_allocate() {
    for spec in specs() {
        let mut environment = make(&spec.id);
        let mut stream = Stream::new(0, Purpose::Reset, 0);
        let mut observation = vec![0.0; spec.observation_size];
        let action = vec![0.3; spec.action_size];
        let before = ALLOCATIONS.get();
        for _ in 0..10 {
            environment.reset(&mut stream, &mut observation).unwrap();
            for _ in 0..10 {
                let _ = environment.step(&action, &mut observation).unwrap();
            }
        }
        assert_eq!(ALLOCATIONS.get() - before, 0, "{}", spec.id);
    }
    // the counter counts
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(vec![0_u8; 10]));
    assert_eq!(ALLOCATIONS.get() - before, 1);
}

/// Set in the process that the test below starts, to the folder it runs in.
const CHILD: &str = "VIREL_TEST_CHILD";

#[test]
fn mujocos_warnings_are_kept_and_neither_printed_nor_written_to_a_file() {
    if std::env::var_os(CHILD).is_some() {
        return provoke_warnings();
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("warnings");
    fs::create_dir_all(&folder).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "mujocos_warnings_are_kept_and_neither_printed_nor_written_to_a_file",
            "--nocapture",
        ])
        .current_dir(&folder)
        .env(CHILD, "1")
        .output()
        .unwrap();
    let [printed, errors] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{printed}{errors}");
    assert!(printed.contains("1 passed"), "{printed}");
    assert!(!printed.contains("mass") && !printed.contains("unstable"), "{printed}");
    assert_eq!(errors, "");
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(files.is_empty(), "{files:?}");
}

fn provoke_warnings() {
    // the model's file uses an attribute that MuJoCo is about to drop
    let mut environment = make("HalfCheetah-v4");
    let warnings = take_warnings();
    assert!(warnings.iter().any(|warning| warning.contains("settotalmass")), "{warnings:?}");
    assert_eq!(take_warnings(), Vec::<String>::new());

    // an unstable simulation warns on every step: only the latest are kept
    let mut observation = [0.0; 17];
    for step in 0..200 {
        let mut qvel = [0.0; 9];
        qvel[step % 9] = 1e11;
        environment.set_state(&[0.0; 9], &qvel, &mut observation).unwrap();
        let _ = environment.step(&[0.0; 6], &mut observation).unwrap_err();
    }
    let warnings = take_warnings();
    assert_eq!(warnings.len(), 64);
    assert!(warnings.iter().all(|warning| warning.contains("unstable")), "{warnings:?}");
}
