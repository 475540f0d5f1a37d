//! How an episode starts: noise on the model's own start, and the positions that are drawn on their own.

use super::measure::Lacking;
use super::simulator::Simulator;
use super::task::{Draw, Noise, Reset};
use crate::random::{Purpose, Stream};

/// Tries of a draw before it is taken as it is; [`check`] has made sure that they never run out.
const MOST_TRIES: usize = 100_000;
/// Tries of which [`check`] wants at least one in a thousand to be taken.
const CHECKED_TRIES: usize = 10_000;

impl Reset {
    /// Writes a start into a simulator that stands at the model's own.
    pub(super) fn write(&self, stream: &mut Stream, simulator: &mut Simulator) {
        let qpos = simulator.qpos_mut();
        self.positions.add(stream, qpos);
        for draw in &self.draws {
            for _ in 0..MOST_TRIES {
                if draw.try_once(stream, qpos) {
                    break;
                }
            }
        }
        let qvel = simulator.qvel_mut();
        self.velocities.add(stream, qvel);
        if let Some(first) = self.still_from {
            qvel[first..].fill(0.0);
        }
    }

    /// Refuses what lies outside a model with `nq` positions and `nv` velocities, and draws that hardly ever succeed.
    pub(super) fn check(&self, nq: usize, nv: usize) -> Result<(), Lacking> {
        let refuse = |name: &str, reason: String| Err(Lacking { name: name.to_owned(), reason });
        if let Some(first) = self.still_from.filter(|&first| first > nv) {
            return refuse("stillFrom", format!("velocities from {first} on asked for, the model has {nv}"));
        }
        for draw in &self.draws {
            let (first, count) = (draw.first, draw.low.len());
            if count == 0 || draw.high.len() != count {
                return refuse("low", "low and high must be lists of one length, at least 1".to_owned());
            }
            if first.checked_add(count).is_none_or(|end| end > nq) {
                let reason = format!("positions {first}..{first}+{count} drawn, the model has {nq}");
                return refuse("first", reason);
            }
            let mut scratch = vec![0.0; nq];
            let mut stream = Stream::new(0, Purpose::Reset, 0);
            let taken = (0..CHECKED_TRIES).filter(|_| draw.try_once(&mut stream, &mut scratch)).count();
            if taken < CHECKED_TRIES / 1000 {
                return refuse(
                    "beyond",
                    "hardly any point of the box lies between beyond and within".to_owned(),
                );
            }
        }
        Ok(())
    }
}

impl Draw {
    /// One draw; whether its distance from zero is an allowed one.
    fn try_once(&self, stream: &mut Stream, qpos: &mut [f64]) -> bool {
        let mut square = 0.0;
        let bounds = self.low.iter().zip(&self.high);
        for (value, (&low, &high)) in qpos[self.first..].iter_mut().zip(bounds) {
            *value = stream.uniform_in(low, high);
            square += *value * *value;
        }
        let distance = f64::sqrt(square);
        self.beyond < distance && distance < self.within
    }
}

impl Noise {
    /// Adds one draw to each value.
    fn add(self, stream: &mut Stream, values: &mut [f64]) {
        for value in values {
            *value += match self {
                Self::None => return,
                Self::Uniform(limit) => stream.uniform_in(-limit, limit),
                Self::Normal(deviation) => deviation * stream.normal(),
            };
        }
    }
}
