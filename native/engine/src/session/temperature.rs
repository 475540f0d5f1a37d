//! Where T comes from (paper.md A2, A5, A7), and the residual error that plays it.

use crate::replay::buffer::ReplayBuffer;

/// The source of T in the policy loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TemperatureSource {
    /// A constant.
    Fixed(f32),
    /// T = factor · ε, ε the residual error (Algorithm 2).
    Residual {
        /// Table 1's (1−γ)/r_avg, a constant.
        temperature_scale: f64,
    },
    /// T = (1−γ) / mean |r| · ε, mean |r| that of the buffer's rewards.
    ResidualAuto {
        /// γ.
        discount: f64,
    },
    /// The learner trains its own.
    Trained,
}

impl TemperatureSource {
    /// Whether ε is read.
    pub const fn reads_residual_error(&self) -> bool {
        matches!(self, Self::Residual { .. } | Self::ResidualAuto { .. })
    }

    /// T at the given residual error; None where the learner trains its own.
    pub fn at(&self, residual_error: f64, replay: &ReplayBuffer) -> Option<f32> {
        match self {
            Self::Fixed(temperature) => Some(*temperature),
            Self::Residual { temperature_scale } => Some((temperature_scale * residual_error) as f32),
            Self::ResidualAuto { discount } => {
                let reward = replay.mean_absolute_reward();
                // without rewards, or with none but zeros, there is no scale to take
                let reward = if reward > 0.0 { reward } else { 1.0 };
                Some(((1.0 - discount) / reward * residual_error) as f32)
            }
            Self::Trained => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TemperatureSource;
    use crate::replay::buffer::{ReplayBuffer, Transition};

    #[test]
    fn the_automatic_factor_follows_the_rewards() {
        let mut replay = ReplayBuffer::new(1, 1, 2);
        let source = TemperatureSource::ResidualAuto { discount: 0.9 };
        let at = |replay: &ReplayBuffer| f64::from(source.at(3.0, replay).unwrap());
        assert!((at(&replay) - 0.3).abs() < 1e-7);
        // the ring forgets the first
        for reward in [100.0, -4.0, 2.0] {
            let row = [0.0];
            let transition =
                Transition { observation: &row, action: &row, reward, next_observation: &row, discount: 0.9 };
            replay.push(&transition).unwrap();
        }
        assert!((at(&replay) - 0.1).abs() < 1e-7);
    }
}
