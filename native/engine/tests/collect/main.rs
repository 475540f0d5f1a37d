//! What collecting stores, on a scripted environment whose observations tell where they come from.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod scripted;
#[path = "../support/mod.rs"]
mod support;

use std::sync::{Arc, Mutex};

use scripted::{Constant, Happens, Journal, Scripted};
use support::recipes::VIREL;
use support::session;
use virel_engine::environments::environment::{Environment, Outcome};
use virel_engine::environments::mujoco::choices::Choices;
use virel_engine::error::EngineError;
use virel_engine::networks::layout::Sizes;
use virel_engine::random::{Purpose, Stream};
use virel_engine::replay::buffer::GatheredBatch;
use virel_engine::session::collect::Collector;
use virel_engine::session::exploration::Exploration;
use virel_engine::session::record::Episode;
use virel_engine::session::{SessionConfig, World};

const DISCOUNT: f32 = 0.9;
/// Raw units, not symmetric.
const LOW: [f64; 2] = [-1.0, -2.0];
const HIGH: [f64; 2] = [3.0, 0.0];

fn config() -> SessionConfig {
    let sizes =
        Sizes { observation: 2, action: 2, policy_hidden: vec![1], hidden: vec![1], action_values: 1 };
    let mut config = session::config(VIREL, sizes, 1);
    config.world = World::Mujoco {
        id: "scripted".to_owned(),
        model_directory: "nowhere".into(),
        choices: Choices::default(),
    };
    config.learner.discount = DISCOUNT;
    config
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
        let spec = session::spec(2, LOW.to_vec(), HIGH.to_vec());
        let script = script.iter().copied().collect();
        let environment = Scripted { spec, script, step: 0, journal: Arc::clone(&journal) };
        let collector = Collector::new(config, vec![Box::new(environment)]).unwrap();
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

/// Three scripted environments that take turns, their journals, and a policy.
fn three(
    config: &SessionConfig,
    scripts: [&[Happens]; 3],
) -> (Collector, Constant, [Arc<Mutex<Journal>>; 3]) {
    let journals = [(); 3].map(|()| Arc::new(Mutex::new(Journal::default())));
    let environments = scripts.iter().zip(&journals).map(|(script, journal)| -> Box<dyn Environment> {
        let spec = session::spec(2, LOW.to_vec(), HIGH.to_vec());
        let script = script.iter().copied().collect();
        Box::new(Scripted { spec, script, step: 0, journal: Arc::clone(journal) })
    });
    let collector = Collector::new(config, environments.collect()).unwrap();
    (collector, Constant::new([0.5, -1.0]), journals)
}

fn counts(journals: &[Arc<Mutex<Journal>>; 3]) -> [(usize, usize); 3] {
    journals.each_ref().map(|journal| {
        let journal = journal.lock().unwrap();
        (journal.resets, journal.actions.len())
    })
}

#[test]
fn environments_take_turns_and_the_policy_is_asked_once_a_round() {
    let (mut collector, mut learner, journals) = three(&config(), [&[], &[Happens::Terminates(2.0)], &[]]);
    let episodes: Vec<Episode> = (0..7).filter_map(|_| collector.step(&mut learner).unwrap()).collect();
    // the second environment's first step ends its episode, and no other's
    assert_eq!(episodes, [Episode { step: 2, episode_return: 2.0, length: 1 }]);
    assert_eq!(counts(&journals), [(1, 3), (2, 2), (1, 2)]);
    // (episode, step in it) of every environment at the start of each round
    let rounds =
        [[1.0, 0.0, 1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 2.0, 0.0, 1.0, 1.0], [1.0, 2.0, 2.0, 1.0, 1.0, 2.0]];
    assert_eq!(learner.observations, rounds);
    let mut gathered = GatheredBatch::default();
    collector.replay().gather(&[0, 1, 2, 3, 4, 5, 6], &mut gathered);
    let batch = gathered.as_batch();
    assert_eq!(batch.observations, [rounds[0].as_slice(), &rounds[1], &rounds[2][..2]].concat());
    assert_eq!(batch.discounts, [DISCOUNT, 0.0, DISCOUNT, DISCOUNT, DISCOUNT, DISCOUNT, DISCOUNT]);
}

#[test]
fn each_environment_draws_from_streams_of_its_own() {
    let (mut collector, mut learner, _) = three(&config(), [&[], &[], &[]]);
    (0..6).for_each(|_| assert_eq!(collector.step(&mut learner), Ok(None)));
    let drawn = |instance| {
        let mut stream = Stream::new(3, Purpose::Action, instance);
        [(); 2].map(|()| {
            let mut noise = [0.0; 2];
            stream.fill_normal(&mut noise);
            noise
        })
    };
    let lanes = [0, 1, 2].map(drawn);
    let rounds = [0, 1].map(|round| Some(lanes.map(|lane| lane[round]).concat()));
    assert_eq!(learner.noises, rounds);
}

#[test]
fn random_first_steps_are_counted_over_all_environments() {
    let config = SessionConfig { uniform_steps: 4, ..config() };
    let (mut collector, mut learner, _) = three(&config, [&[], &[], &[]]);
    (0..6).for_each(|_| assert_eq!(collector.step(&mut learner), Ok(None)));
    // the fifth step is the second environment's, in the second round
    assert_eq!(learner.observations, [[1.0, 1.0, 1.0, 1.0]]);
}

#[test]
fn the_loops_reset_is_of_all_environments_between_two_rounds() {
    let config = SessionConfig { reset_every: 6, ..config() };
    let (mut collector, mut learner, journals) = three(&config, [&[], &[], &[]]);
    (0..7).for_each(|_| assert_eq!(collector.step(&mut learner), Ok(None)));
    assert_eq!(counts(&journals), [(2, 3), (2, 2), (2, 2)]);
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
fn a_reward_that_overflows_as_it_is_stored_ends_the_run_and_is_not_stored() {
    let config = SessionConfig { reward_scale: 1e8, ..config() };
    let script = [Happens::Reward(2.0), Happens::Reward(1e31), Happens::Terminates(3.0)];
    let mut stage = Stage::new(&config, &script);
    stage.run(1);
    let error = stage.collector.step(&mut stage.learner).unwrap_err();
    assert_eq!(error.code(), "REWARD_NOT_FINITE");
    assert_eq!(error, EngineError::RewardTooLarge { step: 2, reward: 1e31, scale: 1e8 });
    // a step after it is of another episode
    assert_eq!(stage.run(1), [Episode { step: 3, episode_return: 3.0, length: 1 }]);
    assert_eq!(stage.stored().as_batch().observations, [1.0, 0.0, 2.0, 0.0]);
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

/// What an Ornstein-Uhlenbeck process does to the constant action, in one episode of the action stream.
fn disturbed(stream: &mut Stream, steps: usize, (theta, sigma): (f64, f64)) -> Vec<[f32; 2]> {
    let mut state = [0.0_f64; 2];
    let mut actions = Vec::new();
    for _ in 0..steps {
        let mut action = [0.5_f32, -1.0];
        for (state, action) in state.iter_mut().zip(&mut action) {
            *state = *state - theta * *state + sigma * stream.normal();
            *action = (f64::from(*action) + *state).clamp(-1.0, 1.0) as f32;
        }
        actions.push(action);
    }
    actions
}

#[test]
fn an_ornstein_uhlenbeck_process_is_added_to_the_mode_and_starts_anew_with_each_episode() {
    const VALUES: (f64, f64) = (0.15, 0.3);
    let (theta, sigma) = VALUES;
    let exploration = Exploration::OrnsteinUhlenbeck { theta, sigma };
    let config = SessionConfig { exploration, reset_every: 7, ..config() };
    let script = [
        Happens::Reward(0.0),
        Happens::Reward(0.0),
        Happens::Terminates(0.0),
        Happens::ReachesTimeLimit(0.0),
    ];
    let mut stage = Stage::new(&config, &script);
    stage.run(9);
    let mut stream = Stream::new(config.seed, Purpose::Action, 0);
    // episodes end after the steps 3 and 4, a reset is due after the seventh
    let expected = [3, 1, 3, 2].map(|steps| disturbed(&mut stream, steps, VALUES)).concat();
    assert_eq!(stage.stored().as_batch().actions, expected.as_flattened());
    // it asks for the mode
    assert!(stage.learner.noises.iter().all(Option::is_none));
    // rounded apart by the clip: bounds are reached and kept
    assert!(expected.as_flattened().contains(&-1.0));
}

#[test]
fn a_process_does_not_hide_an_action_that_is_not_a_number() {
    let exploration = Exploration::OrnsteinUhlenbeck { theta: 0.15, sigma: 0.3 };
    let mut stage = Stage::new(&SessionConfig { exploration, ..config() }, &[]);
    stage.run(1);
    stage.learner.action = [f32::NAN, 0.0];
    assert_eq!(stage.collector.step(&mut stage.learner).unwrap_err().code(), "DIVERGED");
    assert_eq!(stage.actions().len(), 1);
}

/// A collector whose environment the caller steps.
fn external(config: SessionConfig) -> (Collector, Constant) {
    let spec = session::spec(2, LOW.to_vec(), HIGH.to_vec());
    let config = SessionConfig { world: World::External(spec), ..config };
    (Collector::new(&config, Vec::new()).unwrap(), Constant::new([0.5, -1.0]))
}

const STEP: Outcome = Outcome { reward: 1.5, terminated: false, truncated: false };

#[test]
fn an_environment_of_the_callers_is_stepped_between_propose_and_record() {
    let (mut collector, mut learner) =
        external(SessionConfig { reward_scale: 2.0, max_episode_steps: 3, reset_every: 5, ..config() });
    collector.begin(&[0.0, 1.0]).unwrap();
    let mut answers = Vec::new();
    for step in 1..=6 {
        // in its units
        assert_eq!(collector.propose(&mut learner).unwrap(), [2.0, -2.0]);
        let outcome = Outcome { terminated: step == 4, ..STEP };
        let recorded = collector.record(outcome, &[f64::from(step), 1.0]).unwrap();
        if recorded.reset {
            collector.begin(&[f64::from(step), 9.0]).unwrap();
        }
        answers.push((recorded.episode.map(|e| (e.step, e.episode_return, e.length)), recorded.reset));
    }
    let ended = |step, episode_return, length| (Some((step, episode_return, length)), true);
    // the limit after step 3, a termination after step 4, a reset that is no end after step 5
    let going = (None, false);
    assert_eq!(answers, [going, going, ended(3, 4.5, 3), ended(4, 1.5, 1), (None, true), going]);
    let mut gathered = GatheredBatch::default();
    collector.replay().gather(&[0, 1, 2, 3, 4, 5], &mut gathered);
    let batch = gathered.as_batch();
    assert_eq!(batch.rewards, [3.0; 6]);
    assert_eq!(batch.discounts, [DISCOUNT, DISCOUNT, DISCOUNT, 0.0, DISCOUNT, DISCOUNT]);
    assert_eq!(batch.observations, [0.0, 1.0, 1.0, 1.0, 2.0, 1.0, 3.0, 9.0, 4.0, 9.0, 5.0, 9.0]);
    assert_eq!(batch.next_observations, [1.0, 1.0, 2.0, 1.0, 3.0, 1.0, 4.0, 1.0, 5.0, 1.0, 6.0, 1.0]);
    assert_eq!(batch.actions, [0.5, -1.0].repeat(6));
}

#[test]
fn what_the_callers_environment_may_not_say_is_refused_before_it_is_stored() {
    let (mut collector, mut learner) = external(config());
    for (observation, code) in [
        (vec![0.0], "LENGTH_MISMATCH"),
        (vec![0.0; 3], "LENGTH_MISMATCH"),
        (vec![0.0, f64::NAN], "NOT_FINITE"),
    ] {
        assert_eq!(collector.begin(&observation).unwrap_err().code(), code);
        assert_eq!(collector.act(&mut learner, &observation).unwrap_err().code(), code);
    }
    collector.begin(&[1.0, 2.0]).unwrap();
    collector.propose(&mut learner).unwrap();
    for (reward, observation, code) in [
        (1.0, vec![0.0], "LENGTH_MISMATCH"),
        (1.0, vec![f64::INFINITY, 0.0], "NOT_FINITE"),
        (f64::NAN, vec![3.0, 4.0], "NOT_FINITE"),
    ] {
        let error = collector.record(Outcome { reward, ..STEP }, &observation).unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!((collector.steps(), collector.replay().len()), (0, 0));
    }
    collector.record(STEP, &[3.0, 4.0]).unwrap();
    let mut gathered = GatheredBatch::default();
    collector.replay().gather(&[0], &mut gathered);
    assert_eq!(gathered.as_batch().observations, [1.0, 2.0]);
    assert_eq!(gathered.as_batch().next_observations, [3.0, 4.0]);
}

#[test]
fn acting_alone_draws_and_stores_nothing() {
    let (collector, mut learner) = external(config());
    assert_eq!(collector.act(&mut learner, &[1.0, 2.0]).unwrap(), [2.0, -2.0]);
    assert_eq!(learner.noises, [None]);
    assert_eq!((collector.steps(), collector.replay().len()), (0, 0));
    learner.action = [f32::NAN, 0.0];
    assert_eq!(collector.act(&mut learner, &[1.0, 2.0]).unwrap_err().code(), "DIVERGED");
}

#[test]
fn a_session_does_not_step_the_callers_environment() {
    let (mut collector, mut learner) = external(config());
    collector.begin(&[1.0, 2.0]).unwrap();
    assert_eq!(collector.step(&mut learner).unwrap_err().code(), "ENV_EXTERNAL");
    // and neither counts nor draws
    assert_eq!(collector.steps(), 0);
    assert!(learner.noises.is_empty());
}
