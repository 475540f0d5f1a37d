//! Updates per second of the kernel learner on one batch, and microseconds of an action:
//! `cargo run --release --target host-tuple -p virel-engine --example kernel_speed -- THREADS [O A BLOCKS] [own|gemm|matrixmultiply] [virel|sac-twin] [glorot]`.
//!
//! Of fresh networks by rlkit's scheme most hidden values are positive, of those by Glorot's half, of a policy that has learned for
//! a while two of five: the more are zero, the faster.

#[path = "paper/mod.rs"]
mod paper;

use std::time::Instant;

use paper::recipes::{SAC_TWIN, VIREL};
use paper::{BATCH, config};

use virel_engine::error::Result;
use virel_engine::learner::kernel::KernelLearner;
use virel_engine::learner::kernel::sgemm::Gemm;
use virel_engine::learner::{Learner, Step, Temperature};
use virel_engine::networks::initialise::{Scheme, TrainedStart, initial};
use virel_engine::random::{Purpose, Stream};
use virel_engine::replay::batch::Batch;
use virel_engine::replay::buffer::GatheredBatch;
use virel_engine::replay::rows::Rows;

/// Work of one block: short, so that the best block is one that nothing else on the machine disturbed.
const UPDATES: u32 = 10;
const ACTIONS: usize = 1_000;
/// States that one pass of the policy acts in, beside one.
const TOGETHER: usize = 8;

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let threads = numbers.next().unwrap_or(1);
    let (observation, action) = (numbers.next().unwrap_or(17), numbers.next().unwrap_or(6));
    let blocks = numbers.next().unwrap_or(300);

    let gemm = std::env::args().find_map(|word| Gemm::all().find(|gemm| gemm.name() == word));
    let algorithm =
        std::env::args().find_map(|word| [VIREL, SAC_TWIN].into_iter().find(|of| of.name == word));
    let algorithm = algorithm.unwrap_or(VIREL);
    let mut config = config(observation, action, threads, gemm.unwrap_or(Gemm::Own));
    config.sizes.action_values = algorithm.action_values;
    config.recipe = algorithm.recipe;
    let draws = config.recipe.draws(config.samples);
    let temperature = algorithm.temperature.map_or(Temperature::Own, Temperature::Given);
    let start = TrainedStart { temperature: 1.0, mean_multiplier: 1.0, covariance_multiplier: 1.0 };
    let mut stream = Stream::new(1, Purpose::Initialise, 0);
    let scheme = match std::env::args().any(|word| word == "glorot") {
        true => Scheme::Glorot,
        false => Scheme::Rlkit,
    };
    let parameters = initial(scheme, &config.recipe, &config.sizes, &start, &mut stream);
    let mut learner = KernelLearner::new(config, &parameters)?;
    let mut stream = Stream::new(1, Purpose::PolicyNoise, 0);
    let mut normal = |len: usize| {
        let mut values = vec![0.0; len];
        stream.fill_normal(&mut values);
        values
    };
    let (observations, next_observations) = (normal(BATCH * observation), normal(BATCH * observation));
    let actions: Vec<f32> = normal(BATCH * action).iter().map(|x| x.tanh()).collect();
    let (rewards, noise, discounts) = (normal(BATCH), normal(BATCH * draws * action), [0.99; BATCH]);
    let batch = Batch {
        observations: &observations,
        actions: &actions,
        rewards: &rewards,
        next_observations: &next_observations,
        discounts: &discounts,
    };

    let (rows, mut room, step) =
        (Rows::Gathered(batch), GatheredBatch::default(), (Step::Joint, Some(Step::Joint)));
    let mut update = || learner.step_on(step, (&rows, &mut room), &noise, temperature);
    let (best, median) = seconds(blocks, || (0..UPDATES).try_for_each(|_| update()))?;
    let rate = |seconds: f64| f64::from(UPDATES) / seconds;
    println!(
        "{observation}/{action}, {threads} thread(s): best {:.1}, median {:.1} updates/s",
        rate(best),
        rate(median)
    );

    for together in [1, TOGETHER] {
        let mut actions = vec![0.0; together * action];
        let (best, median) = seconds(blocks, || {
            let observations = observations.chunks_exact(together * observation).cycle();
            let mut rounds = observations.take(ACTIONS / together);
            rounds.try_for_each(|s| learner.act(s, Some(&noise[..together * action]), &mut actions))
        })?;
        let each = |seconds: f64| seconds * 1e6 / ACTIONS as f64;
        println!("{together} action(s) at once: best {:.2}, median {:.2} us each", each(best), each(median));
    }
    Ok(())
}

/// The best and the median of some blocks, after one to warm up.
fn seconds(blocks: usize, mut block: impl FnMut() -> Result<()>) -> Result<(f64, f64)> {
    block()?;
    let mut times = Vec::new();
    for _ in 0..blocks.max(1) {
        let start = Instant::now();
        block()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok((times[0], times[times.len() / 2]))
}
