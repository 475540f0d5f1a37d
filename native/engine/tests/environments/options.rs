//! Options of the tasks. That they mean what Gymnasium means is in `parity`: every one of them is in its rollouts.

use super::*;

fn refused(id: &str, options: &Value) -> EngineError {
    task_with(id, &with_options(options)).map(drop).unwrap_err()
}

#[test]
fn every_option_away_from_its_default_is_in_the_rollouts() {
    let reference = entries(&fixture("rollouts.json"));
    for described in described().unwrap() {
        let id = &described.task.id;
        for option in &described.options {
            // gym's v2 charged Humanoids for contact forces; Gymnasium's v4 does not
            if id == "Humanoid-v4" && option.name.starts_with("contactCost") {
                continue;
            }
            let is_changed = reference.values().any(|entry| {
                let value = &entry["options"][option.name];
                entry["id"] == id.as_str() && !value.is_null() && *value != option.kind.default_value()
            });
            assert!(is_changed, "{id} {}", option.name);
        }
    }
}

#[test]
fn the_default_of_every_option_is_accepted_and_changes_nothing() {
    for described in described().unwrap() {
        let mut choices = Choices::default();
        for option in &described.options {
            choices = choices.with(option.name, option.kind.default_value());
        }
        assert_eq!(task_with(&described.task.id, &choices).unwrap(), described.task);
    }
}

#[test]
fn an_option_that_the_task_lacks_is_answered_with_its_own() {
    let error = refused("HalfCheetah-v4", &json!({"healthyReward": 1}));
    assert_eq!(error.code(), "CONFIG_UNKNOWN_KEY");
    assert_eq!(
        error.to_string(),
        "HalfCheetah-v4 has no option env.healthyReward; its own: forwardRewardWeight, ctrlCostWeight, \
         resetNoiseScale, excludeCurrentPositionsFromObservation"
    );
    // Gymnasium's v4 of these takes none at all
    for id in ["Reacher-v4", "InvertedPendulum-v4", "HumanoidStandup-v4"] {
        assert!(refused(id, &json!({"frameSkip": 2})).to_string().ends_with("it has none"), "{id}");
    }
}

#[test]
fn every_option_refuses_what_is_outside_its_range() {
    for described in described().unwrap() {
        for option in &described.options {
            for value in [json!("x y"), json!([3, 2]), json!({}), json!([]), json!(-1.5), json!(1e7)] {
                let id = &described.task.id;
                // any number is a weight, a word is a body's name: the model decides
                if (option.kind.name() == "weight" && value.is_number())
                    || (option.kind.name() == "text" && value.is_string())
                {
                    continue;
                }
                let error = refused(id, &json!({ option.name: value }));
                let code = error.code();
                assert!(
                    ["CONFIG_RANGE", "CONFIG_TYPE"].contains(&code),
                    "{id} {} {value}: {code}",
                    option.name
                );
                assert!(error.to_string().starts_with(&format!("env.{}: expected ", option.name)), "{error}");
            }
        }
    }
}

#[test]
fn the_main_body_of_an_ant_is_one_of_its_bodies() {
    let error =
        create_with("Ant-v5", &models(), &Choices::default().with("mainBody", "head")).map(drop).unwrap_err();
    assert_eq!(error.code(), "MODEL_INVALID");
    assert!(error.to_string().contains("no body named head; the model has world, torso"), "{error}");
}

#[test]
fn choices_that_are_no_json_object_are_refused() {
    for text in ["", "[]", "1", "{", "{\"modelFile\": 5}", "{\"taskFile\": []}"] {
        assert_eq!(Choices::from_json(text).unwrap_err().code(), "CONFIG_TYPE", "{text}");
    }
    // null is as good as left out
    assert_eq!(Choices::from_json("{\"modelFile\": null, \"frameSkip\": null}").unwrap(), Choices::default());
}

#[test]
fn a_description_knows_what_the_options_change() {
    let spec = describe("Ant-v4", &Choices::default().with("useContactForces", true)).unwrap();
    assert_eq!(spec.observation_size, 111);
    assert_eq!(describe("Humanoid-v5", &Choices::default().with("frameSkip", 2)).unwrap().frame_skip, 2);
}

#[test]
fn humanoid_v4_can_charge_for_contact_forces_as_gyms_v2_did() {
    let choices = Choices::default().with("contactCostWeight", 5e-7);
    let [mut plain, mut charged] = [make("Humanoid-v4"), make_with("Humanoid-v4", &choices)];
    let mut v5 = make("Humanoid-v5");
    let mut observation = vec![0.0; 376];
    let start = plain.qpos().to_vec();
    let mut costs = Vec::new();
    for environment in [&mut plain, &mut charged] {
        environment.set_state(&start, &[0.0; 23], &mut observation).unwrap();
    }
    v5.set_state(&start, &[0.0; 23], &mut observation[..348]).unwrap();
    for _ in 0..25 {
        let without = plain.step(&[0.1; 17], &mut observation).unwrap().reward;
        let with = charged.step(&[0.1; 17], &mut observation).unwrap().reward;
        let expected = v5.step(&[0.1; 17], &mut observation[..348]).unwrap();
        assert!((with - without - info(&v5, "reward_contact")).abs() < 1e-12);
        assert!(!expected.terminated);
        costs.push(without - with);
    }
    assert!(costs.iter().any(|&cost| cost > 1e-4), "{costs:?}");
}

#[test]
fn a_reward_that_is_not_finite_names_its_part() {
    // finite as they are, the two multiply to infinity
    let mut environment = make_with("HalfCheetah-v5", &Choices::default().with("ctrlCostWeight", 1e308));
    let mut observation = observation_of(&environment);
    environment.reset(&mut stream(0), &mut observation).unwrap();
    let error = environment.step(&[1.0; 6], &mut observation).unwrap_err();
    assert_eq!(error.code(), "REWARD_NOT_FINITE");
    assert_eq!(error.to_string(), "the reward's part reward_ctrl is -inf");
    // the simulation itself is whole
    assert!(environment.step(&[0.0; 6], &mut observation).is_ok());
}
