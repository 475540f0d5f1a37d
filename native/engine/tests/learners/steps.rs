//! Optimisers, halves, targets, norms.

use std::collections::BTreeMap;

use virel_engine::learner::{LearnerConfig, Norms, Optimisers, Step};
use virel_engine::networks::layout::Parameter;
use virel_engine::random::{Purpose, Stream};
use virel_engine::recipe::MStepKind;

use super::support::losses::Model;
use super::support::recipes::{DDPG, MPO, SAC_TWIN, VIREL, Variant};
use super::support::{Case, disagreement, network, to_f64};
use super::{Built, learner, learner_with, tiny, variants};

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

/// Whether an M-step moves a trained parameter.
fn is_of_m(name: &str) -> bool {
    ["actionValue.", "stateValue.", "auxiliaryWeights."].iter().any(|prefix| name.starts_with(prefix))
}

fn step(learner: &mut impl Built, step: Step, case: &Case) {
    learner.step(step, &case.batch(), &case.noise, case.temperature()).unwrap();
}

fn gradients(learner: &mut impl Built, case: &Case) -> Vec<Parameter> {
    learner.gradients(&case.batch(), &case.noise, case.temperature()).unwrap().gradients
}

fn a_step_is_the_gradients_then_adam_and_targets_follow_when_told<L: Built>() {
    for variant in variants(&[MStepKind::Direct]) {
        let mut case = Case::of(variant, 6, tiny(), 5, 1.0);
        let mut stream = Stream::new(6, Purpose::PolicyNoise, 0);
        let (mut learner, config) = (learner::<L>(&case), case.config());
        let mut expected = Model::new(&case.parameters).values;
        let mut moments: Vec<_> = case.parameters.iter().map(|p| vec![(0.0, 0.0); p.data.len()]).collect();
        for count in 1..=4 {
            case.redraw(&mut stream, 5);
            let gradients = gradients(&mut learner, &case);
            step(&mut learner, Step::Joint, &case);
            for (gradient, moments) in gradients.iter().zip(&mut moments) {
                let name = &gradient.spec.name;
                adam(rate(&config, name), count, gradient, moments, expected.get_mut(name).unwrap());
            }
            expect_near(&learner, &expected, count, variant);
            learner.update_targets(Step::Joint).unwrap();
            follow(&mut expected, config.optimisers.target_update_rate);
            expect_near(&learner, &expected, count, variant);
        }
    }
}

/// Kingma and Ba's Algorithm 1, in f64.
fn adam(rate: f64, step: i32, gradient: &Parameter, moments: &mut [(f64, f64)], values: &mut [f64]) {
    for ((value, (first, second)), g) in values.iter_mut().zip(moments).zip(to_f64(&gradient.data)) {
        *first = 0.9 * *first + 0.1 * g;
        *second = 0.999 * *second + 0.001 * g * g;
        let corrected = (*second / (1.0 - 0.999_f64.powi(step))).sqrt() + 1e-8;
        *value -= rate * *first / (1.0 - 0.9_f64.powi(step)) / corrected;
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

fn expect_near(learner: &impl Built, expected: &BTreeMap<String, Vec<f64>>, step: i32, variant: Variant) {
    for parameter in learner.parameters().unwrap() {
        let name = &parameter.spec.name;
        for (got, expected) in parameter.data.iter().zip(&expected[name]) {
            // a step is about one learning rate of 4e-3 long and computed to some ten roundings, a target moves by a
            // twentieth of a distance of some units: 1e-8; each of the steps so far rounds the parameter once more
            let roundings = f64::from(step) * (1e-8 + expected.abs() * f64::from(f32::EPSILON));
            let error = (f64::from(*got) - expected).abs();
            assert!(error < roundings, "{}, step {step}, {name}: {error:e}", variant.name);
        }
    }
}

fn m_step_and_e_step_are_the_halves_of_a_joint_one<L: Built>() {
    for variant in variants(L::M_STEPS) {
        let case = Case::of(variant, 8, tiny(), 5, 1.0);
        let stepped = |taken: Step| {
            let mut learner: L = learner(&case);
            step(&mut learner, taken, &case);
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

fn terms_of_a_half_alone_leave_those_of_the_other<L: Built>() {
    for variant in variants(L::M_STEPS) {
        let case = Case::of(variant, 8, tiny(), 5, 1.0);
        let mut learner: L = learner(&case);
        step(&mut learner, Step::M, &case);
        let after_m = learner.terms().unwrap();
        step(&mut learner, Step::E, &case);
        let after_e = learner.terms().unwrap();
        assert_eq!(after_e.action_values, after_m.action_values);
        assert_eq!(after_e.losses.action_value, after_m.losses.action_value);
        assert_eq!(after_e.losses.state_value, after_m.losses.state_value);
        assert_ne!(after_e.losses.policy, after_m.losses.policy);
    }
}

fn each_half_has_its_targets_and_a_rate_of_one_copies_them<L: Built>() {
    for (variant, of_m, of_e) in [
        (VIREL, vec!["target.stateValue."], vec![]),
        (SAC_TWIN, vec!["target.actionValue.0.", "target.actionValue.1."], vec![]),
        (DDPG, vec!["target.actionValue.0."], vec!["target.policy."]),
        (MPO, vec!["target.actionValue.0."], vec!["priorPolicy."]),
    ] {
        let case = Case::of(variant, 8, tiny(), 5, 1.0);
        for (taken, moving) in [
            (Step::M, of_m.clone()),
            (Step::E, of_e.clone()),
            (Step::Joint, [of_m.clone(), of_e.clone()].concat()),
        ] {
            let config = case.config();
            let optimisers = Optimisers { target_update_rate: 1.0, ..config.optimisers };
            let mut learner: L = learner_with(&case, LearnerConfig { optimisers, ..config });
            learner.update_targets(taken).unwrap();
            for (after, before) in learner.parameters().unwrap().iter().zip(&case.parameters) {
                let name = &after.spec.name;
                let moves = moving.iter().any(|prefix| name.starts_with(prefix));
                let twin =
                    source(name).filter(|_| moves).map(|twin| network(&case.parameters, &twin)[0].clone());
                // bit for bit
                assert_eq!(after.data, twin.unwrap_or_else(|| before.clone()).data, "{taken:?}: {name}");
            }
        }
    }
}

fn equal_targets_stay_equal_to_the_bit_at_any_rate<L: Built>() {
    for variant in variants(L::M_STEPS) {
        let mut case = Case::of(variant, 8, tiny(), 5, 1.0);
        let copies = case.parameters.clone();
        for parameter in &mut case.parameters {
            if let Some(source) = source(&parameter.spec.name) {
                parameter.data = network(&copies, &source)[0].data.clone();
            }
        }
        let mut learner: L = learner(&case);
        learner.update_targets(Step::Joint).unwrap();
        assert_eq!(learner.parameters().unwrap(), case.parameters);
    }
}

/// All values of one network.
fn flat(parameters: &[Parameter], prefix: &str) -> Vec<f64> {
    network(parameters, prefix).iter().flat_map(|p| to_f64(&p.data)).collect()
}

fn norm(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn norms_are_those_of_the_latest_gradient_and_of_the_change_made_with_it<L: Built>() {
    for variant in variants(L::M_STEPS) {
        let mut case = Case::of(variant, 9, tiny(), 5, 1.0);
        let mut stream = Stream::new(9, Purpose::PolicyNoise, 0);
        let mut learner: L = learner(&case);
        for taken in [Step::Joint, Step::M, Step::E, Step::Joint] {
            case.redraw(&mut stream, 5);
            let before = learner.parameters().unwrap();
            let gradients = gradients(&mut learner, &case);
            step(&mut learner, taken, &case);
            let after = learner.parameters().unwrap();
            let all = learner.norms().unwrap();
            for (prefix, norms, moved) in [
                ("policy.", all.policy, taken.has_e()),
                ("actionValue.", all.action_value, taken.has_m()),
                ("stateValue.", all.state_value, taken.has_m()),
            ] {
                let Some(Norms { gradient, update }) = norms.filter(|_| moved) else { continue };
                assert!((gradient / norm(flat(&gradients, prefix)) - 1.0).abs() < 1e-6, "{}", variant.name);
                let change = flat(&after, prefix).into_iter().zip(flat(&before, prefix));
                // parameters of size 1 round to 6e-8; a step is 1e-3 or more of their size
                let expected = norm(change.map(|(after, before)| after - before));
                assert!((update / expected - 1.0).abs() < 1e-3, "{}: {prefix}", variant.name);
            }
        }
    }
}

fn norms_outlast_a_call_of_gradients<L: Built>() {
    for variant in variants(L::M_STEPS) {
        let mut case = Case::of(variant, 9, tiny(), 5, 1.0);
        let mut stream = Stream::new(10, Purpose::PolicyNoise, 0);
        let mut learner: L = learner(&case);
        step(&mut learner, Step::Joint, &case);
        let joint = learner.norms().unwrap();
        case.redraw(&mut stream, 5);
        gradients(&mut learner, &case);
        assert_eq!(learner.norms().unwrap(), joint);
        // a half that follows has norms of its own, the other keeps its
        step(&mut learner, Step::M, &case);
        let after_m = learner.norms().unwrap();
        assert_eq!(after_m.policy, joint.policy);
        assert_ne!(after_m.action_value, joint.action_value);
        gradients(&mut learner, &case);
        step(&mut learner, Step::E, &case);
        let after_e = learner.norms().unwrap();
        assert_ne!(after_e.policy, joint.policy);
        assert_eq!((after_e.action_value, after_e.state_value), (after_m.action_value, after_m.state_value));
    }
}

fn a_trained_temperature_is_what_its_parameter_says_and_moves<L: Built>() {
    for (variant, name) in [(SAC_TWIN, "logTemperature"), (MPO, "dualTemperature")] {
        let temperature = |x: f64| match name {
            "logTemperature" => x.exp(),
            _ => (1.0 + x.exp()).ln() + 1e-8,
        };
        let case = Case::of(variant, 10, tiny(), 5, 1.0);
        let mut learner: L = learner(&case);
        let trained = |learner: &L| f64::from(network(&learner.parameters().unwrap(), name)[0].data[0]);
        let before = trained(&learner);
        let start = learner.temperature().unwrap().unwrap();
        assert!(disagreement(&[start], &[temperature(before)]) < 1e-6);
        step(&mut learner, Step::M, &case);
        assert_eq!(learner.temperature().unwrap(), Some(start));
        step(&mut learner, Step::E, &case);
        let moved = learner.temperature().unwrap().unwrap();
        let after = trained(&learner);
        assert!(disagreement(&[moved], &[temperature(after)]) < 1e-6);
        // Adam's first step is one rate long
        let distance = (after - before).abs();
        assert!((distance - 4e-3).abs() < 1e-5, "{distance}");
    }
    assert_eq!(learner::<L>(&Case::random(10, tiny(), 5, 1.0)).temperature().unwrap(), None);
}

fn a_multiplier_whose_divergence_stays_above_its_bound_grows_by_its_rate_a_step<L: Built>() {
    const STEPS: u16 = 2000;
    let case = Case::of(MPO, 11, tiny(), 5, 1.0);
    let mut config = case.config();
    // a bound that no policy keeps, and a prior that stays
    config.kl_bounds.covariance = 1e-12;
    config.optimisers.temperature_learning_rate = 1e-2;
    let mut learner: L = learner_with(&case, config);
    let multipliers = |learner: &L| -> Vec<f64> {
        let trained = to_f64(&network(&learner.parameters().unwrap(), "covarianceMultiplier")[0].data);
        trained.into_iter().map(|x| (1.0 + x.exp()).ln()).collect()
    };
    let start = multipliers(&learner);
    for _ in 0..STEPS {
        step(&mut learner, Step::E, &case);
    }
    // by its logarithm it would have grown by up to e²⁰
    for (multiplier, start) in multipliers(&learner).into_iter().zip(start) {
        let grown = multiplier - start;
        assert!(grown > 1.0 && grown < 1.01e-2 * f64::from(STEPS), "{grown}");
    }
    let losses = learner.terms().unwrap().losses;
    assert!(losses.policy.abs() < 100.0, "{losses:?}");
}

of_both_engines!(
    a_step_is_the_gradients_then_adam_and_targets_follow_when_told,
    m_step_and_e_step_are_the_halves_of_a_joint_one,
    terms_of_a_half_alone_leave_those_of_the_other,
    each_half_has_its_targets_and_a_rate_of_one_copies_them,
    equal_targets_stay_equal_to_the_bit_at_any_rate,
    norms_are_those_of_the_latest_gradient_and_of_the_change_made_with_it,
    norms_outlast_a_call_of_gradients,
    a_trained_temperature_is_what_its_parameter_says_and_moves,
    a_multiplier_whose_divergence_stays_above_its_bound_grows_by_its_rate_a_step,
);
