//! Losses, gradients, terms and the residual error.

use virel_engine::learner::{Bootstrap, Learner as _, LearnerConfig, Step};
use virel_engine::networks::layout::{Networks, Parameter};
use virel_engine::recipe::{PolicyCritic, PolicyKind};

use super::support::losses::{Oracle, loss_of};
use super::support::recipes::{DDPG, MPO, SAC_TWIN, VIREL, Variant};
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
                let step = learner(&case).gradients(&case.batch(), &case.noise, case.temperature).unwrap();
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
            let losses = learner.gradients(&case.batch(), &case.noise, case.temperature).unwrap().losses;
            learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature).unwrap();
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
fn a_recipe_has_its_own_losses_and_terms_and_no_others() {
    let of = |variant| {
        let case = Case::of(variant, 7, tiny(), 5, 1.0);
        let mut learner = learner(&case);
        learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature).unwrap();
        let terms = learner.terms().unwrap();
        let names: Vec<_> = terms.losses.named().map(|(name, _)| name).collect();
        (names, terms.kl_mean.is_some() && terms.kl_covariance.is_some())
    };
    assert_eq!(of(VIREL), (vec!["policy", "actionValue", "stateValue"], false));
    assert_eq!(of(SAC_TWIN), (vec!["policy", "actionValue", "temperature"], false));
    assert_eq!(of(DDPG), (vec!["policy", "actionValue"], false));
    let mpo = vec!["policy", "actionValue", "temperature", "meanMultiplier", "covarianceMultiplier"];
    assert_eq!(of(MPO), (mpo, true));
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
                let got = learner.residual_error(&case.batch(), &case.next_noise, case.temperature).unwrap();
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
fn gradients_and_the_residual_error_step_nothing() {
    for variant in variants() {
        let case = Case::of(variant, 5, tiny(), 5, 1.0);
        let mut learner = learner(&case);
        let first = learner.gradients(&case.batch(), &case.noise, case.temperature).unwrap();
        learner.residual_error(&case.batch(), &case.next_noise, case.temperature).unwrap();
        assert_eq!(learner.parameters().unwrap(), case.parameters);
        assert_eq!(learner.terms().unwrap(), Default::default());
        assert_eq!(learner.norms().unwrap(), Default::default());
        assert_eq!(learner.gradients(&case.batch(), &case.noise, case.temperature).unwrap(), first);
        let names: Vec<_> = first.gradients.into_iter().map(|p| p.spec).collect();
        assert_eq!(names, Networks::new(&variant.recipe, &case.sizes).trained());
    }
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
            let step = learner(&case).gradients(&case.batch(), &case.noise, case.temperature).unwrap();
            let log_std = network(&step.gradients, "policy.logStd.bias")[0];
            let none = log_std.data.iter().all(|&x| x == 0.0);
            assert_eq!(none, blocked, "{}, bias {bias}: {:?}", variant.name, log_std.data);
            let mean = network(&step.gradients, "policy.mean.bias")[0];
            assert!(mean.data.iter().all(|&x| x != 0.0));
        }
    }
}

#[test]
fn the_first_of_two_equal_action_values_takes_the_gradient() {
    // every ã is 0, where Q_2 is Q_1 to the bit: it differs from it in the weights of the action alone
    let mut case = Case::of(SAC_TWIN, 5, tiny(), 5, 1.0);
    case.noise.fill(0.0);
    let first: Vec<_> = network(&case.parameters, "actionValue.0").into_iter().cloned().collect();
    for parameter in case.parameters.iter_mut().filter(|p| p.spec.name.starts_with("policy.mean.")) {
        parameter.data.fill(0.0);
    }
    let second = case.parameters.iter_mut().filter(|p| p.spec.name.starts_with("actionValue.1"));
    for (second, first) in second.zip(first) {
        second.data = first.data;
        if second.spec.name.ends_with("trunk.0.weight") {
            second.data.chunks_mut(6).for_each(|row| row[4..].iter_mut().for_each(|x| *x = 1.0 - *x));
        }
    }
    let policy = |case: &Case| {
        let step = learner(case).gradients(&case.batch(), &case.noise, case.temperature).unwrap();
        let gradients: Vec<_> = network(&step.gradients, "policy.").into_iter().cloned().collect();
        (gradients, step.losses.policy)
    };
    let twin = policy(&case);
    let single = |mut case: Case| {
        case.variant.recipe.policy_critic = PolicyCritic::First;
        policy(&case)
    };
    assert_eq!(twin, single(case.clone()));
    // a second that is the least bit smaller takes it
    let last = case.parameters.iter_mut().find(|p| p.spec.name == "actionValue.1.value.bias").unwrap();
    last.data[0] -= 1e-3;
    assert_ne!(policy(&case).0, twin.0);
}

#[test]
fn a_small_temperature_takes_the_best_sample_and_a_large_one_all_alike() {
    // ω goes to the greedy action and to equal weights: the loss's limits, both finite
    let mut case = Case::of(MPO, 6, tiny(), 5, 1.0);
    let mut losses = |temperature| {
        case.temperature = Some(temperature);
        learner(&case).gradients(&case.batch(), &case.noise, case.temperature).unwrap().losses
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
fn not_a_number_is_not_hidden() {
    for variant in variants() {
        let case = Case::of(variant, 8, tiny(), 9, 1.0);
        let mut observations = case.batch().observations.to_vec();
        observations[0] = f32::NAN;
        let batch = virel_engine::replay::batch::Batch { observations: &observations, ..case.batch() };
        let mut learner = learner(&case);
        learner.step(Step::Joint, &batch, &case.noise, case.temperature).unwrap();
        for (name, loss) in learner.terms().unwrap().losses.named() {
            assert!(loss.is_nan(), "{}: {name} {loss}", variant.name);
        }
    }
}
