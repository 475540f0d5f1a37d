//! Where the time of the tensor learner goes on a device: microseconds of an update of virel until it is asked for, and until it is
//! done. Where both are the same, the host waits or is what takes the time; a device that is waited for is behind.
//! `cargo run --release --target host-tuple -p virel-engine --example device_time -- [cpu|cuda] [O A]`.

#[path = "paper/mod.rs"]
mod paper;

use std::time::Instant;

use virel_engine::device::open;
use virel_engine::error::Result;
use virel_engine::learner::kernel::sgemm::Gemm;
use virel_engine::learner::tensor::TensorLearner;
use virel_engine::learner::{Learner, LearnerConfig, Step, Temperature};
use virel_engine::networks::initialise::{Scheme, TrainedStart, initial};
use virel_engine::random::{Purpose, Stream};
use virel_engine::replay::batch::Batch;

/// Updates from one wait for the device to the next.
const UPDATES: usize = 100;
const BLOCKS: usize = 5;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let device = words.first().map_or("cuda", String::as_str);
    let mut numbers = words.iter().filter_map(|word| word.parse::<usize>().ok());
    let (observation, action) = (numbers.next().unwrap_or(17), numbers.next().unwrap_or(6));
    println!("{device}, {observation}/{action}, 300x300, us an update");
    println!("rows  one alone  asked for   done");
    for rows in [32, 128, 512, 2048, 8192] {
        let [alone, asked, done] = times(device, (observation, action), rows)?;
        println!("{rows:>4} {alone:>10.1} {asked:>10.1} {done:>6.1}");
    }
    Ok(())
}

/// Medians, in us: an update that the device is idle before and waited for after, and the mean of many in a row until
/// the last is asked for and until it is done.
fn times(device: &str, (observation, action): (usize, usize), rows: usize) -> Result<[f64; 3]> {
    let config = LearnerConfig { batch: rows, ..paper::config(observation, action, 1, Gemm::Own) };
    let start = TrainedStart { temperature: 1.0, mean_multiplier: 1.0, covariance_multiplier: 1.0 };
    let mut stream = Stream::new(1, Purpose::Initialise, 0);
    let parameters = initial(Scheme::Rlkit, &config.recipe, &config.sizes, &start, &mut stream);
    let mut learner = TensorLearner::new(config, &parameters, open(device)?, tch::Kind::Float)?;
    let mut stream = Stream::new(1, Purpose::PolicyNoise, 0);
    let mut normal = |len: usize| {
        let mut values = vec![0.0; len];
        stream.fill_normal(&mut values);
        values
    };
    let (observations, next_observations) = (normal(rows * observation), normal(rows * observation));
    let actions: Vec<f32> = normal(rows * action).iter().map(|x| x.tanh()).collect();
    let (rewards, noise, discounts) = (normal(rows), normal(rows * action), vec![0.99; rows]);
    let batch = Batch {
        observations: &observations,
        actions: &actions,
        rewards: &rewards,
        next_observations: &next_observations,
        discounts: &discounts,
    };
    let update = |learner: &mut TensorLearner| {
        learner.step(Step::Joint, &batch, &noise, Temperature::Given(1.0))?;
        learner.update_targets(Step::Joint)
    };
    // a read waits for all that was asked for before it
    let wait = |learner: &mut TensorLearner| learner.terms().map(drop);
    let mut blocks = Vec::new();
    for block in 0..=BLOCKS {
        wait(&mut learner)?;
        let alone = Instant::now();
        update(&mut learner)?;
        wait(&mut learner)?;
        let alone = alone.elapsed();
        let many = Instant::now();
        (0..UPDATES).try_for_each(|_| update(&mut learner))?;
        let asked = many.elapsed();
        wait(&mut learner)?;
        let done = many.elapsed();
        // the first warms up
        if block > 0 {
            blocks.push([alone, asked / UPDATES as u32, done / UPDATES as u32]);
        }
    }
    Ok([0, 1, 2].map(|index| {
        let mut each: Vec<f64> = blocks.iter().map(|times| times[index].as_secs_f64() * 1e6).collect();
        each.sort_by(f64::total_cmp);
        each[each.len() / 2]
    }))
}
