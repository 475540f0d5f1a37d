//! MuJoCo tasks against Gymnasium's own rollouts, and against the contract of an environment.
//!
//! `VIREL_MODELS` names the folder of Gymnasium's model files. `VIREL_ROLLOUTS` may name another file of rollouts,
//! made by `__tests__/fixtures/environments/generate_rollouts.py`.

// clippy exempts functions marked as tests; here the others are of tests too
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use virel_engine::environments::environment::{Environment, Outcome};
use virel_engine::environments::mujoco::task::{Condition, Segment, Signal, Task, joint, part};
use virel_engine::environments::mujoco::{MujocoEnvironment, create, specs, tasks};
use virel_engine::error::EngineError;
use virel_engine::random::{Purpose, Stream};

/// Bound on every observation and reward against Gymnasium on the same libmujoco. Another processor's sin and cos
/// move a HalfCheetah by at most 4e-10 over the stored steps; anything else is a different task.
const PARITY: f64 = 1e-9;

fn models() -> PathBuf {
    std::env::var_os("VIREL_MODELS")
        .map(PathBuf::from)
        .expect("VIREL_MODELS must name the folder with Gymnasium's model files (half_cheetah.xml, ...)")
}

fn make(id: &str) -> MujocoEnvironment {
    create(id, &models()).unwrap_or_else(|error| panic!("{id}: {error}"))
}

/// What Gymnasium says of each id, and its rollouts.
fn reference() -> Value {
    let stored = "../../__tests__/fixtures/environments/rollouts.json";
    let path = std::env::var_os("VIREL_ROLLOUTS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(stored), PathBuf::from);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str::<Value>(&text).expect("rollouts are JSON")["envs"].take()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn stream(seed: u64) -> Stream {
    Stream::new(seed, Purpose::Reset, 0)
}

fn observation_of(environment: &MujocoEnvironment) -> Vec<f64> {
    // NaN: a value that is not written fails every comparison
    vec![f64::NAN; environment.spec().observation_size]
}

/// Uniform in 1.25 times the bounds, so that clamping is exercised.
fn action_of(environment: &MujocoEnvironment, stream: &mut Stream) -> Vec<f64> {
    let spec = environment.spec();
    let bounds = spec.action_low.iter().zip(&spec.action_high);
    bounds.map(|(low, high)| stream.uniform_in(1.25 * low, 1.25 * high)).collect()
}

/// Observations and outcomes of `steps` random steps after a reset, all from `seed`.
fn rollout(environment: &mut MujocoEnvironment, seed: u64, steps: usize) -> Vec<(Vec<f64>, Outcome)> {
    let mut actions = Stream::new(seed, Purpose::Action, 0);
    let mut observation = observation_of(environment);
    environment.reset(&mut stream(seed), &mut observation).unwrap();
    (0..steps)
        .map(|_| {
            let action = action_of(environment, &mut actions);
            let outcome = environment.step(&action, &mut observation).unwrap();
            (observation.clone(), outcome)
        })
        .collect()
}

fn info(environment: &MujocoEnvironment, name: &str) -> f64 {
    let place = environment.spec().info.iter().position(|known| known == name);
    environment.info()[place.unwrap_or_else(|| panic!("no info {name}"))]
}

/// Largest difference of two runs of numbers; NaN if one is NaN.
fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    got.iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |worst, error| if error.is_nan() { error } else { worst.max(error) })
}

#[test]
fn every_step_equals_gymnasiums() {
    for (id, entry) in reference().as_object().expect("an object") {
        // one environment for all programmes: a start must leave nothing of the last one behind
        let mut environment = make(id);
        let mut observation = observation_of(&environment);
        for (programme, expected) in entry["rollouts"].as_object().expect("an object") {
            let [qpos, qvel, reward] = ["qpos0", "qvel0", "reward"].map(|name| numbers(&expected[name]));
            environment.set_state(&qpos, &qvel, &mut observation).unwrap();
            let mut worst = distance(&observation, &numbers(&expected["obs0"]));
            let (mut worst_reward, mut worst_info) = (0.0_f64, 0.0_f64);

            for (step, action) in expected["actions"].as_array().expect("an array").iter().enumerate() {
                let place = format!("{id} {programme} step {}", step + 1);
                let outcome = environment.step(&numbers(action), &mut observation).expect(&place);
                let error = distance(&observation, &numbers(&expected["obs"][step]));
                assert!(error <= PARITY, "{place}: observation is {error:e} off");
                let reward_error = (outcome.reward - reward[step]).abs();
                assert!(reward_error <= PARITY, "{place}: reward is {reward_error:e} off");
                assert_eq!(Some(outcome.terminated), expected["terminated"][step].as_bool(), "{place}");
                for (name, values) in expected["info"].as_object().into_iter().flatten() {
                    let error = (info(&environment, name) - values[step].as_f64().unwrap()).abs();
                    assert!(error <= PARITY, "{place}: {name} is {error:e} off");
                    worst_info = worst_info.max(error);
                }
                (worst, worst_reward) = (worst.max(error), worst_reward.max(reward_error));
            }
            println!("{id} {programme}: obs {worst:e}, reward {worst_reward:e}, info {worst_info:e}");
        }
    }
}

#[test]
fn specs_state_what_gymnasium_states() {
    let reference = reference();
    let specs = specs();
    assert_eq!(specs.len(), reference.as_object().expect("an object").len());
    for spec in specs {
        let expected = &reference[&spec.id];
        assert_eq!(spec.observation_size as u64, expected["obs_dim"], "{}", spec.id);
        assert_eq!(spec.action_size as u64, expected["nu"], "{}", spec.id);
        assert_eq!(spec.action_low, numbers(&expected["ctrl_low"]), "{}", spec.id);
        assert_eq!(spec.action_high, numbers(&expected["ctrl_high"]), "{}", spec.id);
        assert_eq!(spec.timestep, expected["timestep"], "{}", spec.id);
        assert_eq!(spec.frame_skip as u64, expected["frame_skip"], "{}", spec.id);
        assert_eq!(spec.max_episode_steps, expected["max_episode_steps"], "{}", spec.id);
        // and the environment made from the model says the same
        let environment = make(&spec.id);
        assert_eq!(environment.spec(), &spec);
        assert_eq!(environment.qpos().len() as u64, expected["nq"], "{}", spec.id);
        assert_eq!(environment.qvel().len() as u64, expected["nv"], "{}", spec.id);
    }
}

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

        // the parts of the reward add up to it
        assert_eq!(environment.info().len(), spec.info.len(), "{}", spec.id);
        let parts = spec.info.iter().zip(environment.info()).filter(|(name, _)| name.starts_with("reward_"));
        let sum: f64 = parts.map(|(_, value)| value).sum();
        assert!((sum - outcome.reward).abs() < 1e-12, "{}: {sum} and {}", spec.id, outcome.reward);
    }
}

#[test]
fn control_costs_are_of_the_action_before_clamping() {
    for id in ["HalfCheetah-v5", "Hopper-v5", "Walker2d-v5"] {
        let mut environment = make(id);
        let mut steps = [1.0, 2.0].map(|size| {
            let mut observation = observation_of(&environment);
            environment.reset(&mut stream(3), &mut observation).unwrap();
            let action = vec![size; environment.spec().action_size];
            let _ = environment.step(&action, &mut observation).unwrap();
            (observation, info(&environment, "reward_ctrl"))
        });
        // both actions are clamped to 1: the same motion, four times the cost
        assert_eq!(steps[0].0, steps[1].0, "{id}");
        steps[0].1 *= 4.0;
        assert!((steps[0].1 - steps[1].1).abs() < 1e-12, "{id}: {steps:?}");
    }
}

#[test]
fn only_v4_pays_for_health_on_the_terminating_step() {
    // (task, joint that falls, where it is unhealthy)
    for (task, joint, fallen) in [("Hopper", 2, 0.3), ("Walker2d", 2, 1.2), ("InvertedPendulum", 1, 0.3)] {
        let step_from = |version: &str, angle: f64| {
            let mut environment = make(&format!("{task}-{version}"));
            let mut observation = observation_of(&environment);
            let mut qpos = environment.qpos().to_vec();
            qpos[joint] += angle;
            let qvel = vec![0.0; environment.qvel().len()];
            environment.set_state(&qpos, &qvel, &mut observation).unwrap();
            let outcome =
                environment.step(&vec![0.0; environment.spec().action_size], &mut observation).unwrap();
            (outcome.terminated, outcome.reward, info(&environment, "reward_survive"))
        };
        let (v4, v5) = (step_from("v4", 0.0), step_from("v5", 0.0));
        assert_eq!((v4.0, v5.0, v4.2, v5.2), (false, false, 1.0, 1.0), "{task} upright");
        let (v4, v5) = (step_from("v4", fallen), step_from("v5", fallen));
        assert_eq!((v4.0, v5.0, v4.2, v5.2), (true, true, 1.0, 0.0), "{task} fallen");
        assert!((v4.1 - v5.1 - 1.0).abs() < 1e-6, "{task} fallen: {} and {}", v4.1, v5.1);
    }
}

#[test]
fn half_cheetah_never_terminates() {
    let mut environment = make("HalfCheetah-v5");
    let mut observation = observation_of(&environment);
    let mut qpos = environment.qpos().to_vec();
    qpos[2] = std::f64::consts::PI;
    environment.set_state(&qpos, &[0.0; 9], &mut observation).unwrap();
    assert!(!environment.step(&[0.0; 6], &mut observation).unwrap().terminated, "upside down");
}

#[test]
fn reset_noise_has_the_tasks_distribution() {
    const EPISODES: usize = 4000;
    // (task, noise of positions, noise of velocities): half width of a uniform, or deviation of a normal
    let uniform = |width: f64| (width, true);
    let normal = |deviation: f64| (deviation, false);
    for (id, positions, velocities) in [
        ("HalfCheetah-v5", uniform(0.1), normal(0.1)),
        ("Hopper-v5", uniform(0.005), uniform(0.005)),
        ("Walker2d-v4", uniform(0.005), uniform(0.005)),
        ("InvertedPendulum-v4", uniform(0.01), uniform(0.01)),
    ] {
        let mut environment = make(id);
        let mut observation = observation_of(&environment);
        let start = environment.qpos().to_vec();
        let mut stream = stream(17);
        let mut draws = vec![Vec::with_capacity(EPISODES); start.len() + environment.qvel().len()];
        for _ in 0..EPISODES {
            environment.reset(&mut stream, &mut observation).unwrap();
            let noise = environment.qpos().iter().zip(&start).map(|(value, start)| value - start);
            for (values, value) in draws.iter_mut().zip(noise.chain(environment.qvel().iter().copied())) {
                values.push(value);
            }
        }

        for (index, values) in draws.iter().enumerate() {
            let (scale, is_uniform) = if index < start.len() { positions } else { velocities };
            let mean =
                |f: &dyn Fn(f64) -> f64| values.iter().map(|&x| f(x / scale)).sum::<f64>() / EPISODES as f64;
            // moments of U(-1, 1) and N(0, 1): E x^2, E x^4, and the deviations of x, x^2, x^4
            let (second, fourth, deviations) = if is_uniform {
                (1.0 / 3.0, 1.0 / 5.0, [0.577, 0.298, 0.267])
            } else {
                (1.0, 3.0, [1.0, 1.414, 9.80])
            };
            let expected = [(0.0, mean(&|x| x)), (second, mean(&|x| x * x)), (fourth, mean(&|x| x.powi(4)))];
            for ((expected, got), deviation) in expected.into_iter().zip(deviations) {
                // five standard errors
                let bound = 5.0 * deviation / (EPISODES as f64).sqrt();
                assert!((got - expected).abs() < bound, "{id} coordinate {index}: {got}, not {expected}");
            }
            if is_uniform {
                // the start's height of 1.25 costs the difference some bits
                let widest = values.iter().fold(0.0_f64, |widest, value| widest.max(value.abs()));
                assert!(widest <= scale * (1.0 + 1e-12) + 1e-15, "{id} coordinate {index}: {widest}");
            }
            // coordinates are drawn on their own: the correlation with the next is zero within five errors
            if let Some(next) = draws.get(index + 1) {
                let correlation: f64 = values.iter().zip(next).map(|(a, b)| a * b).sum::<f64>()
                    / (values.iter().map(|a| a * a).sum::<f64>() * next.iter().map(|b| b * b).sum::<f64>())
                        .sqrt();
                assert!(correlation.abs() < 5.0 / (EPISODES as f64).sqrt(), "{id} {index}: {correlation}");
            }
        }
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
    jumper.observation = vec![Segment::Velocities(1..2), Segment::Positions(1..2)];
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
    assert!(
        refused(&|task| task.reward[0].signal = Signal::Rate(wing())).ends_with("has no joint named wing")
    );
    assert!(refused(&|task| task.healthy[1] = Condition::Inside(wing(), 0.0, 1.0)).contains("wing"));
    assert!(refused(&|task| task.info[0].1 = Signal::Now(wing())).contains("wing"));
    assert!(refused(&|task| task.model.actuators[0].joint = "wing".into()).contains("wing"));
    assert!(refused(&|task| task.observation[0] = Segment::Positions(1..7)).contains("positions 1..7"));
    assert!(
        refused(&|task| task.observation[1] = Segment::ClippedVelocities(0..7)).contains("velocities 0..7")
    );
    assert!(refused(&|task| task.healthy[0] = Condition::StateBelow(2..13, 1.0)).contains("state 2..13"));
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

/// A folder with one model file of this content.
fn folder_with(name: &str, file: &str, content: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(file), content).unwrap();
    folder
}

fn refusal(id: &str, folder: &Path) -> EngineError {
    create(id, folder).map(drop).unwrap_err()
}

#[test]
fn a_model_that_is_not_the_tasks_is_refused() {
    let hopper = fs::read_to_string(models().join("hopper.xml")).unwrap();
    // (what differs, text of the model file, its replacement)
    for (quantity, text, replacement) in [
        ("gear of an actuator", "gear=\"200.0\" joint=\"leg_joint\"", "gear=\"150.0\" joint=\"leg_joint\""),
        ("joint driven by an actuator", "joint=\"leg_joint\"/>", "joint=\"foot_joint\"/>"),
        ("high end of a control range", "ctrlrange=\"-1.0 1.0\"", "ctrlrange=\"-1.0 2.0\""),
        ("timestep", "timestep=\"0.002\"", "timestep=\"0.001\""),
        ("mass", "size=\"0.05 0.1", "size=\"0.06 0.1"),
        ("bodies", "<worldbody>", "<worldbody><body/>"),
        (
            "nq",
            "<geom friction=\"0.9\" name=\"torso_geom\"",
            "<joint range=\"0 1\"/><geom name=\"torso_geom\"",
        ),
    ] {
        assert!(hopper.contains(text), "{quantity}: {text}");
        let changed = hopper.replacen(text, replacement, 1);
        let folder = folder_with(
            &format!("fingerprint-{}", quantity.replace(' ', "-")),
            "hopper.xml",
            changed.as_bytes(),
        );
        let error = refusal("Hopper-v5", &folder);
        assert_eq!(error.code(), "MODEL_FINGERPRINT", "{quantity}: {error}");
        println!("{error}");
    }
}

#[test]
fn a_model_file_that_is_missing_or_broken_is_named() {
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty");
    fs::create_dir_all(&empty).unwrap();
    for folder in [empty.as_path(), Path::new("/nowhere"), Path::new("nul\0inside")] {
        let error = refusal("HalfCheetah-v5", folder);
        assert_eq!(error.code(), "MODEL_MISSING");
        assert!(error.to_string().contains("half_cheetah.xml"), "{error}");
    }
    for (name, content) in [
        ("not-xml", &b"no model at all"[..]),
        ("cut", b"<mujoco><worldbody><body>"),
        ("nothing", b""),
        ("not-utf-8", b"<mujoco model='\xff\xfe'><worldbody><body name='\xff'/>"),
        ("unknown-element", b"<mujoco><robot/></mujoco>"),
        ("massless", b"<mujoco><worldbody><body><joint/></body></worldbody></mujoco>"),
    ] {
        let error = refusal("Hopper-v4", &folder_with(&format!("broken-{name}"), "hopper.xml", content));
        assert_eq!(error.code(), "MODEL_INVALID", "{name}: {error}");
        assert!(error.to_string().contains("hopper.xml"), "{error}");
        println!("{error}");
    }
}

#[test]
fn an_unknown_id_is_answered_with_the_one_to_use() {
    let answer = |id: &str| {
        let error = refusal(id, Path::new("/nowhere"));
        assert_eq!(error.code(), "ENV_UNKNOWN");
        error.to_string()
    };
    assert_eq!(
        answer("Hopper-v2"),
        "Hopper-v2 is not provided: its physics was mujoco-py's; Hopper-v4 is closest to it, Hopper-v5 is for new work"
    );
    assert!(answer("HalfCheetah-v3").contains("HalfCheetah-v4 is closest"));
    assert!(answer("Hoper-v4").contains("did you mean Hopper-v4?"));
    assert!(answer("halfcheetah-v5").contains("did you mean HalfCheetah-v5?"));
    assert!(answer("Walker2d").contains("did you mean Walker2d-v5?"));
    for far in ["", "Pong-v5", "\0", "../../etc/passwd"] {
        let text = answer(far);
        assert!(text.contains("known: HalfCheetah-v4") && !text.contains("did you mean"), "{text}");
    }
}
