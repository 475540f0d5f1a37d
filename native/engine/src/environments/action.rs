//! The action wrapper of the algorithms: the policy's [−1, 1] to the task's raw units.

use super::spec::Spec;

/// env_a = lo + (a + 1)/2 · (hi − lo), clipped to [lo, hi].
///
/// * `action` `[A]` in [−1, 1]; * `raw` `[A]`, filled.
pub fn to_raw_units(spec: &Spec, action: &[f32], raw: &mut [f64]) {
    let bounds = spec.action_low.iter().zip(&spec.action_high);
    for ((raw, &action), (&low, &high)) in raw.iter_mut().zip(action).zip(bounds) {
        *raw = (low + 0.5 * (f64::from(action) + 1.0) * (high - low)).clamp(low, high);
    }
}
