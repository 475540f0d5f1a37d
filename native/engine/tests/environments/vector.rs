//! Several environments together: each is as alone, and the mode says what happens after an end.

use virel_engine::environments::vector::{Autoreset, VectorEnvironment};

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
fn an_environment_that_fails_is_named_and_goes_on_after_a_reset() {
    let mut all = vector(Autoreset::NextStep, 1);
    all.reset(Some(0), None).unwrap();
    let mut actions = vec![0.0; COUNT * 3];
    actions[2 * 3] = 1e300;
    let error = all.step(&actions).unwrap_err();
    assert_eq!(error.code(), "REWARD_NOT_FINITE");
    assert!(error.to_string().starts_with("environment 2: "), "{error}");
    assert_eq!(all.step(&[0.0; COUNT * 3]).unwrap_err().code(), "RESET_NEEDED");
    let mut mask = [false; COUNT];
    mask[2] = true;
    all.reset(None, Some(&mask)).unwrap();
    all.step(&[0.0; COUNT * 3]).unwrap();
}

#[test]
fn none_at_all_is_refused() {
    let none = Vec::<MujocoEnvironment>::new();
    assert_eq!(VectorEnvironment::new(none, Autoreset::Disabled, 1).err().unwrap().code(), "CONFIG_RANGE");
    let no_thread = VectorEnvironment::new(vec![make(ID)], Autoreset::Disabled, 0);
    assert_eq!(no_thread.err().unwrap().code(), "CONFIG_RANGE");
}
