//! Several environments together: each is as alone, and the mode says what happens after an end.

use virel_engine::environments::spec::Spec;
use virel_engine::environments::vector::{Autoreset, VectorEnvironment};
use virel_engine::error::Result;
use virel_engine::ledger::Ledger;

use super::*;

const ID: &str = "Hopper-v5";
const COUNT: usize = 5;
/// Hopper falls long before; the one that stands meets the limit.
const STEPS: usize = 120;

fn vector(autoreset: Autoreset, threads: usize) -> VectorEnvironment<MujocoEnvironment> {
    let environments = (0..COUNT).map(|_| {
        let mut environment = make(ID);
        environment.set_max_episode_steps(30);
        environment
    });
    VectorEnvironment::new(environments.collect(), autoreset, threads).unwrap()
}

/// Actions of every step, `[E, A]` each.
fn actions() -> Vec<Vec<f64>> {
    let mut stream = Stream::new(7, Purpose::Action, 0);
    (0..STEPS).map(|_| (0..COUNT * 3).map(|_| stream.uniform_in(-1.0, 1.0)).collect()).collect()
}

/// The observation to act on, s', the reward, and both ends of a step.
type Row = (Vec<f64>, Vec<f64>, f64, bool, bool);

/// What one environment does alone, by the same rule.
fn alone(index: usize, autoreset: Autoreset) -> Vec<Row> {
    let mut environment = make(ID);
    environment.set_max_episode_steps(30);
    let mut stream = Stream::new(11 + index as u64, Purpose::Reset, 0);
    let mut observation = observation_of(&environment);
    environment.reset(&mut stream, &mut observation).unwrap();
    let mut has_ended = false;
    let rows = actions().into_iter().map(|actions| {
        if has_ended {
            environment.reset(&mut stream, &mut observation).unwrap();
            has_ended = false;
            return (observation.clone(), observation.clone(), 0.0, false, false);
        }
        let outcome = environment.step(&actions[index * 3..(index + 1) * 3], &mut observation).unwrap();
        let last = observation.clone();
        has_ended = outcome.terminated || outcome.truncated;
        if has_ended && autoreset == Autoreset::SameStep {
            environment.reset(&mut stream, &mut observation).unwrap();
            has_ended = false;
        }
        (observation.clone(), last, outcome.reward, outcome.terminated, outcome.truncated)
    });
    rows.collect()
}

#[test]
fn each_does_what_it_does_alone_with_any_number_of_threads() {
    for (autoreset, threads) in [
        (Autoreset::NextStep, 1),
        (Autoreset::NextStep, 3),
        (Autoreset::SameStep, 1),
        (Autoreset::SameStep, 8),
    ] {
        let mut all = vector(autoreset, threads);
        all.reset(Some(11), None).unwrap();
        let steps: Vec<_> = actions().iter().map(|actions| all.step(actions).unwrap()).collect();
        let (mut terminated, mut truncated) = (0, 0);
        for index in 0..COUNT {
            for (step, (observation, last, reward, ends, limit)) in steps.iter().zip(alone(index, autoreset))
            {
                let size = observation.len();
                let row = index * size..(index + 1) * size;
                assert_eq!(step.observations[row.clone()], observation);
                assert_eq!(step.final_observations[row], last);
                assert_eq!(step.rewards[index], reward);
                assert_eq!((step.terminated[index], step.truncated[index]), (ends, limit));
                terminated += usize::from(ends);
                truncated += usize::from(limit);
            }
        }
        // both kinds of an end have been seen
        assert!(terminated > 0 && truncated > 0, "{terminated} {truncated}");
    }
}

#[test]
fn without_autoreset_the_caller_resets_those_that_ended() {
    let mut all = vector(Autoreset::Disabled, 1);
    let actions = vec![0.0; COUNT * 3];
    assert_eq!(all.step(&actions).unwrap_err().code(), "RESET_NEEDED");
    let mut observations = all.reset(Some(0), None).unwrap();
    let size = observations.len() / COUNT;
    let ended = loop {
        let step = all.step(&actions).unwrap();
        let ended: Vec<bool> =
            step.terminated.iter().zip(&step.truncated).map(|(&one, &other)| one || other).collect();
        observations = step.observations;
        if ended.contains(&true) {
            break ended;
        }
    };
    let index = ended.iter().position(|&ended| ended).unwrap();
    let refused = all.step(&actions).unwrap_err();
    assert!(refused.to_string().contains(&format!("environment {index}:")), "{refused}");
    assert_eq!(all.reset(None, Some(&[true])).unwrap_err().code(), "LENGTH_MISMATCH");
    let after = all.reset(None, Some(&ended)).unwrap();
    for (e, &was_reset) in ended.iter().enumerate() {
        let row = e * size..(e + 1) * size;
        assert_eq!(after[row.clone()] != observations[row], was_reset, "{e}");
    }
    all.step(&actions).unwrap();
}

#[test]
fn bad_actions_step_nothing() {
    let mut all = vector(Autoreset::NextStep, 2);
    let first = all.reset(Some(0), None).unwrap();
    assert_eq!(all.step(&[0.0; 3]).unwrap_err().code(), "LENGTH_MISMATCH");
    let mut actions = [0.0; COUNT * 3];
    actions[COUNT * 3 - 1] = f64::NAN;
    assert_eq!(all.step(&actions).unwrap_err().code(), "NOT_FINITE");
    assert_eq!(all.reset(None, Some(&[false; COUNT])).unwrap(), first);
}

#[test]
fn the_first_environment_that_fails_is_named_and_the_step_of_all_is_lost() {
    for threads in [1, 3] {
        let mut all = vector(Autoreset::SameStep, threads);
        all.reset(Some(0), None).unwrap();
        let mut actions = vec![0.0; COUNT * 3];
        (actions[3], actions[4 * 3]) = (1e300, 1e300);
        let error = all.step(&actions).unwrap_err();
        assert_eq!(error.code(), "REWARD_NOT_FINITE");
        assert!(error.to_string().starts_with("environment 1: "), "{error}");
        // ends of the others may have been among what is lost
        assert_eq!(all.step(&[0.0; COUNT * 3]).unwrap_err().code(), "RESET_NEEDED");
        all.reset(None, Some(&[false, true, false, false, true])).unwrap();
        assert_eq!(all.step(&[0.0; COUNT * 3]).unwrap_err().code(), "RESET_NEEDED");
        all.reset(None, None).unwrap();
        all.step(&[0.0; COUNT * 3]).unwrap();
    }
}

#[test]
fn an_action_that_is_ignored_may_be_anything() {
    let mut all = vector(Autoreset::NextStep, 1);
    all.reset(Some(0), None).unwrap();
    let mut actions = vec![0.0; COUNT * 3];
    let ended = loop {
        let step = all.step(&actions).unwrap();
        let ended = (0..COUNT).find(|&e| step.terminated[e] || step.truncated[e]);
        if let Some(index) = ended {
            break index;
        }
    };
    actions[3 * ended] = f64::NAN;
    let step = all.step(&actions).unwrap();
    assert_eq!((step.rewards[ended], step.terminated[ended], step.truncated[ended]), (0.0, false, false));
    assert_eq!(all.step(&actions).unwrap_err().code(), "NOT_FINITE");
}

#[test]
fn none_at_all_is_refused() {
    let none = Vec::<MujocoEnvironment>::new();
    assert_eq!(VectorEnvironment::new(none, Autoreset::Disabled, 1).err().unwrap().code(), "CONFIG_RANGE");
    let no_thread = VectorEnvironment::new(vec![make(ID)], Autoreset::Disabled, 0);
    assert_eq!(no_thread.err().unwrap().code(), "CONFIG_RANGE");
}

/// The environment of `generate_autoreset.py`: it counts; an action above 0.5 terminates, below −10 it leaves its range.
struct Counting {
    spec: Spec,
    episode: f64,
    count: f64,
    limit: f64,
}

impl Counting {
    fn new(limit: f64) -> Self {
        let spec = Spec {
            id: "Counting".to_owned(),
            observation_size: 2,
            action_size: 1,
            action_low: vec![-1.0],
            action_high: vec![1.0],
            timestep: 1.0,
            frame_skip: 1,
            max_episode_steps: limit as u64,
            info: Vec::new(),
        };
        Self { spec, episode: 0.0, count: 0.0, limit }
    }
}

impl Environment for Counting {
    fn spec(&self) -> &Spec {
        &self.spec
    }
    fn reset(&mut self, _: &mut Stream, observation: &mut [f64]) -> Result<()> {
        (self.episode, self.count) = (self.episode + 1.0, 0.0);
        observation.copy_from_slice(&[self.episode, self.count]);
        Ok(())
    }
    fn step(&mut self, action: &[f64], observation: &mut [f64]) -> Result<Outcome> {
        self.count += 1.0;
        if action[0] < -10.0 {
            observation.fill(f64::NAN);
            return Err(EngineError::Unstable { reason: "as the action says".to_owned() });
        }
        observation.copy_from_slice(&[self.episode, self.count]);
        let reward = 10.0 * self.episode + self.count;
        Ok(Outcome { reward, terminated: action[0] > 0.5, truncated: self.count >= self.limit })
    }
    fn info(&self) -> &[f64] {
        &[]
    }
    fn qpos(&self) -> &[f64] {
        &[]
    }
    fn qvel(&self) -> &[f64] {
        &[]
    }
    fn set_state(&mut self, _: &[f64], _: &[f64], _: &mut [f64]) -> Result<()> {
        Ok(())
    }
    fn set_max_episode_steps(&mut self, _: u64) {}
    fn state(&mut self, _: &mut Ledger) -> Result<()> {
        Ok(())
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap();
    all.iter().flat_map(|each| each.as_f64().map_or_else(|| numbers(each), |number| vec![number])).collect()
}

fn flags(value: &Value) -> Vec<bool> {
    value.as_array().unwrap().iter().map(|flag| flag.as_bool().unwrap()).collect()
}

#[test]
fn the_modes_do_what_those_of_gymnasium_do() {
    let text = fs::read_to_string(fixture("autoreset.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let limit = golden["limit"].as_f64().unwrap();
    let actions: Vec<Vec<f64>> = golden["actions"].as_array().unwrap().iter().map(numbers).collect();
    let modes = [
        ("NEXT_STEP", Autoreset::NextStep),
        ("SAME_STEP", Autoreset::SameStep),
        ("DISABLED", Autoreset::Disabled),
    ];
    for (name, autoreset) in modes {
        let expected = &golden["modes"][name];
        let environments = actions[0].iter().map(|_| Counting::new(limit)).collect();
        let mut all = VectorEnvironment::new(environments, autoreset, 2).unwrap();
        assert_eq!(all.reset(Some(0), None).unwrap(), numbers(&expected["first"]), "{name}");
        for (at, (step, actions)) in expected["steps"].as_array().unwrap().iter().zip(&actions).enumerate() {
            let got = all.step(actions).unwrap();
            assert_eq!(got.observations, numbers(&step["observations"]), "{name} {at}");
            assert_eq!(got.final_observations, numbers(&step["finalObservations"]), "{name} {at}");
            assert_eq!(got.rewards, numbers(&step["rewards"]), "{name} {at}");
            assert_eq!(got.terminated, flags(&step["terminated"]), "{name} {at}");
            assert_eq!(got.truncated, flags(&step["truncated"]), "{name} {at}");
            if let Some(after) = step.get("afterReset") {
                let ended: Vec<bool> =
                    got.terminated.iter().zip(&got.truncated).map(|(&one, &other)| one || other).collect();
                assert_eq!(all.reset(None, Some(&ended)).unwrap(), numbers(after), "{name} {at}");
            }
        }
    }
}

#[test]
fn a_simulator_that_leaves_its_range_ends_its_episode_and_no_other() {
    for (autoreset, next) in [(Autoreset::NextStep, [1.0, 1.0]), (Autoreset::SameStep, [2.0, 0.0])] {
        let environments = (0..3).map(|_| Counting::new(9.0)).collect();
        let mut all = VectorEnvironment::new(environments, autoreset, 1).unwrap();
        all.reset(None, None).unwrap();
        all.step(&[0.0; 3]).unwrap();
        let step = all.step(&[0.0, -11.0, 0.0]).unwrap();
        assert_eq!(step.unstable, [false, true, false]);
        assert_eq!((step.truncated, step.terminated), (vec![false, true, false], vec![false; 3]));
        assert_eq!(step.rewards, [12.0, 0.0, 12.0]);
        // the last sound one, and what to act on next
        assert_eq!(step.final_observations[2..4], [1.0, 1.0]);
        assert_eq!(step.observations, [1.0, 2.0, next[0], next[1], 1.0, 2.0]);
        assert_eq!(all.step(&[0.0; 3]).unwrap().unstable, [false; 3]);
    }
}
