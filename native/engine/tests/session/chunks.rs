//! One plan of many iterations and many plans of one leave the same session, bit for bit.

use virel_engine::environments::mujoco::choices::Choices;
use virel_engine::learner::Step;
use virel_engine::networks::layout::{Parameter, Sizes};
use virel_engine::recipe::MStepKind;
use virel_engine::session::record::Episode;
use virel_engine::session::temperature::TemperatureSource;
use virel_engine::session::{Engine, Phase, ResidualConfig, Session, SessionConfig, World};

use super::support::recipes::{MPO_GIVEN, VARIANTS, VIREL, Variant};
use super::{JOINT, advance, parameters, support};

const ITERATIONS: u64 = 40;

/// An inverted pendulum that falls within some ten steps, on the engine that runs the recipe.
pub fn pendulum(variant: Variant) -> SessionConfig {
    let sizes =
        Sizes { observation: 4, action: 1, policy_hidden: vec![8, 5], hidden: vec![7, 6], action_values: 1 };
    let models = std::env::var_os("VIREL_MODELS")
        .expect("VIREL_MODELS must name the folder with Gymnasium's model files (half_cheetah.xml, ...)");
    let engine = match variant.recipe.m_step {
        MStepKind::Direct => Engine::Kernel,
        MStepKind::Projected => Engine::Tensor { device: "cpu".to_owned() },
    };
    SessionConfig {
        world: World::Mujoco {
            id: "InvertedPendulum-v5".to_owned(),
            model_directory: models.into(),
            choices: Choices::default(),
        },
        start_updates: 5,
        uniform_steps: 3,
        reset_every: 17,
        target_every: 3,
        engine,
        ..support::session::config(variant, sizes, 6)
    }
}

/// All that can be seen of a session after its plans.
type Seen = (Vec<Parameter>, Vec<(&'static str, f64)>, Vec<Episode>, u64);

fn run(config: &SessionConfig, phases: &[Phase], plans: &[u64]) -> Seen {
    let mut session = Session::new(config.clone()).unwrap();
    let mut episodes = Vec::new();
    for &repeat in plans {
        episodes.extend(advance(&mut session, repeat, phases).unwrap().episodes);
    }
    (parameters(&mut session), session.metrics().unwrap(), episodes, session.steps())
}

fn expect_same(config: &SessionConfig, phases: &[Phase], of: &str) {
    let whole = run(config, phases, &[ITERATIONS]);
    assert!(!whole.2.is_empty(), "no episode ended");
    assert!(whole.0.iter().all(|p| p.data.iter().all(|x| x.is_finite())));
    assert!(whole == run(config, phases, &[1; ITERATIONS as usize]), "{of}: plans of one");
    assert!(whole == run(config, phases, &[7, 0, 1, 32]), "{of}: unequal plans");
}

#[test]
fn the_cut_into_plans_changes_nothing_for_any_recipe() {
    for variant in VARIANTS.into_iter().chain([MPO_GIVEN]) {
        expect_same(&pendulum(variant), &[Phase::Collect(2), JOINT], variant.name);
    }
}

#[test]
fn the_cut_changes_nothing_for_any_schedule() {
    let residual = ResidualConfig { batch: 8, factor: 0.5, warmup_value: 2.0, every: 3 };
    let source = TemperatureSource::ResidualAuto { discount: 0.99 };
    let config = SessionConfig { temperature: source, residual, ..pendulum(VIREL) };
    let uneven = [Phase::Collect(1), Phase::Update { m_steps: 2, e_steps: 1 }];
    expect_same(&config, &uneven, "more M-steps than E-steps");
    let complete = [
        Phase::Collect(2),
        Phase::Converge { half: Step::M, tolerance: 1e-2, max_steps: 5 },
        Phase::Converge { half: Step::E, tolerance: 1e-4, max_steps: 5 },
    ];
    expect_same(&config, &complete, "complete");
}

#[test]
fn the_cut_changes_nothing_for_several_environments() {
    let config = SessionConfig { environments: 3, reset_every: 18, ..pendulum(VIREL) };
    expect_same(&config, &[Phase::Collect(2), JOINT], "three environments");
}

#[test]
fn environments_that_cannot_take_turns_are_refused() {
    let external = support::session::config(VIREL, pendulum(VIREL).learner.sizes, 6).world;
    for (config, expected) in [
        (SessionConfig { environments: 0, ..pendulum(VIREL) }, "at least 1"),
        (SessionConfig { environments: 3, ..pendulum(VIREL) }, "a divisor of collect.resetEvery"),
        (SessionConfig { environments: 2, world: external, reset_every: 0, ..pendulum(VIREL) }, "1 with"),
    ] {
        let error = Session::new(config).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "CONFIG_RANGE");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn looking_changes_nothing() {
    let (config, phases) = (pendulum(VIREL), [Phase::Collect(2), JOINT]);
    let quiet = run(&config, &phases, &[ITERATIONS]);
    let mut session = Session::new(config).unwrap();
    for _ in 0..ITERATIONS {
        advance(&mut session, 1, &phases).unwrap();
        session.metrics().unwrap();
        session.act(&[0.0; 4]).unwrap();
        let protocol = virel_engine::evaluation::Protocol::Episodes(1);
        session.evaluate(protocol, None, &Default::default()).unwrap();
    }
    assert_eq!(parameters(&mut session), quiet.0);
    assert_eq!(session.steps(), quiet.3);
}
