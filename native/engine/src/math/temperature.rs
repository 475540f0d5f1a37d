//! Temperatures that a learner trains, by their logarithms (which keeps them positive).
//!
//! Tuned (Haarnoja et al. 2018b):  J_T = −log T · (mean lp + H̄), H̄ the target entropy.
//! Dual (App. G, MPO):  J_T = T ε + T mean_s log mean_k exp(Q̄(s, a_k)/T), ε the KL bound; and for each KL constraint
//! of the fit a multiplier m with  J_m = m (bound − KL).

use super::boltzmann::Partition;

/// J_T of a tuned temperature.
pub fn tuned_loss(temperature: f64, log_density: f64, target_entropy: f64) -> f64 {
    -temperature.ln() * (log_density + target_entropy)
}

/// ∂J_T/∂ log T of a tuned temperature; it does not depend on T.
pub const fn tuned_gradient(log_density: f64, target_entropy: f64) -> f64 {
    -(log_density + target_entropy)
}

/// J_T of a dual temperature, in units of return.
pub fn dual_loss(temperature: f64, bound: f64, partition: &Partition) -> f64 {
    temperature * (bound + partition.log_mean_exp)
}

/// ∂J_T/∂ log T of a dual temperature.
pub fn dual_gradient(temperature: f64, bound: f64, partition: &Partition) -> f64 {
    dual_loss(temperature, bound, partition) - partition.weighted_value
}

/// J_m of one multiplier, which is also its derivative by log m.
pub const fn multiplier_loss(multiplier: f64, bound: f64, divergence: f64) -> f64 {
    multiplier * (bound - divergence)
}

#[cfg(test)]
mod tests {
    use super::{dual_gradient, dual_loss, tuned_gradient, tuned_loss};
    use crate::math::boltzmann::weights;

    /// Central difference by log T; truncation h² = 1e-10, rounding 1e-16 / h = 1e-11.
    fn by_log(temperature: f64, loss: impl Fn(f64) -> f64) -> f64 {
        const STEP: f64 = 1e-5;
        (loss(temperature * STEP.exp()) - loss(temperature * (-STEP).exp())) / (2.0 * STEP)
    }

    #[test]
    fn gradients_are_those_of_the_losses() {
        let difference = by_log(0.3, |t| tuned_loss(t, 1.7, -3.0));
        assert!((difference - tuned_gradient(1.7, -3.0)).abs() < 1e-9);

        let values = [0.4, 1.9, -0.3, 2.2, 0.8, 0.1_f64];
        let partition = |t: f64| weights(2, t, &values, &mut [0.0; 6]).unwrap();
        let difference = by_log(0.7, |t| dual_loss(t, 0.1, &partition(t)));
        assert!((difference - dual_gradient(0.7, 0.1, &partition(0.7))).abs() < 1e-9);
    }
}
