//! A task bound to a loaded model: names looked up once, then only arithmetic, without allocation.

use mujoco_rs::wrappers::mj_model::MjModel;

use super::measure::{Address, Lacking};
use super::observe::View;
use super::simulator::{Afterwards, Simulator};
use super::task::{Condition, Quantity, Refresh, Signal, Task};
use crate::error::EngineError;
use crate::ledger::Ledger;

/// Where in a task something is that its model does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Reset,
    Reward(usize),
    Healthy(usize),
    Observation(usize),
    Info(usize),
}

/// A part of the reward.
#[derive(Clone)]
struct Part {
    name: String,
    terms: Vec<(f64, Signal<usize>)>,
    low: f64,
    high: f64,
}

/// What a task's words mean in one model, and the quantities of the latest step.
#[derive(Clone)]
pub(super) struct Rules {
    /// Every quantity that the task names, once; signals and conditions refer to places in this list.
    measured: Vec<Measured>,
    reward: Vec<Part>,
    base_reward: f64,
    healthy: Vec<Condition<usize>>,
    observation: Vec<View>,
    info: Vec<Signal<usize>>,
    /// Seconds of one physics step.
    timestep: f64,
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

impl Rules {
    /// What these rules read that a physics step does not leave.
    pub fn afterwards(&self, refresh: Refresh) -> Afterwards {
        let measured = || self.measured.iter().any(|measured| measured.address.reads_contact_forces());
        match refresh {
            Refresh::Anew => Afterwards::All,
            Refresh::AsLeft if measured() || self.observation.iter().any(View::reads_contact_forces) => {
                Afterwards::ContactForces
            }
            Refresh::AsLeft => Afterwards::Nothing,
        }
    }

    /// Looks up every name of `task` in `model`.
    ///
    /// # Errors
    /// What the task asks for and the model lacks, with its place in the task.
    pub fn new(task: &Task, model: &MjModel) -> Result<Self, (Place, Lacking)> {
        let mut measured: Vec<Measured> = Vec::new();
        let mut place = |quantity: &Quantity| {
            let address = Address::of(quantity, model)?;
            let known = measured.iter().position(|entry| entry.address == address);
            Ok(known.unwrap_or_else(|| {
                measured.push(Measured { address, start: 0.0, before: 0.0, now: 0.0 });
                measured.len() - 1
            }))
        };

        let mut reward = Vec::with_capacity(task.reward.len());
        for (index, part) in task.reward.iter().enumerate() {
            let mut terms = Vec::with_capacity(part.terms.len());
            for (weight, signal) in &part.terms {
                let bound = signal.bind(&mut place).map_err(|lacking| (Place::Reward(index), lacking))?;
                terms.push((*weight, bound));
            }
            reward.push(Part { name: part.name.to_string(), terms, low: part.low, high: part.high });
        }
        let (nq, nv) = (model.nq() as usize, model.nv() as usize);
        let healthy = each(&task.healthy, Place::Healthy, |condition| {
            check_state(condition, nq + nv)?;
            condition.bind(&mut place)
        })?;
        let info = each(&task.info, Place::Info, |(_, signal)| signal.bind(&mut place))?;
        let observation = each(&task.observation, Place::Observation, |segment| View::of(segment, model))?;
        task.reset.check(nq, nv).map_err(|lacking| (Place::Reset, lacking))?;
        let timestep = model.opt().timestep;
        let duration = timestep * task.frame_skip as f64;
        let base_reward = task.base_reward;
        Ok(Self { measured, reward, base_reward, healthy, observation, info, timestep, duration })
    }

    /// Remembers the quantities of a simulator that stands at the model's own start.
    pub fn remember_start(&mut self, simulator: &Simulator) {
        self.look(simulator);
        for entry in &mut self.measured {
            entry.start = entry.now;
        }
    }

    /// Reads the quantities as a step or a reset left them; what was read last becomes what was before.
    pub fn look(&mut self, simulator: &Simulator) {
        for entry in &mut self.measured {
            entry.before = entry.now;
            entry.now = entry.address.read(simulator.data());
        }
    }

    /// What was read last: the simulator cannot give it again, since its state is newer than what was derived from it.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<(), EngineError> {
        let mut now: Vec<f64> = self.measured.iter().map(|entry| entry.now).collect();
        ledger.values("measured", &mut now)?;
        self.measured.iter_mut().zip(now).for_each(|(entry, now)| entry.now = now);
        Ok(())
    }

    /// Whether the robot is as it should be.
    pub fn healthy(&self, simulator: &Simulator) -> bool {
        self.healthy.iter().all(|condition| match *condition {
            Condition::Inside { of, low, high } => {
                let now = self.measured[of].now;
                low < now && now < high
            }
            Condition::Within { of, low, high } => (low..=high).contains(&self.measured[of].now),
            Condition::StateInside { first, low, high } => {
                let state = simulator.qpos().iter().chain(simulator.qvel());
                state.skip(first).all(|&value| low < value && value < high)
            }
        })
    }

    /// The reward of the step; fills `info` with the task's measurements, then the parts of the reward.
    ///
    /// # Errors
    /// `REWARD_NOT_FINITE`, naming the part.
    pub fn reward(&self, action: &[f64], healthy: bool, info: &mut [f64]) -> Result<f64, EngineError> {
        let (measurements, parts) = info.split_at_mut(self.info.len());
        for (value, signal) in measurements.iter_mut().zip(&self.info) {
            *value = self.signal(signal, action, healthy);
        }
        let mut reward = self.base_reward;
        for (value, part) in parts.iter_mut().zip(&self.reward) {
            let terms =
                part.terms.iter().map(|(weight, signal)| weight * self.signal(signal, action, healthy));
            let sum: f64 = terms.sum();
            *value = sum.clamp(part.low, part.high);
            // a limit must not hide what is no number
            if !value.is_finite() || !sum.is_finite() {
                return Err(EngineError::RewardNotFinite { part: part.name.clone(), value: sum });
            }
            reward += *value;
        }
        Ok(reward)
    }

    /// Fills the observation.
    pub fn observe(&self, simulator: &Simulator, observation: &mut [f64]) {
        let mut rest = observation;
        for view in &self.observation {
            rest = view.read(simulator.data(), rest);
        }
    }

    fn signal(&self, signal: &Signal<usize>, action: &[f64], healthy: bool) -> f64 {
        match *signal {
            Signal::Now(place) => self.measured[place].now,
            Signal::Before(place) => self.measured[place].before,
            Signal::FromStart(place) => self.measured[place].now - self.measured[place].start,
            Signal::Rate(place) => (self.measured[place].now - self.measured[place].before) / self.duration,
            Signal::PerTimestep(place) => self.measured[place].now / self.timestep,
            Signal::SquaredFrom { of, from } => {
                let distance = self.measured[of].now - from;
                distance * distance
            }
            Signal::Always => 1.0,
            Signal::WhileHealthy => f64::from(u8::from(healthy)),
            Signal::SquaredAction => action.iter().map(|value| value * value).sum(),
        }
    }
}

/// Binds every entry of a list; an error has the place of its entry.
fn each<T, B>(
    entries: &[T],
    place: fn(usize) -> Place,
    mut bind: impl FnMut(&T) -> Result<B, Lacking>,
) -> Result<Vec<B>, (Place, Lacking)> {
    let bound = entries.iter().enumerate();
    bound.map(|(index, entry)| bind(entry).map_err(|lacking| (place(index), lacking))).collect()
}

/// A condition on the state begins inside it.
fn check_state(condition: &Condition, size: usize) -> Result<(), Lacking> {
    match condition {
        Condition::StateInside { first, .. } if *first > size => {
            let reason = format!("state from {first} on asked for, the model has {size} values");
            Err(Lacking { name: "stateInside".to_owned(), reason })
        }
        Condition::StateInside { .. } | Condition::Inside { .. } | Condition::Within { .. } => Ok(()),
    }
}
