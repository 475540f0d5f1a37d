//! An environment of the caller's.

use virel_engine::environments::environment::Outcome;
use virel_engine::evaluation::Protocol;
use virel_engine::session::{Phase, Session};

use super::support::recipes::{DDPG, VIREL};
use super::{JOINT, advance, config, parameters, recorded};

#[test]
fn a_session_learns_from_what_the_caller_records() {
    for variant in [VIREL, DDPG] {
        let run = || {
            let mut session = recorded(config(variant), 40);
            let progress = advance(&mut session, 10, &[JOINT]).unwrap();
            assert_eq!((progress.steps, progress.updates), (40, 10));
            let next = session.propose().unwrap().to_vec();
            (parameters(&mut session), next, session.act(&[0.1, -0.2, 0.3]).unwrap())
        };
        // the same records make the same session
        assert_eq!(run(), run());
    }
}

#[test]
fn it_neither_collects_nor_evaluates_by_itself() {
    let mut session = recorded(config(VIREL), 10);
    let next = session.propose().unwrap().to_vec();
    let mut other = recorded(config(VIREL), 10);
    let error = advance(&mut other, 1, &[Phase::Collect(1)]).unwrap_err();
    assert_eq!(error.code(), "ENV_EXTERNAL");
    let error = other.evaluate(Protocol::Episodes(1), None, &Default::default()).unwrap_err();
    assert_eq!(error.code(), "ENV_EXTERNAL");
    assert_eq!(other.steps(), 10);
    // the refused step drew nothing
    assert_eq!(other.propose().unwrap(), next);
}

#[test]
fn wrong_words_of_the_environment_are_refused_and_leave_the_session_whole() {
    let mut session = Session::new(config(VIREL)).unwrap();
    let outcome = Outcome { reward: 1.0, terminated: false, truncated: false };
    for (observation, code) in [
        (vec![0.0; 2], "LENGTH_MISMATCH"),
        (vec![], "LENGTH_MISMATCH"),
        (vec![0.0, f64::NAN, 0.0], "NOT_FINITE"),
    ] {
        assert_eq!(session.begin(&observation).unwrap_err().code(), code);
        assert_eq!(session.act(&observation).unwrap_err().code(), code);
        session.begin(&[0.0; 3]).unwrap();
        session.propose().unwrap();
        assert_eq!(session.record(outcome, &observation).unwrap_err().code(), code);
    }
    let broken = Outcome { reward: f64::NEG_INFINITY, ..outcome };
    assert_eq!(session.record(broken, &[0.0; 3]).unwrap_err().code(), "NOT_FINITE");
    // finite, but not as it would be stored
    let large = Outcome { reward: 1e39, ..outcome };
    let error = session.record(large, &[0.0; 3]).unwrap_err();
    assert_eq!(error.code(), "REWARD_NOT_FINITE");
    assert!(error.to_string().starts_with("step 1: reward 1"), "{error}");
    assert_eq!(session.steps(), 0);
    // nothing stored: nothing to learn from yet
    assert_eq!(advance(&mut session, 3, &[JOINT]).unwrap().updates, 0);
    session.record(outcome, &[0.0; 3]).unwrap();
    assert_eq!(advance(&mut session, 3, &[JOINT]).unwrap().updates, 3);
}

#[test]
fn sizes_that_are_not_the_tasks_are_refused() {
    let mut config = config(VIREL);
    config.learner.sizes.observation = 4;
    assert_eq!(Session::new(config).err().unwrap().code(), "LENGTH_MISMATCH");
}
