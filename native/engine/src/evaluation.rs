//! Evaluation: whole episodes of a fixed policy on an environment and a stream of their own.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::environments::action::to_raw_units;
use crate::environments::environment::Environment;
use crate::error::{EngineError, Result};
use crate::random::Stream;

/// When an evaluation has seen enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// This many episodes.
    Episodes(u64),
    /// Whole episodes until more than this many steps are collected (rlkit's rule, the paper's).
    MoreThanSteps(u64),
}

/// Undiscounted, unscaled returns and lengths, one per finished episode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// Σ r per episode.
    pub returns: Vec<f64>,
    /// Environment steps per episode.
    pub lengths: Vec<u64>,
    /// Whether the evaluation was stopped before its protocol was fulfilled.
    pub stopped: bool,
}

impl Evaluation {
    fn is_enough(&self, protocol: Protocol) -> bool {
        match protocol {
            Protocol::Episodes(episodes) => self.returns.len() as u64 >= episodes,
            Protocol::MoreThanSteps(steps) => self.lengths.iter().sum::<u64>() > steps,
        }
    }
}

/// A policy at work: maps an observation `[O]` to an action `[A]` in [−1, 1].
pub type Act<'a> = dyn FnMut(&[f32], &mut [f32]) -> Result<()> + 'a;

/// What happened, step by step; episodes one after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// s, `[steps, O]`.
    pub observations: Vec<f32>,
    /// a in [−1, 1], `[steps, A]`.
    pub actions: Vec<f32>,
    /// r, unscaled.
    pub rewards: Vec<f64>,
    /// For each finished episode the number of steps until its end, and whether the task itself ended it.
    pub ends: Vec<(usize, bool)>,
}

/// Runs episodes of `act`, and writes them down in `trace` where there is one.
/// An unstable simulator ends its episode there: the return up to that step counts.
///
/// # Errors
/// Whatever `act` and the environment report; `DIVERGED` on an action that is not finite.
pub fn evaluate(
    act: &mut Act<'_>,
    environment: &mut dyn Environment,
    stream: &mut Stream,
    protocol: Protocol,
    stop: &AtomicBool,
    mut trace: Option<&mut Trace>,
) -> Result<Evaluation> {
    let mut evaluation = Evaluation::default();
    while !evaluation.is_enough(protocol) {
        match episode(act, environment, stream, stop, trace.as_deref_mut())? {
            Some((total, length)) => {
                evaluation.returns.push(total);
                evaluation.lengths.push(length);
            }
            None => {
                evaluation.stopped = true;
                break;
            }
        }
    }
    Ok(evaluation)
}

/// One episode's return and length; none when stopped.
fn episode(
    act: &mut Act<'_>,
    environment: &mut dyn Environment,
    stream: &mut Stream,
    stop: &AtomicBool,
    mut trace: Option<&mut Trace>,
) -> Result<Option<(f64, u64)>> {
    let mut observation = vec![0.0; environment.spec().observation_size];
    let mut input = vec![0.0_f32; observation.len()];
    let mut action = vec![0.0_f32; environment.spec().action_size];
    let mut raw = vec![0.0; action.len()];
    environment.reset(stream, &mut observation)?;
    let (mut total, mut length) = (0.0, 0);
    while !stop.load(Ordering::Relaxed) {
        narrow(&observation, &mut input);
        act(&input, &mut action)?;
        expect_finite_action(&action, length)?;
        to_raw_units(environment.spec(), &action, &mut raw);
        length += 1;
        match environment.step(&raw, &mut observation) {
            Ok(outcome) => {
                total += outcome.reward;
                let ended = outcome.terminated || outcome.truncated;
                if let Some(trace) = trace.as_deref_mut() {
                    trace.observations.extend_from_slice(&input);
                    trace.actions.extend_from_slice(&action);
                    trace.rewards.push(outcome.reward);
                    if ended {
                        trace.ends.push((trace.rewards.len(), outcome.terminated));
                    }
                }
                if ended {
                    return Ok(Some((total, length)));
                }
            }
            Err(EngineError::Unstable { .. }) => {
                if let Some(trace) = trace {
                    trace.ends.push((trace.rewards.len(), false));
                }
                return Ok(Some((total, length)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Observations are float64 in the simulator and float32 in networks and replay.
pub fn narrow(from: &[f64], to: &mut [f32]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from as f32;
    }
}

/// A policy whose weights are NaN shows first in its actions.
pub(crate) fn expect_finite_action(action: &[f32], step: u64) -> Result<()> {
    match action.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(EngineError::ActionNotFinite { step, index, value: f64::from(action[index]) }),
    }
}
