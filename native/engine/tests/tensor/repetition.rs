//! The same inputs give the same bits, whatever else runs.

use tch::Kind;
use virel_engine::learner::{Learner as _, LearnerConfig, Step};
use virel_engine::networks::layout::Sizes;
use virel_engine::random::{Purpose, Stream};

use super::support::Case;
use super::support::recipes::{DDPG, MPO, PROJECTED, SAC_TWIN, VIREL};
use super::{learner_with, tiny};

#[test]
fn the_same_steps_give_the_same_bits() {
    let sizes = Sizes {
        observation: 17,
        action: 6,
        policy_hidden: vec![300, 300],
        hidden: vec![300, 300],
        action_values: 1,
    };
    for variant in [VIREL, SAC_TWIN, DDPG, MPO, PROJECTED] {
        for threads in [1, 2] {
            let run = || {
                let mut case = Case::of(variant, 9, sizes.clone(), 128, 1.0);
                let mut stream = Stream::new(9, Purpose::ReplayIndex, 0);
                let config = LearnerConfig { threads, ..case.config() };
                let mut learner = learner_with(&case, config, Kind::Float);
                for _ in 0..10 {
                    case.redraw(&mut stream, 128);
                    learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature()).unwrap();
                    learner.update_targets(Step::Joint).unwrap();
                }
                (learner.parameters().unwrap(), learner.terms().unwrap(), learner.norms().unwrap())
            };
            assert_eq!(run(), run(), "{}", variant.name);
        }
    }
}

#[test]
fn two_learners_on_two_threads_do_not_disturb_each_other() {
    let run = |threads| {
        move || {
            let case = Case::random(9, tiny(), 64, 1.0);
            let config = LearnerConfig { threads, ..case.config() };
            let mut learner = learner_with(&case, config, Kind::Float);
            for _ in 0..100 {
                learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature()).unwrap();
                assert_eq!(tch::get_num_threads(), threads as i32);
            }
            learner.parameters().unwrap()
        }
    };
    let together = [std::thread::spawn(run(1)), std::thread::spawn(run(2))].map(|run| run.join().unwrap());
    assert_eq!(together, [run(1)(), run(2)()]);
}
