//! MuJoCo tasks: each is a row of data in a file of its own, all run by one mechanism.
//!
//! `task` is the vocabulary of the rows, `model` loads and proves a model file, `rules` binds a row to a model,
//! `simulator` steps under guard, `environment` puts them together.

use std::path::Path;

use self::task::{Task, Version};
use super::spec::Spec;
use crate::error::{EngineError, Result};

mod environment;
mod half_cheetah;
mod hopper;
mod inverted_pendulum;
mod messages;
mod model;
mod rules;
mod simulator;
pub mod task;
mod walker2d;

pub use environment::MujocoEnvironment;
pub use messages::take_warnings;

/// Every built-in task, by name; each exists in both versions.
const TASKS: [fn(Version) -> Task; 4] =
    [half_cheetah::task, hopper::task, inverted_pendulum::task, walker2d::task];

/// The rows of all built-in tasks.
pub fn tasks() -> Vec<Task> {
    TASKS.iter().flat_map(|task| Version::ALL.map(task)).collect()
}

/// What is known of all built-in tasks without their model files.
pub fn specs() -> Vec<Spec> {
    tasks().iter().map(Task::spec).collect()
}

/// The row of the built-in task `id`.
///
/// # Errors
/// `ENV_UNKNOWN`, with the id to use instead.
pub fn task(id: &str) -> Result<Task> {
    let tasks = tasks();
    let known: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    let unknown = || EngineError::EnvironmentUnknown { id: id.to_owned(), advice: advice(id, &known) };
    tasks.iter().find(|task| task.id == id).cloned().ok_or_else(unknown)
}

/// The built-in task `id` with its model file in `model_directory`.
///
/// # Errors
/// `ENV_UNKNOWN`, `MODEL_MISSING`, `MODEL_INVALID`, `MODEL_FINGERPRINT`.
pub fn create(id: &str, model_directory: &Path) -> Result<MujocoEnvironment> {
    MujocoEnvironment::new(&task(id)?, model_directory)
}

/// Why there is no task `id`, and which to use instead.
fn advice(id: &str, known: &[&str]) -> String {
    let (task, version) = id.rsplit_once("-v").unwrap_or((id, ""));
    let successor = |version: Version| known.iter().find(|known| ***known == version.id(task));
    let all = || format!("known: {}", known.join(", "));

    match (version, successor(Version::V4), successor(Version::V5)) {
        // gym's ids of old engines
        ("0" | "1" | "2" | "3", Some(v4), Some(v5)) => {
            format!("its physics was mujoco-py's; {v4} is closest to it, {v5} is for new work")
        }
        ("0" | "1" | "2" | "3", None, Some(v5)) => format!("its physics was mujoco-py's; use {v5}"),
        // Pusher-v4 is the one task without its older version
        ("4", None, Some(v5)) => format!("its model does not run on MuJoCo 3; use {v5}"),
        _ => match nearest(id, known) {
            Some(near) => format!("did you mean {near}? {}", all()),
            None => all(),
        },
    }
}

/// The known id fewest typing errors away, the newer of two equally near; none if more than a third of it is wrong.
fn nearest<'a>(id: &str, known: &[&'a str]) -> Option<&'a str> {
    let typed = id.to_lowercase();
    let errors = |name: &str| strsim::damerau_levenshtein(&typed, &name.to_lowercase());
    let near = known.iter().rev().min_by_key(|name| errors(name))?;
    (errors(near) * 3 <= near.chars().count()).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn a_task_without_its_older_version_says_why() {
        let known = ["Hopper-v4", "Hopper-v5", "Pusher-v5"];
        assert_eq!(advice("Pusher-v4", &known), "its model does not run on MuJoCo 3; use Pusher-v5");
        assert_eq!(advice("Pusher-v2", &known), "its physics was mujoco-py's; use Pusher-v5");
    }

    #[test]
    fn an_id_far_from_all_is_answered_with_the_list() {
        assert_eq!(advice("Pong-v5", &["Hopper-v4", "Hopper-v5"]), "known: Hopper-v4, Hopper-v5");
    }

    #[test]
    fn of_two_equally_near_ids_the_newer_is_suggested() {
        assert!(advice("hoper", &["Hopper-v4", "Hopper-v5"]).starts_with("known"));
        assert!(advice("Hoper-v6", &["Hopper-v4", "Hopper-v5"]).starts_with("did you mean Hopper-v5?"));
    }
}
