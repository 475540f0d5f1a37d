//! Actions, values, parameters, refusals.

use virel_engine::learner::{LearnerConfig, Step, Temperature};
use virel_engine::networks::layout::{Parameter, Sizes};
use virel_engine::recipe::{PolicyKind, Recipe};
use virel_engine::replay::batch::Batch;

use super::support::losses::Model;
use super::support::recipes::{DDPG, MPO, SAC_TWIN, VIREL};
use super::support::{Case, to_f64};
use super::{Built, learner, learner_with, sizes, tiny, variants};

/// Widths below, at and beyond a cache line of 16 values.
fn shapes() -> [Sizes; 4] {
    [
        tiny(),
        sizes(3, 1, &[5], &[16, 16]),
        sizes(17, 6, &[17, 4, 9], &[31, 33]),
        sizes(2, 3, &[1, 18], &[8, 8, 8, 8]),
    ]
}

/// μ and log σ, `[n, A]` each.
fn heads(case: &Case) -> [Vec<f64>; 2] {
    let model = Model::new(&case.parameters);
    let states = case.batch().observations.chunks(case.sizes.observation);
    let (mean, log_std): (Vec<_>, Vec<_>) = states.map(|s| model.policy("policy", &to_f64(s))).unzip();
    [mean.concat(), log_std.concat()]
}

/// The largest difference.
fn furthest(got: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).map(|(&got, expected)| (f64::from(got) - expected).abs()).fold(0.0, f64::max)
}

fn actions_are_the_policys_and_those_without_noise_its_mode<L: Built>() {
    for sizes in shapes() {
        for variant in [VIREL, DDPG] {
            // one, some, and more than pass together
            for rows in [1, 4, 11] {
                let case = Case::of(variant, 10, sizes.clone(), rows, 1.0);
                let (batch, values) = (case.batch(), rows * sizes.action);
                let config = LearnerConfig { batch: 4, ..case.config() };
                let mut learner: L = learner_with(&case, config);
                let mut got = [vec![0.0; values], vec![9.0; values]];
                let [got_mean, got_log_std] = &mut got;
                learner.policy(batch.observations, got_mean, got_log_std).unwrap();
                let [mean, log_std] = heads(&case);
                // some layers of at most 33 products of order 1 each, in f32; what is left of them may be small
                assert!(furthest(&got[0], &mean) < 2e-6);
                assert!(furthest(&got[1], &log_std) < 2e-6);
                let noise = (variant == VIREL).then_some(&case.noise[..]);
                for noise in [None, noise] {
                    let mut actions = vec![f32::NAN; values];
                    learner.act(batch.observations, noise, &mut actions).unwrap();
                    let action = |i: usize| {
                        let noise = noise.map_or(0.0, |noise| f64::from(noise[i]));
                        (mean[i] + log_std[i].exp() * noise).tanh()
                    };
                    let expected: Vec<f64> = (0..values).map(action).collect();
                    assert!(furthest(&actions, &expected) < 2e-6);
                }
            }
        }
    }
}

fn action_values_are_those_of_the_first_critic_in_any_number<L: Built>() {
    for sizes in shapes() {
        // prepared for 4: less than one tile, one, several with a rest
        for rows in [1, 4, 11] {
            let case = Case::of(SAC_TWIN, 10, sizes.clone(), rows, 1.0);
            let (batch, model) = (case.batch(), Model::new(&case.parameters));
            let mut values = vec![0.0; rows];
            let config = LearnerConfig { batch: 4, ..case.config() };
            let mut learner: L = learner_with(&case, config);
            learner.action_value(batch.observations, batch.actions, &mut values).unwrap();
            let pairs = batch.observations.chunks(sizes.observation).zip(batch.actions.chunks(sizes.action));
            let expected: Vec<f64> =
                pairs.map(|(s, a)| model.value("actionValue.0", &[&to_f64(s), &to_f64(a)])).collect();
            for (got, expected) in values.iter().zip(expected) {
                // layers of at most 33 products of values up to some units, whose sum may cancel
                let error = (f64::from(*got) - expected).abs();
                assert!(error < 2e-6 * expected.abs().max(1.0), "{got} for {expected}");
            }
        }
    }
}

fn parameters_come_back_as_they_were_set<L: Built>() {
    for variant in variants(L::M_STEPS) {
        for sizes in shapes() {
            let case = Case::of(variant, 11, sizes.clone(), 5, 1.0);
            let other = Case::of(variant, 12, sizes, 5, 1.0);
            let mut learner: L = learner(&case);
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
}

fn a_wrong_parameter_is_refused_before_anything_is_changed<L: Built>() {
    let case = Case::random(13, tiny(), 5, 1.0);
    let mut learner: L = learner(&case);
    let mut renamed = case.parameters.clone();
    renamed[3].spec.name = "policy.trunk.9.bias".to_owned();
    let mut reshaped = case.parameters.clone();
    reshaped[2].spec.shape.reverse();
    let mut shortened = case.parameters.clone();
    shortened[1].data.pop();
    let mut infinite = case.parameters.clone();
    infinite[5].data[1] = f32::INFINITY;
    for parameters in [&mut renamed, &mut reshaped, &mut shortened, &mut infinite] {
        parameters[0].data.fill(9.0);
    }
    for (parameters, code) in [
        (renamed, "PARAMETER_SHAPE"),
        (reshaped, "PARAMETER_SHAPE"),
        (shortened, "PARAMETER_SHAPE"),
        (infinite, "NOT_FINITE"),
    ] {
        assert_eq!(learner.set_parameters(&parameters).unwrap_err().code(), code);
        assert_eq!(learner.parameters().unwrap(), case.parameters);
    }
    // a missing one, at the start
    assert_eq!(refusal::<L>(case.config(), &case.parameters[1..]), "PARAMETER_SHAPE");
}

/// What the construction says.
fn refusal<L: Built>(config: LearnerConfig, initial: &[Parameter]) -> &'static str {
    L::build(config, initial).map(|_| ()).unwrap_err().code()
}

fn wrong_lengths_are_named_and_leave_the_learner_whole<L: Built>() {
    for variant in [VIREL, SAC_TWIN, DDPG, MPO] {
        for threads in [1, 2] {
            let case = Case::of(variant, 14, tiny(), 5, 1.0);
            let mut learner: L = learner_with(&case, LearnerConfig { threads, ..case.config() });
            let (batch, temperature) = (case.batch(), case.temperature());
            let short: [Batch<'_>; 4] = {
                let mut batches = [batch; 4];
                batches[0].observations = &batch.observations[1..];
                batches[1].actions = &batch.actions[1..];
                batches[2].next_observations = &batch.next_observations[1..];
                batches[3].discounts = &batch.discounts[1..];
                batches
            };
            let expect = |code: &str| assert_eq!(code, "LENGTH_MISMATCH");
            for batch in &short {
                expect(learner.step(Step::Joint, batch, &case.noise, temperature).unwrap_err().code());
                expect(learner.residual_error(batch, &case.next_noise, temperature).unwrap_err().code());
            }
            let longer = [&case.noise[..], &[0.0]].concat();
            expect(learner.gradients(&batch, &longer, temperature).unwrap_err().code());
            for step in [Step::Joint, Step::M, Step::E] {
                expect(learner.step(step, &batch, &longer, temperature).unwrap_err().code());
            }
            let longer = [&case.next_noise[..], &[0.0]].concat();
            expect(learner.residual_error(&batch, &longer, temperature).unwrap_err().code());
            // a gradient step's noise is not the residual error's
            if case.noise.len() != case.next_noise.len() {
                expect(learner.residual_error(&batch, &case.noise, temperature).unwrap_err().code());
            }
            for (observations, noise, actions) in [(9, None, 4), (8, None, 5), (8, Some(3), 4)] {
                let noise = noise.map(|len| &[0.0; 4][..len]);
                let observations = &batch.observations[..observations];
                expect(learner.act(observations, noise, &mut vec![0.0; actions]).unwrap_err().code());
            }
            let two = &batch.observations[..8];
            expect(learner.action_value(two, &batch.actions[..4], &mut [0.0; 3]).unwrap_err().code());
            expect(learner.action_value(two, &batch.actions[..3], &mut [0.0; 2]).unwrap_err().code());
            expect(learner.policy(two, &mut [0.0; 4], &mut [0.0; 3]).unwrap_err().code());
            let nothing = Case::of(variant, 14, tiny(), 0, 1.0);
            expect(learner.step(Step::Joint, &nothing.batch(), &[], temperature).unwrap_err().code());
            assert_eq!(learner.parameters().unwrap(), case.parameters);
            learner.step(Step::Joint, &batch, &case.noise, temperature).unwrap();
        }
    }
}

fn a_deterministic_policy_takes_no_noise<L: Built>() {
    let case = Case::of(DDPG, 10, tiny(), 5, 1.0);
    let mut actions = vec![0.0; 10];
    let error = learner::<L>(&case).act(case.batch().observations, Some(&[0.0; 10]), &mut actions);
    let error = error.unwrap_err();
    assert_eq!(error.code(), "LENGTH_MISMATCH");
    assert!(error.to_string().contains("noise"), "{error}");
}

fn a_loss_that_reads_a_temperature_needs_one<L: Built>() {
    let case = Case::random(15, tiny(), 5, 1.0);
    let mut learner: L = learner(&case);
    let error = learner.step(Step::Joint, &case.batch(), &case.noise, Temperature::Own).unwrap_err();
    assert_eq!(error.code(), "CONFIG_RANGE");
    assert_eq!(learner.parameters().unwrap(), case.parameters);
    // what was refused is no step: the next is the first
    let after = |refused: u32| {
        let mut learner: L = super::learner(&case);
        for _ in 0..refused {
            learner.step(Step::Joint, &case.batch(), &case.noise, Temperature::Own).unwrap_err();
        }
        learner.step(Step::Joint, &case.batch(), &case.noise, Temperature::Given(1.0)).unwrap();
        learner.parameters().unwrap()
    };
    assert_eq!(after(2), after(0));
    // nothing of virel's M-step or residual error reads it: the residual error may come first
    learner.step(Step::M, &case.batch(), &case.noise, Temperature::Own).unwrap();
    learner.residual_error(&case.batch(), &case.next_noise, Temperature::Own).unwrap();
    // what is given and not read changes nothing
    let case = Case::of(DDPG, 15, tiny(), 5, 1.0);
    let stepped = |temperature| {
        let mut learner: L = super::learner(&case);
        learner.step(Step::Joint, &case.batch(), &case.noise, temperature).unwrap();
        learner.parameters().unwrap()
    };
    assert_eq!(stepped(Temperature::Own), stepped(Temperature::Given(3.0)));
}

fn weights_need_a_temperature_above_zero<L: Built>() {
    let case = Case::of(MPO, 15, tiny(), 5, 1.0);
    let mut learner: L = learner(&case);
    for temperature in [0.0, -1.0] {
        let given = Temperature::Given(temperature);
        let error = learner.step(Step::E, &case.batch(), &case.noise, given).unwrap_err();
        assert_eq!(error.code(), "TEMPERATURE_NOT_POSITIVE");
    }
    assert_eq!(learner.parameters().unwrap(), case.parameters);
    // the M-step has no weights
    learner.step(Step::M, &case.batch(), &case.noise, Temperature::Given(0.0)).unwrap();
}

fn what_cannot_be_is_refused<L: Built>() {
    let case = Case::random(16, tiny(), 5, 1.0);
    let (config, initial) = (case.config(), &case.parameters);
    let with = |sizes: Sizes| LearnerConfig { sizes, ..config.clone() };
    let incoherent = Recipe { policy: PolicyKind::Deterministic, ..config.recipe };
    for (config, code) in [
        (LearnerConfig { threads: 0, ..config.clone() }, "CONFIG_RANGE"),
        (LearnerConfig { samples: 0, ..config.clone() }, "CONFIG_RANGE"),
        (LearnerConfig { batch: 0, ..config.clone() }, "CONFIG_RANGE"),
        (with(sizes(4, 2, &[8, 0], &[7, 6])), "CONFIG_RANGE"),
        (with(sizes(4, 2, &[8, 5], &[])), "CONFIG_RANGE"),
        (with(Sizes { action_values: 3, ..tiny() }), "CONFIG_RANGE"),
        (LearnerConfig { recipe: incoherent, ..config.clone() }, "RECIPE_UNSUPPORTED"),
    ] {
        assert_eq!(refusal::<L>(config, initial), code);
    }
}

of_both_engines!(
    actions_are_the_policys_and_those_without_noise_its_mode,
    action_values_are_those_of_the_first_critic_in_any_number,
    parameters_come_back_as_they_were_set,
    a_wrong_parameter_is_refused_before_anything_is_changed,
    wrong_lengths_are_named_and_leave_the_learner_whole,
    a_deterministic_policy_takes_no_noise,
    a_loss_that_reads_a_temperature_needs_one,
    weights_need_a_temperature_above_zero,
    what_cannot_be_is_refused,
);
