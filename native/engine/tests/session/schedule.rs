//! When targets move, and when a residual temperature is measured.

use virel_engine::learner::Step;
use virel_engine::replay::buffer::ReplayBuffer;
use virel_engine::session::improve::Improver;
use virel_engine::session::temperature::TemperatureSource;
use virel_engine::session::{ResidualConfig, SessionConfig};

use super::scripted::{Asked, Scripted, push, replay};
use super::support::recipes::{MPO, SAC_TWIN, VIREL};
use super::{ROWS, config, recorded};

const RESIDUAL: TemperatureSource = TemperatureSource::Residual { temperature_scale: 2.0 };

fn residual(batch: usize, factor: f64, every: u64) -> SessionConfig {
    let residual = ResidualConfig { batch, factor, warmup_value: 3.0, every };
    SessionConfig { temperature: RESIDUAL, residual, ..config(VIREL) }
}

fn joint(improver: &mut Improver, learner: &mut Scripted, replay: &ReplayBuffer, steps: usize) {
    for _ in 0..steps {
        improver.step(Step::Joint, learner, replay, 0).unwrap();
    }
}

#[test]
fn the_warm_up_value_holds_until_the_buffer_has_more_rows_than_a_measurement() {
    let mut improver = Improver::new(&residual(4, 0.5, 1), Vec::new());
    let mut learner = Scripted { residual_errors: [8.0, 6.0].into(), ..Scripted::default() };
    let mut replay = replay(3);
    joint(&mut improver, &mut learner, &replay, 1);
    push(&mut replay, 4.0);
    joint(&mut improver, &mut learner, &replay, 1);
    assert_eq!(improver.residual_error(learner.measured), Some(3.0));
    push(&mut replay, 5.0);
    joint(&mut improver, &mut learner, &replay, 2);
    // T = 2 · ½ · ε
    assert_eq!(learner.temperatures(), [6.0, 6.0, 8.0, 6.0].map(Some));
    assert_eq!(learner.measured_after(), [2, 3]);
    assert_eq!(improver.residual_error(learner.measured), Some(3.0));
}

#[test]
fn a_measurement_holds_for_its_gradient_steps() {
    let mut improver = Improver::new(&residual(4, 1.0, 3), Vec::new());
    let mut learner = Scripted { residual_errors: [1.0, 2.0, 4.0].into(), ..Scripted::default() };
    joint(&mut improver, &mut learner, &replay(9), 7);
    assert_eq!(learner.temperatures(), [2.0, 2.0, 2.0, 4.0, 4.0, 4.0, 8.0].map(Some));
    assert_eq!(learner.measured_after(), [0, 3, 6]);
}

#[test]
fn a_measurement_comes_once_a_period_whatever_a_converging_half_skips() {
    let mut improver = Improver::new(&residual(4, 1.0, 5), Vec::new());
    let mut learner = Scripted { losses: [1.0, 2.0].into(), ..Scripted::default() };
    let (replay, stop) = (replay(9), std::sync::atomic::AtomicBool::new(false));
    for _ in 0..5 {
        // the loss stays at its last from the second step on: three steps a half at the cap, then two
        improver.converge(Step::M, (0.0, 3), &mut learner, (&replay, 0), &stop).unwrap();
    }
    // halves begin after 0, 3, 6, 9, 12 steps: periods 0, 0, 1, 1, 2
    assert_eq!(learner.measured_after(), [0, 6, 12]);
}

#[test]
fn a_measurement_takes_the_draws_of_the_recipes_target_and_the_temperature_in_use() {
    for (variant, draws) in [(VIREL, 0), (SAC_TWIN, 1), (MPO, 3)] {
        let residual = ResidualConfig { batch: 4, factor: 1.0, warmup_value: 3.0, every: 1 };
        let config = SessionConfig { temperature: RESIDUAL, residual, ..config(variant) };
        let mut improver = Improver::new(&config, Vec::new());
        let mut learner = Scripted { residual_errors: [1.0, 2.0].into(), ..Scripted::default() };
        joint(&mut improver, &mut learner, &replay(9), 2);
        let asked = |temperature| Asked::Residual { rows: 4, noise: 4 * draws * 2, temperature };
        assert_eq!((&learner.asked[0], &learner.asked[3]), (&asked(Some(6.0)), &asked(Some(2.0))));
    }
}

#[test]
fn a_source_that_reads_no_residual_error_measures_none() {
    for (source, temperature) in
        [(TemperatureSource::Fixed(0.3), Some(0.3)), (TemperatureSource::Trained, None)]
    {
        let mut improver =
            Improver::new(&SessionConfig { temperature: source, ..residual(4, 1.0, 1) }, Vec::new());
        improver.set_residual_floor(9.0);
        let mut learner = Scripted::default();
        joint(&mut improver, &mut learner, &replay(9), 2);
        assert_eq!(learner.temperatures(), [temperature; 2]);
        assert!(learner.measured_after().is_empty());
        assert_eq!(improver.residual_error(learner.measured), None);
    }
}

#[test]
fn the_floor_of_incremental_em_is_added_to_the_residual_error_in_use() {
    let mut improver = Improver::new(&residual(4, 1.0, 1), Vec::new());
    let mut learner = Scripted { residual_errors: [1.0, 1.0, 1.0].into(), ..Scripted::default() };
    for floor in [4.0, 0.5, 0.0] {
        improver.set_residual_floor(floor);
        joint(&mut improver, &mut learner, &replay(9), 1);
        assert_eq!(improver.residual_error(learner.measured), Some(1.0 + floor));
    }
    assert_eq!(learner.temperatures(), [10.0, 3.0, 2.0].map(Some));
}

#[test]
fn a_floor_is_part_of_its_plan() {
    let mut session = recorded(residual(4, 1.0, 1), 3);
    let mut in_use = |residual_floor| {
        let plan = virel_engine::session::Plan { repeat: 0, phases: Vec::new(), residual_floor };
        session.advance(&plan, &Default::default()).unwrap();
        session.temperature_value().unwrap()
    };
    assert_eq!([4.0, 0.0].map(&mut in_use), [14.0, 6.0]);
}

#[test]
fn targets_follow_every_so_many_steps_of_their_half() {
    use Step::{E, Joint, M};
    let mut improver = Improver::new(&SessionConfig { target_every: 3, ..config(VIREL) }, Vec::new());
    let mut learner = Scripted::default();
    let steps = [M, M, E, Joint, E, M, M, Joint, Joint, E, E, Joint];
    for step in steps {
        improver.step(step, &mut learner, &replay(9), 0).unwrap();
    }
    assert_eq!(learner.steps(), steps);
    // M-steps: 1, 2, 4, 6, 7, 8, 9, 12 in the list; E-steps: 3, 4, 5, 8, 9, 10, 11, 12
    assert_eq!(learner.targets(), [(4, M), (5, E), (8, M), (10, E)]);
    // both at once are one call
    let mut learner = Scripted::default();
    let mut improver = Improver::new(&SessionConfig { target_every: 3, ..config(VIREL) }, Vec::new());
    joint(&mut improver, &mut learner, &replay(9), 7);
    assert_eq!(learner.targets(), [(3, Joint), (6, Joint)]);
}

#[test]
fn each_step_draws_rows_and_noise_of_its_own() {
    let mut improver = Improver::new(&config(VIREL), Vec::new());
    let mut learner = Scripted::default();
    joint(&mut improver, &mut learner, &replay(900), 3);
    let drawn = |index: usize| match &learner.asked[2 * index] {
        Asked::Step { rewards, noise, .. } => (rewards.clone(), noise.clone()),
        other => panic!("{other:?}"),
    };
    for index in 0..3 {
        let (rewards, noise) = drawn(index);
        assert_eq!((rewards.len(), noise.len()), (ROWS, 2 * ROWS));
        let (other_rewards, other_noise) = drawn((index + 1) % 3);
        assert!(rewards != other_rewards && noise != other_noise);
    }
}
