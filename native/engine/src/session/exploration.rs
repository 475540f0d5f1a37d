//! Noise while collecting.

use crate::error::Result;
use crate::ledger::Ledger;
use crate::random::Stream;

/// How the behaviour policy departs from the deterministic one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Exploration {
    /// It is π_θ itself.
    Policy,
    /// An Ornstein-Uhlenbeck process (rlkit's, without a time step) is added to tanh μ, and the sum clipped to [−1, 1]:
    /// x ← x − θx + σN(0, I), x = 0 at the start of an episode.
    OrnsteinUhlenbeck {
        /// θ, pull towards 0 in a step.
        theta: f64,
        /// σ of a step.
        sigma: f64,
    },
}

/// The state of an Ornstein-Uhlenbeck process in A dimensions.
#[derive(Debug, Clone)]
pub struct OrnsteinUhlenbeck {
    theta: f64,
    sigma: f64,
    state: Vec<f64>,
}

impl OrnsteinUhlenbeck {
    /// At zero.
    pub fn new(theta: f64, sigma: f64, dimensions: usize) -> Self {
        Self { theta, sigma, state: vec![0.0; dimensions] }
    }

    /// Back to zero.
    pub fn reset(&mut self) {
        self.state.fill(0.0);
    }

    /// Where it stands.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.values("process", &mut self.state)
    }

    /// Moves on by one step and adds its state to `action`, which stays within [−1, 1].
    pub fn disturb(&mut self, stream: &mut Stream, action: &mut [f32]) {
        for (state, action) in self.state.iter_mut().zip(action) {
            *state += self.sigma * stream.normal() - self.theta * *state;
            *action = (f64::from(*action) + *state).clamp(-1.0, 1.0) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OrnsteinUhlenbeck;
    use crate::random::{Purpose, Stream};

    #[test]
    fn its_variance_is_that_of_the_stationary_process() {
        // x' = (1 − θ)x + σN: variance σ² / (1 − (1 − θ)²) = 0.3243 at rlkit's values
        let (theta, sigma) = (0.15, 0.3);
        let mut process = OrnsteinUhlenbeck::new(theta, sigma, 1);
        let mut stream = Stream::new(5, Purpose::Action, 0);
        let steps = 200_000;
        let mut squares = 0.0;
        for _ in 0..steps {
            process.disturb(&mut stream, &mut [0.0]);
            squares += process.state[0] * process.state[0];
        }
        let expected = sigma * sigma / (1.0 - (1.0 - theta) * (1.0 - theta));
        // 200,000 steps correlated over some 1/θ = 7: a relative deviation of √(2 · 7 / 2e5) = 0.8 %, four of them
        assert!((squares / f64::from(steps) / expected - 1.0).abs() < 0.035);
        process.reset();
        assert_eq!(process.state, [0.0]);
    }

    #[test]
    fn a_disturbed_action_stays_within_its_bounds() {
        let mut process = OrnsteinUhlenbeck::new(0.0, 5.0, 3);
        let mut stream = Stream::new(1, Purpose::Action, 0);
        for _ in 0..100 {
            let mut action = [0.9, 0.0, -1.0];
            process.disturb(&mut stream, &mut action);
            assert!(action.iter().all(|a| (-1.0..=1.0).contains(a)));
        }
    }
}
