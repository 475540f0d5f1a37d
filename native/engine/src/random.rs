//! Named counter-based random streams: the only place where randomness is drawn.
//!
//! A stream is a ChaCha8 key stream; its key is (seed, purpose), its stream number the instance (which
//! environment, which evaluation). What it yields depends on these and on its position alone, so no use of one
//! stream can move another, and a position is all that a resume needs.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// What a stream is drawn for; each purpose has numbers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial parameters.
    Initialise = 1,
    /// Reset noise of a training environment, or of one made by hand.
    Reset = 2,
    /// Noise of the behaviour policy.
    Action = 3,
    /// Rows of the replay buffer for a gradient step.
    ReplayIndex = 4,
    /// Noise of the reparametrised action in a gradient step.
    PolicyNoise = 5,
    /// Rows of the replay buffer that metrics are measured on.
    Diagnostics = 6,
    /// Reset noise of evaluation environments.
    Evaluation = 7,
    /// Rows of the replay buffer that a residual temperature is measured on.
    ResidualIndex = 8,
    /// Noise of the actions that the residual error samples.
    ResidualNoise = 9,
    /// Noise of the actions of an evaluation that draws them.
    EvaluationNoise = 10,
}

/// One stream of random numbers.
#[derive(Debug, Clone)]
pub struct Stream {
    generator: ChaCha8Rng,
}

impl Stream {
    /// The stream of `seed` and `purpose` for the given `instance`, at its start.
    pub fn new(seed: u64, purpose: Purpose, instance: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(instance);
        Self { generator }
    }

    /// Where the stream stands, in 32-bit words from its start.
    pub fn position(&self) -> u128 {
        self.generator.get_word_pos()
    }

    /// Continues from a [`Self::position`].
    pub fn seek(&mut self, position: u128) {
        self.generator.set_word_pos(position);
    }

    /// Uniform on [0, 1), 53 bits; two words.
    pub fn uniform(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform on [low, high); two words.
    pub fn uniform_in(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Standard normal by Box and Muller; four words, so that positions stay predictable.
    pub fn normal(&mut self) -> f64 {
        // 1 - u lies in (0, 1]: its logarithm is finite
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Fills `values` with standard normals, two from each pair of words.
    pub fn fill_normal(&mut self, values: &mut [f32]) {
        // (k + 1/2) / 2^32 lies inside (0, 1); its root stays below 6.7 standard deviations
        const UNIT: f64 = 1.0 / (1_u64 << 32) as f64;
        for pair in values.chunks_mut(2) {
            let words = self.generator.next_u64();
            let radius = (((words as u32) as f64 + 0.5) * UNIT).ln() * -2.0;
            let angle = std::f64::consts::TAU * (((words >> 32) as f64 + 0.5) * UNIT);
            let (sine, cosine) = (angle as f32).sin_cos();
            let radius = radius.sqrt() as f32;
            pair[0] = radius * cosine;
            if let Some(second) = pair.get_mut(1) {
                *second = radius * sine;
            }
        }
    }

    /// Uniform index below `len` (> 0); two words. The bias is below `len` / 2^64.
    pub fn index(&mut self, len: usize) -> usize {
        ((u128::from(self.generator.next_u64()) * len as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::{Purpose, Stream};

    #[test]
    fn streams_of_different_seed_purpose_or_instance_differ() {
        let first = |mut s: Stream| s.uniform();
        let base = first(Stream::new(0, Purpose::Reset, 0));
        assert_ne!(base, first(Stream::new(1, Purpose::Reset, 0)));
        assert_ne!(base, first(Stream::new(0, Purpose::Action, 0)));
        assert_ne!(base, first(Stream::new(0, Purpose::Reset, 1)));
        assert_eq!(base, first(Stream::new(0, Purpose::Reset, 0)));
    }

    #[test]
    fn a_stream_continues_from_its_position() {
        let mut stream = Stream::new(3, Purpose::PolicyNoise, 0);
        let mut skipped = [0.0; 7];
        stream.fill_normal(&mut skipped);
        let position = stream.position();
        let expected = (stream.normal(), stream.index(1000));
        let mut resumed = Stream::new(3, Purpose::PolicyNoise, 0);
        resumed.seek(position);
        assert_eq!((resumed.normal(), resumed.index(1000)), expected);
    }

    #[test]
    fn normals_have_the_moments_of_a_standard_normal() {
        let mut stream = Stream::new(5, Purpose::Action, 0);
        let mut values = vec![0.0; 200_000];
        stream.fill_normal(&mut values);
        let moment =
            |power: i32| values.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / values.len() as f64;
        // standard errors at n = 200,000: 0.0022, 0.0032, 0.0087, 0.022; five of them
        for (power, expected, error) in
            [(1, 0.0, 0.0022), (2, 1.0, 0.0032), (3, 0.0, 0.0087), (4, 3.0, 0.022)]
        {
            assert!((moment(power) - expected).abs() < 5.0 * error, "moment {power}: {}", moment(power));
        }
    }

    #[test]
    fn indices_cover_their_range_evenly() {
        let mut stream = Stream::new(5, Purpose::ReplayIndex, 0);
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            counts[stream.index(10)] += 1;
        }
        // binomial with n = 100,000, p = 0.1: standard deviation 95; five of them
        assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 475), "{counts:?}");
    }
}
