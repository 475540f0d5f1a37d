//! Model files that are not what they should be, and ids that are none.

use super::*;

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
        assert!(text.contains("known: Ant-v4") && !text.contains("did you mean"), "{text}");
    }
}

#[test]
fn a_task_without_a_model_says_which_file_it_takes() {
    for (id, words) in [
        ("humanoid-rllab", ["humanoid.xml", "rll/rllab", "vendor/mujoco_models", "solverstat=\"enable\""]),
        ("swimmer-rllab", ["swimmer.xml", "rll/rllab", "collision=\"predefined\"", "contact=\"disable\""]),
    ] {
        let error = refusal(id, &models());
        assert_eq!(error.code(), "MODEL_MISSING");
        for word in words.into_iter().chain(["env.modelFile"]) {
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}

#[test]
fn a_model_of_the_users_must_fit_the_task_and_may_differ_in_the_rest() {
    let hopper = fs::read_to_string(models().join("hopper.xml")).unwrap();
    let on = |name: &str, text: &str, replacement: &str| {
        assert!(hopper.contains(text), "{name}: {text}");
        let changed = hopper.replacen(text, replacement, 1);
        let file = folder_with(&format!("fits-{name}"), "mine.xml", changed.as_bytes()).join("mine.xml");
        create_with("Hopper-v5", &models(), &Choices { model_file: Some(file), ..Choices::default() })
    };
    // masses, gears and the time step are the user's own; what follows from them follows
    let heavier = on("mass", "size=\"0.05 0.1", "size=\"0.06 0.1").unwrap();
    assert_eq!(heavier.spec(), make("Hopper-v5").spec());
    assert!(on("gear", "gear=\"200.0\"", "gear=\"150.0\"").is_ok());
    let mut finer = on("timestep", "timestep=\"0.002\"", "timestep=\"0.001\"").unwrap();
    assert_eq!(finer.spec().timestep, 0.001);
    let mut observation = observation_of(&finer);
    let start = finer.qpos().to_vec();
    finer.set_state(&start, &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0], &mut observation).unwrap();
    let _ = finer.step(&[0.0; 3], &mut observation).unwrap();
    assert!((info(&finer, "x_velocity") - 1.0).abs() < 0.05, "{}", info(&finer, "x_velocity"));
    // sizes and the meaning of actions are the task's
    for (name, text, replacement) in [
        ("joint", "joint=\"leg_joint\"/>", "joint=\"foot_joint\"/>"),
        ("range", "ctrlrange=\"-1.0 1.0\"", "ctrlrange=\"-1.0 2.0\""),
        ("bodies", "<worldbody>", "<worldbody><body/>"),
    ] {
        assert_eq!(on(name, text, replacement).map(drop).unwrap_err().code(), "MODEL_FINGERPRINT", "{name}");
    }
    let missing = Choices { model_file: Some("/nowhere.xml".into()), ..Choices::default() };
    assert_eq!(create_with("Hopper-v5", &models(), &missing).map(drop).unwrap_err().code(), "MODEL_MISSING");
}

#[test]
fn rllabs_files_as_they_are_are_refused_with_what_to_change() {
    let with = |id: &str, text: &str, replacement: &str| {
        let ours = fs::read_to_string(fixture(&format!("{id}.xml"))).unwrap();
        assert!(ours.contains(text), "{text}");
        let changed = ours.replacen(text, replacement, 1);
        let folder = folder_with(&format!("unchanged-{id}"), "robot.xml", changed.as_bytes());
        let choices = Choices { model_file: Some(folder.join("robot.xml")), ..Choices::default() };
        create_with(id, &models(), &choices).map(drop).unwrap_err()
    };
    let statistics =
        with("humanoid-rllab", "solver=\"PGS\"/>", "solver=\"PGS\"><flag solverstat=\"enable\"/></option>");
    assert_eq!(statistics.code(), "MODEL_INVALID");
    assert!(statistics.to_string().contains("solverstat=\"enable\" of <flag> deleted"), "{statistics}");
    let predefined =
        with("swimmer-rllab", "integrator=\"Euler\"", "integrator=\"Euler\" collision=\"predefined\"");
    assert_eq!(predefined.code(), "MODEL_INVALID");
    assert!(predefined.to_string().contains("contact=\"disable\" added"), "{predefined}");
    // half of the change is another task: the body would rub on the floor
    let rubbing = with("swimmer-rllab", " contact=\"disable\"", "");
    assert_eq!(rubbing.code(), "MODEL_FINGERPRINT");
    assert!(rubbing.to_string().contains("contacts, 1 on or 0 off: expected 0, got 1"), "{rubbing}");
}
