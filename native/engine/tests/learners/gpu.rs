//! The tensor learner on a GPU does what it does on the CPU. `cargo test` ignores these tests, aloud; a machine with a GPU
//! runs them with `-- --ignored`.

use tch::{Device, Kind};
use virel_engine::device::open;
use virel_engine::learner::tensor::TensorLearner;
use virel_engine::learner::{Learner, LearnerConfig, Step, StepGradients, Temperature};
use virel_engine::networks::layout::{Parameter, Sizes};
use virel_engine::random::{Purpose, Stream};
use virel_engine::recipe::{PolicyKind, TrainedTemperature};
use virel_engine::replay::rows::Rows;

use super::agreement::{KINK, ROWS, is_dual, prefixes, size, update, values};
use super::support::recipes::{DDPG, MPO, PROJECTED, SAC_TWIN, VIREL, Variant};
use super::support::{Case, disagreement, to_f64};
use super::{Built, variants};

fn on_gpu(case: &Case, config: LearnerConfig) -> TensorLearner {
    TensorLearner::new(config, &case.parameters, open("cuda").unwrap(), Kind::Float).unwrap()
}

fn on_cpu(case: &Case, kind: Kind) -> TensorLearner {
    TensorLearner::new(case.config(), &case.parameters, Device::Cpu, kind).unwrap()
}

fn all_variants() -> impl Iterator<Item = Variant> {
    variants(TensorLearner::M_STEPS)
}

/// The largest disagreement of any network, or of a trained temperature, whose gradient is a sum of size 1 to 10 that
/// cancels.
fn largest(got: &[Parameter], expected: &[Parameter]) -> f64 {
    let error = |prefix: &String| {
        let (got, expected) = (values(got, prefix), to_f64(&values(expected, prefix)));
        let size = expected.iter().map(|x| x * x).sum::<f64>().sqrt();
        let at_least = if is_dual(prefix) { size.max(1.0) } else { size };
        disagreement(&got, &expected) * if size < 1e-6 { 1.0 } else { size / at_least }
    };
    prefixes(expected).iter().map(error).fold(0.0, f64::max)
}

#[test]
#[ignore = "needs a GPU"]
fn gradients_and_losses_on_a_gpu_are_those_in_f64() {
    // with few rows a layer is two operations, with many one
    for (variant, rows) in all_variants().map(|variant| (variant, 33)).chain([(VIREL, 512)]) {
        let mut case = Case::of(variant, 3, size((17, 6)), rows, 1.0);
        let (initial, mut stream) = (case.parameters.clone(), Stream::new(3, Purpose::ReplayIndex, 0));
        case.redraw_smooth(&mut stream, rows, &initial, KINK);
        let gradients = |mut learner: TensorLearner| -> StepGradients {
            learner.gradients(&case.batch(), &case.noise, case.temperature()).unwrap()
        };
        let (got, expected) =
            (gradients(on_gpu(&case, case.config())), gradients(on_cpu(&case, Kind::Double)));
        let error = largest(&got.gradients, &expected.gradients);
        println!("{}: {error:.1e}", variant.name);
        // as of the kernel: dot products of at most 48 values of size 1 to 10; TF32 would show as 1e-3
        assert!(error < 1e-5, "{}: {error:e}", variant.name);
        for ((name, got), (_, expected)) in got.losses.named().zip(expected.losses.named()) {
            assert!((got - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{}, {name}", variant.name);
        }
    }
}

#[test]
#[ignore = "needs a GPU"]
fn ten_updates_on_a_gpu_end_where_they_end_on_the_cpu() {
    for variant in all_variants() {
        let mut case = Case::of(variant, 1, size((17, 6)), ROWS, 0.3);
        let (mut gpu, mut cpu) = (on_gpu(&case, case.config()), on_cpu(&case, Kind::Float));
        let mut stream = Stream::new(21, Purpose::ReplayIndex, 0);
        for _ in 0..10 {
            let parameters = cpu.parameters().unwrap();
            case.redraw_smooth(&mut stream, ROWS, &parameters, 0.3 * KINK);
            update(&mut gpu, &case);
            update(&mut cpu, &case);
        }
        let error = largest(&gpu.parameters().unwrap(), &cpu.parameters().unwrap());
        println!("{}: {error:.1e}", variant.name);
        // as of the kernel and the tensor engine on a CPU, in agreement.rs
        assert!(error < 1.6e-6, "{}: {error:e}", variant.name);
    }
}

/// T of a turn: the residual error's every other time, where that may be, with a factor of its own.
fn temperature(case: &Case, turn: u32) -> Temperature {
    let recipe = &case.variant.recipe;
    let may_read_residual =
        recipe.policy == PolicyKind::TanhGaussian && recipe.trained_temperature == TrainedTemperature::None;
    if may_read_residual && turn % 4 > 1 {
        Temperature::OfResidual { slope: 0.01 + 0.001 * f64::from(turn), offset: 0.2 }
    } else {
        case.temperature()
    }
}

#[test]
#[ignore = "needs a GPU"]
fn work_of_every_kind_by_turns_goes_the_way_of_the_cpu() {
    // recordings of joint steps, of halves, of residual errors and of each source of T share networks, moments and places
    for variant in all_variants() {
        let mut case = Case::of(variant, 1, size((17, 6)), ROWS, 0.3);
        let (mut gpu, mut cpu) = (on_gpu(&case, case.config()), on_cpu(&case, Kind::Float));
        let mut stream = Stream::new(22, Purpose::ReplayIndex, 0);
        for turn in 0..48 {
            let parameters = cpu.parameters().unwrap();
            let rows = [ROWS, ROWS / 2][turn as usize / 24];
            case.redraw_smooth(&mut stream, rows, &parameters, 0.3 * KINK);
            let step = [Step::Joint, Step::M, Step::E][turn as usize % 3];
            let temperature = temperature(&case, turn);
            for learner in [&mut gpu, &mut cpu] {
                learner.measure(&Rows::Gathered(case.batch()), &case.next_noise, case.temperature()).unwrap();
                learner.step(step, &case.batch(), &case.noise, temperature).unwrap();
                if turn % 5 < 3 {
                    learner.update_targets(step).unwrap();
                }
            }
        }
        let error = largest(&gpu.parameters().unwrap(), &cpu.parameters().unwrap());
        println!("{}: {error:.1e}", variant.name);
        // five times the updates of the test above
        assert!(error < 8e-6, "{}: {error:e}", variant.name);
        let [gpu, cpu] = [gpu, cpu].map(|mut learner| {
            let terms = learner.terms().unwrap();
            let optional = [terms.residual_error, terms.kl_mean, terms.kl_covariance, terms.log_density];
            let losses = terms.losses.named().map(|(_, loss)| loss);
            losses.chain(optional.into_iter().flatten()).chain([terms.absolute_action]).collect::<Vec<_>>()
        });
        assert_eq!(gpu.len(), cpu.len(), "{}", variant.name);
        for (index, (got, expected)) in gpu.iter().zip(&cpu).enumerate() {
            // as the parameters, through sums of some ten values of size 1 to 10
            let tolerance = 1e-4 * (1.0 + expected.abs());
            assert!((got - expected).abs() < tolerance, "{}, {index}: {got} {expected}", variant.name);
        }
    }
}

#[test]
#[ignore = "needs a GPU"]
fn actions_values_and_the_residual_error_on_a_gpu_are_those_of_the_cpu() {
    for variant in all_variants() {
        let case = Case::of(variant, 4, size((11, 3)), ROWS, 1.0);
        let seen = |learner: &mut TensorLearner| {
            let observations = case.batch().observations;
            let (mut actions, mut action_values) = (vec![0.0; ROWS * 3], vec![0.0; ROWS]);
            learner.act(observations, None, &mut actions).unwrap();
            learner.action_value(observations, &actions, &mut action_values).unwrap();
            let error = learner.residual_error(&case.batch(), &case.next_noise, case.temperature()).unwrap();
            [actions, action_values, vec![error]].concat()
        };
        let (got, expected) =
            (seen(&mut on_gpu(&case, case.config())), seen(&mut on_cpu(&case, Kind::Double)));
        for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
            let tolerance = 1e-5 * (1.0 + expected.abs());
            assert!((got - expected).abs() < tolerance, "{}, {index}: {got} {expected}", variant.name);
        }
    }
}

#[test]
#[ignore = "needs a GPU"]
fn the_same_steps_on_a_gpu_give_the_same_bits() {
    let hidden = vec![300, 300];
    let sizes = Sizes { observation: 17, action: 6, policy_hidden: hidden.clone(), hidden, action_values: 1 };
    for variant in [VIREL, SAC_TWIN, DDPG, MPO, PROJECTED] {
        let run = || {
            let mut case = Case::of(variant, 9, sizes.clone(), 128, 1.0);
            let mut stream = Stream::new(9, Purpose::ReplayIndex, 0);
            let mut learner = on_gpu(&case, case.config());
            for _ in 0..100 {
                case.redraw(&mut stream, 128);
                learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature()).unwrap();
                learner.update_targets(Step::Joint).unwrap();
            }
            (learner.parameters().unwrap(), learner.terms().unwrap(), learner.norms().unwrap())
        };
        assert_eq!(run(), run(), "{}", variant.name);
    }
}
