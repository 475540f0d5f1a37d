//! The halves of complete EM.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use virel_engine::learner::Step;
use virel_engine::session::improve::Improver;
use virel_engine::session::{Phase, SessionConfig};

use super::scripted::{Asked, Scripted, replay};
use super::support::disagreement;
use super::support::recipes::{DDPG, VIREL};
use super::{advance, config, metric, parameters, recorded};

/// One half on a learner; whether it was not stopped.
fn converge(
    improver: &mut Improver,
    learner: &mut Scripted,
    half: Step,
    limits: (f64, u64),
    stop: &AtomicBool,
) -> bool {
    improver.converge(half, limits, learner, (&replay(50), 0), stop).unwrap()
}

fn going() -> AtomicBool {
    AtomicBool::new(false)
}

/// Shares of halves that reached their tolerance, and steps of the latest.
fn recorded_of(improver: &mut Improver, learner: &mut Scripted, half: &str) -> (f64, f64) {
    let metrics = improver.metrics(learner, &replay(50)).unwrap();
    let of = |name: &str| {
        let name = format!("schedule/{half}_{name}");
        metrics.iter().find(|(found, _)| *found == name).unwrap().1
    };
    (of("reached"), of("steps"))
}

#[test]
fn an_m_half_ends_when_its_loss_stands_still() {
    let mut improver = Improver::new(&config(VIREL), Vec::new());
    // relative changes ½, 1/50, 1/490: the last is the first below 1 %
    let mut learner = Scripted { losses: [10.0, 5.0, 4.9, 4.89, 1.0].into(), ..Scripted::default() };
    assert!(converge(&mut improver, &mut learner, Step::M, (0.01, 100), &going()));
    assert_eq!(learner.steps(), [Step::M; 4]);
    // targets are frozen meanwhile, and move once
    assert_eq!(learner.targets(), [(4, Step::M)]);
    assert_eq!(improver.updates(), 4);
    // one batch, one noise, one temperature
    let steps: Vec<_> = learner.asked.iter().filter(|asked| matches!(asked, Asked::Step { .. })).collect();
    assert!(steps.iter().all(|step| *step == steps[0]));
    assert_eq!(recorded_of(&mut improver, &mut learner, "m"), (1.0, 4.0));
}

#[test]
fn an_e_half_ends_when_its_policy_stands_still() {
    let mut improver = Improver::new(&config(VIREL), Vec::new());
    // KL in two dimensions of σ = 1: (Δμ)², then e^(−2Δ) / 2 + Δ − ½ each = Δ² for a small Δ
    let heads = [(0.0, 0.0), (0.1, 0.0), (0.11, 0.0), (0.11, 0.03), (0.112, 0.03)];
    let mut learner = Scripted { heads: heads.into(), ..Scripted::default() };
    assert!(converge(&mut improver, &mut learner, Step::E, (1e-5, 100), &going()));
    // 1e-2, 1e-4, 2 · 9e-4, 4e-6 · e^−0.06
    assert_eq!(learner.steps(), [Step::E; 5]);
    assert_eq!(learner.targets(), [(5, Step::E)]);
    assert_eq!(recorded_of(&mut improver, &mut learner, "e"), (1.0, 5.0));
}

#[test]
fn a_half_ends_at_its_cap_and_says_so() {
    let mut improver = Improver::new(&config(VIREL), Vec::new());
    let losses = (0..9).map(|power| 2.0_f32.powi(power)).collect();
    let mut learner = Scripted { losses, ..Scripted::default() };
    assert!(converge(&mut improver, &mut learner, Step::M, (0.01, 3), &going()));
    assert_eq!((learner.steps().len(), learner.targets()), (3, vec![(3, Step::M)]));
    assert_eq!(recorded_of(&mut improver, &mut learner, "m"), (0.0, 3.0));
    // the second stands still at once: two steps, which are the fewest that can tell
    learner.losses = [1.0].into();
    assert!(converge(&mut improver, &mut learner, Step::M, (0.01, 3), &going()));
    assert_eq!(recorded_of(&mut improver, &mut learner, "m"), (0.5, 2.0));
}

#[test]
fn a_half_counts_as_one_step_of_its_targets() {
    let mut improver = Improver::new(&SessionConfig { target_every: 2, ..config(VIREL) }, Vec::new());
    let mut learner = Scripted { losses: [1.0].into(), ..Scripted::default() };
    for _ in 0..4 {
        converge(&mut improver, &mut learner, Step::M, (0.01, 5), &going());
    }
    assert_eq!(learner.targets(), [(4, Step::M), (8, Step::M)]);
}

#[test]
fn a_stop_ends_a_half_between_two_steps_and_the_next_call_goes_on_with_it() {
    let stop = Arc::new(going());
    let mut improver = Improver::new(&config(VIREL), Vec::new());
    let losses = (0..9).map(|power| 2.0_f32.powi(power)).collect();
    let stops = Some((3, Arc::clone(&stop)));
    let mut learner = Scripted { losses, stops, ..Scripted::default() };
    assert!(!converge(&mut improver, &mut learner, Step::M, (0.01, 5), &stop));
    assert_eq!((learner.steps().len(), learner.targets().len()), (3, 0));

    learner.stops = None;
    assert!(converge(&mut improver, &mut learner, Step::M, (0.01, 5), &going()));
    assert_eq!((learner.steps().len(), learner.targets()), (5, vec![(5, Step::M)]));
    assert_eq!(recorded_of(&mut improver, &mut learner, "m"), (0.0, 5.0));
    // one batch and one noise, before and after
    let steps: Vec<_> = learner.asked.iter().filter(|asked| matches!(asked, Asked::Step { .. })).collect();
    assert!(steps.iter().all(|step| *step == steps[0]));
}

#[test]
fn a_stopped_session_begins_no_half() {
    let mut session = recorded(config(VIREL), 30);
    let before = parameters(&mut session);
    let half = Phase::Converge { half: Step::M, tolerance: 1e-3, max_steps: 10 };
    let plan = virel_engine::session::Plan { repeat: 2, phases: vec![half], residual_floor: 0.0 };
    let progress = session.advance(&plan, &AtomicBool::new(true)).unwrap();
    assert_eq!((progress.iterations, progress.updates), (0, 0));
    assert_eq!(parameters(&mut session), before);
    assert_eq!(metric(&mut session, "schedule/m_steps"), None);
}

#[test]
fn networks_that_a_half_does_not_train_stay_and_its_targets_move_once() {
    let of_v = ("target.stateValue.", "stateValue.");
    let of_policy = ("target.policy.", "policy.");
    for (variant, half, (target, online)) in [(VIREL, Step::M, of_v), (DDPG, Step::E, of_policy)] {
        let mut session = recorded(config(variant), 30);
        advance(&mut session, 20, &[super::JOINT]).unwrap();
        let before = parameters(&mut session);
        let phase = Phase::Converge { half, tolerance: 1e-30, max_steps: 7 };
        let progress = advance(&mut session, 1, &[phase]).unwrap();
        assert_eq!(progress.updates, 27);
        let after = parameters(&mut session);
        let of = |parameters: &[virel_engine::networks::layout::Parameter], prefix: &str| -> Vec<f32> {
            super::support::network(parameters, prefix).iter().flat_map(|p| p.data.clone()).collect()
        };
        let kept = if half == Step::M { "policy." } else { "actionValue." };
        assert_eq!(of(&after, kept), of(&before, kept));
        assert_ne!(of(&after, online), of(&before, online));
        let rate = session.config().learner.optimisers.target_update_rate;
        let pairs = of(&after, online).into_iter().zip(of(&before, target));
        let expected: Vec<f64> =
            pairs.map(|(online, old)| f64::from(old) + rate * f64::from(online - old)).collect();
        // roundings of f32
        assert!(disagreement(&of(&after, target), &expected) < 1e-6);
    }
}
