//! Two implementations of one learner: many updates from the same parameters on the same batches and noise.

use tch::{Device, Kind};
use virel_engine::learner::kernel::KernelLearner;
use virel_engine::learner::tensor::TensorLearner;
use virel_engine::learner::{Bootstrap, Learner, LearnerConfig, Step};
use virel_engine::networks::layout::{Parameter, Sizes};
use virel_engine::random::{Purpose, Stream};

use super::support::recipes::{VIREL, Variant};
use super::support::{Case, disagreement, network, to_f64};
use super::{Built, variants};

pub const ROWS: usize = 32;
/// Batches with a pre-activation nearer to a kink than this are drawn again: sums of some ten values of size 1 to
/// 10 differ by a few 1e-6 between the two, so beyond it both are on the same side. Smaller weights make smaller values.
pub const KINK: f64 = 1e-5;

fn kernel(case: &Case, config: LearnerConfig) -> Box<dyn Learner> {
    Box::new(KernelLearner::new(config, &case.parameters).unwrap())
}

fn tensor(case: &Case, config: LearnerConfig, kind: Kind) -> Box<dyn Learner> {
    Box::new(TensorLearner::new(config, &case.parameters, Device::Cpu, kind).unwrap())
}

/// Both in f32.
fn pair(case: &Case) -> [Box<dyn Learner>; 2] {
    [kernel(case, case.config()), tensor(case, case.config(), Kind::Float)]
}

/// A gradient step and the targets after it.
pub fn update(learner: &mut dyn Learner, case: &Case) {
    learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature()).unwrap();
    learner.update_targets(Step::Joint).unwrap();
}

/// The networks and trained temperatures that parameters are of, by the starts of their names.
pub fn prefixes(parameters: &[Parameter]) -> Vec<String> {
    let start = |p: &Parameter| {
        let name = p.spec.name.as_str();
        name.strip_suffix("trunk.0.weight").or(is_dual(name).then_some(name)).map(str::to_owned)
    };
    parameters.iter().filter_map(start).collect()
}

/// Whether a parameter is what is trained of a temperature, which has no layers.
pub fn is_dual(name: &str) -> bool {
    !name.contains('.')
}

/// All values of one network, in file order.
pub fn values(parameters: &[Parameter], prefix: &str) -> Vec<f32> {
    network(parameters, prefix).into_iter().flat_map(|p| p.data.iter().copied()).collect()
}

pub fn size(shape: (usize, usize)) -> Sizes {
    Sizes {
        observation: shape.0,
        action: shape.1,
        policy_hidden: vec![40, 48],
        hidden: vec![48, 40],
        action_values: 1,
    }
}

#[test]
fn gradients_of_any_shape_are_those_in_f64() {
    let mut largest = 0.0_f64;
    for variant in variants(KernelLearner::M_STEPS) {
        for (sizes, rows) in [
            (size((17, 6)), 8),
            (Sizes { policy_hidden: vec![17, 4, 9], hidden: vec![9, 33, 16], ..size((5, 3)) }, 33),
            (Sizes { policy_hidden: vec![16, 16], hidden: vec![1, 18], ..size((9, 2)) }, 16),
        ] {
            for scale in [0.3, 1.0] {
                let mut case = Case::of(variant, 3, sizes.clone(), rows, scale);
                let initial = case.parameters.clone();
                let mut stream = Stream::new(3, Purpose::ReplayIndex, 0);
                case.redraw_smooth(&mut stream, rows, &initial, KINK * scale);
                let gradients = |mut learner: Box<dyn Learner>| {
                    learner.gradients(&case.batch(), &case.noise, case.temperature()).unwrap().gradients
                };
                let got = gradients(kernel(&case, case.config()));
                let expected = gradients(tensor(&case, case.config(), Kind::Double));
                for prefix in prefixes(&got) {
                    let error = disagreement(&values(&got, &prefix), &to_f64(&values(&expected, &prefix)));
                    largest = largest.max(error);
                    // dot products of at most 48 values of size 1 to 10 in each layer, and sums over rows that cancel
                    assert!(error < 1e-5, "{}: {prefix} at scale {scale}: {error:e}", variant.name);
                }
            }
        }
    }
    println!("largest {largest:.1e}");
}

#[test]
fn ten_updates_end_at_the_same_parameters() {
    let (mut redrawn, mut updates, mut largest) = (0, 0, 0.0_f64);
    for variant in variants(KernelLearner::M_STEPS) {
        for (seed, (shape, scale)) in
            [((17, 6), 0.3), ((4, 1), 0.1), ((11, 3), 1.0), ((4, 2), 2.0)].into_iter().enumerate()
        {
            let mut case = Case::of(variant, seed as u64, size(shape), ROWS, scale);
            let [mut kernel, mut tensor] = pair(&case);
            let mut stream = Stream::new(21, Purpose::ReplayIndex, 0);
            for _ in 0..10 {
                let parameters = kernel.parameters().unwrap();
                redrawn += case.redraw_smooth(&mut stream, ROWS, &parameters, KINK * scale.min(1.0));
                updates += 1;
                update(&mut *kernel, &case);
                update(&mut *tensor, &case);
            }
            let (kernel, tensor) = (kernel.parameters().unwrap(), tensor.parameters().unwrap());
            assert_ne!(kernel, tensor, "two implementations do not round alike");
            for prefix in prefixes(&kernel) {
                let error = disagreement(&values(&kernel, &prefix), &to_f64(&values(&tensor, &prefix)));
                largest = largest.max(error);
                // ten updates round a parameter to 6e-8 of it on either side, 1.2e-6 if all went apart, and ten steps of at
                // most 4e-3 of it differ by 1e-5 of them
                assert!(error < 1.6e-6, "{}: {prefix} of {shape:?}: {error:e}", variant.name);
            }
        }
    }
    println!("{redrawn} of {} batches redrawn, largest {largest:.1e}", redrawn + updates);
}

#[test]
fn a_thousand_updates_make_the_same_steps() {
    for (seed, shape) in [(17, 6), (4, 1)].into_iter().enumerate() {
        expect_same_steps(VIREL, seed as u64, shape, 1000);
    }
}

#[test]
fn fifty_updates_of_every_recipe_make_the_same_steps() {
    for variant in variants(KernelLearner::M_STEPS) {
        expect_same_steps(variant, 2, (5, 2), 50);
    }
}

/// Both start each update at the same parameters, each with moments of its own.
fn expect_same_steps(variant: Variant, seed: u64, shape: (usize, usize), updates: usize) {
    let mut case = Case::of(variant, seed, size(shape), ROWS, 1.0);
    let [mut kernel, mut tensor] = pair(&case);
    let mut stream = Stream::new(22, Purpose::ReplayIndex, 0);
    let prefixes = prefixes(&case.parameters);
    let mut largest = vec![0.0_f64; prefixes.len()];
    let mut redrawn = 0;
    for step in 0..updates {
        let before = kernel.parameters().unwrap();
        redrawn += case.redraw_smooth(&mut stream, ROWS, &before, KINK);
        tensor.set_parameters(&before).unwrap();
        update(&mut *kernel, &case);
        update(&mut *tensor, &case);
        let after = [kernel.parameters().unwrap(), tensor.parameters().unwrap()];
        for (prefix, largest) in prefixes.iter().zip(&mut largest) {
            let moved = |after| -> Vec<f32> {
                let pairs = values(after, prefix).into_iter().zip(values(&before, prefix));
                pairs.map(|(after, before)| after - before).collect()
            };
            *largest = largest.max(disagreement(&moved(&after[0]), &to_f64(&moved(&after[1]))));
        }
        if step % 20 == 0 {
            expect_same_terms(&mut *kernel, &mut *tensor, &case);
        }
    }
    println!("{}: {redrawn} of {} batches redrawn", variant.name, redrawn + updates);
    for (prefix, largest) in prefixes.iter().zip(largest) {
        println!("  {prefix} largest {largest:.1e}");
        // a parameter of 0.5 rounds by up to 3e-8 on each side; a step of Adam is 1e-3 or more times some tenths,
        // the target's a twentieth of what the value network is ahead
        assert!(largest < 1e-4, "{}, {prefix}: {largest:e}", variant.name);
    }
}

/// What both report of their latest update, and of another batch: continuous at kinks, so rounding alone differs.
fn expect_same_terms(kernel: &mut dyn Learner, tensor: &mut dyn Learner, case: &Case) {
    let reported = |learner: &mut dyn Learner| {
        let terms = learner.terms().unwrap();
        let norms = learner.norms().unwrap();
        let norms = [norms.policy, norms.action_value, norms.state_value].into_iter().flatten();
        let mut numbers: Vec<f32> = terms.losses.named().map(|(_, loss)| loss).collect();
        numbers.extend(terms.action_value_losses.iter().chain(&terms.action_values));
        numbers.extend([terms.state_value, terms.log_density, terms.log_std].into_iter().flatten());
        numbers.extend([terms.kl_mean, terms.kl_covariance].into_iter().flatten());
        numbers.push(terms.absolute_action);
        numbers.extend(norms.flat_map(|norms| [norms.gradient as f32, norms.update as f32]));
        numbers.extend(learner.temperature().unwrap());
        let mut actions = vec![0.0; ROWS * case.sizes.action];
        learner.act(case.batch().observations, None, &mut actions).unwrap();
        let mut action_values = vec![0.0; ROWS];
        learner.action_value(case.batch().observations, &actions, &mut action_values).unwrap();
        let error = learner.residual_error(&case.batch(), &case.next_noise, case.temperature()).unwrap();
        [numbers, actions, action_values, vec![error]].concat()
    };
    let (kernel, tensor) = (reported(kernel), reported(tensor));
    assert_eq!(kernel.len(), tensor.len(), "{}", case.variant.name);
    for (index, (got, expected)) in kernel.iter().zip(&tensor).enumerate() {
        // sums of some ten values of size 1 to 10 in each layer
        let tolerance = 1e-5 * (1.0 + expected.abs());
        assert!((got - expected).abs() < tolerance, "{}, {index}: {got} {expected}", case.variant.name);
    }
}

#[test]
fn both_measure_the_residual_error_alike_with_either_bootstrap() {
    for variant in variants(KernelLearner::M_STEPS) {
        for residual_bootstrap in [Bootstrap::Online, Bootstrap::Target] {
            let case = Case::of(variant, 4, size((11, 3)), 50, 1.0);
            let config = LearnerConfig { residual_bootstrap, batch: ROWS, ..case.config() };
            let [got, expected] =
                [kernel(&case, config.clone()), tensor(&case, config, Kind::Double)].map(|mut learner| {
                    learner.residual_error(&case.batch(), &case.next_noise, case.temperature()).unwrap()
                });
            // a mean of 50 squares, none of which cancels
            assert!((got / expected - 1.0).abs() < 5e-6, "{}: {got} {expected}", variant.name);
        }
    }
}

#[test]
fn gradients_of_as_many_rows_as_libtorch_multiplies_otherwise_are_those_in_f64() {
    let rows = 512;
    let mut case = Case::of(VIREL, 3, size((17, 6)), rows, 1.0);
    let (initial, mut stream) = (case.parameters.clone(), Stream::new(3, Purpose::ReplayIndex, 0));
    // 16 times the rows of the other cases: as many values that may lie near a kink
    case.redraw_smooth(&mut stream, rows, &initial, KINK / 16.0);
    let gradients = |mut learner: Box<dyn Learner>| {
        learner.gradients(&case.batch(), &case.noise, case.temperature()).unwrap().gradients
    };
    let config = || LearnerConfig { batch: rows, ..case.config() };
    let [got, expected] = [Kind::Float, Kind::Double].map(|kind| gradients(tensor(&case, config(), kind)));
    for prefix in prefixes(&expected) {
        let error = disagreement(&values(&got, &prefix), &to_f64(&values(&expected, &prefix)));
        // dot products of at most 48 values of size 1 to 10
        assert!(error < 1e-5, "{prefix}: {error:e}");
    }
}
