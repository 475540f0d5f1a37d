//! Q bias: what the critic promises less what came of it.

use virel_engine::evaluation::{Protocol, Trace};
use virel_engine::session::bias::action_value_bias;
use virel_engine::session::{Session, SessionConfig};

use super::chunks::pendulum;
use super::metric;
use super::scripted::Scripted;
use super::support::recipes::{DDPG, VIREL};

#[test]
fn it_is_the_mean_over_the_states_whose_return_is_known() {
    // two episodes: one ended by the task, one cut after four steps; then one that has not ended
    let trace = Trace {
        observations: (0..16).map(|i| i as f32).collect(),
        actions: vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
        rewards: vec![1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 5.0, 5.0],
        ends: vec![(2, true), (6, false)],
    };
    // γ = 0.2: 0.0016 and 0.008 of the returns of the first two steps of the cut episode are missing, 0.04 of the third's
    let got = action_value_bias(&mut Scripted::default(), &trace, 0.2, 10.0).unwrap().unwrap();
    // Q(s, a) = s_0 + 10 a at rows 0 to 3, of observations 0, 2, 4, 6
    let values = [0.0 + 1.0, 2.0 + 2.0, 4.0 + 3.0, 6.0 + 4.0];
    let returns = [10.0 + 0.2 * 20.0, 20.0, 10.0 * 1.248, 10.0 * 1.24];
    let expected = values.iter().zip(returns).map(|(q, g): (&f64, f64)| q - g).sum::<f64>() / 4.0;
    // 0.1 in f32 is off by 1e-8, times 10
    assert!((got - expected).abs() < 1e-6, "{got} {expected}");
}

#[test]
fn without_a_state_to_judge_there_is_none() {
    let trace = Trace {
        observations: vec![0.0; 6],
        actions: vec![0.0; 3],
        rewards: vec![1.0; 3],
        ends: vec![(3, false)],
    };
    for trace in [trace, Trace::default()] {
        assert_eq!(action_value_bias(&mut Scripted::default(), &trace, 0.99, 1.0).unwrap(), None);
    }
}

#[test]
fn a_critic_of_zeros_is_biased_by_the_mean_return() {
    for variant in [VIREL, DDPG] {
        let config = SessionConfig { reward_scale: 3.0, ..pendulum(variant) };
        let discount = f64::from(config.learner.discount);
        let mut session = Session::new(config).unwrap();
        assert_eq!(metric(&mut session, "q/bias"), None);
        let mut zeros = session.learner().parameters().unwrap();
        zeros.retain(|p| p.spec.name.starts_with("actionValue.0.value"));
        zeros.iter_mut().for_each(|p| p.data.fill(0.0));
        session.set_parameters(&zeros).unwrap();
        let evaluation = session.evaluate(Protocol::Episodes(3), Some(5), &Default::default()).unwrap();
        // a reward of 1 for every step but the one that falls (Gymnasium's v5)
        let mut returns = Vec::new();
        for (&length, &total) in evaluation.lengths.iter().zip(&evaluation.returns) {
            assert!(length < 1000 && total == length as f64 - 1.0, "{length} {total}");
            returns
                .extend((0..length).map(|left| 3.0 * (1.0 - discount.powi(left as i32)) / (1.0 - discount)));
        }
        let expected = -returns.iter().sum::<f64>() / returns.len() as f64;
        let got = metric(&mut session, "q/bias").unwrap();
        assert!((got / expected - 1.0).abs() < 1e-9, "{got} {expected}");
    }
}
