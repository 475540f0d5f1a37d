//! Q bias: what the critic promises at the states of an evaluation, less what came of them.

use crate::error::Result;
use crate::evaluation::Trace;
use crate::learner::Learner;

/// Share of a return that rewards beyond the end of a truncated episode may hold, at equal rewards.
const MISSING: f64 = 0.01;

/// mean over states of Q_0(s, a) − Σ_t γᵗ · scale · r, a the deterministic action; None where no state can be judged.
///
/// A state of an episode that the time limit cut counts only if γ to the power of the steps left is at most 1 %: the
/// return of a later one is not known. An algorithm with a soft Q counts entropy that the return does not.
///
/// # Errors
/// What the learner reports.
pub fn action_value_bias(
    learner: &mut dyn Learner,
    trace: &Trace,
    discount: f64,
    reward_scale: f64,
) -> Result<Option<f64>> {
    let returns = returns(trace, discount, reward_scale);
    let judged: Vec<(usize, f64)> =
        returns.into_iter().enumerate().filter_map(|(index, value)| Some((index, value?))).collect();
    if judged.is_empty() {
        return Ok(None);
    }
    let rows = trace.rewards.len();
    let gather = |values: &[f32]| -> Vec<f32> {
        let width = values.len() / rows;
        judged
            .iter()
            .flat_map(|(index, _)| values[index * width..(index + 1) * width].iter().copied())
            .collect()
    };
    let mut values = vec![0.0; judged.len()];
    learner.action_value(&gather(&trace.observations), &gather(&trace.actions), &mut values)?;
    let differences = values.iter().zip(&judged).map(|(&value, (_, ret))| f64::from(value) - ret);
    Ok(Some(differences.sum::<f64>() / judged.len() as f64))
}

/// Discounted, scaled return of each step; None where too much of it lies beyond a time limit.
fn returns(trace: &Trace, discount: f64, reward_scale: f64) -> Vec<Option<f64>> {
    let mut returns = vec![None; trace.rewards.len()];
    let mut start = 0;
    for &(end, terminated) in &trace.ends {
        let (mut value, mut weight) = (0.0, 1.0);
        for index in (start..end).rev() {
            value = reward_scale * trace.rewards[index] + discount * value;
            weight *= discount;
            returns[index] = (terminated || weight <= MISSING).then_some(value);
        }
        start = end;
    }
    returns
}

#[cfg(test)]
mod tests {
    use super::returns;
    use crate::evaluation::Trace;

    #[test]
    fn returns_of_a_terminated_episode_are_all_known() {
        let trace = Trace { rewards: vec![1.0, 2.0, 4.0], ends: vec![(3, true)], ..Trace::default() };
        assert_eq!(returns(&trace, 0.5, 10.0), [Some(30.0), Some(40.0), Some(40.0)]);
    }

    #[test]
    fn returns_near_a_time_limit_are_not() {
        // 20 % and 4 % of a return are beyond the limit one and two steps before it, 0.8 % three
        let trace = Trace { rewards: vec![1.0; 7], ends: vec![(2, true), (6, false)], ..Trace::default() };
        let got = returns(&trace, 0.2, 1.0);
        // the last belongs to an episode that has not ended
        let known = [true, true, true, true, false, false, false];
        assert_eq!(got.iter().map(Option::is_some).collect::<Vec<_>>(), known);
    }
}
