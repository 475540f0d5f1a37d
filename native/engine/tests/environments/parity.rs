//! Every step against Gymnasium's.

use super::*;

/// Replays every programme of an entry; gives the largest errors of observation, reward and info.
pub fn replay(name: &str, entry: &Value, environment: &mut MujocoEnvironment) -> [f64; 3] {
    let mut observation = observation_of(environment);
    let mut worst = [0.0_f64; 3];
    for (programme, expected) in entry["rollouts"].as_object().expect("an object") {
        let [qpos, qvel, reward] = ["qpos0", "qvel0", "reward"].map(|name| numbers(&expected[name]));
        environment.set_state(&qpos, &qvel, &mut observation).unwrap();
        worst[0] = worst[0].max(distance(&observation, &numbers(&expected["obs0"])));
        // not every observation of a long one is stored
        let mut stored = expected["obs_steps"]
            .as_array()
            .expect("an array")
            .iter()
            .zip(expected["obs"].as_array().expect("an array"));
        let mut next = stored.next();

        for (step, action) in expected["actions"].as_array().expect("an array").iter().enumerate() {
            let place = format!("{name} {programme} step {}", step + 1);
            let outcome = environment.step(&numbers(action), &mut observation).expect(&place);
            if let Some((_, values)) = next.filter(|(at, _)| at.as_u64() == Some(step as u64 + 1)) {
                let error = distance(&observation, &numbers(values));
                assert!(error <= PARITY, "{place}: observation is {error:e} off");
                worst[0] = worst[0].max(error);
                next = stored.next();
            }
            let error = (outcome.reward - reward[step]).abs();
            assert!(error <= PARITY, "{place}: reward is {error:e} off");
            worst[1] = worst[1].max(error);
            assert_eq!(Some(outcome.terminated), expected["terminated"][step].as_bool(), "{place}");
            if let Some(truncated) = expected["truncated"][step].as_bool() {
                assert_eq!(outcome.truncated, truncated, "{place}");
            }
            for (name, values) in expected["info"].as_object().into_iter().flatten() {
                let error = (info(environment, name) - values[step].as_f64().unwrap()).abs();
                assert!(error <= PARITY, "{place}: {name} is {error:e} off");
                worst[2] = worst[2].max(error);
            }
        }
        assert!(next.is_none(), "{name} {programme}: not every stored observation was reached");
    }
    worst
}

#[test]
fn every_step_equals_gymnasiums() {
    for (name, entry) in &reference() {
        let id = entry["id"].as_str().unwrap_or(name);
        let options = entry.get("options").cloned().unwrap_or_else(|| json!({}));
        // one environment for all programmes: a start must leave nothing of the last one behind
        let mut environment = make_with(id, &with_options(&options));
        if let Some(size) = entry["obs_dim"].as_u64() {
            assert_eq!(environment.spec().observation_size as u64, size, "{name}");
        }
        let [observation, reward, info] = replay(name, entry, &mut environment);
        println!("{name}: observation {observation:.1e}, reward {reward:.1e}, info {info:.1e}");
    }
}

#[test]
fn every_step_equals_our_reading_of_rllab() {
    // another file, made by generate_rllab.py from rllab's own models, and the folder of these
    let file = std::env::var_os("VIREL_RLLAB").map(PathBuf::from);
    let path = file.as_ref().map_or_else(|| fixture("rllab.json"), |folder| folder.join("rllab.json"));
    for (id, entry) in &entries(&path) {
        let model = entry["model"].as_str().expect("a file");
        let model_file = Some(file.as_ref().map_or_else(|| fixture(model), |folder| folder.join(model)));
        let mut environment = make_with(id, &Choices { model_file, ..Choices::default() });
        let [observation, reward, _] = replay(id, entry, &mut environment);
        println!("{id}: observation {observation:.1e}, reward {reward:.1e}");
    }
}

#[test]
fn specs_state_what_gymnasium_states() {
    let reference = reference();
    let ids =
        reference.values().filter(|entry| entry["options"].as_object().is_none_or(|all| all.is_empty()));
    let shipped: Vec<_> = tasks().into_iter().filter(|task| task.about.model_needed.is_empty()).collect();
    assert_eq!(shipped.len(), ids.count());
    for task in shipped {
        let (spec, expected) = (task.spec(), &reference[&task.id]);
        assert_eq!(spec.observation_size as u64, expected["obs_dim"], "{}", spec.id);
        assert_eq!(spec.action_size as u64, expected["nu"], "{}", spec.id);
        assert_eq!(spec.action_low, numbers(&expected["ctrl_low"]), "{}", spec.id);
        assert_eq!(spec.action_high, numbers(&expected["ctrl_high"]), "{}", spec.id);
        assert_eq!(spec.timestep, expected["timestep"], "{}", spec.id);
        assert_eq!(spec.frame_skip as u64, expected["frame_skip"], "{}", spec.id);
        assert_eq!(spec.max_episode_steps, expected["max_episode_steps"], "{}", spec.id);
        assert!(
            expected["xml_sha256"].as_str().unwrap().starts_with(task.model.sha256.as_ref()),
            "{}",
            spec.id
        );
        // and the environment made from the model says the same
        let environment = make(&spec.id);
        assert_eq!(environment.spec(), &spec);
        assert_eq!(environment.qpos().len() as u64, expected["nq"], "{}", spec.id);
        assert_eq!(environment.qvel().len() as u64, expected["nv"], "{}", spec.id);
    }
}

#[test]
fn control_costs_are_of_the_action_before_clamping() {
    for id in
        ["HalfCheetah-v5", "Hopper-v5", "Walker2d-v5", "Ant-v4", "Humanoid-v4", "Swimmer-v5", "Pusher-v5"]
    {
        let mut environment = make(id);
        let mut steps = [1.0, 2.0].map(|size| {
            let mut observation = observation_of(&environment);
            environment.reset(&mut stream(3), &mut observation).unwrap();
            let high = environment.spec().action_high[0];
            let action = vec![size * high; environment.spec().action_size];
            let _ = environment.step(&action, &mut observation).unwrap();
            (observation, info(&environment, "reward_ctrl"))
        });
        // both actions are clamped to the bound: the same motion, four times the cost
        assert_eq!(steps[0].0, steps[1].0, "{id}");
        steps[0].1 *= 4.0;
        assert!((steps[0].1 - steps[1].1).abs() < 1e-12, "{id}: {steps:?}");
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
