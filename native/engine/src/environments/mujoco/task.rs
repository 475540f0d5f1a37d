//! A MuJoCo task as plain data: one row, no code. Built-in rows are functions of Gymnasium's constructor options
//! (`options`), each in a file of its own; rows of users are read from JSON (`file`).
//!
//! A row says *what* in the words of [`super::vocabulary`]; [`super::rules::Rules`] looks the words up in the loaded
//! model and does the arithmetic of a step. A task that needs a new word adds one variant there and its meaning in
//! `measure`, `observe` or `rules`: every match is exhaustive, so the compiler lists what the new word must answer.

use std::borrow::Cow;

use serde::Deserialize;

use super::options::{Declared, Options};
pub use super::vocabulary::{
    Condition, Draw, Field, Map, Noise, Quantity, Reset, Segment, Signal, body, joint, positions, site,
    squared_from, velocities,
};
use crate::environments::spec::Spec;

/// A name in a model or in a step's `info`: borrowed in built-in tasks, owned when read from a file.
pub type Name = Cow<'static, str>;

/// Which of Gymnasium's two rules a task follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The rules of gym's `v2`, on a current MuJoCo.
    V4,
    /// Gymnasium's corrected rules.
    V5,
}

/// One task, its fields in the order of an episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Public id, such as `Hopper-v5`.
    pub id: String,
    /// What people want to know before they choose it.
    pub about: About,
    /// The robot, and what its file must contain.
    pub model: Fingerprint,
    /// Physics steps of one environment step.
    pub frame_skip: usize,
    /// Environment steps after which an episode is truncated.
    pub max_episode_steps: u64,
    /// When what follows from positions and velocities is computed.
    pub refresh: Refresh,
    /// How an episode starts.
    pub reset: Reset,
    /// The reward is the sum of these parts, and of `base_reward`.
    pub reward: Vec<Part>,
    /// Paid on every step and reported nowhere; zero but in HumanoidStandup.
    pub base_reward: f64,
    /// Healthy are the steps after which all of these hold.
    pub healthy: Vec<Condition>,
    /// Whether an unhealthy step ends the episode.
    pub terminates: bool,
    /// The observation is these segments, one after the other.
    pub observation: Vec<Segment>,
    /// Numbers reported beside the parts of the reward.
    pub info: Vec<(Name, Signal)>,
}

/// What is known of a task beyond its rules.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct About {
    /// What the robot is paid for, in one line.
    pub summary: Name,
    /// How v4 and v5 differ, in one line.
    pub versions: Name,
    /// Mean return of uniformly random actions, with what is known of its spread; empty if never measured.
    pub random_return: Name,
    /// Which model file it takes where none is shipped; empty for tasks with one of Gymnasium's.
    pub model_needed: Name,
}

/// When the simulator computes what follows from positions and velocities: forces, body positions, centres of mass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Refresh {
    /// Gymnasium's way: after a step they stay as the integrator left them, contact forces excepted.
    #[default]
    AsLeft,
    /// rllab's way: all of it, anew, after every step and reset; velocities of subtrees too.
    Anew,
}

/// What a model file must contain to be the task's model; compared at load.
#[derive(Debug, Clone, PartialEq)]
pub struct Fingerprint {
    /// File in the folder of models.
    pub file: Name,
    /// First 12 hex digits of the SHA-256 of Gymnasium 1.4.0's file; empty for other files.
    pub sha256: Name,
    /// Bodies, the world included.
    pub bodies: usize,
    /// Total mass, kg.
    pub mass: f64,
    /// Generalised positions.
    pub nq: usize,
    /// Generalised velocities.
    pub nv: usize,
    /// Seconds of one physics step.
    pub timestep: f64,
    /// Whether bodies touch: without, they pass through each other and the floor.
    pub contacts: bool,
    /// One per action dimension, in its order.
    pub actuators: Vec<Actuator>,
}

/// A motor and the range of its action.
#[derive(Debug, Clone, PartialEq)]
pub struct Actuator {
    /// The joint it drives.
    pub joint: Name,
    /// Force (N) or torque (N m) per unit of action.
    pub gear: f64,
    /// Smallest action.
    pub low: f64,
    /// Largest action.
    pub high: f64,
}

/// Motors with actions in [-limit, limit], from (joint, gear).
pub fn motors<const N: usize>(limit: f64, motors: [(&'static str, f64); N]) -> Vec<Actuator> {
    motors.map(|(joint, gear)| Actuator { joint: joint.into(), gear, low: -limit, high: limit }).into()
}

/// One part of the reward, reported in `info` under its name: Σ weight · signal, kept between two limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Gymnasium's v5 name, such as `reward_ctrl`.
    pub name: Name,
    /// Reward per unit of each signal; negative for a cost.
    pub terms: Vec<(f64, Signal)>,
    /// The part is never below this.
    pub low: f64,
    /// The part is never above this.
    pub high: f64,
}

/// A part of the reward with several terms.
pub fn parts<const N: usize>(name: &'static str, terms: [(f64, Signal); N]) -> Part {
    Part { name: name.into(), terms: terms.into(), low: f64::NEG_INFINITY, high: f64::INFINITY }
}

/// A part of the reward.
pub fn part(name: &'static str, weight: f64, signal: Signal) -> Part {
    parts(name, [(weight, signal)])
}

impl Part {
    /// The same part as a cost whose size stays within `[low, high]`.
    #[must_use]
    pub fn with_cost_in(self, [low, high]: [f64; 2]) -> Self {
        Self { low: -high, high: -low, ..self }
    }
}

impl Version {
    /// Both, older first.
    pub const ALL: [Self; 2] = [Self::V4, Self::V5];

    /// The public id of a task in this version.
    pub fn id(self, task: &str) -> String {
        match self {
            Self::V4 => format!("{task}-v4"),
            Self::V5 => format!("{task}-v5"),
        }
    }

    /// One of two values.
    pub fn pick<T>(self, v4: T, v5: T) -> T {
        match self {
            Self::V4 => v4,
            Self::V5 => v5,
        }
    }

    /// Physics steps of an environment step: an option in v5 alone.
    pub fn frame_skip(self, default: usize, options: &mut Options) -> usize {
        match self {
            Self::V4 => default,
            Self::V5 => options.count("frameSkip", default),
        }
    }

    /// What the bonus for being healthy is paid on: v4 pays it on the terminating step too.
    pub const fn survival(self, terminates: bool) -> Signal {
        match (self, terminates) {
            (Self::V4, true) => Signal::Always,
            (Self::V4, false) | (Self::V5, _) => Signal::WhileHealthy,
        }
    }
}

impl Task {
    /// Sizes, bounds and times, known without the model file.
    pub fn spec(&self) -> Spec {
        let actuators = &self.model.actuators;
        let measurements = self.info.iter().map(|(name, _)| name);
        let parts = self.reward.iter().map(|part| &part.name);
        Spec {
            id: self.id.clone(),
            observation_size: self.observation.iter().map(Segment::len).sum(),
            action_size: actuators.len(),
            action_low: actuators.iter().map(|actuator| actuator.low).collect(),
            action_high: actuators.iter().map(|actuator| actuator.high).collect(),
            timestep: self.model.timestep,
            frame_skip: self.frame_skip,
            max_episode_steps: self.max_episode_steps,
            info: measurements.chain(parts).map(|name| name.to_string()).collect(),
        }
    }
}

/// A built-in task with the options that its row asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// The row, with every option at its default.
    pub task: Task,
    /// Its options, in the order of Gymnasium's constructor.
    pub options: Vec<Declared>,
}
