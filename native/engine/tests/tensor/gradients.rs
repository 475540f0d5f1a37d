//! Losses, gradients and terms.

use tch::Kind;
use virel_engine::learner::{Bootstrap, Learner as _, LearnerConfig, Losses, Step};
use virel_engine::networks::layout::{Networks, Parameter, Sizes};
use virel_engine::recipe::{PolicyCritic, PolicyKind};

use super::support::losses::{Oracle, loss_of};
use super::support::recipes::{DDPG, MPO, PROJECTED, SAC_TWIN, VIREL};
use super::support::{Case, disagreement, network, to_f64};
use super::{gradients_of, learner, learner_with, smooth_case, tiny, variants};

#[test]
fn every_gradient_is_the_finite_difference_of_its_loss() {
    let mut largest = 0.0_f64;
    for variant in variants() {
        // a parameter's step of 2e-4 moves a pre-activation by less than 2e-3
        for (seed, scale) in [(0, 0.3), (1, 1.0), (2, 2.0)] {
            let case = smooth_case(variant, seed, &tiny(), 4, scale, 2e-3);
            let step = gradients_of(&case, Kind::Double);
            let mut oracle = Oracle::new(&case, &case.parameters);
            for gradient in &step.gradients {
                let name = &gradient.spec.name;
                let expected = oracle.finite_difference(name, loss_of(name));
                // 6e-8: the gradient crosses as f32; the differences add about 1e-9
                let error = disagreement(&gradient.data, &expected);
                assert!(error < 1e-7, "{}: {name} at scale {scale}: {error:e}", variant.name);
                largest = largest.max(error);
            }
        }
    }
    println!("largest {largest:.1e}");
}

#[test]
fn losses_terms_and_residual_error_are_those_of_the_equations() {
    let mut largest = 0.0_f64;
    let mut expect = |variant: &str, name: &str, got: f32, expected: f64| {
        // one rounding to f32
        let error = disagreement(&[got], &[expected]);
        assert!(error < 1e-7, "{variant}, {name}: {got} for {expected}");
        largest = largest.max(error);
    };
    for variant in variants() {
        for scale in [0.3, 1.0, 2.0] {
            let case = Case::of(variant, 7, tiny(), 5, scale);
            let oracle = Oracle::new(&case, &case.parameters);
            let mut learner = learner(&case, Kind::Double);
            for bootstrap in [Bootstrap::Online, Bootstrap::Target] {
                let config = LearnerConfig { residual_bootstrap: bootstrap, ..case.config() };
                let error = learner_with(&case, config, Kind::Double)
                    .residual_error(&case.batch(), &case.next_noise, case.temperature)
                    .unwrap();
                expect(variant.name, "residual error", error, oracle.residual_error(bootstrap));
            }
            let losses = learner.gradients(&case.batch(), &case.noise, case.temperature).unwrap().losses;
            learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature).unwrap();
            let terms = learner.terms().unwrap();
            assert_eq!(terms.losses, losses);
            for (name, loss) in losses.named() {
                let expected = match name {
                    "temperature" => oracle.temperature_loss(),
                    "meanMultiplier" => oracle.mean_multiplier_loss(),
                    "covarianceMultiplier" => oracle.covariance_multiplier_loss(),
                    network => loss_of(network)(&oracle),
                };
                expect(variant.name, name, loss, expected);
            }
            let several = [
                (&terms.action_value_losses, oracle.action_value_losses()),
                (&terms.action_values, oracle.action_values()),
            ];
            for (got, expected) in several {
                assert_eq!(got.len(), variant.action_values);
                got.iter().zip(expected).for_each(|(&got, value)| expect(variant.name, "Q", got, value));
            }
            expect(variant.name, "absolute action", terms.absolute_action, oracle.absolute_action());
            assert_eq!(terms.state_value.is_some(), variant.recipe.has_state_value());
            if let Some(value) = terms.state_value {
                expect(variant.name, "V", value, oracle.state_value());
            }
            let deterministic = variant.recipe.policy == PolicyKind::Deterministic;
            assert_eq!([terms.log_density.is_none(), terms.log_std.is_none()], [deterministic; 2]);
            if let (Some(log_density), Some(log_std)) = (terms.log_density, terms.log_std) {
                expect(variant.name, "log density", log_density, oracle.log_density());
                expect(variant.name, "log std", log_std, oracle.log_std());
            }
            if let (Some(mean), Some(covariance)) = (terms.kl_mean, terms.kl_covariance) {
                let [expected_mean, expected_covariance] = oracle.divergences().map(|each| each.iter().sum());
                expect(variant.name, "KL mean", mean, expected_mean);
                expect(variant.name, "KL covariance", covariance, expected_covariance);
            }
        }
    }
    println!("largest {largest:.1e}");
}

#[test]
fn a_recipe_has_its_own_losses_and_terms_and_no_others() {
    let of = |variant| {
        let case = Case::of(variant, 7, tiny(), 5, 1.0);
        let mut learner = learner(&case, Kind::Float);
        learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature).unwrap();
        let terms = learner.terms().unwrap();
        let names: Vec<_> = terms.losses.named().map(|(name, _)| name).collect();
        (names, terms.kl_mean.is_some() && terms.kl_covariance.is_some())
    };
    assert_eq!(of(VIREL), (vec!["policy", "actionValue", "stateValue"], false));
    assert_eq!(of(PROJECTED), (vec!["policy", "actionValue", "stateValue", "auxiliaryWeights"], false));
    assert_eq!(of(SAC_TWIN), (vec!["policy", "actionValue", "temperature"], false));
    assert_eq!(of(DDPG), (vec!["policy", "actionValue"], false));
    let mpo = vec!["policy", "actionValue", "temperature", "meanMultiplier", "covarianceMultiplier"];
    assert_eq!(of(MPO), (mpo, true));
}

/// The networks that parameters are of, by the starts of their names.
fn prefixes(parameters: &[Parameter]) -> Vec<String> {
    let start = |p: &Parameter| p.spec.name.split(".trunk").next().unwrap_or_default().to_owned();
    let trunks = parameters.iter().filter(|p| p.spec.name.contains(".trunk.0.weight")).map(start);
    trunks.chain(parameters.iter().filter(|p| p.spec.name.starts_with("log")).map(start)).collect()
}

#[test]
fn f32_agrees_with_f64() {
    // the tasks' widest and narrowest shapes; f32 loses log2(300) bits at most in a dot product, and a unit closer than
    // 1e-5 to its kink may fall on the other side. By network: a head's bias alone is one sum over rows, which may cancel
    let half_cheetah = Sizes {
        observation: 17,
        action: 6,
        policy_hidden: vec![48, 64],
        hidden: vec![64, 64],
        action_values: 1,
    };
    let pendulum = Sizes { observation: 4, action: 1, ..half_cheetah.clone() };
    let mut largest = 0.0_f64;
    for variant in variants() {
        for (seed, sizes) in [(0, &half_cheetah), (1, &pendulum)] {
            for scale in [0.3, 1.0] {
                let case = smooth_case(variant, seed, sizes, 6, scale, 1e-5);
                let (single, double) = (gradients_of(&case, Kind::Float), gradients_of(&case, Kind::Double));
                for prefix in prefixes(&single.gradients) {
                    let of =
                        |all| network(all, &prefix).iter().flat_map(|p| p.data.clone()).collect::<Vec<_>>();
                    let error = disagreement(&of(&single.gradients), &to_f64(&of(&double.gradients)));
                    largest = largest.max(error);
                    assert!(error < 1e-5, "{}: {prefix} at scale {scale}: {error:e}", variant.name);
                }
                assert_ne!(single.gradients, double.gradients);
            }
        }
    }
    println!("largest {largest:.1e}");
}

#[test]
fn log_std_receives_no_gradient_strictly_outside_its_range_and_some_on_its_edge() {
    for variant in variants().filter(|variant| variant.recipe.policy == PolicyKind::TanhGaussian) {
        for (bias, blocked) in [(2.5, true), (-20.5, true), (2.0, false), (-20.0, false)] {
            // heads that answer their bias alone
            let mut case = Case::of(variant, 3, tiny(), 5, 1.0);
            for parameter in &mut case.parameters {
                match parameter.spec.name.as_str() {
                    "policy.logStd.weight" => parameter.data.fill(0.0),
                    "policy.logStd.bias" => parameter.data.fill(bias),
                    _ => {}
                }
            }
            let step = gradients_of(&case, Kind::Double);
            let log_std = network(&step.gradients, "policy.logStd.bias")[0];
            let none = log_std.data.iter().all(|&x| x == 0.0);
            assert_eq!(none, blocked, "{}, bias {bias}: {:?}", variant.name, log_std.data);
            let mean = network(&step.gradients, "policy.mean.bias")[0];
            assert!(mean.data.iter().all(|&x| x != 0.0));
        }
    }
}

#[test]
fn the_policy_loss_gives_the_critics_no_gradient() {
    let mut case = Case::random(4, tiny(), 5, 1.0);
    let mut gradients = |temperature| {
        case.temperature = Some(temperature);
        gradients_of(&case, Kind::Float).gradients
    };
    let (cold, hot) = (gradients(0.0), gradients(5.0));
    for critic in ["actionValue.", "stateValue."] {
        assert_eq!(network(&cold, critic), network(&hot, critic));
    }
    assert_ne!(network(&cold, "policy."), network(&hot, "policy."));
}

#[test]
fn gradients_are_of_the_trained_parameters_in_file_order() {
    for variant in variants() {
        let case = Case::of(variant, 4, tiny(), 5, 1.0);
        let names: Vec<_> = gradients_of(&case, Kind::Float).gradients.into_iter().map(|p| p.spec).collect();
        assert_eq!(names, Networks::new(&variant.recipe, &case.sizes).trained());
    }
}

#[test]
fn the_first_of_two_equal_action_values_takes_the_gradient() {
    // Q_2 is a constant, to the bit the number that Q_1 has at the one row's ã: only through Q_1 does ã matter
    let mut case = Case::of(SAC_TWIN, 5, tiny(), 1, 1.0);
    let (mut action, mut value) = ([0.0; 2], [0.0]);
    let mut before = learner(&case, Kind::Float);
    before.act(case.batch().observations, Some(&case.noise[..2]), &mut action).unwrap();
    before.action_value(case.batch().observations, &action, &mut value).unwrap();
    for parameter in &mut case.parameters {
        match parameter.spec.name.as_str() {
            "actionValue.1.value.weight" => parameter.data.fill(0.0),
            "actionValue.1.value.bias" => parameter.data.fill(value[0]),
            _ => {}
        }
    }
    let twin = gradients_of(&case, Kind::Float);
    case.variant.recipe.policy_critic = PolicyCritic::First;
    let single = gradients_of(&case, Kind::Float);
    assert_eq!(network(&twin.gradients, "policy."), network(&single.gradients, "policy."));
    assert_eq!(twin.losses.policy, single.losses.policy);
}

#[test]
fn a_small_temperature_takes_the_best_sample_and_a_large_one_all_alike() {
    // ω goes to the greedy action and to equal weights: the loss's limits, both finite
    let mut case = Case::of(MPO, 6, tiny(), 5, 1.0);
    let mut losses = |temperature| -> Losses {
        case.temperature = Some(temperature);
        gradients_of(&case, Kind::Float).losses
    };
    for temperature in [1e-30, 1e-6, 1e6] {
        let losses = losses(temperature);
        assert!(losses.named().all(|(_, loss)| loss.is_finite()), "{temperature}: {losses:?}");
    }
    let [cold, colder] = [losses(1e-6).policy, losses(1e-8).policy];
    // the samples' values differ by far more than 1e-6
    assert_eq!(cold, colder);
    assert_ne!(cold, losses(1e6).policy);
}

#[test]
fn gradients_step_nothing() {
    for variant in variants() {
        let case = Case::of(variant, 5, tiny(), 5, 1.0);
        let mut learner = learner(&case, Kind::Float);
        let first = learner.gradients(&case.batch(), &case.noise, case.temperature).unwrap();
        learner.residual_error(&case.batch(), &case.next_noise, case.temperature).unwrap();
        assert_eq!(learner.parameters().unwrap(), case.parameters);
        assert_eq!(learner.terms().unwrap(), Default::default());
        assert_eq!(learner.norms().unwrap(), Default::default());
        assert_eq!(learner.gradients(&case.batch(), &case.noise, case.temperature).unwrap(), first);
    }
}
