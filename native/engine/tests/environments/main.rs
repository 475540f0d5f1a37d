//! MuJoCo tasks against Gymnasium's own rollouts, and against the contract of an environment.
//!
//! `VIREL_MODELS` names the folder of Gymnasium's model files. `VIREL_ROLLOUTS` may name another file of rollouts,
//! made by `__tests__/fixtures/environments/generate_rollouts.py`.

// clippy exempts functions marked as tests; here the others are of tests too
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use virel_engine::environments::environment::{Environment, Outcome};
use virel_engine::environments::mujoco::choices::Choices;
use virel_engine::environments::mujoco::task::{Signal, Task, joint, part, positions, velocities};
use virel_engine::environments::mujoco::vocabulary::inside;
use virel_engine::environments::mujoco::{
    MujocoEnvironment, create, create_with, describe, described, specs, task_with, tasks,
};
use virel_engine::error::EngineError;
use virel_engine::random::{Purpose, Stream};

mod contract;
mod models;
mod options;
mod parity;
mod start;
mod task_file;
mod vector;

/// Bound on every observation and reward against Gymnasium on the same libmujoco. Another processor's sin and cos
/// move a HalfCheetah by at most 4e-10 over the stored steps; anything else is a different task.
const PARITY: f64 = 1e-9;

fn models() -> PathBuf {
    std::env::var_os("VIREL_MODELS")
        .map(PathBuf::from)
        .expect("VIREL_MODELS must name the folder with Gymnasium's model files (half_cheetah.xml, ...)")
}

/// A file of `__tests__/fixtures/environments`.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__tests__/fixtures/environments").join(name)
}

/// Nothing but the model file that a task without one of its own needs: a small one of ours.
fn choices_for(id: &str) -> Choices {
    let model_file = id.ends_with("-rllab").then(|| fixture(&format!("{id}.xml")));
    Choices { model_file, ..Choices::default() }
}

fn make(id: &str) -> MujocoEnvironment {
    make_with(id, &choices_for(id))
}

fn make_with(id: &str, choices: &Choices) -> MujocoEnvironment {
    create_with(id, &models(), choices).unwrap_or_else(|error| panic!("{id}: {error}"))
}

/// Options as `--set env.NAME=VALUE` gives them.
fn with_options(options: &Value) -> Choices {
    Choices::from_json(&options.to_string()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn stream(seed: u64) -> Stream {
    Stream::new(seed, Purpose::Reset, 0)
}

fn observation_of(environment: &MujocoEnvironment) -> Vec<f64> {
    // NaN: a value that is not written fails every comparison
    vec![f64::NAN; environment.spec().observation_size]
}

/// Uniform in 1.25 times the bounds, so that clamping is exercised.
fn action_of(environment: &MujocoEnvironment, stream: &mut Stream) -> Vec<f64> {
    let spec = environment.spec();
    let bounds = spec.action_low.iter().zip(&spec.action_high);
    bounds.map(|(low, high)| stream.uniform_in(1.25 * low, 1.25 * high)).collect()
}

/// Observations and outcomes of `steps` random steps after a reset, all from `seed`.
fn rollout(environment: &mut MujocoEnvironment, seed: u64, steps: usize) -> Vec<(Vec<f64>, Outcome)> {
    let mut actions = Stream::new(seed, Purpose::Action, 0);
    let mut observation = observation_of(environment);
    environment.reset(&mut stream(seed), &mut observation).unwrap();
    (0..steps)
        .map(|_| {
            let action = action_of(environment, &mut actions);
            let outcome = environment.step(&action, &mut observation).unwrap();
            (observation.clone(), outcome)
        })
        .collect()
}

fn info(environment: &MujocoEnvironment, name: &str) -> f64 {
    let place = environment.spec().info.iter().position(|known| known == name);
    environment.info()[place.unwrap_or_else(|| panic!("no info {name}"))]
}

/// Largest difference of two runs of numbers; NaN if one is NaN.
fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    got.iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |worst, error| if error.is_nan() { error } else { worst.max(error) })
}

/// A folder with one model file of this content.
fn folder_with(name: &str, file: &str, content: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(file), content).unwrap();
    folder
}

fn refusal(id: &str, folder: &Path) -> EngineError {
    create(id, folder).map(drop).unwrap_err()
}

/// Entries of a file of rollouts, by name.
fn entries(path: &Path) -> serde_json::Map<String, Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut file: Value = serde_json::from_str(&text).expect("rollouts are JSON");
    file["envs"].as_object_mut().map(std::mem::take).expect("an object")
}

/// What Gymnasium says of each id, and its rollouts.
fn reference() -> serde_json::Map<String, Value> {
    entries(&std::env::var_os("VIREL_ROLLOUTS").map_or_else(|| fixture("rollouts.json"), PathBuf::from))
}
