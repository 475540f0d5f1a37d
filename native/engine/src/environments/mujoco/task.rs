//! The vocabulary in which every MuJoCo task is stated: plain data, no code, so that a task is one table row.
//!
//! A [`Task`] names quantities of the simulator; [`super::rules::Rules`] looks the names up in the loaded model
//! and does the arithmetic of a step. A task that needs a new word adds one variant here (a body's position to
//! [`Quantity`], a contact cost to [`Signal`], contact forces to [`Segment`]) and its meaning there: every match
//! is exhaustive, so the compiler lists what the new word must answer.

use std::borrow::Cow;
use std::ops::Range;

use crate::environments::spec::Spec;
use crate::error::Result;

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
    /// The robot, and what its file must contain.
    pub model: Fingerprint,
    /// Physics steps of one environment step.
    pub frame_skip: usize,
    /// Environment steps after which an episode is truncated.
    pub max_episode_steps: u64,
    /// Noise around the model's own start.
    pub reset: Reset,
    /// The reward is the sum of these parts.
    pub reward: Vec<Part>,
    /// The episode terminates as soon as one of these fails; without any it never does.
    pub healthy: Vec<Condition>,
    /// The observation is these segments, one after the other.
    pub observation: Vec<Segment>,
    /// Numbers reported beside the parts of the reward.
    pub info: Vec<(Name, Signal)>,
}

/// What a model file must contain to be the task's model; compared at load.
#[derive(Debug, Clone, PartialEq)]
pub struct Fingerprint {
    /// File in the folder of models.
    pub file: Name,
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

/// Noise added to the model's own start, every coordinate on its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Reset {
    /// Added to the positions.
    pub positions: Noise,
    /// Added to the velocities, which start at zero.
    pub velocities: Noise,
}

/// A distribution with mean zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Noise {
    /// Uniform between minus and plus this.
    Uniform(f64),
    /// Normal with this standard deviation.
    Normal(f64),
}

/// A scalar that the simulator holds at any moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Quantity {
    /// Position of a slide (m) or hinge (rad) joint, by its name.
    Joint(Name),
}

/// The position of a slide (m) or hinge (rad) joint.
pub const fn joint(name: &'static str) -> Quantity {
    Quantity::Joint(Name::Borrowed(name))
}

/// A scalar of one environment step. `Q` is how a quantity is named: by words in a task, by place in its rules.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal<Q = Quantity> {
    /// The quantity after the step.
    Now(Q),
    /// The same, relative to the model's own start.
    FromStart(Q),
    /// Its change over the step, per second.
    Rate(Q),
    /// One, on every step.
    Always,
    /// One on a step that ends healthy, zero on one that terminates.
    WhileHealthy,
    /// Sum of squares of the raw action, before any clamping.
    SquaredAction,
}

/// One part of the reward, reported in `info` under its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Gymnasium's v5 name, such as `reward_ctrl`.
    pub name: Name,
    /// Reward per unit of the signal; negative for a cost.
    pub weight: f64,
    /// What is paid for.
    pub signal: Signal,
}

/// A part of the reward.
pub fn part(name: &'static str, weight: f64, signal: Signal) -> Part {
    Part { name: name.into(), weight, signal }
}

/// What must hold after a step for the episode to go on. NaN fails all of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition<Q = Quantity> {
    /// Strictly between two numbers.
    Inside(Q, f64, f64),
    /// Between two numbers, or equal to one.
    Within(Q, f64, f64),
    /// Every value of the state (positions, then velocities) in the range is strictly below the limit in magnitude.
    StateBelow(Range<usize>, f64),
}

/// A run of an observation's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Generalised positions.
    Positions(Range<usize>),
    /// Generalised velocities.
    Velocities(Range<usize>),
    /// Generalised velocities, clipped to ±10 as Gymnasium does.
    ClippedVelocities(Range<usize>),
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

    /// What the bonus for being healthy is paid on: v4 pays it on the terminating step too.
    pub const fn survival(self) -> Signal {
        match self {
            Self::V4 => Signal::Always,
            Self::V5 => Signal::WhileHealthy,
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

impl Segment {
    /// How many values it adds to the observation.
    fn len(&self) -> usize {
        match self {
            Self::Positions(range) | Self::Velocities(range) | Self::ClippedVelocities(range) => range.len(),
        }
    }
}

impl Signal {
    /// The same signal of a quantity found by `find`.
    pub(super) fn bind<Q>(&self, find: impl FnOnce(&Quantity) -> Result<Q>) -> Result<Signal<Q>> {
        Ok(match self {
            Self::Now(quantity) => Signal::Now(find(quantity)?),
            Self::FromStart(quantity) => Signal::FromStart(find(quantity)?),
            Self::Rate(quantity) => Signal::Rate(find(quantity)?),
            Self::Always => Signal::Always,
            Self::WhileHealthy => Signal::WhileHealthy,
            Self::SquaredAction => Signal::SquaredAction,
        })
    }
}

impl Condition {
    /// The same condition on a quantity found by `find`.
    pub(super) fn bind<Q>(&self, find: impl FnOnce(&Quantity) -> Result<Q>) -> Result<Condition<Q>> {
        Ok(match self {
            Self::Inside(quantity, low, high) => Condition::Inside(find(quantity)?, *low, *high),
            Self::Within(quantity, low, high) => Condition::Within(find(quantity)?, *low, *high),
            Self::StateBelow(range, limit) => Condition::StateBelow(range.clone(), *limit),
        })
    }
}
