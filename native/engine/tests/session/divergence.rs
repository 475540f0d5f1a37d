//! Numbers that leave the finite ones end a run, and the learner gets its last finite parameters back.

use virel_engine::error::{EngineError, Result};
use virel_engine::learner::Step;
use virel_engine::networks::layout::Parameter;
use virel_engine::session::{Engine, Phase, Session, SessionConfig};

use super::support::recipes::{DDPG, MPO, SAC_TWIN, VIREL};
use super::{JOINT, advance, config, parameters, recorded};

/// Whose learning rate is absurd.
#[derive(Clone, Copy, PartialEq)]
enum Absurd {
    Policy,
    ActionValue,
}

fn absurd(config: SessionConfig, whose: Absurd) -> SessionConfig {
    let mut config = config;
    match whose {
        Absurd::Policy => config.learner.optimisers.policy_learning_rate = 1e30,
        Absurd::ActionValue => config.learner.optimisers.action_value_learning_rate = 1e30,
    }
    config
}

fn is_finite(parameters: &[Parameter]) -> bool {
    parameters.iter().all(|p| p.data.iter().all(|x| x.is_finite()))
}

/// The parts of a divergence.
fn diverged<T: std::fmt::Debug>(result: Result<T>) -> (u64, u64, String, f64, u64) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), "DIVERGED");
    let message = error.to_string();
    match error {
        EngineError::Diverged { step, updates, quantity, value, kept } => {
            for part in [format!("step {step}"), format!("gradient step {updates}"), quantity.clone()] {
                assert!(message.contains(&part), "{message} without {part}");
            }
            assert!(message.ends_with(&format!("after gradient step {kept}")), "{message}");
            (step, updates, quantity, value, kept)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn an_absurd_learning_rate_diverges_and_gives_the_first_parameters_back() {
    let tensor = Engine::Tensor { device: "cpu".to_owned() };
    for variant in [VIREL, SAC_TWIN, DDPG, MPO] {
        for whose in [Absurd::Policy, Absurd::ActionValue] {
            for engine in [Engine::Kernel, tensor.clone()] {
                let config = SessionConfig { engine, ..absurd(config(variant), whose) };
                let mut session = recorded(config, 30);
                let initial = parameters(&mut session);
                let result = advance(&mut session, 50, &[JOINT]);
                let (step, updates, quantity, value, kept) = diverged(result);
                assert_eq!((step, kept), (30, 0));
                // the kernel looks after every gradient step, and the third has no finite input left; the tensor
                // engine looks at the end of the plan
                let expected = if session.config().engine == Engine::Kernel { 1..=3 } else { 50..=50 };
                assert!(expected.contains(&updates) && !value.is_finite(), "{updates} {value}");
                assert!(quantity.contains("loss") || quantity.contains("Multiplier"), "{quantity}");
                assert_eq!(parameters(&mut session), initial, "{}", variant.name);
                assert!(is_finite(&initial));
                // how far it came is told after the failure too
                let progress = session.progress();
                assert_eq!((progress.steps, progress.updates), (30, updates));
            }
        }
    }
}

#[test]
fn the_quantity_is_the_loss_that_broke() {
    let mut session = recorded(absurd(config(VIREL), Absurd::ActionValue), 30);
    // Q grows to 1e30 with the first step, its square is beyond f32
    let only_m = Phase::Update { m_steps: 1, e_steps: 0 };
    let (_, updates, quantity, _, _) = diverged(advance(&mut session, 5, &[only_m]));
    assert_eq!((updates, quantity.as_str()), (2, "the action value loss"));
}

#[test]
fn a_converging_half_diverges_alike_and_counts_its_steps() {
    let mut session = recorded(absurd(config(VIREL), Absurd::ActionValue), 30);
    let initial = parameters(&mut session);
    let half = Phase::Converge { half: Step::M, tolerance: 1e-9, max_steps: 100 };
    let (step, updates, quantity, _, kept) = diverged(advance(&mut session, 5, &[half]));
    assert_eq!((step, updates, quantity.as_str(), kept), (30, 2, "the action value loss", 0));
    assert_eq!(parameters(&mut session), initial);
}

/// Breaks Q past the session, which does not hear of it.
fn break_action_value(session: &mut Session) {
    let mut huge = parameters(session);
    huge.retain(|p| p.spec.name == "actionValue.0.value.weight");
    huge[0].data.fill(3e38);
    session.learner().set_parameters(&huge).unwrap();
}

#[test]
fn the_parameters_given_back_are_those_after_the_last_256th_gradient_step() {
    let mut session = recorded(config(VIREL), 30);
    advance(&mut session, 256, &[JOINT]).unwrap();
    let kept = parameters(&mut session);
    advance(&mut session, 44, &[JOINT]).unwrap();
    assert_ne!(parameters(&mut session), kept);
    break_action_value(&mut session);
    let (_, updates, _, _, after) = diverged(advance(&mut session, 50, &[JOINT]));
    assert_eq!((updates, after), (301, 256));
    assert_eq!(parameters(&mut session), kept);
}

#[test]
fn parameters_set_by_hand_are_given_back_not_older_ones() {
    let mut session = recorded(config(VIREL), 30);
    advance(&mut session, 10, &[JOINT]).unwrap();
    let mut given = parameters(&mut session);
    given.iter_mut().for_each(|p| p.data.iter_mut().for_each(|x| *x *= 0.5));
    session.set_parameters(&given).unwrap();
    advance(&mut session, 5, &[JOINT]).unwrap();
    break_action_value(&mut session);
    let (_, _, _, _, kept) = diverged(advance(&mut session, 50, &[JOINT]));
    assert_eq!(kept, 10);
    assert_eq!(parameters(&mut session), given);
}

#[test]
fn an_action_that_is_not_a_number_gives_the_parameters_back_too() {
    // the policy breaks with a gradient step and acts before a loss is computed of it
    let broken = || {
        let mut session = recorded(absurd(config(VIREL), Absurd::Policy), 30);
        let initial = parameters(&mut session);
        advance(&mut session, 1, &[JOINT]).unwrap();
        (session, initial)
    };
    let (mut session, initial) = broken();
    let (step, updates, quantity, _, kept) = diverged(session.propose().map(<[f64]>::to_vec));
    assert_eq!((step, updates, kept), (30, 1, 0));
    assert!(quantity.starts_with("the policy's action["), "{quantity}");
    assert_eq!(parameters(&mut session), initial);
    // and acts again
    session.propose().unwrap();
    let (mut session, initial) = broken();
    diverged(session.act(&[0.1, 0.2, 0.3]));
    assert_eq!(parameters(&mut session), initial);
}
