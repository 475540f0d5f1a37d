//! The contract of an environment, on every task.

use super::*;

#[test]
fn every_step_fills_observation_and_info() {
    for spec in specs() {
        let mut environment = make(&spec.id);
        let mut observation = observation_of(&environment);
        environment.reset(&mut stream(1), &mut observation).unwrap();
        assert!(observation.iter().all(|value| value.is_finite()), "{}", spec.id);

        let action = action_of(&environment, &mut stream(2));
        observation.fill(f64::NAN);
        let outcome = environment.step(&action, &mut observation).unwrap();
        assert!(observation.iter().all(|value| value.is_finite()), "{}", spec.id);
        assert!(!outcome.truncated, "{}", spec.id);

        // the parts of the reward, the last numbers of info, add up to it
        let task = tasks().into_iter().find(|task| task.id == spec.id).unwrap();
        assert_eq!(environment.info().len(), spec.info.len(), "{}", spec.id);
        let parts = &environment.info()[task.info.len()..];
        let sum = task.base_reward + parts.iter().sum::<f64>();
        assert!((sum - outcome.reward).abs() < 1e-12, "{}: {sum} and {}", spec.id, outcome.reward);
    }
}

#[test]
fn the_same_seed_gives_the_same_rollout() {
    for spec in specs() {
        let steps = rollout(&mut make(&spec.id), 5, 200);
        assert_eq!(steps, rollout(&mut make(&spec.id), 5, 200), "{}", spec.id);
        assert_ne!(steps, rollout(&mut make(&spec.id), 6, 200), "{}", spec.id);
        // and in an environment with a past
        let mut used = make(&spec.id);
        let _ = rollout(&mut used, 6, 50);
        assert_eq!(steps, rollout(&mut used, 5, 200), "{}", spec.id);
    }
}

#[test]
fn environments_do_not_disturb_each_other() {
    for id in ["HalfCheetah-v5", "Hopper-v4"] {
        let alone = rollout(&mut make(id), 5, 200);
        // both at once on threads of their own, an environment crossing into each
        let (mut first, mut second) = (make(id), make(id));
        let other = std::thread::spawn(move || rollout(&mut second, 6, 400));
        assert_eq!(alone, std::thread::spawn(move || rollout(&mut first, 5, 200)).join().unwrap(), "{id}");
        assert_eq!(other.join().unwrap()[..200], rollout(&mut make(id), 6, 200)[..], "{id}");
    }
}

#[test]
fn siblings_share_a_model_and_nothing_else() {
    let mut first = make("HalfCheetah-v5");
    let mut second = first.sibling().unwrap();
    let expected = rollout(&mut make("HalfCheetah-v5"), 5, 100);
    let _ = rollout(&mut first, 6, 100);
    assert_eq!(rollout(&mut second, 5, 100), expected);
    drop(first);
    assert_eq!(rollout(&mut second, 5, 100), expected);
    assert_eq!(rollout(&mut second.sibling().unwrap(), 5, 100), expected);
}

#[test]
fn a_task_can_be_restated_without_code() {
    let hopper = || tasks().into_iter().find(|task| task.id == "Hopper-v5").unwrap();
    let mut jumper = hopper();
    jumper.reward = vec![part("reward_height", 2.0, Signal::Now(joint("rootz")))];
    jumper.healthy = vec![];
    jumper.observation = vec![velocities(1..2), positions(1..2)];
    let mut environment = MujocoEnvironment::new(&jumper, &models()).unwrap();
    let mut observation = [f64::NAN; 2];
    environment.set_state(&[0.0, 1.5, 2.0, 0.0, 0.0, 0.0], &[0.0; 6], &mut observation).unwrap();
    assert_eq!(observation, [0.0, 1.5]);
    let outcome = environment.step(&[0.0; 3], &mut observation).unwrap();
    let expected = Outcome { reward: 2.0 * observation[1], terminated: false, truncated: false };
    assert_eq!(outcome, expected);

    // what the model does not have is named
    let refused = |change: &dyn Fn(&mut Task)| {
        let mut task = hopper();
        change(&mut task);
        let error = MujocoEnvironment::new(&task, &models()).map(drop).unwrap_err();
        assert_eq!(error.code(), "MODEL_INVALID");
        error.to_string()
    };
    let wing = || joint("wing");
    let names = "no joint named wing; the model has rootx, rootz, rooty, thigh_joint, leg_joint, foot_joint";
    assert!(refused(&|task| task.reward[0].terms[0].1 = Signal::Rate(wing())).ends_with(names));
    assert!(refused(&|task| task.healthy[1] = inside(wing(), [0.0, 1.0])).contains("wing"));
    assert!(refused(&|task| task.info[0].1 = Signal::Now(wing())).contains("wing"));
    assert!(refused(&|task| task.model.actuators[0].joint = "wing".into()).contains("wing"));
    assert!(refused(&|task| task.observation[0] = positions(1..7)).contains("positions 1..7"));
    assert!(refused(&|task| task.observation[1] = velocities(0..7).clipped(1.0)).contains("velocities 0..7"));
    assert!(refused(&|task| task.reset.still_from = Some(7)).contains("velocities from 7"));
}

#[test]
fn an_episode_is_truncated_at_the_time_limit() {
    let mut environment = make("HalfCheetah-v5");
    let mut observation = observation_of(&environment);
    let limit = environment.spec().max_episode_steps;
    assert_eq!(limit, 1000);
    let mut last_step = |environment: &mut MujocoEnvironment, steps: u64| {
        let truncated: Vec<bool> =
            (0..steps).map(|_| environment.step(&[0.1; 6], &mut observation).unwrap().truncated).collect();
        truncated.iter().position(|&truncated| truncated).map(|index| index as u64 + 1)
    };
    environment.reset(&mut stream(0), &mut [0.0; 17]).unwrap();
    assert_eq!(last_step(&mut environment, limit), Some(limit));

    // another limit; stepping on stays truncated, every start counts anew
    environment.set_max_episode_steps(3);
    environment.reset(&mut stream(0), &mut [0.0; 17]).unwrap();
    assert_eq!(last_step(&mut environment, 2), None);
    environment.reset(&mut stream(0), &mut [0.0; 17]).unwrap();
    assert_eq!(last_step(&mut environment, 2), None);
    environment.set_state(&[0.0; 9], &[0.0; 9], &mut [0.0; 17]).unwrap();
    assert_eq!(last_step(&mut environment, 5), Some(3));
    assert_eq!(last_step(&mut environment, 1), Some(1));
}

#[test]
fn termination_and_truncation_can_come_together() {
    let mut environment = make("InvertedPendulum-v5");
    let mut observation = observation_of(&environment);
    environment.set_max_episode_steps(1);
    environment.set_state(&[0.0, 0.3], &[0.0; 2], &mut observation).unwrap();
    let outcome = environment.step(&[0.0], &mut observation).unwrap();
    assert_eq!(outcome, Outcome { reward: 0.0, terminated: true, truncated: true });
}

#[test]
fn a_refused_argument_changes_nothing() {
    for spec in specs() {
        let mut environment = make(&spec.id);
        let mut observation = observation_of(&environment);
        let _ = rollout(&mut environment, 9, 5);
        let (qpos, qvel) = (environment.qpos().to_vec(), environment.qvel().to_vec());
        let action = vec![0.0; spec.action_size];
        let mut codes = Vec::new();
        let mut refuse = |result: Result<(), EngineError>| codes.push(result.unwrap_err().code());

        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let with_bad = |values: &[f64]| {
                let mut values = values.to_vec();
                *values.last_mut().unwrap() = bad;
                values
            };
            refuse(environment.step(&with_bad(&action), &mut observation).map(drop));
            refuse(environment.set_state(&with_bad(&qpos), &qvel, &mut observation));
            refuse(environment.set_state(&qpos, &with_bad(&qvel), &mut observation));
        }
        assert_eq!(codes, ["NOT_FINITE"; 9], "{}", spec.id);

        codes = Vec::new();
        let mut refuse = |result: Result<(), EngineError>| codes.push(result.unwrap_err().code());
        let longer = [&action[..], &[0.0]].concat();
        refuse(environment.step(&longer, &mut observation).map(drop));
        refuse(environment.step(&action[1..], &mut observation).map(drop));
        refuse(environment.step(&action, &mut observation[1..]).map(drop));
        refuse(environment.set_state(&qpos[1..], &qvel, &mut observation));
        refuse(environment.set_state(&qpos, &[&qvel[..], &[0.0]].concat(), &mut observation));
        refuse(environment.set_state(&qpos, &qvel, &mut observation[1..]));
        refuse(environment.reset(&mut stream(0), &mut observation[1..]));
        assert_eq!(codes, ["LENGTH_MISMATCH"; 7], "{}", spec.id);

        // the next step is the one of an environment that was never asked
        assert_eq!((environment.qpos(), environment.qvel()), (&qpos[..], &qvel[..]), "{}", spec.id);
        let mut untouched = make(&spec.id);
        let _ = rollout(&mut untouched, 9, 5);
        let mut expected = observation_of(&untouched);
        let outcome = untouched.step(&action, &mut expected).unwrap();
        assert_eq!(environment.step(&action, &mut observation).unwrap(), outcome, "{}", spec.id);
        assert_eq!(observation, expected, "{}", spec.id);
    }
}

#[test]
fn a_diverged_simulation_is_an_error_until_the_next_start() {
    for spec in specs() {
        let mut environment = make(&spec.id);
        let mut observation = observation_of(&environment);
        let qpos = environment.qpos().to_vec();
        let action = vec![0.0; spec.action_size];
        let still = vec![0.0; environment.qvel().len()];
        for huge in [1e8, 1e11, 1e200, f64::MAX] {
            let fast = vec![huge; still.len()];
            let far: Vec<f64> = qpos.iter().map(|position| position + huge).collect();
            for (qpos, qvel) in [(&qpos, &fast), (&far, &still), (&far, &fast)] {
                // 1e8 m away MuJoCo still counts as a place to be
                if huge < 1e10 && *qvel == still {
                    continue;
                }
                environment.set_state(qpos, qvel, &mut observation).unwrap();
                // it stays an error: nothing is silently put back to the start
                for _ in 0..3 {
                    let error = environment.step(&action, &mut observation).unwrap_err();
                    assert!(matches!(error, EngineError::Unstable { .. }), "{} at {huge}: {error}", spec.id);
                    assert_eq!(error.code(), "SIM_UNSTABLE");
                }
            }
        }
        // a start mends it completely
        assert_eq!(rollout(&mut environment, 4, 20), rollout(&mut make(&spec.id), 4, 20), "{}", spec.id);
    }
}
