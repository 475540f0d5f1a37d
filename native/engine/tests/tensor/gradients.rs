//! Losses, gradients and terms.

use tch::Kind;
use virel_engine::learner::{Bootstrap, Learner as _, LearnerConfig, Step};
use virel_engine::networks::layout::{Parameter, Sizes};
use virel_engine::recipe::PolicyKind;

use super::support::losses::{Oracle, loss_of};
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
                    .residual_error(&case.batch(), &case.next_noise, case.temperature())
                    .unwrap();
                expect(variant.name, "residual error", error, oracle.residual_error(bootstrap));
            }
            let losses = learner.gradients(&case.batch(), &case.noise, case.temperature()).unwrap().losses;
            learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature()).unwrap();
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
