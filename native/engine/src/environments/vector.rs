//! Several environments of one task, stepped together: each writes its slice of one batch.
//!
//! What happens after an episode's end is said once, when it is made ([`Autoreset`], Gymnasium's three modes), and the true
//! last observation is kept in every mode. Environments do not meet, so that any number of threads gives the same numbers.

use super::environment::{Environment, Outcome};
use crate::error::{EngineError, Result, expect_finite, expect_len};
use crate::random::{Purpose, Stream};
use crate::threads::Team;

/// What a step does with an environment whose episode has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autoreset {
    /// The step after the last ignores its action and resets: reward 0, no end.
    NextStep,
    /// The last step itself resets: its observation is the next episode's first.
    SameStep,
    /// Nothing: the caller resets it before its next step.
    Disabled,
}

/// What a step of all yields; row e is of environment e.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    /// What to act on next, `[E, O]`.
    pub observations: Vec<f64>,
    /// s′ of the step itself, `[E, O]`: differs from `observations` where `SameStep` has reset.
    pub final_observations: Vec<f64>,
    /// r, unscaled, `[E]`.
    pub rewards: Vec<f64>,
    /// The task's own rule ended the episode, `[E]`.
    pub terminated: Vec<bool>,
    /// The time limit ended it, `[E]`.
    pub truncated: Vec<bool>,
    /// The simulator left its range, `[E]`: the transition is to be dropped. Reward 0, `truncated`, and the observation is the
    /// last that was sound.
    pub unstable: Vec<bool>,
    /// Numbers about the step, `[E, I]`; 0 where the step was a reset or `unstable`.
    pub info: Vec<f64>,
}

/// Where an environment stands between two steps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Not reset yet, or its last step was lost: there is nothing to go on from.
    Lost,
    Running,
    /// Its episode has ended, and was not reset.
    Ended,
}

/// One environment with what a vector keeps of it.
struct Member<E> {
    environment: E,
    stream: Stream,
    observation: Vec<f64>,
    standing: Standing,
}

/// E environments of one task.
pub struct VectorEnvironment<E> {
    members: Vec<Member<E>>,
    autoreset: Autoreset,
    team: Team,
}

/// What one environment writes of a step.
struct Slot<'a> {
    index: usize,
    action: &'a [f64],
    observation: &'a mut [f64],
    last: &'a mut [f64],
    info: &'a mut [f64],
    reward: &'a mut f64,
    terminated: &'a mut bool,
    truncated: &'a mut bool,
    unstable: &'a mut bool,
}

impl<E: Environment> VectorEnvironment<E> {
    /// Of environments of one task, at least one. `threads`: how many step them at a time.
    ///
    /// # Errors
    /// `CONFIG_RANGE`; `OUT_OF_MEMORY` if the system has no more threads.
    pub fn new(environments: Vec<E>, autoreset: Autoreset, threads: usize) -> Result<Self> {
        for (name, count) in [("size", environments.len()), ("threads", threads)] {
            if count == 0 {
                let expected = "a whole number, at least 1";
                return Err(EngineError::OutOfRange { name, expected, got: count.to_string() });
            }
        }
        // no more threads than there are groups of one size
        let each = environments.len().div_ceil(threads);
        let team = Team::new(environments.len().div_ceil(each))?;
        let members = environments.into_iter().enumerate().map(|(index, environment)| Member {
            observation: vec![0.0; environment.spec().observation_size],
            stream: stream_of(0, index),
            environment,
            standing: Standing::Lost,
        });
        Ok(Self { members: members.collect(), autoreset, team })
    }

    /// Starts an episode in every environment, or where `mask` `[E]` says so. With a seed environment e draws from that of
    /// seed + e, as a single one does; without, each goes on where its stream stands.
    ///
    /// Returns the observations of all, `[E, O]`; of those not reset the newest.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`; what the environment's reset reports.
    pub fn reset(&mut self, seed: Option<u64>, mask: Option<&[bool]>) -> Result<Vec<f64>> {
        if let Some(mask) = mask {
            expect_len("mask", mask.len(), self.members.len())?;
        }
        for (index, member) in self.members.iter_mut().enumerate() {
            if mask.is_some_and(|mask| !mask[index]) {
                continue;
            }
            if let Some(seed) = seed {
                member.stream = stream_of(seed, index);
            }
            member.reset()?;
        }
        Ok(self.members.iter().flat_map(|member| member.observation.iter().copied()).collect())
    }

    /// Applies the raw `actions` `[E, A]` for one step of each.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NOT_FINITE` (of an action that is not ignored), `RESET_NEEDED`, before anything is stepped;
    /// `REWARD_NOT_FINITE` of the first environment that has it: the step of all is lost then, and all need a reset.
    pub fn step(&mut self, actions: &[f64]) -> Result<Steps>
    where
        E: Send,
    {
        let spec = self.members[0].environment.spec();
        let (count, width, infos) = (self.members.len(), spec.action_size, spec.info.len());
        let mut steps = Steps::of(count, spec.observation_size, infos);
        expect_len("actions", actions.len(), count * width)?;
        for (member, action) in self.members.iter().zip(actions.chunks_exact(width)) {
            // one that is to be reset ignores its own
            if member.standing == Standing::Running {
                expect_finite("actions", action)?;
            }
        }
        if let Some(index) = self.members.iter().position(|member| member.needs_reset(self.autoreset)) {
            return Err(EngineError::ResetNeeded { index });
        }
        let mut slots = steps.slots(actions, width);
        self.step_all(&mut slots).inspect_err(|_| {
            // their rows are not told: to go on from them would lose ends
            self.members.iter_mut().for_each(|member| member.standing = Standing::Lost);
        })?;
        Ok(steps)
    }

    /// Steps all, in as many groups as there are threads; the error of the lowest index.
    fn step_all(&mut self, slots: &mut [Slot<'_>]) -> Result<()>
    where
        E: Send,
    {
        let (each, autoreset) = (self.members.len().div_ceil(self.team.size()), self.autoreset);
        let groups = self.members.chunks_mut(each).zip(slots.chunks_mut(each));
        self.team.share(groups, |(members, slots)| step_group(members, slots, autoreset))
    }
}

/// Steps some of the environments until one fails.
fn step_group<E: Environment>(
    members: &mut [Member<E>],
    slots: &mut [Slot<'_>],
    autoreset: Autoreset,
) -> Result<()> {
    for (member, slot) in members.iter_mut().zip(slots) {
        let index = slot.index;
        let of_environment = |error| EngineError::OfEnvironment { index, error: Box::new(error) };
        member.step(slot, autoreset).map_err(of_environment)?;
    }
    Ok(())
}

/// The reset noise of environment `index`: that of a single environment whose seed is as much larger.
fn stream_of(seed: u64, index: usize) -> Stream {
    Stream::new(seed.wrapping_add(index as u64), Purpose::Reset, 0)
}

impl<E: Environment> Member<E> {
    /// Whether only its caller can reset it.
    fn needs_reset(&self, autoreset: Autoreset) -> bool {
        match self.standing {
            Standing::Lost => true,
            Standing::Ended => autoreset == Autoreset::Disabled,
            Standing::Running => false,
        }
    }

    fn reset(&mut self) -> Result<()> {
        self.standing = Standing::Lost;
        self.environment.reset(&mut self.stream, &mut self.observation)?;
        self.standing = Standing::Running;
        Ok(())
    }

    fn step(&mut self, slot: &mut Slot<'_>, autoreset: Autoreset) -> Result<()> {
        if self.standing == Standing::Ended {
            self.reset()?;
            slot.observation.copy_from_slice(&self.observation);
            slot.last.copy_from_slice(&self.observation);
            return Ok(());
        }
        let Outcome { reward, terminated, truncated } = match self.environment.step(slot.action, slot.last) {
            Ok(outcome) => {
                self.observation.copy_from_slice(slot.last);
                slot.info.copy_from_slice(self.environment.info());
                outcome
            }
            Err(EngineError::Unstable { .. }) => {
                slot.last.copy_from_slice(&self.observation);
                *slot.unstable = true;
                Outcome { reward: 0.0, terminated: false, truncated: true }
            }
            Err(error) => return Err(error),
        };
        (*slot.reward, *slot.terminated, *slot.truncated) = (reward, terminated, truncated);
        if terminated || truncated {
            self.standing = Standing::Ended;
            if autoreset == Autoreset::SameStep {
                self.reset()?;
            }
        }
        slot.observation.copy_from_slice(&self.observation);
        Ok(())
    }
}

impl Steps {
    fn of(count: usize, observation_size: usize, infos: usize) -> Self {
        let observations = vec![0.0; count * observation_size];
        Self {
            final_observations: observations.clone(),
            observations,
            rewards: vec![0.0; count],
            terminated: vec![false; count],
            truncated: vec![false; count],
            unstable: vec![false; count],
            info: vec![0.0; count * infos],
        }
    }

    /// One slot for each environment.
    fn slots<'a>(&'a mut self, actions: &'a [f64], width: usize) -> Vec<Slot<'a>> {
        let count = self.rewards.len();
        let (size, infos) = (self.observations.len() / count, self.info.len() / count);
        let mut info = split_rows(&mut self.info, infos, count);
        let rows =
            self.observations.chunks_exact_mut(size).zip(self.final_observations.chunks_exact_mut(size));
        let ends = self.terminated.iter_mut().zip(&mut self.truncated).zip(&mut self.unstable);
        let slots = rows.zip(self.rewards.iter_mut().zip(ends)).zip(actions.chunks_exact(width)).enumerate();
        slots
            .map(|(index, (((observation, last), (reward, ((terminated, truncated), unstable))), action))| {
                Slot {
                    index,
                    action,
                    observation,
                    last,
                    info: info.next().unwrap_or_default(),
                    reward,
                    terminated,
                    truncated,
                    unstable,
                }
            })
            .collect()
    }
}

/// `count` rows of `width` values, which may be none.
fn split_rows(values: &mut [f64], width: usize, count: usize) -> impl Iterator<Item = &mut [f64]> {
    let mut rest = values;
    (0..count).map(move |_| {
        let (row, after) = std::mem::take(&mut rest).split_at_mut(width);
        rest = after;
        row
    })
}
