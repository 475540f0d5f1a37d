//! Updates per second of the kernel learner on one batch, and microseconds of one action:
//! `cargo run --release --target host-tuple -p virel-engine --example kernel_speed -- THREADS [O A BLOCKS] [own|gemm|matrixmultiply]`.

use std::time::Instant;

use virel_engine::error::Result;
use virel_engine::learner::kernel::KernelLearner;
use virel_engine::learner::kernel::sgemm::Gemm;
use virel_engine::learner::{Bootstrap, KlBounds, Learner, LearnerConfig, Optimisers, ProjectedSteps, Step};
use virel_engine::networks::initialise::{Scheme, TrainedStart, initial};
use virel_engine::networks::layout::Sizes;
use virel_engine::random::{Purpose, Stream};
use virel_engine::recipe::{
    ActionValueTarget, MStepKind, PolicyCritic, PolicyKind, PolicyObjective, Recipe, StateValueTarget,
    TrainedTemperature,
};
use virel_engine::replay::batch::Batch;

/// Rows of a batch and width of both hidden layers, as in the paper.
const BATCH: usize = 128;
const HIDDEN: usize = 300;
/// Work of one block: short, so that the best block is one that nothing else on the machine disturbed.
const UPDATES: u32 = 10;
const ACTIONS: u32 = 1_000;

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let threads = numbers.next().unwrap_or(1);
    let (observation, action) = (numbers.next().unwrap_or(17), numbers.next().unwrap_or(6));
    let blocks = numbers.next().unwrap_or(300);

    let gemm = std::env::args().find_map(|word| Gemm::ALL.into_iter().find(|gemm| gemm.name() == word));
    let config = config(observation, action, threads, gemm.unwrap_or(Gemm::Own));
    let start = TrainedStart { temperature: 1.0, mean_multiplier: 1.0, covariance_multiplier: 1.0 };
    let mut stream = Stream::new(1, Purpose::Initialise, 0);
    let parameters = initial(Scheme::Rlkit, &config.recipe, &config.sizes, &start, &mut stream);
    let mut learner = KernelLearner::new(config, &parameters)?;
    let mut stream = Stream::new(1, Purpose::PolicyNoise, 0);
    let mut normal = |len: usize| {
        let mut values = vec![0.0; len];
        stream.fill_normal(&mut values);
        values
    };
    let (observations, next_observations) = (normal(BATCH * observation), normal(BATCH * observation));
    let actions: Vec<f32> = normal(BATCH * action).iter().map(|x| x.tanh()).collect();
    let (rewards, noise, discounts) = (normal(BATCH), normal(BATCH * action), [0.99; BATCH]);
    let batch = Batch {
        observations: &observations,
        actions: &actions,
        rewards: &rewards,
        next_observations: &next_observations,
        discounts: &discounts,
    };

    let mut update = || {
        learner.step(Step::Joint, &batch, &noise, Some(1.0))?;
        learner.update_targets(Step::Joint)
    };
    let (best, median) = seconds(blocks, || (0..UPDATES).try_for_each(|_| update()))?;
    let rate = |seconds: f64| f64::from(UPDATES) / seconds;
    println!(
        "{observation}/{action}, {threads} thread(s): best {:.1}, median {:.1} updates/s",
        rate(best),
        rate(median)
    );

    let mut one = vec![0.0; action];
    let (best, median) = seconds(blocks, || {
        let observations = observations.chunks_exact(observation).cycle().take(ACTIONS as usize);
        observations.into_iter().try_for_each(|s| learner.act(s, Some(&noise[..action]), &mut one))
    })?;
    let each = |seconds: f64| seconds * 1e6 / f64::from(ACTIONS);
    println!("one action: best {:.2}, median {:.2} us", each(best), each(median));
    Ok(())
}

/// virel with the paper's sizes; what it does not read is 0.
fn config(observation: usize, action: usize, threads: usize, gemm: Gemm) -> LearnerConfig {
    let hidden = vec![HIDDEN; 2];
    LearnerConfig {
        recipe: Recipe {
            policy: PolicyKind::TanhGaussian,
            action_value_target: ActionValueTarget::StateValue,
            state_value_target: StateValueTarget::ActionValue,
            policy_objective: PolicyObjective::Reparameterised,
            policy_critic: PolicyCritic::First,
            m_step: MStepKind::Direct,
            trained_temperature: TrainedTemperature::None,
        },
        sizes: Sizes { observation, action, policy_hidden: hidden.clone(), hidden, action_values: 1 },
        batch: BATCH,
        samples: 1,
        discount: 0.99,
        optimisers: Optimisers {
            policy_learning_rate: 3e-4,
            action_value_learning_rate: 3e-4,
            state_value_learning_rate: 3e-4,
            temperature_learning_rate: 0.0,
            target_update_rate: 1e-3,
        },
        mean_regulariser: 1e-3,
        log_std_regulariser: 1e-3,
        value_loss_factor: 1.0,
        target_entropy: 0.0,
        kl_bounds: KlBounds { dual: 0.0, mean: 0.0, covariance: 0.0 },
        projected: ProjectedSteps {
            value_step: 0.0,
            value_decay: 0.0,
            auxiliary_step: 0.0,
            auxiliary_decay: 0.0,
            scale: 1.0,
            radius: 0.0,
            leak: 0.0,
        },
        residual_bootstrap: Bootstrap::Online,
        threads,
        gemm,
    }
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
