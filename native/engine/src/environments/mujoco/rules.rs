//! A task bound to a loaded model: names looked up once, then only arithmetic, without allocation.

use mujoco_rs::wrappers::mj_model::{MjModel, MjtJoint, MjtObjBase};

use super::model::no_joint;
use super::simulator::Simulator;
use super::task::{Condition, Quantity, Segment, Signal, Task};
use crate::error::{EngineError, Result};

/// Gymnasium's bound on clipped velocities.
const VELOCITY_LIMIT: f64 = 10.0;

/// What a task's words mean in one model, and the quantities of the latest step.
#[derive(Clone)]
pub(super) struct Rules {
    /// Every quantity that the task names, once; signals and conditions refer to places in this list.
    measured: Vec<Measured>,
    reward: Vec<(f64, Signal<usize>)>,
    healthy: Vec<Condition<usize>>,
    observation: Vec<Segment>,
    info: Vec<Signal<usize>>,
    /// Seconds of one environment step.
    duration: f64,
}

/// A quantity and its values around a step.
#[derive(Clone)]
struct Measured {
    address: Address,
    /// At the model's own start.
    start: f64,
    before: f64,
    now: f64,
}

/// Where the simulator keeps a quantity.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Address {
    /// Index into the positions.
    Position(usize),
}

impl Rules {
    /// Looks up every name of `task` in `model`.
    ///
    /// # Errors
    /// `MODEL_INVALID` when a name or an index is not in the model; `path` names the file.
    pub fn new(task: &Task, model: &MjModel, path: &str) -> Result<Self> {
        let mut measured = Vec::new();
        let mut place = |quantity: &Quantity| {
            let address = address(quantity, model, path)?;
            let known = measured.iter().position(|entry: &Measured| entry.address == address);
            Ok(known.unwrap_or_else(|| {
                let start = address.start(model);
                measured.push(Measured { address, start, before: start, now: start });
                measured.len() - 1
            }))
        };

        let mut reward = Vec::with_capacity(task.reward.len());
        for part in &task.reward {
            reward.push((part.weight, part.signal.bind(&mut place)?));
        }
        let healthy =
            task.healthy.iter().map(|condition| condition.bind(&mut place)).collect::<Result<_>>()?;
        let info = task.info.iter().map(|(_, signal)| signal.bind(&mut place)).collect::<Result<_>>()?;
        let duration = task.model.timestep * task.frame_skip as f64;
        check_ranges(task, path)?;
        Ok(Self { measured, reward, healthy, observation: task.observation.clone(), info, duration })
    }

    /// Remembers the quantities as the previous step, or the reset, left them.
    pub fn before_step(&mut self, simulator: &Simulator) {
        for entry in &mut self.measured {
            entry.before = entry.address.read(simulator);
        }
    }

    /// Reads the quantities as the step left them.
    pub fn after_step(&mut self, simulator: &Simulator) {
        for entry in &mut self.measured {
            entry.now = entry.address.read(simulator);
        }
    }

    /// Whether the episode goes on.
    pub fn healthy(&self, simulator: &Simulator) -> bool {
        self.healthy.iter().all(|condition| match condition {
            Condition::Inside(place, low, high) => {
                let now = self.measured[*place].now;
                *low < now && now < *high
            }
            Condition::Within(place, low, high) => (*low..=*high).contains(&self.measured[*place].now),
            Condition::StateBelow(range, limit) => {
                let state = simulator.qpos().iter().chain(simulator.qvel());
                state.skip(range.start).take(range.len()).all(|value| value.abs() < *limit)
            }
        })
    }

    /// The reward of the step; fills `info` with the task's measurements, then the parts of the reward.
    pub fn reward(&self, action: &[f64], healthy: bool, info: &mut [f64]) -> f64 {
        let (measurements, parts) = info.split_at_mut(self.info.len());
        for (value, signal) in measurements.iter_mut().zip(&self.info) {
            *value = self.signal(signal, action, healthy);
        }
        for (value, (weight, signal)) in parts.iter_mut().zip(&self.reward) {
            *value = weight * self.signal(signal, action, healthy);
        }
        parts.iter().sum()
    }

    /// Fills the observation.
    pub fn observe(&self, simulator: &Simulator, observation: &mut [f64]) {
        let mut rest = observation;
        for segment in &self.observation {
            let (range, source) = match segment {
                Segment::Positions(range) => (range, simulator.qpos()),
                Segment::Velocities(range) | Segment::ClippedVelocities(range) => (range, simulator.qvel()),
            };
            let (values, tail) = rest.split_at_mut(range.len());
            values.copy_from_slice(&source[range.clone()]);
            if matches!(segment, Segment::ClippedVelocities(_)) {
                for value in values {
                    *value = value.clamp(-VELOCITY_LIMIT, VELOCITY_LIMIT);
                }
            }
            rest = tail;
        }
    }

    fn signal(&self, signal: &Signal<usize>, action: &[f64], healthy: bool) -> f64 {
        match signal {
            Signal::Now(place) => self.measured[*place].now,
            Signal::FromStart(place) => self.measured[*place].now - self.measured[*place].start,
            Signal::Rate(place) => (self.measured[*place].now - self.measured[*place].before) / self.duration,
            Signal::Always => 1.0,
            Signal::WhileHealthy => f64::from(u8::from(healthy)),
            Signal::SquaredAction => action.iter().map(|value| value * value).sum(),
        }
    }
}

impl Address {
    fn read(self, simulator: &Simulator) -> f64 {
        match self {
            Self::Position(index) => simulator.qpos()[index],
        }
    }

    fn start(self, model: &MjModel) -> f64 {
        match self {
            Self::Position(index) => model.qpos0()[index],
        }
    }
}

/// Looks a quantity up.
fn address(quantity: &Quantity, model: &MjModel, path: &str) -> Result<Address> {
    match quantity {
        Quantity::Joint(name) => {
            let joint =
                model.name_to_id(MjtObjBase::mjOBJ_JOINT, name).ok_or_else(|| no_joint(path, name))?;
            match model.jnt_type()[joint] {
                MjtJoint::mjJNT_SLIDE | MjtJoint::mjJNT_HINGE => {
                    Ok(Address::Position(model.jnt_qposadr()[joint] as usize))
                }
                MjtJoint::mjJNT_FREE | MjtJoint::mjJNT_BALL => {
                    let reason = format!("joint {name} has no single position: it is no slide or hinge");
                    Err(EngineError::ModelInvalid { path: path.to_owned(), reason })
                }
            }
        }
    }
}

/// Every range of the task lies inside the model's state.
fn check_ranges(task: &Task, path: &str) -> Result<()> {
    let (nq, nv) = (task.model.nq, task.model.nv);
    let segments = task.observation.iter().map(|segment| match segment {
        Segment::Positions(range) => ("positions", range, nq),
        Segment::Velocities(range) | Segment::ClippedVelocities(range) => ("velocities", range, nv),
    });
    let conditions = task.healthy.iter().filter_map(|condition| match condition {
        Condition::StateBelow(range, _) => Some(("state", range, nq + nv)),
        Condition::Inside(..) | Condition::Within(..) => None,
    });
    for (name, range, size) in segments.chain(conditions) {
        if range.start > range.end || range.end > size {
            let reason = format!("{name} {}..{} asked for, it has {size}", range.start, range.end);
            return Err(EngineError::ModelInvalid { path: path.to_owned(), reason });
        }
    }
    Ok(())
}
