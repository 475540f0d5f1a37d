//! Temperatures that a learner trains: a tuned one by its logarithm, a dual one and its multipliers by numbers x with
//!   T, m = softplus(x) + 1e-8,  ∂T/∂x = 1/(1 + e⁻ˣ)
//! as published code has it: a step of x is a step of a large m, and an m whose KL stays above its bound grows by Adam's
//! rate a step, where its logarithm would grow without end.
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

/// ∂J_T/∂T of a dual temperature: what is left of the bound.
pub const fn dual_gradient(bound: f64, partition: &Partition) -> f64 {
    bound - partition.divergence
}

/// ∂J_m/∂m of one multiplier; J_m is m times it.
pub const fn multiplier_gradient(bound: f64, divergence: f64) -> f64 {
    bound - divergence
}

/// Least dual variable, that of published code: T divides.
pub const LEAST_DUAL: f64 = 1e-8;

/// T or m of the number x that is trained for it.
pub fn dual_value(trained: f64) -> f64 {
    trained.max(0.0) + (-trained.abs()).exp().ln_1p() + LEAST_DUAL
}

/// Its derivative by x.
pub fn dual_slope(trained: f64) -> f64 {
    1.0 / (1.0 + (-trained).exp())
}

/// The x at which softplus(x) is `value`, > 0: log(e^value − 1), whose exponential would overflow at 1000.
pub fn dual_start(value: f64) -> f64 {
    value + (-(-value).exp_m1()).ln()
}

#[cfg(test)]
mod tests {
    use super::{
        LEAST_DUAL, dual_gradient, dual_loss, dual_slope, dual_start, dual_value, multiplier_gradient,
        tuned_gradient, tuned_loss,
    };
    use crate::math::adam::AdamStep;
    use crate::math::boltzmann::weights;

    /// Central difference; truncation h² = 1e-10, rounding 1e-16 / h = 1e-11.
    fn slope(at: f64, function: impl Fn(f64) -> f64) -> f64 {
        const STEP: f64 = 1e-5;
        (function(at + STEP) - function(at - STEP)) / (2.0 * STEP)
    }

    #[test]
    fn gradients_are_those_of_the_losses() {
        let difference = slope(0.3_f64.ln(), |log| tuned_loss(log.exp(), 1.7, -3.0));
        assert!((difference - tuned_gradient(1.7, -3.0)).abs() < 1e-9);

        let values = [0.4, 1.9, -0.3, 2.2, 0.8, 0.1_f64];
        let partition = |t: f64| weights(2, t, &values, &mut [0.0; 6]).unwrap();
        let difference = slope(0.7, |t| dual_loss(t, 0.1, &partition(t)));
        assert!((difference - dual_gradient(0.1, &partition(0.7))).abs() < 1e-9);
    }

    #[test]
    fn dual_variables_are_softplus_of_what_is_trained() {
        for x in [-30.0, -2.0, -1e-3, 0.0, 0.4, 3.0, 25.0] {
            let expected = if x < 0.0 { f64::exp(x).ln_1p() } else { x + f64::exp(-x).ln_1p() };
            assert!((dual_value(x) - LEAST_DUAL - expected).abs() < 1e-15 + 1e-15 * expected, "{x}");
            assert!((slope(x, dual_value) - dual_slope(x)).abs() < 1e-9, "{x}");
        }
        for x in [-1e30, -800.0, 800.0, 1e30_f64] {
            let limit = x.max(0.0) + LEAST_DUAL;
            assert_eq!((dual_value(x), dual_slope(x)), (limit, f64::from(u8::from(x > 0.0))), "{x}");
        }
        for start in [1e-12, 1e-3, 0.5, 1.0, 10.0, 1000.0] {
            let value = dual_value(dual_start(start)) - LEAST_DUAL;
            // the difference from 1e-8 keeps 1e-24
            assert!((value - start).abs() < 1e-14 * start + 1e-23, "{start} {value}");
        }
    }

    #[test]
    fn a_multiplier_whose_divergence_stays_above_its_bound_grows_by_its_rate_a_step() {
        // as of HalfCheetah's covariance, 500 times its bound
        let (bound, divergence, rate, steps) = (1e-6, 5e-4, 1e-2, 20_000_u32);
        let (mut trained, mut first, mut second) = ([dual_start(1000.0) as f32], [0.0], [0.0]);
        let start = dual_value(f64::from(trained[0]));
        for step in 1..=steps {
            let slope = dual_slope(f64::from(trained[0]));
            let gradient = [(slope * multiplier_gradient(bound, divergence)) as f32];
            AdamStep::new(rate, u64::from(step))
                .apply(&mut trained, &gradient, &mut first, &mut second)
                .unwrap();
        }
        let grown = dual_value(f64::from(trained[0])) - start;
        let most = rate * f64::from(steps);
        // a step of 0.01 at 1000 is rounded to 6e-5
        assert!(grown > 0.99 * most && grown < 1.01 * most, "{grown} of {most}");
    }
}
