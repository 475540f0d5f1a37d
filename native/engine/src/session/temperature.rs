//! Where T comes from (paper.md A2, A5, A7), and the residual error that plays it.

use crate::learner::Temperature;
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

/// The residual error in use, ε.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ResidualInUse {
    /// A number.
    Number(f64),
    /// factor · measured + floor, of the learner's latest measurement: it may be on a device.
    Measured {
        /// 1, or ½.
        factor: f64,
        /// ε_k of incremental EM, or 0.
        floor: f64,
    },
}

impl ResidualInUse {
    /// ε, where the learner measured this last; None where it has not, and ε follows from that.
    pub fn at(self, measured: Option<f32>) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Measured { factor, floor } => Some(factor * f64::from(measured?) + floor),
        }
    }

    /// T = scale · ε.
    fn scaled(self, scale: f64) -> Temperature {
        match self {
            Self::Number(number) => Temperature::Given((scale * number) as f32),
            Self::Measured { factor, floor } => {
                Temperature::OfResidual { slope: scale * factor, offset: scale * floor }
            }
        }
    }
}

impl TemperatureSource {
    /// Whether ε is read.
    pub const fn reads_residual_error(&self) -> bool {
        matches!(self, Self::Residual { .. } | Self::ResidualAuto { .. })
    }

    /// T at the given residual error.
    pub fn at(&self, residual_error: ResidualInUse, replay: &ReplayBuffer) -> Temperature {
        match self {
            Self::Fixed(temperature) => Temperature::Given(*temperature),
            Self::Residual { temperature_scale } => residual_error.scaled(*temperature_scale),
            Self::ResidualAuto { discount } => {
                let reward = replay.mean_absolute_reward();
                // without rewards, or with none but zeros, there is no scale to take
                let reward = if reward > 0.0 { reward } else { 1.0 };
                residual_error.scaled((1.0 - discount) / reward)
            }
            Self::Trained => Temperature::Own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ResidualInUse, TemperatureSource};
    use crate::replay::buffer::{ReplayBuffer, Transition};

    #[test]
    fn the_automatic_factor_follows_the_rewards() {
        let mut replay = ReplayBuffer::new(1, 1, 2);
        let source = TemperatureSource::ResidualAuto { discount: 0.9 };
        let at = |replay: &ReplayBuffer| {
            let number = source.at(ResidualInUse::Number(3.0), replay).at(None).unwrap();
            let measured = ResidualInUse::Measured { factor: 0.5, floor: 1.0 };
            // 3 = ½ · 4 + 1
            let same = source.at(measured, replay).at(Some(4.0)).unwrap();
            assert_eq!(number, same);
            f64::from(number.unwrap())
        };
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
