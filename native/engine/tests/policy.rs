//! A saved policy acts as the learner that it was saved from.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::Case;
use support::recipes::{DDPG, VIREL};
use virel_engine::learner::Learner as _;
use virel_engine::learner::kernel::KernelLearner;
use virel_engine::networks::layout::Sizes;
use virel_engine::networks::policy::TrainedPolicy;
use virel_engine::random::{Purpose, Stream};
use virel_engine::recipe::PolicyKind;

#[test]
fn a_policy_on_its_own_acts_as_the_kernel_learner_to_the_bit() {
    const ROWS: usize = 50;
    // no hidden width is a whole number of cache lines, then all are; a bias makes a row one longer
    let hidden = [vec![19, 33], vec![32, 48, 16], vec![15], vec![300, 300]];
    for (variant, hidden) in [VIREL, DDPG].into_iter().flat_map(|v| hidden.clone().map(|h| (v, h))) {
        let sizes =
            Sizes { observation: 17, action: 6, policy_hidden: hidden, hidden: vec![21], action_values: 1 };
        let case = Case::of(variant, 5, sizes.clone(), 4, 1.5);
        let mut learner = KernelLearner::new(case.config(), &case.parameters).unwrap();
        let mut policy = TrainedPolicy::new(&learner.parameters().unwrap()).unwrap();
        // of the policy alone
        assert_eq!(policy.sizes(), Sizes { hidden: Vec::new(), action_values: 0, ..sizes.clone() });

        let (mut observations, mut noise) =
            (vec![0.0; ROWS * sizes.observation], vec![0.0; ROWS * sizes.action]);
        Stream::new(6, Purpose::Reset, 0).fill_normal(&mut observations);
        Stream::new(6, Purpose::EvaluationNoise, 0).fill_normal(&mut noise);
        let can_draw = variant.recipe.policy == PolicyKind::TanhGaussian;
        for is_drawn in [false, true].into_iter().filter(|&is_drawn| can_draw || !is_drawn) {
            let mut got = vec![0.0; ROWS * sizes.action];
            for (row, observation) in observations.chunks_exact(sizes.observation).enumerate() {
                let row = row * sizes.action..(row + 1) * sizes.action;
                policy.act(observation, is_drawn.then_some(&noise[row.clone()]), &mut got[row]).unwrap();
            }
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            // the learner in one environment, in some, and in more than pass its policy together
            for together in [1, 3, 8, ROWS] {
                let mut expected = vec![0.0; ROWS * sizes.action];
                for row in (0..ROWS).step_by(together) {
                    let rows = row..ROWS.min(row + together);
                    let some = |width: usize| rows.start * width..rows.end * width;
                    let noise = is_drawn.then_some(&noise[some(sizes.action)]);
                    let actions = &mut expected[some(sizes.action)];
                    learner.act(&observations[some(sizes.observation)], noise, actions).unwrap();
                }
                assert_eq!(bits(&got), bits(&expected), "{sizes:?}, {together}");
            }
            // neither is a constant
            assert!(got.iter().any(|&a| a != got[0]));
        }
    }
}
