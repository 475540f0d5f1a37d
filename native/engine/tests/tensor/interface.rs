//! Actions, values, parameters, refusals.

use tch::{Device, Kind};
use virel_engine::learner::tensor::TensorLearner;
use virel_engine::learner::{Learner as _, LearnerConfig, Step};
use virel_engine::recipe::{PolicyKind, Recipe};
use virel_engine::replay::batch::Batch;

use super::support::losses::Model;
use super::support::recipes::{DDPG, MPO, SAC_TWIN, VIREL};
use super::support::{Case, disagreement, to_f64};
use super::{learner, learner_with, tiny, variants};

#[test]
fn actions_are_the_policys_and_those_without_noise_its_mode() {
    for variant in [VIREL, DDPG] {
        let case = Case::of(variant, 10, tiny(), 5, 1.0);
        let (batch, model) = (case.batch(), Model::new(&case.parameters));
        let mut learner = learner(&case, Kind::Float);
        let mut means = (vec![0.0; 10], vec![9.0; 10]);
        learner.policy(batch.observations, &mut means.0, &mut means.1).unwrap();
        let heads: Vec<_> =
            batch.observations.chunks(4).map(|s| model.policy("policy", &to_f64(s))).collect();
        let flat = |each: &[&Vec<f64>]| each.iter().flat_map(|x| x.iter().copied()).collect::<Vec<f64>>();
        let (mean, log_std): (Vec<_>, Vec<_>) = heads.iter().map(|(mean, log_std)| (mean, log_std)).unzip();
        let (mean, log_std) = (flat(&mean), flat(&log_std));
        // two layers of some ten products each, in f32
        assert!(disagreement(&means.0, &mean) < 1e-5);
        assert!(disagreement(&means.1, &log_std) < 1e-5);
        let noise = (variant == VIREL).then_some(case.noise.as_slice());
        for noise in [None, noise] {
            let mut actions = vec![0.0; 10];
            learner.act(batch.observations, noise, &mut actions).unwrap();
            let action = |i: usize| {
                let noise = noise.map_or(0.0, |noise| f64::from(noise[i]));
                (mean[i] + log_std[i].exp() * noise).tanh()
            };
            let expected: Vec<f64> = (0..10).map(action).collect();
            assert!(disagreement(&actions, &expected) < 1e-5);
        }
    }
}

#[test]
fn a_deterministic_policy_takes_no_noise() {
    let case = Case::of(DDPG, 10, tiny(), 5, 1.0);
    let mut actions = vec![0.0; 10];
    let error = learner(&case, Kind::Float).act(case.batch().observations, Some(&[0.0; 10]), &mut actions);
    assert_eq!(error.unwrap_err().code(), "LENGTH_MISMATCH");
}

#[test]
fn action_values_are_those_of_the_first_critic() {
    let case = Case::of(SAC_TWIN, 10, tiny(), 5, 1.0);
    let (batch, model) = (case.batch(), Model::new(&case.parameters));
    let mut values = vec![0.0; 5];
    learner(&case, Kind::Float).action_value(batch.observations, batch.actions, &mut values).unwrap();
    let pairs = batch.observations.chunks(4).zip(batch.actions.chunks(2));
    let expected: Vec<f64> =
        pairs.map(|(s, a)| model.value("actionValue.0", &[&to_f64(s), &to_f64(a)])).collect();
    assert!(disagreement(&values, &expected) < 1e-5);
}

#[test]
fn parameters_come_back_as_they_were_set() {
    for variant in variants() {
        let case = Case::of(variant, 11, tiny(), 5, 1.0);
        let other = Case::of(variant, 12, tiny(), 5, 1.0);
        let mut learner = learner(&case, Kind::Float);
        assert_eq!(learner.parameters().unwrap(), case.parameters);
        // some alone
        let some = |name: &str| name.starts_with("policy.mean") || name.starts_with("log");
        let given: Vec<_> = other.parameters.iter().filter(|p| some(&p.spec.name)).cloned().collect();
        learner.set_parameters(&given).unwrap();
        for (now, before) in learner.parameters().unwrap().iter().zip(&case.parameters) {
            let given = given.iter().find(|p| p.spec == now.spec);
            assert_eq!(now, given.unwrap_or(before));
        }
        // all
        learner.set_parameters(&other.parameters).unwrap();
        assert_eq!(learner.parameters().unwrap(), other.parameters);
    }
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
    assert_eq!(refusal(case.config(), &case.parameters[1..]), "PARAMETER_SHAPE");
}

/// What the construction says.
fn refusal(config: LearnerConfig, initial: &[virel_engine::networks::layout::Parameter]) -> &'static str {
    TensorLearner::new(config, initial, Device::Cpu, Kind::Float).map(|_| ()).unwrap_err().code()
}

#[test]
fn wrong_lengths_are_refused() {
    for variant in [VIREL, MPO] {
        let case = Case::of(variant, 14, tiny(), 5, 1.0);
        let mut learner = learner(&case, Kind::Float);
        let batch = case.batch();
        let short: [Batch<'_>; 4] = {
            let mut batches = [batch; 4];
            batches[0].observations = &batch.observations[1..];
            batches[1].actions = &batch.actions[1..];
            batches[2].next_observations = &batch.next_observations[1..];
            batches[3].discounts = &batch.discounts[1..];
            batches
        };
        let expect = |code: &str| assert_eq!(code, "LENGTH_MISMATCH");
        let temperature = case.temperature;
        for batch in &short {
            expect(learner.step(Step::Joint, batch, &case.noise, temperature).unwrap_err().code());
            expect(learner.residual_error(batch, &case.next_noise, temperature).unwrap_err().code());
        }
        let noise = &case.noise[1..];
        expect(learner.gradients(&batch, noise, temperature).unwrap_err().code());
        for step in [Step::Joint, Step::M, Step::E] {
            expect(learner.step(step, &batch, noise, temperature).unwrap_err().code());
        }
        // a gradient step's noise is not the residual error's
        expect(learner.residual_error(&batch, &case.noise, temperature).unwrap_err().code());
        for (observations, noise, actions) in [(9, None, 4), (8, None, 5), (8, Some(3), 4)] {
            let noise = noise.map(|len| &case.noise[..len]);
            let observations = &batch.observations[..observations];
            expect(learner.act(observations, noise, &mut vec![0.0; actions]).unwrap_err().code());
        }
        let two = &batch.observations[..8];
        expect(learner.action_value(two, &batch.actions[..4], &mut [0.0; 3]).unwrap_err().code());
        expect(learner.action_value(two, &batch.actions[..3], &mut [0.0; 2]).unwrap_err().code());
        expect(learner.policy(two, &mut [0.0; 4], &mut [0.0; 3]).unwrap_err().code());
        assert_eq!(learner.parameters().unwrap(), case.parameters);
    }
}

#[test]
fn a_loss_that_reads_a_temperature_needs_one() {
    let case = Case::random(15, tiny(), 5, 1.0);
    let mut learner = learner(&case, Kind::Float);
    let error = learner.step(Step::Joint, &case.batch(), &case.noise, None).unwrap_err();
    assert_eq!(error.code(), "CONFIG_RANGE");
    assert_eq!(learner.parameters().unwrap(), case.parameters);
    // nothing of virel's M-step or residual error reads it: the residual error may come first
    learner.step(Step::M, &case.batch(), &case.noise, None).unwrap();
    learner.residual_error(&case.batch(), &case.next_noise, None).unwrap();
}

#[test]
fn weights_need_a_temperature_above_zero() {
    let case = Case::of(MPO, 15, tiny(), 5, 1.0);
    let mut learner = learner(&case, Kind::Float);
    for temperature in [0.0, -1.0] {
        let error = learner.step(Step::E, &case.batch(), &case.noise, Some(temperature)).unwrap_err();
        assert_eq!(error.code(), "TEMPERATURE_NOT_POSITIVE");
    }
    // the M-step has no weights
    learner.step(Step::M, &case.batch(), &case.noise, Some(0.0)).unwrap();
}

#[test]
fn what_cannot_be_is_refused() {
    let case = Case::random(16, tiny(), 5, 1.0);
    let config = case.config();
    let incoherent = Recipe { policy: PolicyKind::Deterministic, ..config.recipe };
    for (config, code) in [
        (LearnerConfig { threads: 0, ..config.clone() }, "CONFIG_RANGE"),
        (LearnerConfig { samples: 0, ..config.clone() }, "CONFIG_RANGE"),
        (LearnerConfig { recipe: incoherent, ..config }, "RECIPE_UNSUPPORTED"),
    ] {
        assert_eq!(refusal(config, &case.parameters), code);
    }
    // as many threads as libtorch takes
    let config = LearnerConfig { threads: 2, ..case.config() };
    learner_with(&case, config, Kind::Float);
}
