//! The kernel learner against an independent float64 computation, written here from the equations alone:
//! plain loops over named parameters, gradients by finite differences of the losses.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod truth;

use truth::{Case, Scale, Truth, relative_error};
use virel_engine::learner::kernel::KernelLearner;
use virel_engine::learner::{Learner, StepTerms};
use virel_engine::networks::layout::{self, Parameter};

const SHAPES: [(usize, usize, &[usize], usize); 6] = [
    // observation, action, hidden, batch
    (3, 1, &[5], 1),
    (4, 2, &[7, 6], 7),
    (5, 3, &[17, 4, 9], 33),
    (2, 1, &[16, 16], 16),
    (9, 2, &[1, 18], 5),
    (4, 2, &[8, 8, 8, 8], 12),
];

/// Values with the given prefix, in one vector.
fn joined(parameters: &[Parameter], prefix: &str) -> Vec<f32> {
    parameters.iter().filter(|p| p.spec.name.starts_with(prefix)).flat_map(|p| p.data.clone()).collect()
}

fn changed(before: &[Parameter], after: &[Parameter], prefix: &str) -> bool {
    joined(before, prefix) != joined(after, prefix)
}

#[test]
fn losses_and_gradients_are_those_of_the_equations() {
    for (observation, action, hidden, batch) in SHAPES {
        for scale in [Scale::Fresh, Scale::Random] {
            for temperature in [1.0, 0.03] {
                let case = Case::new(observation, action, hidden, batch, scale);
                let mut learner = case.learner(1);
                let got = learner.gradients(&case.batch(), &case.noise, temperature).unwrap();
                let truth = Truth::new(&case, temperature);
                let losses = truth.losses();
                // float32 sums of at most 33 terms and layers of at most 18: 1e-6 is 8 units of the last place
                for (name, got, expected) in [
                    ("policy", got.losses.policy, losses.policy),
                    ("action value", got.losses.action_value, losses.action_value),
                    ("state value", got.losses.state_value, losses.state_value),
                ] {
                    let error = (f64::from(got) - expected).abs() / expected.abs().max(1.0);
                    assert!(error < 2e-6, "{case}: loss of {name}: {got} {expected}");
                }
                let names: Vec<_> = layout::trained(&case.sizes).into_iter().map(|spec| spec.name).collect();
                assert_eq!(got.gradients.iter().map(|g| g.spec.name.clone()).collect::<Vec<_>>(), names);
                for gradient in &got.gradients {
                    let expected = truth.gradient(&gradient.spec.name);
                    let error = relative_error(&gradient.data, &expected);
                    assert!(error < 1e-5, "{case}: gradient of {}: {error:.1e}", gradient.spec.name);
                }
            }
        }
    }
}

#[test]
fn terms_are_means_over_the_batch() {
    let case = Case::new(5, 3, &[17, 4], 33, Scale::Random);
    let mut learner = case.learner(1);
    assert_eq!(learner.terms().unwrap(), StepTerms::default());
    learner.update(&case.batch(), &case.noise, 0.5).unwrap();
    let (got, expected) = (learner.terms().unwrap(), Truth::new(&case, 0.5).terms());
    for (name, got, expected) in [
        ("policy loss", got.losses.policy, expected.losses.policy),
        ("action value loss", got.losses.action_value, expected.losses.action_value),
        ("state value loss", got.losses.state_value, expected.losses.state_value),
        ("action value", got.action_value, expected.action_value),
        ("state value", got.state_value, expected.state_value),
        ("log density", got.log_density, expected.log_density),
        ("absolute action", got.absolute_action, expected.absolute_action),
        ("log std", got.log_std, expected.log_std),
    ] {
        assert!((got - expected).abs() < 2e-6 * expected.abs().max(1.0), "{name}: {got} {expected}");
    }
}

#[test]
fn residual_error_reads_the_online_state_value() {
    for rows in [1, 7, 12, 100] {
        let case = Case::new(4, 2, &[7, 6], rows, Scale::Random);
        // tiles of 12: less than one, one, several with a rest
        let mut learner = case.learner_for_batch(12, 1);
        let (got, expected) =
            (learner.residual_error(&case.batch()).unwrap(), Truth::new(&case, 1.0).residual_error());
        assert!((f64::from(got) / expected - 1.0).abs() < 2e-6, "{rows} rows: {got} {expected}");
    }
}

#[test]
fn residual_error_moves_nothing() {
    let case = Case::new(4, 2, &[7, 6], 30, Scale::Random);
    let mut learner = case.learner(1);
    learner.residual_error(&case.batch()).unwrap();
    assert_eq!(learner.parameters().unwrap(), case.initial);
    assert_eq!(learner.terms().unwrap(), StepTerms::default());
}

#[test]
fn an_update_is_adam_on_the_gradients_then_the_target() {
    let case = Case::new(5, 2, &[9, 11], 14, Scale::Random);
    let mut learner = case.learner(1);
    let mut expected: Vec<Vec<f64>> = case.wide();
    let count = layout::trained(&case.sizes).len();
    let mut moments = vec![(Vec::new(), Vec::new()); count];
    for step in 1..=4 {
        let gradients = learner.gradients(&case.batch(), &case.noise, 0.7).unwrap().gradients;
        learner.update(&case.batch(), &case.noise, 0.7).unwrap();
        for (index, gradient) in gradients.iter().enumerate() {
            let rate = case.learning_rate(&gradient.spec.name);
            truth::adam(rate, step, &gradient.data, &mut expected[index], &mut moments[index]);
        }
        // the target follows V, already stepped
        for (index, parameter) in case.initial.iter().enumerate().skip(count) {
            let source = parameter.spec.name.trim_start_matches("target.");
            let online = case.initial.iter().position(|p| p.spec.name == source).unwrap();
            for i in 0..expected[index].len() {
                expected[index][i] += case.target_update_rate() * (expected[online][i] - expected[index][i]);
            }
        }
        for (parameter, expected) in learner.parameters().unwrap().iter().zip(&expected) {
            for (got, expected) in parameter.data.iter().zip(expected) {
                // steps of 1e-2 in float32, parameters of order 1: a few units of the last place
                assert!(
                    (f64::from(*got) - expected).abs() < 1e-6 * expected.abs().max(1.0),
                    "step {step}, {}: {got} {expected}",
                    parameter.spec.name
                );
            }
        }
    }
}

#[test]
fn an_m_step_moves_q_v_and_target_and_not_the_policy() {
    let case = Case::new(4, 2, &[7, 6], 9, Scale::Random);
    let (mut both, mut m_only) = (case.learner(1), case.learner(1));
    both.update(&case.batch(), &case.noise, 0.7).unwrap();
    m_only.m_step(&case.batch(), &case.noise).unwrap();
    let (both, m_only) = (both.parameters().unwrap(), m_only.parameters().unwrap());
    assert!(!changed(&case.initial, &m_only, "policy."));
    for prefix in ["actionValue.", "stateValue.", "target."] {
        assert!(changed(&case.initial, &m_only, prefix), "{prefix}");
        assert!(!changed(&both, &m_only, prefix), "{prefix}: the M-step of an update is another");
    }
}

#[test]
fn an_e_step_moves_the_policy_alone() {
    let case = Case::new(4, 2, &[7, 6], 9, Scale::Random);
    let (mut both, mut e_only) = (case.learner(1), case.learner(1));
    both.update(&case.batch(), &case.noise, 0.7).unwrap();
    e_only.e_step(&case.batch(), &case.noise, 0.7).unwrap();
    let (both, e_only) = (both.parameters().unwrap(), e_only.parameters().unwrap());
    assert!(changed(&case.initial, &e_only, "policy."));
    assert!(!changed(&both, &e_only, "policy."), "the E-step of an update is another");
    for prefix in ["actionValue.", "stateValue.", "target."] {
        assert!(!changed(&case.initial, &e_only, prefix), "{prefix}");
    }
}

#[test]
fn terms_of_a_part_alone_leave_the_other_part() {
    let case = Case::new(4, 2, &[7, 6], 9, Scale::Random);
    let mut learner = case.learner(1);
    learner.m_step(&case.batch(), &case.noise).unwrap();
    let after_m = learner.terms().unwrap();
    assert!(after_m.losses.action_value > 0.0 && after_m.losses.policy == 0.0 && after_m.log_density == 0.0);
    learner.e_step(&case.batch(), &case.noise, 0.7).unwrap();
    let after_e = learner.terms().unwrap();
    assert!(after_e.losses.policy != 0.0 && after_e.log_density != 0.0);
    assert_eq!(after_e.losses.action_value, after_m.losses.action_value);
}

#[test]
fn gradients_move_nothing() {
    let case = Case::new(4, 2, &[7, 6], 9, Scale::Random);
    let mut learner = case.learner(2);
    let first = learner.gradients(&case.batch(), &case.noise, 0.7).unwrap();
    assert_eq!(learner.parameters().unwrap(), case.initial);
    assert_eq!(learner.gradients(&case.batch(), &case.noise, 0.7).unwrap(), first);
}

#[test]
fn one_and_two_threads_agree_to_the_bit() {
    let sizes: [(usize, usize, &[usize], usize); 3] =
        [(17, 6, &[300, 300], 128), (3, 1, &[5], 7), (4, 2, &[20, 30, 10], 33)];
    for (observation, action, hidden, batch) in sizes {
        let case = Case::new(observation, action, hidden, batch, Scale::Random);
        let run = |threads: usize| {
            let mut learner = case.learner(threads);
            let mut terms = Vec::new();
            for step in 0..200 {
                match step % 5 {
                    3 => learner.m_step(&case.batch(), &case.noise).unwrap(),
                    4 => learner.e_step(&case.batch(), &case.noise, 0.7).unwrap(),
                    _ => learner.update(&case.batch(), &case.noise, 0.7).unwrap(),
                }
                terms.push(learner.terms().unwrap());
            }
            (learner.parameters().unwrap(), terms)
        };
        let (one, two, many) = (run(1), run(2), run(9));
        assert!(one == two, "{case}: two threads");
        assert!(one == many, "{case}: more threads");
        assert!(one == run(1), "{case}: again");
        assert!(one.0.iter().all(|p| p.data.iter().all(|x| x.is_finite())));
    }
}

#[test]
fn batches_of_other_sizes_give_what_a_learner_made_for_them_gives() {
    let prepared = Case::new(4, 2, &[7, 6], 16, Scale::Random);
    let mut learner = prepared.learner(1);
    for rows in [33, 1, 7, 16, 40] {
        let other = Case::new(4, 2, &[7, 6], rows, Scale::Random);
        learner.set_parameters(&other.initial).unwrap();
        let got = learner.gradients(&other.batch(), &other.noise, 0.7).unwrap();
        let mut fresh = other.learner(1);
        let expected = fresh.gradients(&other.batch(), &other.noise, 0.7).unwrap();
        assert_eq!(got, expected, "{rows} rows");
    }
}

#[test]
fn parameters_come_back_as_they_were_set() {
    let case = Case::new(5, 3, &[17, 4, 9], 8, Scale::Random);
    let mut learner = case.learner(1);
    assert_eq!(learner.parameters().unwrap(), case.initial);
    // one alone: the others stay
    let mut one = case.initial[3].clone();
    one.data.iter_mut().for_each(|x| *x = -*x);
    learner.set_parameters(std::slice::from_ref(&one)).unwrap();
    let mut expected = case.initial.clone();
    expected[3] = one;
    assert_eq!(learner.parameters().unwrap(), expected);
}

#[test]
fn actions_are_those_of_the_policy_with_and_without_noise() {
    for (observation, action, hidden, rows) in SHAPES {
        let case = Case::new(observation, action, hidden, rows, Scale::Random);
        let mut learner = case.learner(1);
        let truth = Truth::new(&case, 1.0);
        for noise in [Some(case.noise.as_slice()), None] {
            let mut actions = vec![f32::NAN; rows * action];
            learner.act(&case.observations, noise, &mut actions).unwrap();
            let error = relative_error(&actions, &truth.actions(noise));
            assert!(error < 2e-6, "{case}: {error:.1e}");
        }
    }
}

#[test]
fn a_learner_moves_between_threads() {
    let case = Case::new(4, 2, &[7, 6], 9, Scale::Random);
    let update = |learner: &mut dyn Learner| learner.update(&case.batch(), &case.noise, 0.7).unwrap();
    let mut stayed = case.learner(2);
    update(&mut stayed);
    update(&mut stayed);

    let mut learner: Box<dyn Learner> = Box::new(case.learner(2));
    update(&mut *learner);
    let moved = std::thread::scope(|scope| {
        let there = scope.spawn(move || {
            update(&mut *learner);
            learner
        });
        there.join().unwrap()
    });
    assert_eq!(moved.parameters().unwrap(), stayed.parameters().unwrap());
}

#[test]
fn wrong_lengths_are_named_and_leave_the_learner_whole() {
    let case = Case::new(4, 2, &[7, 6], 9, Scale::Random);
    for threads in [1, 2] {
        let mut learner = case.learner(threads);
        let good = case.batch();
        let short = virel_engine::replay::batch::Batch { actions: &case.actions[1..], ..good };
        for error in [
            learner.update(&short, &case.noise, 1.0).unwrap_err(),
            learner.update(&good, &case.noise[1..], 1.0).unwrap_err(),
            learner.m_step(&good, &[]).unwrap_err(),
            learner.e_step(&short, &case.noise, 1.0).unwrap_err(),
            learner.gradients(&short, &case.noise, 1.0).unwrap_err(),
            learner.residual_error(&short).unwrap_err(),
            learner.act(&case.observations[1..], None, &mut [0.0; 2]).unwrap_err(),
            learner.act(&case.observations[..4], None, &mut [0.0; 3]).unwrap_err(),
            learner.act(&case.observations[..4], Some(&[0.0]), &mut [0.0; 2]).unwrap_err(),
        ] {
            assert_eq!(error.code(), "LENGTH_MISMATCH", "{error}");
        }
        let nothing = Case::new(4, 2, &[7, 6], 0, Scale::Random);
        assert_eq!(learner.update(&nothing.batch(), &[], 1.0).unwrap_err().code(), "LENGTH_MISMATCH");
        assert_eq!(learner.parameters().unwrap(), case.initial);
        learner.update(&good, &case.noise, 1.0).unwrap();
    }
}

#[test]
fn impossible_configurations_and_parameters_are_refused() {
    let case = Case::new(4, 2, &[7, 6], 9, Scale::Random);
    let code = |config, initial: &[Parameter]| KernelLearner::new(config, initial).err().unwrap().code();
    let mut config = case.config(1);
    config.threads = 0;
    assert_eq!(code(config, &case.initial), "CONFIG_RANGE");
    let mut config = case.config(1);
    config.sizes.hidden = vec![7, 0];
    assert_eq!(code(config, &case.initial), "CONFIG_RANGE");
    let mut config = case.config(1);
    config.sizes.hidden.clear();
    assert_eq!(code(config, &case.initial), "CONFIG_RANGE");
    assert_eq!(code(case.config(1), &case.initial[1..]), "PARAMETER_SHAPE");
    let mut wrong = case.initial.clone();
    wrong[0].data.pop();
    assert_eq!(code(case.config(1), &wrong), "PARAMETER_SHAPE");

    let mut learner = case.learner(1);
    assert_eq!(
        learner.set_parameters(&[case.initial[0].clone(), wrong[0].clone()]).unwrap_err().code(),
        "PARAMETER_SHAPE"
    );
    assert_eq!(learner.parameters().unwrap(), case.initial);
}

#[test]
fn not_a_number_is_not_hidden() {
    let mut case = Case::new(4, 2, &[7, 6], 9, Scale::Random);
    case.observations[0] = f32::NAN;
    let mut learner = case.learner(1);
    learner.update(&case.batch(), &case.noise, 1.0).unwrap();
    let terms = learner.terms().unwrap();
    assert!(
        terms.losses.policy.is_nan()
            && terms.losses.action_value.is_nan()
            && terms.losses.state_value.is_nan()
    );
}
