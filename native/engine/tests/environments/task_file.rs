//! Tasks of users in JSON: what they can say, and that every refusal names its line.

use super::*;

/// The example of `docs/environments.md`: Hopper-v5 in JSON.
fn hopper() -> String {
    fs::read_to_string(example("hopper-v5.json")).unwrap()
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// A task file with this text on Gymnasium's hopper.
fn on_hopper(name: &str, text: &str) -> Result<MujocoEnvironment, EngineError> {
    let task_file = folder_with(&format!("task-{name}"), "task.json", text.as_bytes()).join("task.json");
    let choices = Choices {
        task_file: Some(task_file),
        model_file: Some(models().join("hopper.xml")),
        ..Choices::default()
    };
    create_with("mine", Path::new("/nowhere"), &choices)
}

#[test]
fn hopper_v5_in_json_is_hopper_v5() {
    let entry = &reference()["Hopper-v5"];
    let mut environment = on_hopper("hopper", &hopper()).unwrap();
    let built_in = make("Hopper-v5");
    let mut expected = built_in.spec().clone();
    expected.id = "mine".to_owned();
    assert_eq!(environment.spec(), &expected);
    let [observation, reward, _] = parity::replay("Hopper-v5 in JSON", entry, &mut environment);
    println!("Hopper-v5 in JSON: observation {observation:.1e}, reward {reward:.1e}");
    // and bit for bit, resets included
    assert_eq!(rollout(&mut environment, 11, 300), rollout(&mut make("Hopper-v5"), 11, 300));
}

#[test]
fn a_robot_of_ones_own_runs() {
    let choices = Choices {
        task_file: Some(example("cart-pole.json")),
        model_file: Some(example("cart-pole.xml")),
        ..Choices::default()
    };
    let mut environment = create_with("cart-pole", Path::new("/nowhere"), &choices).unwrap();
    assert_eq!(describe("cart-pole", &choices).unwrap(), *environment.spec());
    let spec = environment.spec();
    assert_eq!((spec.observation_size, spec.action_size, spec.timestep, spec.frame_skip), (5, 1, 0.01, 2));
    assert_eq!(spec.info, ["tip_height", "upright", "effort"]);

    let mut observation = observation_of(&environment);
    environment.set_state(&[1.0, 0.1], &[0.0, 20.0], &mut observation).unwrap();
    assert_eq!(observation, [1.0, 0.1_f64.sin(), 0.1_f64.cos(), 0.0, 10.0]);
    environment.set_state(&[1.0, 0.0], &[0.0; 2], &mut observation).unwrap();
    let outcome = environment.step(&[0.5], &mut observation).unwrap();
    let place = environment.qpos()[0];
    let effort = -0.1 * place * place - 0.01 * 0.25;
    assert!((info(&environment, "effort") - effort).abs() < 1e-12);
    assert!((info(&environment, "tip_height") - 0.85).abs() < 1e-3);
    assert!((outcome.reward - effort - info(&environment, "tip_height")).abs() < 1e-12);
    assert!(!outcome.terminated);
    // the cost is never above its limit
    let _ = environment.step(&[20.0], &mut observation).unwrap();
    assert_eq!(info(&environment, "effort"), -1.0);
}

#[test]
fn every_word_can_be_said_in_json() {
    let task = r#"{
      "frameSkip": 1, "maxEpisodeSteps": 5, "refresh": "anew", "baseReward": 1, "terminates": false,
      "reset": { "positions": "none", "velocities": { "normal": 0.1 }, "stillFrom": 3,
                 "draws": [{ "first": 1, "low": [1, -1], "high": [2, 1], "beyond": 1.1, "within": 1.9 }] },
      "reward": [
        { "name": "a", "weight": 0, "of": { "before": { "distance": ["torso", "foot"] } } },
        { "name": "b", "weight": 0, "of": { "now": { "norm": [{ "position": 0 }, { "jointVelocity": "rootx" }] } } },
        { "name": "c", "weight": 0, "of": { "perTimestep": { "body": ["foot", "z"] } } },
        { "name": "d", "weight": 0, "of": { "now": { "squaredContactForces": { "low": -1, "high": 1 } } } },
        { "name": "e", "weight": 0, "of": { "squaredFrom": { "of": { "centreOfMass": "y" }, "from": 2 } } },
        { "name": "f", "weight": 0, "of": { "rate": { "subtreeVelocity": ["torso", "x"] } } },
        { "name": "g", "weight": 2, "of": "always", "high": 1.5 }
      ],
      "healthy": [{ "within": { "of": { "joint": "rooty" }, "low": -1 } }],
      "observation": [
        { "of": "positions" }, { "of": "velocities" }, { "of": "actuatorForces" }, { "of": "constraintForces" },
        { "of": "bodyInertias", "rows": [1, 2] }, { "of": "bodyVelocities" }, { "of": "contactForces" },
        { "of": { "body": "foot" } }, { "of": { "offset": ["foot", "torso"] }, "rows": [0, 2] },
        { "of": { "subtreeCentre": "torso" } }
      ]
    }"#;
    let mut environment = on_hopper("every-word", task).unwrap();
    assert_eq!(environment.spec().observation_size, 6 * 4 + 10 + 5 * 6 * 2 + 3 + 2 + 3);
    let mut observation = observation_of(&environment);
    for seed in 0..20 {
        environment.reset(&mut stream(seed), &mut observation).unwrap();
        let distance = observation[1].hypot(observation[2]);
        assert!((1.1..1.9).contains(&distance) && (1.0..2.0).contains(&observation[1]));
        assert_eq!(observation[9..12], [0.0; 3]);
        assert_ne!(observation[6], 0.0);
    }
    let outcome = environment.step(&[0.1; 3], &mut observation).unwrap();
    assert!(observation.iter().all(|value| value.is_finite()));
    assert_eq!(outcome.reward, 2.5);
}

#[test]
fn every_refusal_names_the_line_and_the_reason() {
    // (name, text of the example, what stands in its place, line, words of the reason)
    let cases = [
        (
            "joint",
            "{ \"joint\": \"rooty\" }",
            "{ \"joint\": \"wing\" }",
            13,
            "no joint named wing; the model has rootx, rootz",
        ),
        (
            "joint-of-info",
            "\"x_velocity\", \"of\": { \"rate\": { \"joint\": \"rootx\"",
            "\"x_velocity\", \"of\": { \"rate\": { \"joint\": \"fin\"",
            19,
            "no joint named fin",
        ),
        (
            "body",
            "{ \"rate\": { \"joint\": \"rootx\" } } },\n    { \"name\": \"reward_survive\"",
            "{ \"now\": { \"body\": [\"head\", \"x\"] } } },\n    { \"name\": \"reward_survive\"",
            6,
            "no body named head; the model has world, torso",
        ),
        (
            "site",
            "{ \"joint\": \"rootz\" }, \"low\"",
            "{ \"site\": [\"tip\", \"z\"] }, \"low\"",
            12,
            "no site named tip; the model has none",
        ),
        (
            "signal",
            "\"whileHealthy\"",
            "\"whenHealthy\"",
            7,
            "unknown variant `whenHealthy`, expected one of `now`",
        ),
        (
            "field",
            "\"of\": \"velocities\"",
            "\"of\": \"velocity\"",
            15,
            "unknown variant `velocity`, expected one of `positions`",
        ),
        ("rows", "[1, 6]", "[1, 7]", 15, "positions 1..7 asked for, the model has 6"),
        ("rows-backwards", "[1, 6]", "[6, 1]", 15, "the first is behind the last"),
        ("clip", "[-10, 10]", "[10, -10]", 15, "clip: expected the first not above the second"),
        ("state", "\"first\": 2", "\"first\": 13", 11, "state from 13 on asked for, the model has 12"),
        (
            "bounds",
            "\"low\": -0.2, \"high\": 0.2",
            "\"low\": 0.2, \"high\": -0.2",
            13,
            "expected the first not above the second",
        ),
        (
            "noise",
            "{ \"uniform\": 0.005 }, \"vel",
            "{ \"uniform\": -0.005 }, \"vel",
            4,
            "noise of -0.005: expected 0 to 1e6",
        ),
        (
            "frame-skip",
            "\"frameSkip\": 4",
            "\"frameSkip\": 0",
            2,
            "frameSkip: expected a whole number from 1 to 10000",
        ),
        ("half-a-step", "\"frameSkip\": 4", "\"frameSkip\": 4.5", 2, "invalid type: floating point `4.5`"),
        ("limit", "1000", "0", 3, "maxEpisodeSteps: expected at least 1"),
        ("weight", "-0.001", "\"small\"", 8, "invalid type: string \"small\", expected f64"),
        ("no-weight", "\"weight\": -0.001, ", "", 8, "part reward_ctrl: expected weight and of, or terms"),
        ("number", "-0.001", "-1e999", 8, "number out of range"),
        ("name-twice", "reward_survive", "reward_forward", 7, "expected one that no other entry has"),
        (
            "key",
            "\"frameSkip\": 4,",
            "\"frameSkips\": 4,",
            2,
            "unknown field `frameSkips`, expected one of `frameSkip`",
        ),
        ("key-inside", "\"weight\": -0.001", "\"wieght\": -0.001", 8, "unknown field `wieght`"),
        (
            "velocity",
            "{ \"joint\": \"rootz\" }, \"low\"",
            "{ \"subtreeVelocity\": [\"torso\", \"x\"] }, \"low\"",
            12,
            "subtreeVelocity needs \"refresh\": \"anew\"",
        ),
        ("syntax", "\"maxEpisodeSteps\": 1000,", "\"maxEpisodeSteps\": 1000", 4, "expected `,` or `}`"),
        ("missing", "  \"maxEpisodeSteps\": 1000,\n", "", 20, "missing field `maxEpisodeSteps`"),
    ];
    for (name, text, replacement, line, reason) in cases {
        let example = hopper();
        assert!(example.contains(text), "{name}: {text}");
        let error = on_hopper(name, &example.replacen(text, replacement, 1)).map(drop).unwrap_err();
        assert_eq!(error.code(), "TASK_INVALID", "{name}: {error}");
        assert!(error.to_string().contains(&format!("task.json:{line}: ")), "{name}: {error}");
        assert!(error.to_string().contains(reason), "{name}: {error}");
        println!("{error}");
    }
}

#[test]
fn draws_that_hardly_ever_succeed_are_refused() {
    for (name, draw, reason) in [
        ("nowhere", r#"{ "first": 0, "low": [0], "high": [1], "beyond": 2 }"#, "hardly any point"),
        ("outside", r#"{ "first": 5, "low": [0, 0], "high": [1, 1] }"#, "the model has 6"),
        ("uneven", r#"{ "first": 0, "low": [0], "high": [1, 1] }"#, "lists of one length"),
        ("none", r#"{ "first": 0, "low": [], "high": [] }"#, "at least 1"),
    ] {
        let text = hopper().replacen("{ \"positions\"", &format!("{{ \"draws\": [{draw}], \"positions\""), 1);
        let error = on_hopper(&format!("draw-{name}"), &text).map(drop).unwrap_err();
        assert_eq!(error.code(), "TASK_INVALID", "{error}");
        assert!(error.to_string().contains("task.json:4: ") && error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn a_task_file_needs_a_model_and_takes_no_options() {
    let task_file = Some(example("hopper-v5.json"));
    let error = |choices: Choices| create_with("mine", &models(), &choices).map(drop).unwrap_err();
    let without = error(Choices { task_file: task_file.clone(), ..Choices::default() });
    assert_eq!(without.code(), "MODEL_MISSING");
    assert!(without.to_string().contains("env.modelFile"), "{without}");

    let model_file = Some(models().join("hopper.xml"));
    let choices = Choices { task_file: task_file.clone(), model_file, ..Choices::default() };
    assert_eq!(error(choices.clone().with("frameSkip", 2)).code(), "CONFIG_UNKNOWN_KEY");
    let nowhere = Choices { task_file: Some("/nowhere.json".into()), ..choices.clone() };
    assert_eq!(error(nowhere).code(), "TASK_INVALID");
    let no_model = Choices { model_file: Some("/nowhere.xml".into()), ..choices };
    assert_eq!(error(no_model).code(), "MODEL_MISSING");
}

#[test]
fn a_model_without_action_ranges_is_refused() {
    let robot = fs::read_to_string(example("cart-pole.xml")).unwrap();
    let changed = robot.replace(" ctrlrange=\"-1 1\" ctrllimited=\"true\"", "");
    assert_ne!(changed, robot);
    let model_file = folder_with("task-no-range", "robot.xml", changed.as_bytes()).join("robot.xml");
    let choices = Choices {
        task_file: Some(example("cart-pole.json")),
        model_file: Some(model_file),
        ..Choices::default()
    };
    let error = create_with("mine", &models(), &choices).map(drop).unwrap_err();
    assert_eq!(error.code(), "MODEL_INVALID");
    assert!(error.to_string().contains("actuator 0 has no ctrlrange"), "{error}");
}
