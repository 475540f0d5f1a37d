//! The tensor learner against an independent statement of the losses, at both precisions, and its bookkeeping.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod support;

use support::losses::{Model, Terms};
use support::{Case, disagreement, disagreements, network, to_f64};
use tch::{Device, Kind};
use virel_engine::learner::tensor::TensorLearner;
use virel_engine::learner::{Learner, LearnerConfig};
use virel_engine::networks::layout::{Parameter, Sizes, trained};
use virel_engine::random::{Purpose, Stream};

const NETWORKS: [&str; 4] = ["policy.", "actionValue.", "stateValue.", "target."];

fn tiny() -> Sizes {
    Sizes { observation: 4, action: 2, hidden: vec![7, 6] }
}

fn learner_with(case: &Case, config: LearnerConfig, kind: Kind) -> TensorLearner {
    TensorLearner::new(config, &case.parameters, Device::Cpu, kind).unwrap()
}

fn learner(case: &Case, kind: Kind) -> TensorLearner {
    learner_with(case, case.config(), kind)
}

/// A case whose kinks are all further than `distance` away; says how many were drawn before it.
fn smooth_case(seed: u64, sizes: &Sizes, rows: usize, scale: f64, distance: f64) -> Case {
    for attempt in 0..100 {
        let case = Case::random(1000 * seed + attempt, sizes.clone(), rows, scale);
        let model = Model::new(&case.parameters);
        model.terms(&case);
        if model.kink_distance.get() > distance {
            println!("seed {seed}, scale {scale}: {attempt} cases redrawn");
            return case;
        }
    }
    panic!("no case without a kink");
}

/// The loss that trains a parameter.
fn loss_of(name: &str) -> fn(&Terms) -> f64 {
    match name.split('.').next() {
        Some("policy") => |terms| terms.policy_loss,
        Some("actionValue") => |terms| terms.action_value_loss,
        _ => |terms| terms.state_value_loss,
    }
}

#[test]
fn every_gradient_is_the_finite_difference_of_its_loss() {
    // a parameter's step of 2e-4 moves a pre-activation by less than 2e-3
    for (seed, scale) in [(0, 0.3), (1, 1.0), (2, 1.0), (3, 3.0)] {
        let case = smooth_case(seed, &tiny(), 5, scale, 2e-3);
        let step =
            learner(&case, Kind::Double).gradients(&case.batch(), &case.noise, case.temperature).unwrap();
        let mut model = Model::new(&case.parameters);
        for gradient in &step.gradients {
            let name = &gradient.spec.name;
            let expected = model.finite_difference(&case, name, loss_of(name));
            // 6e-8: the gradient crosses as f32; the differences add about 1e-9
            let error = disagreement(&gradient.data, &expected);
            assert!(error < 1e-7, "{name} at scale {scale}: {error:e}");
        }
    }
}

#[test]
fn losses_terms_and_residual_error_are_those_of_the_paper() {
    for scale in [0.3, 1.0, 3.0] {
        let case = Case::random(7, tiny(), 5, scale);
        let mut learner = learner(&case, Kind::Double);
        let expected = Model::new(&case.parameters).terms(&case);
        let losses = learner.gradients(&case.batch(), &case.noise, case.temperature).unwrap().losses;
        let residual_error = learner.residual_error(&case.batch()).unwrap();
        learner.update(&case.batch(), &case.noise, case.temperature).unwrap();
        let terms = learner.terms().unwrap();
        assert_eq!(terms.losses, losses);
        let pairs = [
            ("J_pi", losses.policy, expected.policy_loss),
            ("J_Q", losses.action_value, expected.action_value_loss),
            ("J_V", losses.state_value, expected.state_value_loss),
            ("residual error", residual_error, expected.residual_error),
            ("Q", terms.action_value, expected.action_value),
            ("V", terms.state_value, expected.state_value),
            ("log density", terms.log_density, expected.log_density),
            ("absolute action", terms.absolute_action, expected.absolute_action),
            ("log std", terms.log_std, expected.log_std),
        ];
        for (name, got, expected) in pairs {
            // one rounding to f32
            assert!(disagreement(&[got], &[expected]) < 1e-7, "{name}: {got} for {expected}");
        }
    }
}

#[test]
fn f32_agrees_with_f64() {
    // the tasks' widest and narrowest shapes, fresh-like and wild networks; f32 loses log2(300) bits at most in a
    // dot product, and a unit closer than 1e-5 to its kink may fall on the other side
    let half_cheetah = Sizes { observation: 17, action: 6, hidden: vec![64, 64] };
    let pendulum = Sizes { observation: 4, action: 1, hidden: vec![64, 64] };
    for (seed, sizes) in [(0, half_cheetah), (1, pendulum)] {
        for scale in [0.3, 1.0, 2.0] {
            let case = smooth_case(seed, &sizes, 16, scale, 1e-5);
            let step =
                |kind| learner(&case, kind).gradients(&case.batch(), &case.noise, case.temperature).unwrap();
            let (single, double) = (step(Kind::Float), step(Kind::Double));
            for (name, error) in disagreements(&single.gradients, &double.gradients) {
                assert!(error < 1e-5, "{name} at scale {scale}: {error:e}");
            }
            assert_ne!(single.gradients, double.gradients);
        }
    }
}

#[test]
fn log_std_receives_no_gradient_strictly_outside_its_range_and_some_on_its_edge() {
    for (bias, blocked) in [(2.5, true), (-20.5, true), (2.0, false), (-20.0, false)] {
        // heads that answer their bias alone
        let mut case = Case::random(3, tiny(), 5, 1.0);
        for parameter in &mut case.parameters {
            match parameter.spec.name.as_str() {
                "policy.logStd.weight" => parameter.data.fill(0.0),
                "policy.logStd.bias" => parameter.data.fill(bias),
                _ => {}
            }
        }
        let step =
            learner(&case, Kind::Double).gradients(&case.batch(), &case.noise, case.temperature).unwrap();
        let log_std = network(&step.gradients, "policy.logStd.bias")[0];
        assert_eq!(log_std.data.iter().all(|&x| x == 0.0), blocked, "bias {bias}: {:?}", log_std.data);
        let mean = network(&step.gradients, "policy.mean.bias")[0];
        assert!(mean.data.iter().all(|&x| x != 0.0));
    }
}

#[test]
fn the_policy_loss_gives_the_critics_no_gradient() {
    let case = Case::random(4, tiny(), 5, 1.0);
    let gradients =
        |temperature| learner(&case, Kind::Float).gradients(&case.batch(), &case.noise, temperature).unwrap();
    let (cold, hot) = (gradients(0.0).gradients, gradients(5.0).gradients);
    for critic in ["actionValue.", "stateValue."] {
        assert_eq!(network(&cold, critic), network(&hot, critic));
    }
    assert_ne!(network(&cold, "policy."), network(&hot, "policy."));
}

#[test]
fn targets_have_no_gradient() {
    let case = Case::random(4, tiny(), 5, 1.0);
    let step = learner(&case, Kind::Float).gradients(&case.batch(), &case.noise, 1.0).unwrap();
    let names: Vec<_> = step.gradients.into_iter().map(|p| p.spec).collect();
    assert_eq!(names, trained(&case.sizes));
}

#[test]
fn gradients_step_nothing() {
    let case = Case::random(5, tiny(), 5, 1.0);
    let mut learner = learner(&case, Kind::Float);
    let first = learner.gradients(&case.batch(), &case.noise, 1.0).unwrap();
    learner.residual_error(&case.batch()).unwrap();
    assert_eq!(learner.parameters().unwrap(), case.parameters);
    assert_eq!(learner.terms().unwrap(), Default::default());
    assert_eq!(learner.gradients(&case.batch(), &case.noise, 1.0).unwrap(), first);
}

#[test]
fn an_update_is_the_gradients_then_adam_then_the_target() {
    let mut case = Case::random(6, tiny(), 5, 1.0);
    let mut stream = Stream::new(6, Purpose::PolicyNoise, 0);
    let (mut learner, config) = (learner(&case, Kind::Float), case.config());
    let rate = |name: &str| match name.split('.').next() {
        Some("policy") => config.policy_learning_rate,
        Some("actionValue") => config.action_value_learning_rate,
        _ => config.state_value_learning_rate,
    };
    let mut expected = Model::new(&case.parameters).values;
    let zeros = |p: &Parameter| vec![(0.0, 0.0); p.data.len()];
    let mut moments: Vec<_> = case.parameters.iter().map(zeros).collect();
    for step in 1..=5 {
        case.redraw(&mut stream, 5);
        let gradients = learner.gradients(&case.batch(), &case.noise, case.temperature).unwrap().gradients;
        learner.update(&case.batch(), &case.noise, case.temperature).unwrap();
        // Adam by hand, in f64
        for (gradient, moments) in gradients.iter().zip(&mut moments) {
            let name = &gradient.spec.name;
            let values = expected.get_mut(name).unwrap();
            for ((value, (first, second)), g) in values.iter_mut().zip(moments).zip(to_f64(&gradient.data)) {
                *first = 0.9 * *first + 0.1 * g;
                *second = 0.999 * *second + 0.001 * g * g;
                let corrected = (*second / (1.0 - 0.999_f64.powi(step))).sqrt() + 1e-8;
                *value -= rate(name) * *first / (1.0 - 0.9_f64.powi(step)) / corrected;
            }
        }
        let online = expected.clone();
        for (name, values) in &mut expected {
            if let Some(source) = name.strip_prefix("target.") {
                for (value, online) in values.iter_mut().zip(&online[source]) {
                    *value = 0.05 * online + 0.95 * *value;
                }
            }
        }
        for parameter in learner.parameters().unwrap() {
            let name = &parameter.spec.name;
            for (got, expected) in parameter.data.iter().zip(&expected[name]) {
                // a step is about one learning rate long and computed to some ten roundings; each of the steps so
                // far rounds the parameter once more
                let roundings = f64::from(step) * (3e-3 * 1e-6 + expected.abs() * f64::from(f32::EPSILON));
                assert!((f64::from(*got) - expected).abs() < roundings, "step {step}, {name}");
            }
        }
    }
}

#[test]
fn m_step_and_e_step_are_the_halves_of_an_update() {
    let case = Case::random(8, tiny(), 5, 1.0);
    let stepped = |step: &dyn Fn(&mut TensorLearner)| {
        let mut learner = learner(&case, Kind::Float);
        step(&mut learner);
        (learner.parameters().unwrap(), learner.terms().unwrap())
    };
    let (update, update_terms) =
        stepped(&|learner| learner.update(&case.batch(), &case.noise, case.temperature).unwrap());
    let (m_step, m_terms) = stepped(&|learner| learner.m_step(&case.batch(), &case.noise).unwrap());
    let (e_step, e_terms) =
        stepped(&|learner| learner.e_step(&case.batch(), &case.noise, case.temperature).unwrap());
    for prefix in NETWORKS {
        let of = |parameters| network(parameters, prefix);
        let (moved, kept) = if prefix == "policy." { (&e_step, &m_step) } else { (&m_step, &e_step) };
        assert_eq!(of(moved), of(&update), "{prefix}");
        assert_eq!(of(kept), of(&case.parameters), "{prefix}");
        assert_ne!(of(moved), of(kept), "{prefix}");
    }
    // terms: each half reports its own
    assert_eq!((m_terms.losses.action_value, m_terms.losses.policy), (update_terms.losses.action_value, 0.0));
    assert_eq!((e_terms.losses.policy, e_terms.losses.action_value), (update_terms.losses.policy, 0.0));
}

#[test]
fn the_same_updates_give_the_same_bits() {
    let sizes = Sizes { observation: 17, action: 6, hidden: vec![300, 300] };
    for threads in [1, 2] {
        let run = || {
            let mut case = Case::random(9, sizes.clone(), 128, 1.0);
            let mut stream = Stream::new(9, Purpose::ReplayIndex, 0);
            let config = LearnerConfig { threads, ..case.config() };
            let mut learner = learner_with(&case, config, Kind::Float);
            for _ in 0..20 {
                case.redraw(&mut stream, 128);
                learner.update(&case.batch(), &case.noise, 1.0).unwrap();
            }
            (learner.parameters().unwrap(), learner.terms().unwrap())
        };
        assert_eq!(run(), run());
    }
}

#[test]
fn two_learners_on_two_threads_do_not_disturb_each_other() {
    let run = |threads| {
        move || {
            let case = Case::random(9, tiny(), 64, 1.0);
            let config = LearnerConfig { threads, ..case.config() };
            let mut learner = learner_with(&case, config, Kind::Float);
            for _ in 0..100 {
                learner.update(&case.batch(), &case.noise, 1.0).unwrap();
                assert_eq!(tch::get_num_threads(), threads as i32);
            }
            learner.parameters().unwrap()
        }
    };
    let together = [std::thread::spawn(run(1)), std::thread::spawn(run(2))].map(|run| run.join().unwrap());
    assert_eq!(together, [run(1)(), run(2)()]);
}

#[test]
fn actions_are_the_policys_and_deterministic_ones_its_mode() {
    let case = Case::random(10, tiny(), 5, 1.0);
    let (batch, model) = (case.batch(), Model::new(&case.parameters));
    let mut learner = learner(&case, Kind::Float);
    for noise in [None, Some(case.noise.as_slice())] {
        let mut actions = vec![0.0; 10];
        learner.act(batch.observations, noise, &mut actions).unwrap();
        let expected: Vec<f64> = (0..5)
            .flat_map(|row| {
                let (mean, log_std) = model.policy(&to_f64(&batch.observations[4 * row..4 * row + 4]));
                let action = |i: usize| {
                    let noise = noise.map_or(0.0, |noise| f64::from(noise[2 * row + i]));
                    (mean[i] + log_std[i].exp() * noise).tanh()
                };
                [action(0), action(1)]
            })
            .collect();
        // two layers of some ten products each, in f32
        assert!(disagreement(&actions, &expected) < 1e-5);
    }
}

#[test]
fn parameters_come_back_as_they_were_set() {
    let case = Case::random(11, tiny(), 5, 1.0);
    let other = Case::random(12, tiny(), 5, 1.0);
    let mut learner = learner(&case, Kind::Float);
    assert_eq!(learner.parameters().unwrap(), case.parameters);
    // some alone
    let heads: Vec<_> =
        other.parameters.iter().filter(|p| p.spec.name.starts_with("policy.logStd")).cloned().collect();
    learner.set_parameters(&heads).unwrap();
    for (now, before) in learner.parameters().unwrap().iter().zip(&case.parameters) {
        let given = heads.iter().find(|p| p.spec == now.spec);
        assert_eq!(now, given.unwrap_or(before));
    }
    // all
    learner.set_parameters(&other.parameters).unwrap();
    assert_eq!(learner.parameters().unwrap(), other.parameters);
}

#[test]
fn a_wrong_parameter_is_refused_before_anything_is_changed() {
    let case = Case::random(13, tiny(), 5, 1.0);
    let mut learner = learner(&case, Kind::Float);
    let mut renamed = case.parameters.clone();
    renamed[3].spec.name = "policy.trunk.9.bias".to_owned();
    let mut reshaped = case.parameters.clone();
    reshaped[2].spec.shape.reverse();
    let mut infinite = case.parameters.clone();
    infinite[5].data[1] = f32::INFINITY;
    for parameters in [&mut renamed, &mut reshaped, &mut infinite] {
        parameters[0].data.fill(9.0);
    }
    for (parameters, code) in
        [(renamed, "PARAMETER_SHAPE"), (reshaped, "PARAMETER_SHAPE"), (infinite, "NOT_FINITE")]
    {
        assert_eq!(learner.set_parameters(&parameters).unwrap_err().code(), code);
        assert_eq!(learner.parameters().unwrap(), case.parameters);
    }
    // a missing one, at the start
    let initial = &case.parameters[1..];
    let error = TensorLearner::new(case.config(), initial, Device::Cpu, Kind::Float).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "PARAMETER_SHAPE");
}

#[test]
fn wrong_lengths_and_thread_counts_are_refused() {
    let case = Case::random(14, tiny(), 5, 1.0);
    let mut learner = learner(&case, Kind::Float);
    let batch = case.batch();
    let short: [virel_engine::replay::batch::Batch<'_>; 4] = {
        let mut batches = [batch; 4];
        batches[0].observations = &batch.observations[1..];
        batches[1].actions = &batch.actions[1..];
        batches[2].next_observations = &batch.next_observations[1..];
        batches[3].discounts = &batch.discounts[1..];
        batches
    };
    for batch in &short {
        assert_eq!(learner.update(batch, &case.noise, 1.0).unwrap_err().code(), "LENGTH_MISMATCH");
        assert_eq!(learner.residual_error(batch).unwrap_err().code(), "LENGTH_MISMATCH");
    }
    let noise = &case.noise[1..];
    assert_eq!(learner.gradients(&batch, noise, 1.0).unwrap_err().code(), "LENGTH_MISMATCH");
    assert_eq!(learner.m_step(&batch, noise).unwrap_err().code(), "LENGTH_MISMATCH");
    assert_eq!(learner.e_step(&batch, noise, 1.0).unwrap_err().code(), "LENGTH_MISMATCH");
    for (observations, noise, actions) in [(9, None, 4), (8, None, 5), (8, Some(3), 4)] {
        let noise = noise.map(|len| &case.noise[..len]);
        let error = learner.act(&batch.observations[..observations], noise, &mut vec![0.0; actions]);
        assert_eq!(error.unwrap_err().code(), "LENGTH_MISMATCH");
    }
    assert_eq!(learner.parameters().unwrap(), case.parameters);
    let config = LearnerConfig { threads: 0, ..case.config() };
    let error =
        TensorLearner::new(config, &case.parameters, Device::Cpu, Kind::Float).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "CONFIG_RANGE");
}
