//! What a session needs of main memory: counted from its configuration alone, before anything is allocated.

use crate::memory::Part;
use crate::replay::buffer::ReplayBuffer;

use super::{Engine, SessionConfig};

/// Bytes of a float32.
const VALUE: u64 = size_of::<f32>() as u64;
/// Values that a row of weights is padded to a multiple of.
const LINE: u64 = 16;

/// The parts whose sizes the user chooses; the replay buffer at its full capacity, though it is taken as it fills.
pub fn needs(config: &SessionConfig) -> [Part; 4] {
    let hidden = &config.learner.sizes.hidden;
    let (rows, residual_rows) = (config.learner.batch, config.residual_batch);
    [
        Part {
            name: format!("the networks (network.hidden {hidden:?})"),
            lower: "network.hidden",
            bytes: networks(config),
        },
        Part {
            name: format!("a gradient step (replay.batchSize {rows}, network.hidden {hidden:?})"),
            lower: "replay.batchSize or network.hidden",
            bytes: step(config),
        },
        Part {
            name: format!("the residual error (residual.batch {residual_rows})"),
            lower: "residual.batch",
            bytes: residual(config),
        },
        Part {
            name: format!("the replay buffer (replay.capacity {})", config.replay_capacity),
            lower: "replay.capacity",
            bytes: product(&[wide(config.replay_capacity), row(config), VALUE]),
        },
    ]
}

/// Each trained network with its gradient and Adam's two moments, and the target. The initial values are a further
/// copy of all; they are gone before the first step, when Adam's temporaries come.
fn networks(config: &SessionConfig) -> u64 {
    let sizes = &config.learner.sizes;
    let policy = parameters(sizes.observation, &sizes.hidden, 2 * sizes.action);
    let action_value = parameters(sizes.observation + sizes.action, &sizes.hidden, 1);
    let state_value = parameters(sizes.observation, &sizes.hidden, 1);
    let trained = sum(&[policy, action_value, state_value]);
    let here = if is_on_host(config) { sum(&[product(&[4, trained]), state_value]) } else { 0 };
    product(&[sum(&[here, trained, state_value]), VALUE])
}

/// Weights and biases of one network, each row padded.
fn parameters(inputs: usize, hidden: &[usize], outputs: usize) -> u64 {
    let mut width = inputs;
    let layers = hidden.iter().chain([&outputs]).map(|&outputs| {
        let columns = wide(std::mem::replace(&mut width, outputs)).saturating_add(1);
        product(&[wide(outputs), columns.div_ceil(LINE), LINE])
    });
    layers.fold(0, u64::saturating_add)
}

/// The drawn rows with their noise and indices, the learner's own copy of them, and what its passes keep.
fn step(config: &SessionConfig) -> u64 {
    let action = wide(config.learner.sizes.action);
    let drawn = sum(&[row(config), action, 2]);
    // inputs again, ã and its gradients, and the heads of every pass
    let copied = sum(&[row(config), product(&[8, action]), 10]);
    // kernel: five forward and four backward passes, each with memory of its own; tensor: two forward passes of the
    // policy's action, those of Q and V, and one backward pass at a time
    let passes = match config.engine {
        Engine::Kernel => 9,
        Engine::Tensor { .. } => 5,
    };
    let kept = product(&[passes, hidden_values(config)]);
    let here = if is_on_host(config) { sum(&[copied, kept]) } else { 0 };
    product(&[wide(config.learner.batch), sum(&[drawn, here]), VALUE])
}

/// Its rows; the tensor engine also passes them through Q and V at once, the kernel in parts of a batch.
fn residual(config: &SessionConfig) -> u64 {
    let at_once = matches!(config.engine, Engine::Tensor { .. }) && is_on_host(config);
    let passes = if at_once { sum(&[row(config), product(&[2, hidden_values(config)])]) } else { 0 };
    product(&[wide(config.residual_batch), sum(&[row(config), passes]), VALUE])
}

/// Whether networks and passes live in main memory, not in a GPU's.
fn is_on_host(config: &SessionConfig) -> bool {
    match &config.engine {
        Engine::Kernel => true,
        Engine::Tensor { device } => device == "cpu",
    }
}

/// Values of a transition.
fn row(config: &SessionConfig) -> u64 {
    wide(ReplayBuffer::row_values(config.learner.sizes.observation, config.learner.sizes.action))
}

/// Activations of one sample in all hidden layers, each with its 1.
fn hidden_values(config: &SessionConfig) -> u64 {
    config
        .learner
        .sizes
        .hidden
        .iter()
        .fold(0, |sum, &width| sum.saturating_add(wide(width).saturating_add(1)))
}

const fn wide(size: usize) -> u64 {
    size as u64
}

/// Beyond counting stays beyond counting.
fn product(factors: &[u64]) -> u64 {
    factors.iter().copied().fold(1, u64::saturating_mul)
}

fn sum(terms: &[u64]) -> u64 {
    terms.iter().copied().fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::needs;
    use crate::agents;
    use crate::environments::mujoco::choices::Choices;
    use crate::learner::LearnerConfig;
    use crate::memory::expect_fits;
    use crate::networks::layout::Sizes;
    use crate::session::{Engine, Session, SessionConfig};

    fn config(hidden: &[usize], batch: usize, replay_capacity: usize) -> SessionConfig {
        SessionConfig {
            environment: "HalfCheetah-v5".to_owned(),
            model_directory: "nowhere".into(),
            choices: Choices::default(),
            max_episode_steps: 1000,
            seed: 0,
            reward_scale: 1.0,
            temperature: 1.0,
            start_updates: 1,
            uniform_steps: 0,
            reset_every: 0,
            replay_capacity,
            residual_batch: 4096,
            max_unstable_per_10k: 0,
            learner: LearnerConfig {
                recipe: agents::recipe("virel").unwrap(),
                sizes: Sizes { observation: 17, action: 6, hidden: hidden.to_vec() },
                batch,
                discount: 0.99,
                policy_learning_rate: 1e-3,
                action_value_learning_rate: 1e-3,
                state_value_learning_rate: 1e-3,
                target_update_rate: 0.01,
                mean_regulariser: 0.0,
                log_std_regulariser: 0.0,
                threads: 1,
            },
            engine: Engine::Kernel,
        }
    }

    /// The refusal of a configuration where `available` bytes may be had.
    fn refusal(config: &SessionConfig, available: u64) -> String {
        let error = expect_fits(&needs(config), Some(available)).unwrap_err();
        assert_eq!(error.code(), "OUT_OF_MEMORY");
        error.to_string()
    }

    #[test]
    fn the_papers_session_fits_into_a_small_machine_and_no_smaller() {
        let paper = config(&[300, 300], 128, 1_000_000);
        // 42 values of 4 bytes a row: 168 MB for the ring; networks of about 100,000 parameters, four of each
        assert_eq!(expect_fits(&needs(&paper), Some(200_000_000)), Ok(()));
        assert!(refusal(&paper, 170_000_000).contains("replay.capacity"));
    }

    #[test]
    fn the_part_that_takes_the_most_is_named() {
        let most = 16_000_000_000;
        let message = refusal(&config(&[300, 300], 128, 100_000_000), most);
        assert!(message.contains("the replay buffer (replay.capacity 100000000): 16.8 GB"), "{message}");
        let message = refusal(&config(&[300, 300], 1_000_000, 1_000_000), most);
        assert!(message.contains("replay.batchSize 1000000"), "{message}");
        let message = refusal(&config(&[65_536, 65_536], 128, 1_000_000), most);
        assert!(message.contains("the networks (network.hidden [65536, 65536])"), "{message}");
    }

    #[test]
    fn networks_on_a_gpu_count_there() {
        let mut config = config(&[20_000, 20_000], 128, 1_000);
        config.engine = Engine::Tensor { device: "cpu".to_owned() };
        // three networks of 4e8 weights, four of each, the target and the initial values: 26e9 bytes
        assert!(refusal(&config, 20_000_000_000).contains("network.hidden"));
        config.engine = Engine::Tensor { device: "cuda".to_owned() };
        assert_eq!(expect_fits(&needs(&config), Some(20_000_000_000)), Ok(()));
    }

    #[test]
    fn sizes_beyond_counting_are_refused_and_do_not_wrap_around() {
        let huge = config(&[usize::MAX, usize::MAX], usize::MAX, usize::MAX);
        assert!(needs(&huge)[..2].iter().all(|part| part.bytes == u64::MAX));
        refusal(&huge, u64::MAX - 1);
    }

    #[test]
    fn a_session_that_does_not_fit_is_refused_before_it_allocates() {
        let error = Session::new(config(&[1 << 30, 1 << 30], 128, 1_000)).err().unwrap();
        assert_eq!(error.code(), "OUT_OF_MEMORY");
    }
}
