//! A plan's gradient steps bring nothing from the tensor engine's device; its end does, once, to see whether they
//! diverged.

use virel_engine::learner::Step;
use virel_engine::learner::tensor::transfers;
use virel_engine::recipe::TrainedTemperature;
use virel_engine::session::temperature::TemperatureSource;
use virel_engine::session::{Engine, Phase, Session, SessionConfig};

use super::support::recipes::{VARIANTS, VIREL, Variant};
use super::{JOINT, advance, config, record, recorded};

/// Every update measures the residual error and moves the targets, where the recipe has them.
fn session(variant: Variant) -> Session {
    let plain = SessionConfig { engine: Engine::Tensor { device: "cpu".to_owned() }, ..config(variant) };
    let temperature = match (variant.recipe.trained_temperature, plain.temperature) {
        (TrainedTemperature::None, TemperatureSource::Fixed(value)) if value > 0.0 => {
            TemperatureSource::ResidualAuto { discount: 0.9 }
        }
        (_, source) => source,
    };
    recorded(SessionConfig { temperature, ..plain }, 30)
}

/// Reads that some work takes.
fn reads(work: impl FnOnce()) -> u64 {
    let before = transfers().reads;
    work();
    transfers().reads - before
}

#[test]
fn a_plan_reads_once_however_many_gradient_steps_it_has() {
    let apart = Phase::Update { m_steps: 2, e_steps: 3 };
    for variant in VARIANTS {
        let mut session = session(variant);
        for (repeat, phase) in [(1, JOINT), (2, JOINT), (40, JOINT), (10, apart)] {
            let reads = reads(|| drop(advance(&mut session, repeat, &[phase]).unwrap()));
            assert_eq!(reads, 1, "{}, {repeat} iterations", variant.name);
        }
        // terms, norms, the temperature where the learner trains it (and once more as MPO's own), ε on fresh rows
        let reads = reads(|| drop(session.metrics().unwrap()));
        assert!((3..=5).contains(&reads), "{}: {reads}", variant.name);
    }
}

#[test]
fn acting_reads_the_action_and_a_converging_half_what_it_decides_by() {
    let mut session = session(VIREL);
    // the environment is on the host
    assert_eq!(reads(|| record(&mut session, 10)), 10);
    let converge = |half| Phase::Converge { half, tolerance: 0.0, max_steps: 5 };
    // losses after each step, μ and log σ too in an E-half, the plan's end
    for (half, each) in [(Step::M, 1), (Step::E, 3)] {
        let reads = reads(|| drop(advance(&mut session, 1, &[converge(half)]).unwrap()));
        assert_eq!(reads, 5 * each + 1);
    }
}
