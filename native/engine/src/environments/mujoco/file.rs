//! A task of the user's, stated in JSON with the words of [`super::vocabulary`], for a model of the user's.
//!
//! Every refusal names the line: of the word that JSON or the vocabulary does not have, or of the entry that asks for
//! something the model lacks.

use std::fs;
use std::path::Path;

use mujoco_rs::wrappers::mj_model::MjModel;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::environment::MujocoEnvironment;
use super::measure::Lacking;
use super::model;
use super::options::{MOST_NOISE, MOST_PHYSICS_STEPS};
use super::rules::Place;
use super::simulator::Model;
use super::task::{
    About, Condition, Draw, Field, Map, Name, Noise, Part, Quantity, Refresh, Reset, Segment, Signal, Task,
};
use super::vocabulary::{highest, lowest};
use crate::error::{EngineError, Result};

/// Larger than any task by far.
const MOST_BYTES: u64 = 1 << 20;

/// A task file as written; entries of lists stay text until their place is known.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File<'a> {
    frame_skip: u32,
    max_episode_steps: u64,
    #[serde(default)]
    refresh: Refresh,
    #[serde(borrow)]
    reset: &'a RawValue,
    #[serde(borrow)]
    reward: Vec<&'a RawValue>,
    #[serde(default)]
    base_reward: f64,
    #[serde(borrow, default)]
    healthy: Vec<&'a RawValue>,
    #[serde(default = "yes")]
    terminates: bool,
    #[serde(borrow)]
    observation: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    info: Vec<&'a RawValue>,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResetEntry {
    positions: Noise,
    velocities: Noise,
    #[serde(default)]
    draws: Vec<Draw>,
    #[serde(default)]
    still_from: Option<usize>,
}

/// A part of the reward: one term written flat, or several.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartEntry {
    name: Name,
    weight: Option<f64>,
    of: Option<Signal>,
    terms: Option<Vec<Term>>,
    #[serde(default = "lowest")]
    low: f64,
    #[serde(default = "highest")]
    high: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Term {
    weight: f64,
    of: Signal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentEntry {
    of: Field,
    /// First row, and the one after the last; all of them if left out.
    rows: Option<[usize; 2]>,
    clip: Option<[f64; 2]>,
    map: Option<MapEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum MapEntry {
    Sine,
    Cosine,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InfoEntry {
    name: Name,
    of: Signal,
}

/// A task file's name and text: what a refusal needs.
struct Source<'a> {
    path: &'a str,
    text: &'a str,
}

impl<'a> Source<'a> {
    fn refuse<T>(&self, line: usize, reason: impl Into<String>) -> Result<T> {
        Err(EngineError::TaskInvalid { path: self.path.to_owned(), line, reason: reason.into() })
    }

    /// The line of a byte of the text, counted from 1.
    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
    }

    /// Where a part of the text begins in it.
    fn offset(&self, part: &str) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    /// Reads an entry of the file.
    fn read<T: DeserializeOwned>(&self, entry: &RawValue) -> Result<T> {
        serde_json::from_str(entry.get()).or_else(|error| {
            let first = self.line(self.offset(entry.get()));
            self.refuse(first + error.line().saturating_sub(1), words(&error))
        })
    }

    /// Reads every entry of a list; `check` gives what is wrong with an entry, and something else than its first
    /// line to look for it at.
    fn read_all<T: DeserializeOwned, U>(
        &self,
        entries: &[&RawValue],
        mut settle: impl FnMut(T) -> std::result::Result<U, Lacking>,
    ) -> Result<Vec<U>> {
        let read =
            |entry: &&RawValue| settle(self.read(entry)?).or_else(|lacking| self.refuse_at(entry, &lacking));
        entries.iter().map(read).collect()
    }

    /// Refuses an entry at the line where it says what the model lacks, or else at its first.
    fn refuse_at<T>(&self, entry: &RawValue, lacking: &Lacking) -> Result<T> {
        let start = self.offset(entry.get());
        let quoted = serde_json::to_string(&lacking.name).unwrap_or_default();
        let within = entry.get().find(&quoted).unwrap_or(0);
        self.refuse(self.line(start + within), lacking.reason.clone())
    }
}

/// What a JSON error says, without its place.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

fn wrong<T>(name: &str, reason: impl Into<String>) -> std::result::Result<T, Lacking> {
    Err(Lacking { name: name.to_owned(), reason: reason.into() })
}

/// The user's task `id` on the user's model.
///
/// # Errors
/// `TASK_INVALID` with the line; `MODEL_MISSING`, `MODEL_INVALID`.
pub(super) fn create(id: &str, task_file: &Path, model_file: &Path) -> Result<MujocoEnvironment> {
    let path = task_file.display().to_string();
    let text = read(task_file, &path)?;
    let source = Source { path: &path, text: &text };
    let file: File<'_> =
        serde_json::from_str(&text).or_else(|error| source.refuse(error.line(), words(&error)))?;

    let model = model::load(model_file)?;
    let model_path = model_file.display().to_string();
    let task = task(id, &source, &file, &model, &model_path)?;
    bind(&source, &file, &task, model, &model_path)
}

fn read(file: &Path, path: &str) -> Result<String> {
    let refuse = |reason: String| EngineError::TaskInvalid { path: path.to_owned(), line: 1, reason };
    let size = fs::metadata(file).map_err(|error| refuse(error.to_string()))?.len();
    if size > MOST_BYTES {
        return Err(refuse(format!("{size} bytes, at most {MOST_BYTES} are read")));
    }
    fs::read_to_string(file).map_err(|error| refuse(error.to_string()))
}

/// Looks the task up in the model; what it lacks is refused at the entry that asks for it.
fn bind(
    source: &Source<'_>,
    file: &File<'_>,
    task: &Task,
    model: Model,
    model_path: &str,
) -> Result<MujocoEnvironment> {
    MujocoEnvironment::bind(task, model, model_path, &|place, lacking| {
        let entry = match place {
            Place::Reset => Some(&file.reset),
            Place::Reward(index) => file.reward.get(index),
            Place::Healthy(index) => file.healthy.get(index),
            Place::Observation(index) => file.observation.get(index),
            Place::Info(index) => file.info.get(index),
        };
        let refused = entry.map_or_else(
            || source.refuse::<()>(1, lacking.reason.clone()),
            |entry| source.refuse_at(entry, &lacking),
        );
        refused.err().unwrap_or(EngineError::TaskInvalid {
            path: source.path.to_owned(),
            line: 1,
            reason: lacking.reason,
        })
    })
}

/// The row of a file.
fn task(id: &str, source: &Source<'_>, file: &File<'_>, model: &MjModel, model_path: &str) -> Result<Task> {
    let at = |key: &str| source.line(source.text.find(&format!("\"{key}\"")).unwrap_or(0));
    let frame_skip = file.frame_skip as usize;
    if !(1..=MOST_PHYSICS_STEPS).contains(&frame_skip) {
        let reason = format!("frameSkip: expected a whole number from 1 to {MOST_PHYSICS_STEPS}");
        return source.refuse(at("frameSkip"), reason);
    }
    if file.max_episode_steps == 0 {
        return source.refuse(at("maxEpisodeSteps"), "maxEpisodeSteps: expected at least 1");
    }
    if file.reward.is_empty() {
        return source.refuse(at("reward"), "reward: expected at least one part");
    }

    let mut names: Vec<Name> = Vec::new();
    let mut unique = |name: &Name| {
        if name.is_empty() || names.contains(name) {
            return wrong(name, format!("name {name:?}: expected one that no other entry has"));
        }
        names.push(name.clone());
        Ok(())
    };
    let info = source.read_all(&file.info, |InfoEntry { name, of }| {
        unique(&name)?;
        check_signal(&of, file.refresh)?;
        Ok((name, of))
    })?;
    let reward = source.read_all(&file.reward, |entry: PartEntry| {
        unique(&entry.name)?;
        part(entry, file.refresh)
    })?;
    let healthy = source.read_all(&file.healthy, |condition: Condition| {
        check_condition(&condition, file.refresh)?;
        Ok(condition)
    })?;
    let observation = source.read_all(&file.observation, |entry| segment(entry, model))?;
    if observation.iter().map(Segment::len).sum::<usize>() == 0 {
        return source.refuse(at("observation"), "observation: expected at least one value");
    }
    let reset: ResetEntry = source.read(file.reset)?;
    for noise in [reset.positions, reset.velocities] {
        if let Noise::Uniform(scale) | Noise::Normal(scale) = noise
            && !(0.0..=MOST_NOISE).contains(&scale)
        {
            return source.refuse_at(
                file.reset,
                &Lacking { name: String::new(), reason: format!("noise of {scale}: expected 0 to 1e6") },
            );
        }
    }
    Ok(Task {
        id: id.to_owned(),
        about: About::default(),
        model: model::fingerprint(model, model_path)?,
        frame_skip,
        max_episode_steps: file.max_episode_steps,
        refresh: file.refresh,
        reset: Reset {
            positions: reset.positions,
            velocities: reset.velocities,
            draws: reset.draws,
            still_from: reset.still_from,
        },
        reward,
        base_reward: file.base_reward,
        healthy,
        terminates: file.terminates,
        observation,
        info,
    })
}

fn part(entry: PartEntry, refresh: Refresh) -> std::result::Result<Part, Lacking> {
    let PartEntry { name, weight, of, terms, low, high } = entry;
    let terms = match (weight, of, terms) {
        (Some(weight), Some(of), None) => vec![(weight, of)],
        (None, None, Some(terms)) => terms.into_iter().map(|Term { weight, of }| (weight, of)).collect(),
        _ => return wrong(&name, format!("part {name}: expected weight and of, or terms")),
    };
    ordered("low and high", low, high)?;
    for (_, signal) in &terms {
        check_signal(signal, refresh)?;
    }
    Ok(Part { name, terms, low, high })
}

fn segment(entry: SegmentEntry, model: &MjModel) -> std::result::Result<Segment, Lacking> {
    let SegmentEntry { of: field, rows, clip, map } = entry;
    let all = match field {
        Field::Positions => model.nq(),
        Field::Velocities | Field::ActuatorForces | Field::ConstraintForces => model.nv(),
        Field::BodyInertias | Field::BodyVelocities | Field::ContactForces => model.nbody(),
        Field::Body(_) | Field::Offset(..) | Field::SubtreeCentre(_) => 3,
    };
    let [start, end] = rows.unwrap_or([0, all as usize]);
    let map = match (clip, map) {
        (None, None) => Map::Identity,
        (Some([low, high]), None) => {
            ordered("clip", low, high)?;
            Map::Clip(low, high)
        }
        (None, Some(MapEntry::Sine)) => Map::Sine,
        (None, Some(MapEntry::Cosine)) => Map::Cosine,
        (Some(_), Some(_)) => return wrong("map", "clip and map: expected one of them"),
    };
    if start > end {
        return wrong("rows", format!("rows [{start}, {end}]: the first is behind the last"));
    }
    Ok(Segment { field, rows: start..end, map })
}

fn ordered(name: &str, low: f64, high: f64) -> std::result::Result<(), Lacking> {
    if low <= high {
        return Ok(());
    }
    wrong("low", format!("{name}: expected the first not above the second, got {low} and {high}"))
}

fn check_signal(signal: &Signal, refresh: Refresh) -> std::result::Result<(), Lacking> {
    match signal {
        Signal::Now(of)
        | Signal::Before(of)
        | Signal::FromStart(of)
        | Signal::Rate(of)
        | Signal::PerTimestep(of)
        | Signal::SquaredFrom { of, .. } => check_quantity(of, refresh),
        Signal::Always | Signal::WhileHealthy | Signal::SquaredAction => Ok(()),
    }
}

fn check_condition(condition: &Condition, refresh: Refresh) -> std::result::Result<(), Lacking> {
    match *condition {
        Condition::Inside { ref of, low, high } | Condition::Within { ref of, low, high } => {
            ordered("low and high", low, high)?;
            check_quantity(of, refresh)
        }
        Condition::StateInside { low, high, .. } => ordered("low and high", low, high),
    }
}

/// What the words alone allow and arithmetic does not.
fn check_quantity(quantity: &Quantity, refresh: Refresh) -> std::result::Result<(), Lacking> {
    match quantity {
        Quantity::SubtreeVelocity(..) if refresh == Refresh::AsLeft => {
            wrong("subtreeVelocity", "subtreeVelocity needs \"refresh\": \"anew\"")
        }
        Quantity::SquaredContactForces { low, high } => ordered("low and high", *low, *high),
        Quantity::Norm(all) => all.iter().try_for_each(|each| check_quantity(each, refresh)),
        Quantity::Joint(_)
        | Quantity::JointVelocity(_)
        | Quantity::Position(_)
        | Quantity::Body(..)
        | Quantity::Site(..)
        | Quantity::CentreOfMass(_)
        | Quantity::SubtreeVelocity(..)
        | Quantity::Distance(..) => Ok(()),
    }
}
