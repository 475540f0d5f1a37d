//! What collecting stores, on a scripted environment whose observations tell where they come from.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use virel_engine::agents;
use virel_engine::environments::environment::{Environment, Outcome};
use virel_engine::environments::mujoco::choices::Choices;
use virel_engine::environments::spec::Spec;
use virel_engine::error::{EngineError, Result};
use virel_engine::learner::{Learner, LearnerConfig, StepGradients, StepTerms};
use virel_engine::networks::layout::{Parameter, Sizes};
use virel_engine::random::Stream;
use virel_engine::replay::batch::Batch;
use virel_engine::replay::buffer::GatheredBatch;
use virel_engine::session::collect::{Collector, Episode};
use virel_engine::session::{Engine, SessionConfig};

const DISCOUNT: f32 = 0.9;
/// Raw units, not symmetric.
const LOW: [f64; 2] = [-1.0, -2.0];
const HIGH: [f64; 2] = [3.0, 0.0];

/// What an environment does at one step.
#[derive(Clone, Copy)]
enum Happens {
    Reward(f64),
    Terminates(f64),
    ReachesTimeLimit(f64),
    Both(f64),
    IsUnstable,
}

/// What was done to an environment.
#[derive(Default)]
struct Journal {
    resets: usize,
    actions: Vec<Vec<f64>>,
}

/// Observations are (episode, step in it), episodes counted from 1; after the script only rewards of 0.
struct Scripted {
    spec: Spec,
    script: VecDeque<Happens>,
    step: u64,
    journal: Arc<Mutex<Journal>>,
}

impl Scripted {
    fn observe(&self, observation: &mut [f64]) {
        observation.copy_from_slice(&[self.journal.lock().unwrap().resets as f64, self.step as f64]);
    }
}

impl Environment for Scripted {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: &mut Stream, observation: &mut [f64]) -> Result<()> {
        self.journal.lock().unwrap().resets += 1;
        self.step = 0;
        self.observe(observation);
        Ok(())
    }

    fn step(&mut self, action: &[f64], observation: &mut [f64]) -> Result<Outcome> {
        self.journal.lock().unwrap().actions.push(action.to_vec());
        self.step += 1;
        self.observe(observation);
        let outcome = |reward, terminated, truncated| Ok(Outcome { reward, terminated, truncated });
        match self.script.pop_front().unwrap_or(Happens::Reward(0.0)) {
            Happens::Reward(reward) => outcome(reward, false, false),
            Happens::Terminates(reward) => outcome(reward, true, false),
            Happens::ReachesTimeLimit(reward) => outcome(reward, false, true),
            Happens::Both(reward) => outcome(reward, true, true),
            Happens::IsUnstable => {
                observation.fill(f64::NAN);
                Err(EngineError::Unstable { reason: "a scripted one".to_owned() })
            }
        }
    }

    fn set_state(&mut self, _: &[f64], _: &[f64], _: &mut [f64]) -> Result<()> {
        unreachable!()
    }
    fn info(&self) -> &[f64] {
        unreachable!()
    }
    fn qpos(&self) -> &[f64] {
        unreachable!()
    }
    fn qvel(&self) -> &[f64] {
        unreachable!()
    }
    fn set_max_episode_steps(&mut self, _: u64) {
        unreachable!()
    }
}

/// A policy that always does the same, and what it was asked.
struct Constant {
    action: [f32; 2],
    observations: Vec<Vec<f32>>,
    noises: Vec<Option<Vec<f32>>>,
}

impl Constant {
    const fn new(action: [f32; 2]) -> Self {
        Self { action, observations: Vec::new(), noises: Vec::new() }
    }
}

impl Learner for Constant {
    fn act(&mut self, observations: &[f32], noise: Option<&[f32]>, actions: &mut [f32]) -> Result<()> {
        self.observations.push(observations.to_vec());
        self.noises.push(noise.map(<[f32]>::to_vec));
        actions.copy_from_slice(&self.action);
        Ok(())
    }

    fn parameters(&self) -> Result<Vec<Parameter>> {
        unreachable!()
    }
    fn set_parameters(&mut self, _: &[Parameter]) -> Result<()> {
        unreachable!()
    }
    fn residual_error(&mut self, _: &Batch<'_>) -> Result<f32> {
        unreachable!()
    }
    fn gradients(&mut self, _: &Batch<'_>, _: &[f32], _: f32) -> Result<StepGradients> {
        unreachable!()
    }
    fn update(&mut self, _: &Batch<'_>, _: &[f32], _: f32) -> Result<()> {
        unreachable!()
    }
    fn m_step(&mut self, _: &Batch<'_>, _: &[f32]) -> Result<()> {
        unreachable!()
    }
    fn e_step(&mut self, _: &Batch<'_>, _: &[f32], _: f32) -> Result<()> {
        unreachable!()
    }
    fn terms(&mut self) -> Result<StepTerms> {
        unreachable!()
    }
}

fn config() -> SessionConfig {
    SessionConfig {
        environment: "scripted".to_owned(),
        model_directory: "nowhere".into(),
        choices: Choices::default(),
        max_episode_steps: 1000,
        seed: 3,
        reward_scale: 1.0,
        temperature: 1.0,
        start_updates: 1,
        uniform_steps: 0,
        reset_every: 0,
        replay_capacity: 1000,
        residual_batch: 1,
        max_unstable_per_10k: 10,
        learner: LearnerConfig {
            recipe: agents::recipe("virel").unwrap(),
            sizes: Sizes { observation: 2, action: 2, hidden: vec![1] },
            batch: 1,
            discount: DISCOUNT,
            policy_learning_rate: 1e-3,
            action_value_learning_rate: 1e-3,
            state_value_learning_rate: 1e-3,
            target_update_rate: 0.1,
            mean_regulariser: 0.0,
            log_std_regulariser: 0.0,
            threads: 1,
        },
        engine: Engine::Kernel,
    }
}

/// A collector at the start of a script.
struct Stage {
    collector: Collector,
    learner: Constant,
    journal: Arc<Mutex<Journal>>,
}

impl Stage {
    fn new(config: &SessionConfig, script: &[Happens]) -> Self {
        let journal = Arc::new(Mutex::new(Journal::default()));
        let spec = Spec {
            id: "scripted".to_owned(),
            observation_size: 2,
            action_size: 2,
            action_low: LOW.to_vec(),
            action_high: HIGH.to_vec(),
            timestep: 1.0,
            frame_skip: 1,
            max_episode_steps: 1000,
            info: Vec::new(),
        };
        let script = script.iter().copied().collect();
        let environment = Scripted { spec, script, step: 0, journal: Arc::clone(&journal) };
        let collector = Collector::new(config, Box::new(environment)).unwrap();
        Self { collector, learner: Constant::new([0.5, -1.0]), journal }
    }

    /// Takes so many steps; the episodes that ended.
    fn run(&mut self, steps: usize) -> Vec<Episode> {
        (0..steps).filter_map(|_| self.collector.step(&mut self.learner).unwrap()).collect()
    }

    /// All rows, oldest first.
    fn stored(&self) -> GatheredBatch {
        let mut gathered = GatheredBatch::default();
        let rows: Vec<usize> = (0..self.collector.replay().len()).collect();
        self.collector.replay().gather(&rows, &mut gathered);
        gathered
    }

    fn resets(&self) -> usize {
        self.journal.lock().unwrap().resets
    }

    fn actions(&self) -> Vec<Vec<f64>> {
        self.journal.lock().unwrap().actions.clone()
    }
}

/// A stage that has played its whole script, and the episodes that ended.
fn played(config: &SessionConfig, script: &[Happens]) -> (Stage, Vec<Episode>) {
    let mut stage = Stage::new(config, script);
    let episodes = stage.run(script.len());
    (stage, episodes)
}

#[test]
fn a_time_limit_keeps_the_discount_and_a_termination_has_none() {
    use Happens::{Both, ReachesTimeLimit, Reward, Terminates};
    let (stage, episodes) =
        played(&config(), &[Reward(1.0), Terminates(1.0), ReachesTimeLimit(1.0), Both(1.0), Reward(1.0)]);
    assert_eq!(stage.stored().as_batch().discounts, [DISCOUNT, 0.0, DISCOUNT, 0.0, DISCOUNT]);
    // each of the three ends its episode
    assert_eq!(episodes.iter().map(|episode| episode.step).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(stage.resets(), 4);
}

#[test]
fn rewards_are_stored_scaled_and_returns_reported_unscaled() {
    let config = SessionConfig { reward_scale: 5.0, ..config() };
    let script = [Happens::Reward(1.5), Happens::Reward(-2.0), Happens::Terminates(4.0), Happens::Both(0.25)];
    let (stage, episodes) = played(&config, &script);
    assert_eq!(stage.stored().as_batch().rewards, [7.5, -10.0, 20.0, 1.25]);
    assert_eq!(
        episodes,
        [
            Episode { step: 3, episode_return: 3.5, length: 3 },
            Episode { step: 4, episode_return: 0.25, length: 1 }
        ]
    );
}

#[test]
fn actions_are_stored_as_the_policys_and_done_in_raw_units() {
    let mut stage = Stage::new(&config(), &[]);
    for action in [[0.5, -1.0], [-1.0, 1.0], [0.0, 0.25]] {
        stage.learner.action = action;
        stage.run(1);
    }
    assert_eq!(stage.stored().as_batch().actions, [0.5, -1.0, -1.0, 1.0, 0.0, 0.25]);
    // lo + (a + 1)/2 (hi − lo), exact in binary
    assert_eq!(stage.actions(), [[2.0, -2.0], [-1.0, 0.0], [1.0, -0.75]]);
}

#[test]
fn states_follow_each_other_in_an_episode_and_not_across_a_reset() {
    use Happens::{ReachesTimeLimit, Reward, Terminates};
    let (stage, _) = played(
        &config(),
        &[Reward(0.0), Terminates(0.0), Reward(0.0), Reward(0.0), ReachesTimeLimit(0.0), Reward(0.0)],
    );
    let stored = stage.stored();
    let batch = stored.as_batch();
    let before = [[1.0, 0.0], [1.0, 1.0], [2.0, 0.0], [2.0, 1.0], [2.0, 2.0], [3.0, 0.0]];
    let after = [[1.0, 1.0], [1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [2.0, 3.0], [3.0, 1.0]];
    assert_eq!(batch.observations, before.concat());
    assert_eq!(batch.next_observations, after.concat());
    // the policy acted on what is stored as s
    assert_eq!(stage.learner.observations.concat(), before.concat());
}

#[test]
fn an_unstable_step_is_counted_and_reset_and_neither_stored_nor_an_episode() {
    use Happens::{IsUnstable, Reward, Terminates};
    let (stage, episodes) = played(&config(), &[Reward(1.0), IsUnstable, Reward(2.0), Terminates(4.0)]);
    assert_eq!((stage.collector.steps(), stage.collector.unstable()), (4, 1));
    let stored = stage.stored();
    let batch = stored.as_batch();
    assert_eq!(batch.rewards, [1.0, 2.0, 4.0]);
    assert_eq!(batch.observations, [1.0, 0.0, 2.0, 0.0, 2.0, 1.0]);
    assert_eq!(batch.next_observations, [1.0, 1.0, 2.0, 1.0, 2.0, 2.0]);
    // what came before the unstable step is of an episode that never ended
    assert_eq!(episodes, [Episode { step: 4, episode_return: 6.0, length: 2 }]);
}

#[test]
fn more_unstable_steps_than_allowed_end_the_run() {
    let config = SessionConfig { max_unstable_per_10k: 2, ..config() };
    let mut stage = Stage::new(&config, &[Happens::IsUnstable; 3]);
    assert!(stage.run(2).is_empty());
    let error = stage.collector.step(&mut stage.learner).unwrap_err();
    assert_eq!(error.code(), "SIM_UNSTABLE");
    let reason = "a scripted one".to_owned();
    assert_eq!(error, EngineError::SimulatorUnstable { count: 3, steps: 3, limit: 2, reason });
}

#[test]
fn a_scheduled_reset_starts_anew_without_an_episode() {
    let config = SessionConfig { reset_every: 3, ..config() };
    let rewards = [Happens::Reward(1.0); 7];
    let (stage, episodes) = played(&config, &[&rewards[..], &[Happens::Terminates(10.0)]].concat());
    // at the start and after the steps 3 and 6, then the termination
    assert_eq!(stage.resets(), 4);
    assert_eq!(episodes, [Episode { step: 8, episode_return: 11.0, length: 2 }]);
    let stored = stage.stored();
    let batch = stored.as_batch();
    // it is no termination
    assert_eq!(batch.discounts, [[DISCOUNT; 7].as_slice(), &[0.0]].concat());
    assert_eq!(batch.next_observations[4..6], [1.0, 3.0]);
    assert_eq!(batch.observations[6..8], [2.0, 0.0]);
}

#[test]
fn the_first_steps_act_uniformly_and_do_not_ask_the_policy() {
    const UNIFORM: usize = 900;
    let config = SessionConfig { uniform_steps: UNIFORM as u64, ..config() };
    let mut stage = Stage::new(&config, &[]);
    stage.run(UNIFORM);
    assert!(stage.learner.observations.is_empty());
    let stored = stage.stored();
    let actions = stored.as_batch().actions;
    let mut quarters = [[0; 4]; 2];
    for pair in actions.chunks_exact(2) {
        for (&action, quarters) in pair.iter().zip(&mut quarters) {
            assert!((-1.0..=1.0).contains(&action));
            quarters[((action + 1.0) * 2.0).min(3.0) as usize] += 1;
        }
    }
    // binomial with n = 900, p = 1/4: mean 225, standard deviation 13; five of them
    assert!(quarters.as_flattened().iter().all(|&count: &i32| (count - 225).abs() < 65), "{quarters:?}");
    // dimensions of their own
    assert!(actions.chunks_exact(2).all(|pair| pair[0] != pair[1]));
    // from the next step on it is asked
    stage.run(1);
    assert_eq!(stage.learner.observations.len(), 1);
    assert_eq!(stage.stored().as_batch().actions[2 * UNIFORM..], [0.5, -1.0]);
}

#[test]
fn the_policy_is_given_other_noise_at_every_step() {
    let mut stage = Stage::new(&config(), &[]);
    stage.run(20);
    let noises: Vec<_> = stage.learner.noises.iter().map(|noise| noise.clone().unwrap()).collect();
    assert_eq!(noises.len(), 20);
    for (i, noise) in noises.iter().enumerate() {
        assert_eq!(noise.len(), 2);
        assert!(!noises[..i].contains(noise));
    }
}

#[test]
fn an_action_that_is_not_finite_never_reaches_the_environment() {
    let mut stage = Stage::new(&config(), &[]);
    stage.run(2);
    for value in [f32::NAN, f32::INFINITY] {
        stage.learner.action = [0.0, value];
        let error = stage.collector.step(&mut stage.learner).unwrap_err();
        assert_eq!(error.code(), "DIVERGED");
        assert_eq!(stage.actions().len(), 2);
        assert_eq!((stage.collector.replay().len(), stage.collector.steps()), (2, 2));
    }
}
