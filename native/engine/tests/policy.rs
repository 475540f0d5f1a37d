//! A saved policy acts as the learner that it was saved from.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::Case;
use virel_engine::learner::Learner as _;
use virel_engine::learner::kernel::KernelLearner;
use virel_engine::networks::layout::Sizes;
use virel_engine::networks::policy::DeterministicPolicy;
use virel_engine::random::{Purpose, Stream};

#[test]
fn a_policy_on_its_own_acts_as_the_kernel_learner_to_the_bit() {
    const ROWS: usize = 50;
    // no hidden width is a whole number of cache lines, then all are; a bias makes a row one longer
    for hidden in [vec![19, 33], vec![32, 48, 16], vec![15], vec![300, 300]] {
        let sizes = Sizes { observation: 17, action: 6, hidden };
        let case = Case::random(5, sizes.clone(), 4, 1.5);
        let mut learner = KernelLearner::new(case.config(), &case.parameters).unwrap();
        let mut policy = DeterministicPolicy::new(&learner.parameters().unwrap()).unwrap();
        assert_eq!(policy.sizes(), sizes);

        let mut observations = vec![0.0; ROWS * sizes.observation];
        Stream::new(6, Purpose::Reset, 0).fill_normal(&mut observations);
        let (mut expected, mut got) = (vec![0.0; ROWS * sizes.action], vec![0.0; ROWS * sizes.action]);
        learner.act(&observations, None, &mut expected).unwrap();
        let rows = observations.chunks_exact(sizes.observation).zip(got.chunks_exact_mut(sizes.action));
        for (observation, action) in rows {
            policy.act(observation, action).unwrap();
        }
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&got), bits(&expected), "{sizes:?}");
        // neither is a constant
        assert!(got.iter().any(|&a| a != got[0]));
    }
}
