//! What a session does with its learner: schedules, temperatures, phases, divergence, an environment of the caller's,
//! and that the cut of the work into plans changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod bias;
mod chunks;
mod converge;
mod divergence;
mod external;
mod schedule;
mod scripted;
#[path = "../support/mod.rs"]
mod support;
mod transfers;

use std::sync::atomic::AtomicBool;

use support::recipes::Variant;
use virel_engine::environments::environment::Outcome;
use virel_engine::error::Result;
use virel_engine::networks::layout::{Parameter, Sizes};
use virel_engine::random::{Purpose, Stream};
use virel_engine::session::{Phase, Plan, Progress, Session, SessionConfig};

/// Rows of a training batch.
const ROWS: usize = 6;

fn tiny() -> Sizes {
    Sizes { observation: 3, action: 2, policy_hidden: vec![8, 5], hidden: vec![7, 6], action_values: 1 }
}

fn config(variant: Variant) -> SessionConfig {
    support::session::config(variant, tiny(), ROWS)
}

/// Runs phases so often, without a floor.
fn advance(session: &mut Session, repeat: u64, phases: &[Phase]) -> Result<Progress> {
    let plan = Plan { repeat, phases: phases.to_vec(), residual_floor: 0.0 };
    session.advance(&plan, &AtomicBool::new(false))
}

const JOINT: Phase = Phase::Update { m_steps: 1, e_steps: 1 };

/// Some steps of a random walk, every tenth an end.
fn record(session: &mut Session, steps: u64) {
    let mut stream = Stream::new(1, Purpose::Reset, 0);
    let mut state = || [(); 3].map(|()| stream.normal());
    session.begin(&state()).unwrap();
    for step in 1..=steps {
        let action = session.propose().unwrap();
        let reward = action.iter().sum();
        let outcome = Outcome { reward, terminated: step % 10 == 0, truncated: false };
        if session.record(outcome, &state()).unwrap().reset {
            session.begin(&state()).unwrap();
        }
    }
}

/// A session that recorded some steps.
fn recorded(config: SessionConfig, steps: u64) -> Session {
    let mut session = Session::new(config).unwrap();
    record(&mut session, steps);
    session
}

fn parameters(session: &mut Session) -> Vec<Parameter> {
    session.learner().parameters().unwrap()
}

fn metric(session: &mut Session, name: &str) -> Option<f64> {
    session.metrics().unwrap().into_iter().find_map(|(found, value)| (found == name).then_some(value))
}
