//! MuJoCo tasks: each is a row of data in a file of its own, all run by one mechanism.
//!
//! `task` is what a row is, `vocabulary` the words it is made of, `options` what users may change in it. `model` loads
//! and proves a model file, `file` reads rows of users from JSON; `rules` binds a row to a model, with `measure` (quantities), `observe` (observations) and
//! `start` (resets); `simulator` steps under guard, `environment` puts them together.

use std::path::Path;

use self::choices::Choices;
use self::options::Options;
use self::task::{Described, Task, Version};
use super::environment::Environment as _;
use super::spec::Spec;
use crate::error::{EngineError, Result};

mod ant;
pub mod choices;
mod environment;
mod file;
mod half_cheetah;
mod hopper;
mod humanoid;
mod humanoid_standup;
mod inverted_double_pendulum;
mod inverted_pendulum;
mod measure;
mod messages;
mod model;
mod observe;
pub mod options;
mod pusher;
mod reacher;
mod rllab;
mod rules;
mod simulator;
mod start;
mod swimmer;
pub mod task;
pub mod vocabulary;
mod walker2d;

pub use environment::MujocoEnvironment;
pub use messages::take_warnings;

/// A row of the table of tasks.
enum Row {
    /// In both of Gymnasium's versions.
    Both(fn(Version, &mut Options) -> Task),
    /// In one.
    One(fn(&mut Options) -> Task),
}

/// Every built-in task: the one list that a new task is added to.
const TASKS: [Row; 13] = [
    Row::Both(ant::task),
    Row::Both(half_cheetah::task),
    Row::Both(hopper::task),
    Row::Both(humanoid::task),
    Row::Both(humanoid_standup::task),
    Row::Both(inverted_double_pendulum::task),
    Row::Both(inverted_pendulum::task),
    Row::One(pusher::task),
    Row::Both(reacher::task),
    Row::Both(swimmer::task),
    Row::Both(walker2d::task),
    Row::One(rllab::humanoid),
    Row::One(rllab::swimmer),
];

/// Calls `visit` for every built-in task until it answers.
fn search<T>(mut visit: impl FnMut(&dyn Fn(&mut Options) -> Task) -> Option<T>) -> Option<T> {
    TASKS.iter().find_map(|row| match row {
        Row::Both(build) => {
            Version::ALL.iter().find_map(|&version| visit(&|options: &mut Options| build(version, options)))
        }
        Row::One(build) => visit(build),
    })
}

/// All built-in tasks with their options.
///
/// # Errors
/// None: a row's own defaults are never refused.
pub fn described() -> Result<Vec<Described>> {
    let mut all = Vec::new();
    let failed = search(|build| {
        let mut options = Options::default();
        let task = build(&mut options);
        match options.finish(&task.id) {
            Ok(options) => {
                all.push(Described { task, options });
                None
            }
            Err(error) => Some(error),
        }
    });
    failed.map_or(Ok(all), Err)
}

/// The rows of all built-in tasks, every option at its default.
pub fn tasks() -> Vec<Task> {
    let mut all = Vec::new();
    let _: Option<()> = search(|build| {
        all.push(build(&mut Options::default()));
        None
    });
    all
}

/// What is known of all built-in tasks without their model files.
pub fn specs() -> Vec<Spec> {
    tasks().iter().map(Task::spec).collect()
}

/// The row of the built-in task `id`, every option at its default.
///
/// # Errors
/// `ENV_UNKNOWN`, with the id to use instead.
pub fn task(id: &str) -> Result<Task> {
    task_with(id, &Choices::default())
}

/// The row of the built-in task `id` with these options.
///
/// # Errors
/// `ENV_UNKNOWN`, with the id to use instead; `CONFIG_UNKNOWN_KEY` and `CONFIG_RANGE` of an option.
pub fn task_with(id: &str, choices: &Choices) -> Result<Task> {
    let found = search(|build| {
        if build(&mut Options::default()).id != id {
            return None;
        }
        let mut options = Options::new(choices.options.clone());
        let task = build(&mut options);
        Some(options.finish(id).map(|_| task))
    });
    found.unwrap_or_else(|| {
        let tasks = tasks();
        let known: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
        Err(EngineError::EnvironmentUnknown { id: id.to_owned(), advice: advice(id, &known) })
    })
}

/// The built-in task `id` with its model file in `model_directory`.
///
/// # Errors
/// `ENV_UNKNOWN`, `MODEL_MISSING`, `MODEL_INVALID`, `MODEL_FINGERPRINT`.
pub fn create(id: &str, model_directory: &Path) -> Result<MujocoEnvironment> {
    create_with(id, model_directory, &Choices::default())
}

/// The task `id` with what the user chose.
///
/// # Errors
/// As [`create`]; `CONFIG_UNKNOWN_KEY`, `CONFIG_TYPE` and `CONFIG_RANGE` of an option; `TASK_INVALID` of a task file.
pub fn create_with(id: &str, model_directory: &Path, choices: &Choices) -> Result<MujocoEnvironment> {
    if let Some(task_file) = &choices.task_file {
        return create_from_file(id, task_file, choices);
    }
    let task = task_with(id, choices)?;
    match &choices.model_file {
        Some(file) => MujocoEnvironment::with_model(&task, file).map_err(|error| hint(&task, error)),
        None if task.about.model_needed.is_empty() => MujocoEnvironment::new(&task, model_directory),
        None => Err(EngineError::ModelNotShipped {
            id: id.to_owned(),
            needed: task.about.model_needed.to_string(),
        }),
    }
}

/// A file that was not changed as it must be is answered with how.
fn hint(task: &Task, error: EngineError) -> EngineError {
    match error {
        EngineError::ModelInvalid { path, reason } if !task.about.model_needed.is_empty() => {
            let reason = format!("{reason}; {} takes {}", task.id, task.about.model_needed);
            EngineError::ModelInvalid { path, reason }
        }
        other => other,
    }
}

/// A task of the user's, which has neither a model nor options of its own.
fn create_from_file(id: &str, task_file: &Path, choices: &Choices) -> Result<MujocoEnvironment> {
    if let Some(name) = choices.options.keys().next() {
        let known = "it has none, its file says it all".to_owned();
        return Err(EngineError::OptionUnknown { id: id.to_owned(), name: name.clone(), known });
    }
    match &choices.model_file {
        Some(model_file) => file::create(id, task_file, model_file),
        None => Err(EngineError::ModelNotShipped {
            id: id.to_owned(),
            needed: format!("the MJCF that {} is for", task_file.display()),
        }),
    }
}

/// What is known of the task `id` with what the user chose; a model is loaded only for a task of the user's.
///
/// # Errors
/// As [`create_with`].
pub fn describe(id: &str, choices: &Choices) -> Result<Spec> {
    if choices.task_file.is_some() {
        return create_with(id, Path::new(""), choices).map(|environment| environment.spec().clone());
    }
    Ok(task_with(id, choices)?.spec())
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
