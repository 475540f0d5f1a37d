//! Optimisers, halves, targets, norms.

use std::collections::BTreeMap;

use tch::Kind;
use virel_engine::learner::tensor::TensorLearner;
use virel_engine::learner::{Learner as _, LearnerConfig, Norms, Optimisers, Step};
use virel_engine::networks::layout::Parameter;
use virel_engine::random::{Purpose, Stream};
use virel_engine::recipe::MStepKind;

use super::support::losses::Model;
use super::support::recipes::{DDPG, MPO, SAC_TWIN, VIREL, Variant};
use super::support::{Case, disagreement, network, to_f64};
use super::{learner, learner_with, tiny, variants};

/// The learning rate of a parameter.
fn rate(config: &LearnerConfig, name: &str) -> f64 {
    match name.split('.').next().unwrap() {
        "policy" => config.optimisers.policy_learning_rate,
        "actionValue" => config.optimisers.action_value_learning_rate,
        "stateValue" => config.optimisers.state_value_learning_rate,
        _ => config.optimisers.temperature_learning_rate,
    }
}

/// The trained twin of a target.
fn source(name: &str) -> Option<String> {
    let twin = name.strip_prefix("target.").map(str::to_owned);
    twin.or_else(|| name.strip_prefix("priorPolicy.").map(|layer| format!("policy.{layer}")))
}

#[test]
fn a_step_is_the_gradients_then_adam_and_targets_follow_when_told() {
    for variant in variants().filter(|variant| variant.recipe.m_step == MStepKind::Direct) {
        let mut case = Case::of(variant, 6, tiny(), 5, 1.0);
        let mut stream = Stream::new(6, Purpose::PolicyNoise, 0);
        let (mut learner, config) = (learner(&case, Kind::Float), case.config());
        let mut expected = Model::new(&case.parameters).values;
        let zeros = |p: &Parameter| vec![(0.0, 0.0); p.data.len()];
        let mut moments: Vec<_> = case.parameters.iter().map(zeros).collect();
        for step in 1..=4 {
            case.redraw(&mut stream, 5);
            let gradients =
                learner.gradients(&case.batch(), &case.noise, case.temperature).unwrap().gradients;
            learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature).unwrap();
            // Adam by hand, in f64
            for (gradient, moments) in gradients.iter().zip(&mut moments) {
                let name = &gradient.spec.name;
                let values = expected.get_mut(name).unwrap();
                for ((value, (first, second)), g) in
                    values.iter_mut().zip(moments).zip(to_f64(&gradient.data))
                {
                    *first = 0.9 * *first + 0.1 * g;
                    *second = 0.999 * *second + 0.001 * g * g;
                    let corrected = (*second / (1.0 - 0.999_f64.powi(step))).sqrt() + 1e-8;
                    *value -= rate(&config, name) * *first / (1.0 - 0.9_f64.powi(step)) / corrected;
                }
            }
            expect_near(&learner, &expected, step, variant);
            learner.update_targets(Step::Joint).unwrap();
            follow(&mut expected, 0.05);
            expect_near(&learner, &expected, step, variant);
        }
    }
}

fn follow(expected: &mut BTreeMap<String, Vec<f64>>, rate: f64) {
    let online = expected.clone();
    for (name, values) in expected {
        if let Some(source) = source(name) {
            for (value, online) in values.iter_mut().zip(&online[&source]) {
                *value = rate * online + (1.0 - rate) * *value;
            }
        }
    }
}

fn expect_near(learner: &TensorLearner, expected: &BTreeMap<String, Vec<f64>>, step: i32, variant: Variant) {
    for parameter in learner.parameters().unwrap() {
        let name = &parameter.spec.name;
        for (got, expected) in parameter.data.iter().zip(&expected[name]) {
            // a step is about one learning rate long and computed to some ten roundings; each of the steps so far rounds
            // the parameter once more
            let roundings = f64::from(step) * (4e-3 * 1e-6 + expected.abs() * f64::from(f32::EPSILON));
            let error = (f64::from(*got) - expected).abs();
            assert!(error < roundings, "{}, step {step}, {name}: {error:e}", variant.name);
        }
    }
}

/// Whether an M-step moves a trained parameter.
fn is_of_m(name: &str) -> bool {
    ["actionValue.", "stateValue.", "auxiliaryWeights."].iter().any(|prefix| name.starts_with(prefix))
}

#[test]
fn m_step_and_e_step_are_the_halves_of_a_joint_one() {
    for variant in variants() {
        let case = Case::of(variant, 8, tiny(), 5, 1.0);
        let stepped = |step: Step| {
            let mut learner = learner(&case, Kind::Float);
            learner.step(step, &case.batch(), &case.noise, case.temperature).unwrap();
            (learner.parameters().unwrap(), learner.terms().unwrap(), learner.norms().unwrap())
        };
        let (joint, joint_terms, joint_norms) = stepped(Step::Joint);
        let (m_step, m_terms, m_norms) = stepped(Step::M);
        let (e_step, e_terms, e_norms) = stepped(Step::E);
        let parameters = joint.iter().zip(&m_step).zip(&e_step).zip(&case.parameters);
        for (((joint, m_step), e_step), before) in parameters {
            let name = &before.spec.name;
            if source(name).is_some() {
                assert_eq!([joint, m_step, e_step], [before; 3], "{}: {name}", variant.name);
                continue;
            }
            let (moved, kept) = if is_of_m(name) { (m_step, e_step) } else { (e_step, m_step) };
            assert_eq!(moved, joint, "{}: {name}", variant.name);
            assert_eq!(kept, before, "{}: {name}", variant.name);
            assert_ne!(moved, kept, "{}: {name}", variant.name);
        }
        // terms and norms: each half reports its own
        assert_eq!(m_terms.action_value_losses, joint_terms.action_value_losses);
        assert_eq!((m_terms.state_value, m_terms.losses.policy), (joint_terms.state_value, 0.0));
        assert_eq!((e_terms.log_density, e_terms.kl_mean), (joint_terms.log_density, joint_terms.kl_mean));
        assert_eq!((e_terms.losses.policy, e_terms.losses.action_value), (joint_terms.losses.policy, 0.0));
        assert_eq!((m_norms.action_value, m_norms.policy), (joint_norms.action_value, None));
        assert_eq!((m_norms.state_value, e_norms.state_value), (joint_norms.state_value, None));
        assert_eq!((e_norms.policy, e_norms.action_value), (joint_norms.policy, None));
        assert_eq!(joint_norms.state_value.is_some(), variant.recipe.has_state_value());
    }
}

#[test]
fn each_half_has_its_targets_and_a_rate_of_one_copies_them() {
    for (variant, of_m, of_e) in [
        (VIREL, vec!["target.stateValue."], vec![]),
        (SAC_TWIN, vec!["target.actionValue.0.", "target.actionValue.1."], vec![]),
        (DDPG, vec!["target.actionValue.0."], vec!["target.policy."]),
        (MPO, vec!["target.actionValue.0."], vec!["priorPolicy."]),
    ] {
        let case = Case::of(variant, 8, tiny(), 5, 1.0);
        for (step, moving) in [
            (Step::M, of_m.clone()),
            (Step::E, of_e.clone()),
            (Step::Joint, [of_m.clone(), of_e.clone()].concat()),
        ] {
            let config = case.config();
            let optimisers = Optimisers { target_update_rate: 1.0, ..config.optimisers };
            let mut learner = learner_with(&case, LearnerConfig { optimisers, ..config }, Kind::Float);
            learner.update_targets(step).unwrap();
            let after = learner.parameters().unwrap();
            for (after, before) in after.iter().zip(&case.parameters) {
                let name = &after.spec.name;
                let moves = moving.iter().any(|prefix| name.starts_with(prefix));
                let twin =
                    source(name).filter(|_| moves).map(|twin| network(&case.parameters, &twin)[0].clone());
                assert_eq!(after.data, twin.unwrap_or_else(|| before.clone()).data, "{step:?}: {name}");
            }
        }
    }
}

#[test]
fn equal_targets_stay_equal_to_the_bit_at_any_rate() {
    let mut case = Case::of(MPO, 8, tiny(), 5, 1.0);
    let copies = case.parameters.clone();
    for parameter in &mut case.parameters {
        if let Some(source) = source(&parameter.spec.name) {
            parameter.data = network(&copies, &source)[0].data.clone();
        }
    }
    let mut learner = learner(&case, Kind::Float);
    learner.update_targets(Step::Joint).unwrap();
    assert_eq!(learner.parameters().unwrap(), case.parameters);
}

#[test]
fn norms_are_those_of_the_latest_gradient_and_of_the_change_made_with_it() {
    for variant in variants() {
        let mut case = Case::of(variant, 9, tiny(), 5, 1.0);
        let mut stream = Stream::new(9, Purpose::PolicyNoise, 0);
        let mut learner = learner(&case, Kind::Double);
        for _ in 0..3 {
            case.redraw(&mut stream, 5);
            let before = learner.parameters().unwrap();
            let gradients =
                learner.gradients(&case.batch(), &case.noise, case.temperature).unwrap().gradients;
            learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature).unwrap();
            let after = learner.parameters().unwrap();
            // neither a later gradient nor parameters set from outside are the latest step's
            let norms = learner.norms().unwrap();
            learner.gradients(&case.batch(), &case.noise, case.temperature).unwrap();
            learner.set_parameters(&case.parameters).unwrap();
            assert_eq!(learner.norms().unwrap(), norms);
            let norms = [
                ("policy.", norms.policy),
                ("actionValue.", norms.action_value),
                ("stateValue.", norms.state_value),
            ];
            for (prefix, norms) in norms {
                let Some(Norms { gradient, update }) = norms else { continue };
                let flat = |parameters: &[Parameter]| -> Vec<f64> {
                    network(parameters, prefix).iter().flat_map(|p| to_f64(&p.data)).collect()
                };
                let norm = |values: Vec<f64>| values.iter().map(|x| x * x).sum::<f64>().sqrt();
                let change =
                    flat(&after).into_iter().zip(flat(&before)).map(|(after, before)| after - before);
                let expected_gradient = norm(flat(&gradients));
                assert!((gradient / expected_gradient - 1.0).abs() < 1e-6, "{}: {prefix}", variant.name);
                // parameters of size 1 cross as f32, 6e-8 each; a step is 1e-3 or more of their size
                let expected_update = norm(change.collect());
                assert!((update / expected_update - 1.0).abs() < 1e-3, "{}: {prefix}", variant.name);
            }
        }
    }
}

#[test]
fn a_trained_temperature_is_the_exponential_of_its_logarithm_and_moves() {
    for variant in [SAC_TWIN, MPO] {
        let case = Case::of(variant, 10, tiny(), 5, 1.0);
        let mut learner = learner(&case, Kind::Float);
        let log = |learner: &TensorLearner| {
            f64::from(network(&learner.parameters().unwrap(), "logTemperature")[0].data[0])
        };
        let start = learner.temperature().unwrap().unwrap();
        assert!(disagreement(&[start], &[log(&learner).exp()]) < 1e-6);
        learner.step(Step::M, &case.batch(), &case.noise, None).unwrap();
        assert_eq!(learner.temperature().unwrap(), Some(start));
        learner.step(Step::E, &case.batch(), &case.noise, None).unwrap();
        assert!(disagreement(&[learner.temperature().unwrap().unwrap()], &[log(&learner).exp()]) < 1e-6);
        // Adam's first step is one rate long
        let moved = (f64::from(learner.temperature().unwrap().unwrap()) / f64::from(start)).ln().abs();
        assert!((moved - 4e-3).abs() < 1e-5, "{moved}");
    }
    let case = Case::random(10, tiny(), 5, 1.0);
    assert_eq!(learner(&case, Kind::Float).temperature().unwrap(), None);
}
