//! The projected M-step, F.1.

use tch::Kind;
use virel_engine::learner::{Learner as _, LearnerConfig, ProjectedSteps, Step};
use virel_engine::networks::layout::Parameter;
use virel_engine::random::{Purpose, Stream};

use super::support::losses::{Model, Oracle};
use super::support::recipes::PROJECTED;
use super::support::{Case, network, to_f64};
use super::{gradients_of, learner_with, smooth_case, tiny};

const W: &str = "actionValue.";
const ZETA: &str = "auxiliaryWeights.";

fn flat(parameters: &[Parameter], prefix: &str) -> Vec<f64> {
    network(parameters, prefix).iter().flat_map(|p| to_f64(&p.data)).collect()
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn the_oracles_directional_derivative_is_a_difference_along_the_direction() {
    let case = smooth_case(PROJECTED, 1, &tiny(), 4, 1.0, 2e-3);
    let model = Model::new(&case.parameters);
    let batch = case.batch();
    for row in 0..batch.rows() {
        let (observation, action) =
            (to_f64(&batch.observations[4 * row..][..4]), to_f64(&batch.actions[2 * row..][..2]));
        let at = |step: f64| {
            let mut moved = model.clone();
            for (name, values) in &mut moved.values {
                if let Some(layer) = name.strip_prefix("actionValue.0") {
                    let direction = &model.values[&format!("auxiliaryWeights{layer}")];
                    values.iter_mut().zip(direction).for_each(|(value, d)| *value += step * d);
                }
            }
            moved.value("actionValue.0", &[&observation, &action])
        };
        let difference = (8.0 * (at(1e-4) - at(-1e-4)) - (at(2e-4) - at(-2e-4))) / 12e-4;
        let got = model.directional_value("actionValue.0", "auxiliaryWeights", &[&observation, &action]);
        // a cubic polynomial: exact but for 1e-16 / 1e-4
        assert!((got - difference).abs() < 1e-10, "{got} for {difference}");
    }
}

/// Steps of either order: `corrected` has ζ fast, `printed` exchanges the two sequences (A19).
fn sequences() -> [ProjectedSteps; 2] {
    let corrected = Case::random(0, tiny(), 1, 1.0).config().projected;
    let printed = ProjectedSteps {
        value_step: corrected.auxiliary_step,
        value_decay: corrected.auxiliary_decay,
        auxiliary_step: corrected.value_step,
        auxiliary_decay: corrected.value_decay,
        ..corrected
    };
    [corrected, printed]
}

#[test]
fn w_and_zeta_take_plain_steps_of_their_own_sequences_with_ball_and_leak() {
    let mut case = Case::of(PROJECTED, 2, tiny(), 5, 1.0);
    let start = norm(&flat(&case.parameters, W));
    let mut largest = 0.0_f64;
    for steps in sequences() {
        // a ball far outside, and one that w starts outside of
        for radius in [100.0, 0.9 * start] {
            let mut stream = Stream::new(2, Purpose::PolicyNoise, 0);
            let steps = ProjectedSteps { radius, ..steps };
            let config = LearnerConfig { projected: steps, ..case.config() };
            let mut learner = learner_with(&case, config, Kind::Double);
            let (mut w, mut zeta) = (flat(&case.parameters, W), flat(&case.parameters, ZETA));
            for k in 0..6 {
                case.redraw(&mut stream, 5);
                let step = learner.gradients(&case.batch(), &case.noise, case.temperature()).unwrap();
                learner.step(Step::M, &case.batch(), &case.noise, case.temperature()).unwrap();
                let age = 1.0 + f64::from(k) / steps.scale;
                let value_step = steps.value_step / age.powf(steps.value_decay);
                let auxiliary_step = steps.auxiliary_step / age.powf(steps.auxiliary_decay);
                w.iter_mut().zip(flat(&step.gradients, W)).for_each(|(w, g)| *w -= value_step * g);
                let shrink = (radius / norm(&w)).min(1.0);
                w.iter_mut().for_each(|w| *w *= shrink);
                for (zeta, g) in zeta.iter_mut().zip(flat(&step.gradients, ZETA)) {
                    *zeta = (1.0 - steps.leak) * *zeta - auxiliary_step * g;
                }
                let after = learner.parameters().unwrap();
                for (prefix, expected) in [(W, &w), (ZETA, &zeta)] {
                    let got = flat(&after, prefix);
                    let error: Vec<f64> = got.iter().zip(expected).map(|(got, e)| got - e).collect();
                    // both cross as f32
                    let error = norm(&error) / norm(expected);
                    assert!(error < 1e-7, "{prefix} after {k} steps of {steps:?}: {error:e}");
                    largest = largest.max(error);
                }
                let size = norm(&flat(&after, W));
                assert!(size < radius * (1.0 + 1e-6), "{size} outside {radius}");
                // the first step starts outside the small ball and ends on it
                assert!(k > 0 || radius == 100.0 || (size / radius - 1.0).abs() < 1e-6);
            }
        }
    }
    println!("largest {largest:.1e}");
}

#[test]
fn zero_auxiliary_weights_move_first() {
    // ζ = 0: j = 0 and ∇_w j = 0, both linear in ζ, so L and ∂L/∂w are 0 to the bit
    let mut case = Case::of(PROJECTED, 3, tiny(), 5, 1.0);
    for parameter in case.parameters.iter_mut().filter(|p| p.spec.name.starts_with(ZETA)) {
        parameter.data.fill(0.0);
    }
    let step = gradients_of(&case, Kind::Double);
    assert_eq!(norm(&flat(&step.gradients, W)), 0.0);
    assert!(norm(&flat(&step.gradients, ZETA)) > 0.0);
    assert_eq!((step.losses.action_value, step.losses.auxiliary_weights), (0.0, Some(0.0)));
}

#[test]
fn at_the_best_zeta_the_loss_is_the_projected_residual_error() {
    // max over ζ of mean[β j − ½ j²] = ½ mean (P β)²; with more parameters than rows b spans them: P β = β
    let case = smooth_case(PROJECTED, 4, &tiny(), 4, 1.0, 2e-3);
    let steps = ProjectedSteps {
        value_step: 0.0,
        auxiliary_step: 0.3,
        auxiliary_decay: 0.0,
        leak: 0.0,
        ..case.config().projected
    };
    let config = LearnerConfig { projected: steps, ..case.config() };
    let mut learner = learner_with(&case, config, Kind::Double);
    for _ in 0..20_000 {
        learner.step(Step::M, &case.batch(), &case.noise, case.temperature()).unwrap();
    }
    let losses = learner.gradients(&case.batch(), &case.noise, case.temperature()).unwrap().losses;
    let mut of_noise = case.clone();
    of_noise.next_noise = case.noise.chunks(4).flat_map(|row| row[2..].to_vec()).collect();
    let error =
        Oracle::new(&of_noise, &case.parameters).residual_error(virel_engine::learner::Bootstrap::Online);
    let got = f64::from(losses.action_value);
    println!("L {got}, half the residual error {}", 0.5 * error);
    assert!((got / (0.5 * error) - 1.0).abs() < 1e-5, "{got} for {}", 0.5 * error);
}

#[test]
fn several_action_values_are_refused() {
    let case =
        Case::of(super::support::recipes::Variant { action_values: 2, ..PROJECTED }, 5, tiny(), 5, 1.0);
    let error = virel_engine::learner::tensor::TensorLearner::new(
        case.config(),
        &case.parameters,
        tch::Device::Cpu,
        Kind::Float,
    );
    assert_eq!(error.map(|_| ()).unwrap_err().code(), "RECIPE_UNSUPPORTED");
}
