//! Losses, gradients, terms and the residual error.

use virel_engine::learner::kernel::KernelLearner;
use virel_engine::learner::{Bootstrap, Learner as _, LearnerConfig, Step};
use virel_engine::networks::layout::Parameter;
use virel_engine::recipe::{MStepKind, PolicyKind};

use super::support::losses::{Oracle, loss_of};
use super::support::recipes::{VARIANTS, Variant};
use super::support::{Case, network, to_f64};
use super::{learner, learner_with, sizes, smooth_case, tiny, variants};

/// ‖·‖₂ of a network's whole gradient.
fn size(gradients: &[Parameter], name: &str) -> f64 {
    let start = name.split_once(".trunk").map_or(name.split(".value").next().unwrap(), |(start, _)| start);
    let start = start.split(".mean").next().unwrap().split(".logStd").next().unwrap();
    let values = network(gradients, start).into_iter().flat_map(|p| to_f64(&p.data));
    values.map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn every_gradient_is_the_finite_difference_of_its_loss() {
    let mut largest = 0.0_f64;
    // widths below, at and beyond a cache line of 16 values, one layer and four
    let shapes = [
        (tiny(), 4, vec![0.3, 1.0, 2.0]),
        (sizes(3, 1, &[5], &[6]), 1, vec![1.0]),
        (sizes(5, 3, &[17, 4], &[16, 3]), 2, vec![1.0]),
        (sizes(2, 1, &[3, 2, 4, 3], &[3, 4, 2, 3]), 4, vec![1.0]),
    ];
    for variant in variants() {
        for (seed, (sizes, rows, scales)) in shapes.iter().enumerate() {
            for &scale in scales {
                // a parameter's step of 2e-4 moves a pre-activation by less than 2e-3
                let case = smooth_case(variant, seed as u64, sizes, *rows, scale, 2e-3);
                let step = learner(&case).gradients(&case.batch(), &case.noise, case.temperature()).unwrap();
                let mut oracle = Oracle::new(&case, &case.parameters);
                for gradient in &step.gradients {
                    let name = &gradient.spec.name;
                    let expected = oracle.finite_difference(name, loss_of(name));
                    let difference: f64 =
                        gradient.data.iter().zip(&expected).map(|(&g, e)| (f64::from(g) - e).powi(2)).sum();
                    // sums of some ten products of values up to 10 in f32, of the size of their network's gradient:
                    // one bias alone may cancel
                    let error = difference.sqrt() / size(&step.gradients, name).max(1e-3);
                    assert!(error < 1e-5, "{}: {name} at scale {scale}: {error:e}", variant.name);
                    largest = largest.max(error);
                }
            }
        }
    }
    println!("largest {largest:.1e}");
}

/// The largest error of what is compared, each relative to the larger of its value and 1.
struct Errors {
    of: &'static str,
    largest: f64,
}

impl Errors {
    const fn new(variant: Variant) -> Self {
        Self { of: variant.name, largest: 0.0 }
    }

    /// `tolerance` is the caller's to argue.
    fn expect(&mut self, name: &str, got: f32, expected: f64, tolerance: f64) {
        let error = (f64::from(got) - expected).abs() / expected.abs().max(1.0);
        assert!(error < tolerance, "{}, {name}: {got} for {expected}", self.of);
        self.largest = self.largest.max(error);
    }
}

#[test]
fn losses_and_terms_are_those_of_the_equations() {
    // layers of at most 8 inputs and sums of 33 rows in f32, of values up to some tens: a few units of the last place
    const TOLERANCE: f64 = 5e-6;
    let mut largest = 0.0_f64;
    for variant in variants() {
        for (rows, scale) in [(33, 0.3), (5, 1.0), (1, 2.0)] {
            let case = Case::of(variant, 7, tiny(), rows, scale);
            let oracle = Oracle::new(&case, &case.parameters);
            let mut learner = learner(&case);
            let losses = learner.gradients(&case.batch(), &case.noise, case.temperature()).unwrap().losses;
            learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature()).unwrap();
            let terms = learner.terms().unwrap();
            assert_eq!(terms.losses, losses);
            let mut errors = Errors::new(variant);
            let mut expect = |name: &str, got, expected| errors.expect(name, got, expected, TOLERANCE);
            for (name, loss) in losses.named() {
                let expected = match name {
                    "temperature" => oracle.temperature_loss(),
                    "meanMultiplier" => oracle.mean_multiplier_loss(),
                    "covarianceMultiplier" => oracle.covariance_multiplier_loss(),
                    network => loss_of(network)(&oracle),
                };
                expect(name, loss, expected);
            }
            for (got, expected) in [
                (&terms.action_value_losses, oracle.action_value_losses()),
                (&terms.action_values, oracle.action_values()),
            ] {
                assert_eq!(got.len(), variant.action_values);
                got.iter().zip(expected).for_each(|(&got, value)| expect("Q", got, value));
            }
            expect("absolute action", terms.absolute_action, oracle.absolute_action());
            assert_eq!(terms.state_value.is_some(), variant.recipe.has_state_value());
            if let Some(value) = terms.state_value {
                expect("V", value, oracle.state_value());
            }
            let deterministic = variant.recipe.policy == PolicyKind::Deterministic;
            assert_eq!([terms.log_density.is_none(), terms.log_std.is_none()], [deterministic; 2]);
            if let (Some(log_density), Some(log_std)) = (terms.log_density, terms.log_std) {
                expect("log density", log_density, oracle.log_density());
                expect("log std", log_std, oracle.log_std());
            }
            if let (Some(mean), Some(covariance)) = (terms.kl_mean, terms.kl_covariance) {
                let [of_mean, of_covariance] = oracle.divergences().map(|each| each.iter().sum());
                expect("KL mean", mean, of_mean);
                expect("KL covariance", covariance, of_covariance);
            }
            largest = largest.max(errors.largest);
        }
    }
    println!("largest {largest:.1e}");
}

#[test]
fn residual_error_passes_through_tiles_of_the_training_batch() {
    let mut largest = 0.0_f64;
    for variant in variants() {
        // tiles of 12: less than one, one, several, several with a rest
        for rows in [1, 7, 12, 36, 100] {
            let case = Case::of(variant, rows as u64, tiny(), rows, 1.0);
            let oracle = Oracle::new(&case, &case.parameters);
            for residual_bootstrap in [Bootstrap::Online, Bootstrap::Target] {
                let config = LearnerConfig { residual_bootstrap, batch: 12, ..case.config() };
                let mut learner = learner_with(&case, config);
                let got =
                    learner.residual_error(&case.batch(), &case.next_noise, case.temperature()).unwrap();
                let mut errors = Errors::new(variant);
                // sums of at most 100 squares, of values that rounded to some 1e-6
                errors.expect("residual error", got, oracle.residual_error(residual_bootstrap), 5e-6);
                largest = largest.max(errors.largest);
            }
        }
    }
    println!("largest {largest:.1e}");
}

#[test]
fn a_projected_m_step_takes_the_other_engine() {
    for variant in VARIANTS.into_iter().filter(|variant| variant.recipe.m_step == MStepKind::Projected) {
        let case = Case::of(variant, 16, tiny(), 5, 1.0);
        let error = KernelLearner::new(case.config(), &case.parameters).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "RECIPE_UNSUPPORTED");
        let message = error.to_string();
        assert!(message.contains("kernel") && message.contains("tensor"), "{message}");
    }
}
