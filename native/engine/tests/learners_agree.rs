//! Two implementations of one learner: many updates from the same parameters on the same batches and noise.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod support;

use support::{Case, disagreement, network, to_f64};
use tch::{Device, Kind};
use virel_engine::learner::Learner;
use virel_engine::learner::kernel::KernelLearner;
use virel_engine::learner::tensor::TensorLearner;
use virel_engine::networks::layout::{Parameter, Sizes};
use virel_engine::random::{Purpose, Stream};

const NETWORKS: [&str; 4] = ["policy.", "actionValue.", "stateValue.", "target."];
const ROWS: usize = 32;
/// Batches with a pre-activation nearer to a kink than this are drawn again: sums of some ten values of size 1 to
/// 10 differ by a few 1e-6 between the two, so beyond it both are on the same side.
const KINK: f64 = 1e-5;

fn kernel(case: &Case) -> Box<dyn Learner> {
    Box::new(KernelLearner::new(case.config(), &case.parameters).unwrap())
}

fn tensor(case: &Case) -> Box<dyn Learner> {
    Box::new(TensorLearner::new(case.config(), &case.parameters, Device::Cpu, Kind::Float).unwrap())
}

/// All values of one network, in file order.
fn values(parameters: &[Parameter], prefix: &str) -> Vec<f32> {
    network(parameters, prefix).into_iter().flat_map(|p| p.data.iter().copied()).collect()
}

fn size(shape: (usize, usize)) -> Sizes {
    Sizes { observation: shape.0, action: shape.1, hidden: vec![48, 40] }
}

#[test]
fn ten_updates_end_at_the_same_parameters() {
    let (mut redrawn, mut largest) = (0, 0.0_f64);
    for (seed, shape) in [(17, 6), (4, 1), (11, 3)].into_iter().enumerate() {
        for scale in [0.1, 0.3, 1.0, 2.0] {
            let mut case = Case::random(seed as u64, size(shape), ROWS, scale);
            let (mut kernel, mut tensor) = (kernel(&case), tensor(&case));
            let mut stream = Stream::new(21, Purpose::ReplayIndex, 0);
            for _ in 0..10 {
                redrawn += case.redraw_smooth(&mut stream, ROWS, &kernel.parameters().unwrap(), KINK);
                kernel.update(&case.batch(), &case.noise, case.temperature).unwrap();
                tensor.update(&case.batch(), &case.noise, case.temperature).unwrap();
            }
            let (kernel, tensor) = (kernel.parameters().unwrap(), tensor.parameters().unwrap());
            assert_ne!(kernel, tensor, "two implementations do not round alike");
            for prefix in NETWORKS {
                let error = disagreement(&values(&kernel, prefix), &to_f64(&values(&tensor, prefix)));
                largest = largest.max(error);
                // ten updates round a parameter to 6e-8 of it on either side: 1.2e-6 if all went apart
                assert!(error < 1.2e-6, "{prefix} of {shape:?} at scale {scale}: {error:e}");
            }
        }
    }
    println!("{redrawn} of {} batches redrawn, largest {largest:.1e}", redrawn + 120);
}

#[test]
fn a_thousand_updates_make_the_same_steps() {
    for (seed, shape) in [(17, 6), (4, 1)].into_iter().enumerate() {
        let mut case = Case::random(seed as u64, size(shape), ROWS, 1.0);
        let (mut kernel, mut tensor) = (kernel(&case), tensor(&case));
        let mut stream = Stream::new(22, Purpose::ReplayIndex, 0);
        let mut largest = NETWORKS.map(|_| 0.0_f64);
        let mut redrawn = 0;
        for step in 0..1000 {
            // both start each update at the same parameters, each with moments of its own
            let before = kernel.parameters().unwrap();
            redrawn += case.redraw_smooth(&mut stream, ROWS, &before, KINK);
            tensor.set_parameters(&before).unwrap();
            kernel.update(&case.batch(), &case.noise, case.temperature).unwrap();
            tensor.update(&case.batch(), &case.noise, case.temperature).unwrap();
            let after = [kernel.parameters().unwrap(), tensor.parameters().unwrap()];
            for (prefix, largest) in NETWORKS.into_iter().zip(&mut largest) {
                let moved = |after| -> Vec<f32> {
                    let pairs = values(after, prefix).into_iter().zip(values(&before, prefix));
                    pairs.map(|(after, before)| after - before).collect()
                };
                *largest = largest.max(disagreement(&moved(&after[0]), &to_f64(&moved(&after[1]))));
            }
            if step % 100 == 0 {
                expect_same_terms(&mut *kernel, &mut *tensor, &case);
            }
        }
        println!("{redrawn} of {} batches redrawn", redrawn + 1000);
        for (prefix, largest) in NETWORKS.into_iter().zip(largest) {
            println!("{prefix} largest {largest:.1e}");
            // a parameter of 0.5 rounds by up to 3e-8 on each side; a step of Adam is 1e-3 or more times some tenths,
            // the target's a twentieth of what the value network is ahead
            assert!(largest < 1e-4, "{prefix}: {largest:e}");
        }
    }
}

/// What both report of their latest update, and of another batch: continuous at kinks, so rounding alone differs.
fn expect_same_terms(kernel: &mut dyn Learner, tensor: &mut dyn Learner, case: &Case) {
    let reported = |learner: &mut dyn Learner| {
        let terms = learner.terms().unwrap();
        let mut actions = vec![0.0; case.noise.len()];
        learner.act(case.batch().observations, Some(&case.noise), &mut actions).unwrap();
        let numbers = [
            terms.losses.policy,
            terms.losses.action_value,
            terms.losses.state_value,
            terms.action_value,
            terms.state_value,
            terms.log_density,
            terms.absolute_action,
            terms.log_std,
            learner.residual_error(&case.batch()).unwrap(),
        ];
        [numbers.to_vec(), actions].concat()
    };
    let (kernel, tensor) = (reported(kernel), reported(tensor));
    for (index, (got, expected)) in kernel.iter().zip(&tensor).enumerate() {
        // sums of some ten values of size 1 to 10 in each layer
        assert!((got - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{index}: {got} for {expected}");
    }
}
