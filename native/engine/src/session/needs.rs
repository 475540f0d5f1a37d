//! What a session needs of main memory: counted from its configuration alone, before anything is allocated.

use crate::memory::Part;
use crate::networks::layout::{LayerSpec, Networks, Sizes};
use crate::replay::buffer::ReplayBuffer;

use super::{Engine, SessionConfig};

/// Bytes of a float32.
const VALUE: u64 = size_of::<f32>() as u64;
/// Values that a row of weights is padded to a multiple of.
const LINE: u64 = 16;

/// The parts whose sizes the user chooses; the replay buffer at its full capacity, though it is taken as it fills.
pub fn needs(config: &SessionConfig) -> [Part; 4] {
    let (hidden, lower, lower_step) = widths(&config.learner.sizes);
    let (rows, residual_rows) = (config.learner.batch, config.residual.batch);
    [
        Part { name: format!("the networks ({hidden})"), lower, bytes: networks(config) },
        Part {
            name: format!("a gradient step (replay.batchSize {rows}, {hidden})"),
            lower: lower_step,
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

/// The hidden layers as the options have them, and which of those to lower, with the batch or without.
fn widths(sizes: &Sizes) -> (String, &'static str, &'static str) {
    let Sizes { hidden, policy_hidden, .. } = sizes;
    if hidden == policy_hidden {
        return (
            format!("network.hidden {hidden:?}"),
            "network.hidden",
            "replay.batchSize or network.hidden",
        );
    }
    (
        format!("network.hidden {hidden:?}, network.policyHidden {policy_hidden:?}"),
        "network.hidden or network.policyHidden",
        "replay.batchSize, network.hidden or network.policyHidden",
    )
}

/// Each trained network with its gradient and Adam's two moments, and the targets. The initial values, the finite ones
/// that a session keeps and those that are looked at next are three further copies of all; they stay on the host.
fn networks(config: &SessionConfig) -> u64 {
    let networks = Networks::new(&config.learner.recipe, &config.learner.sizes);
    let of = |layers: &Vec<LayerSpec>| layers.iter().map(padded).fold(0, u64::saturating_add);
    let online = [&networks.policy].into_iter().chain(&networks.action_values);
    let trained = online.chain(&networks.state_value).chain(&networks.auxiliary_weights);
    let trained = trained.map(of).fold(0, u64::saturating_add);
    let targets = networks.target_state_value.iter().chain(&networks.target_action_values);
    let targets = targets.chain(&networks.target_policy).map(of).fold(0, u64::saturating_add);
    let here = if is_on_host(config) { sum(&[product(&[4, trained]), targets]) } else { 0 };
    product(&[sum(&[here, product(&[3, trained]), product(&[3, targets])]), VALUE])
}

/// Weights and biases of one layer, each row padded.
fn padded(layer: &LayerSpec) -> u64 {
    let columns = wide(layer.inputs).saturating_add(1);
    product(&[wide(layer.outputs), columns.div_ceil(LINE), LINE])
}

/// The drawn rows with their noise and indices, the learner's own copy of them, and what its passes keep.
fn step(config: &SessionConfig) -> u64 {
    let action = wide(config.learner.sizes.action);
    let (recipe, samples) = (&config.learner.recipe, config.learner.samples);
    let drawn = sum(&[row(config), product(&[wide(recipe.draws(samples)), action]), 2]);
    // inputs again, the actions and their gradients, and the heads of every pass
    let copied = sum(&[row(config), product(&[8, action, wide(samples)]), 10]);
    // kernel: forward and backward passes of policies, each Q and V, all with memory of their own; tensor: one backward
    // pass at a time. Passes of Q at sampled actions hold all K of them
    let values = wide(config.learner.sizes.action_values);
    let threads = config.learner.threads;
    let passes = match config.engine {
        // for each thread a tile of the residual error besides: the value of s', the policy and Q
        Engine::Kernel => {
            sum(&[6, product(&[3, values]), product(&[wide(threads), sum(&[2, product(&[2, values])])])])
        }
        Engine::Tensor { .. } => sum(&[3, product(&[2, values])]),
    };
    let kept = product(&[sum(&[passes, product(&[3, wide(samples) - 1])]), hidden_values(config)]);
    let here = if is_on_host(config) { sum(&[copied, kept]) } else { 0 };
    product(&[wide(config.learner.batch), sum(&[drawn, here]), VALUE])
}

/// Its rows; the tensor engine also passes them through Q and V at once, the kernel in parts of a batch.
fn residual(config: &SessionConfig) -> u64 {
    let at_once = matches!(config.engine, Engine::Tensor { .. }) && is_on_host(config);
    let passes = if at_once { sum(&[row(config), product(&[2, hidden_values(config)])]) } else { 0 };
    product(&[wide(config.residual.batch), sum(&[row(config), passes]), VALUE])
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

/// Activations of one sample in all hidden layers of the wider of policy and critic, each with its 1.
fn hidden_values(config: &SessionConfig) -> u64 {
    let sizes = &config.learner.sizes;
    let of = |hidden: &[usize]| {
        hidden.iter().fold(0, |sum: u64, &width| sum.saturating_add(wide(width).saturating_add(1)))
    };
    of(&sizes.hidden).max(of(&sizes.policy_hidden))
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
    use crate::environments::mujoco::choices::Choices;
    use crate::learner::kernel::sgemm::Gemm;
    use crate::learner::{Bootstrap, KlBounds, LearnerConfig, Optimisers, ProjectedSteps};
    use crate::memory::expect_fits;
    use crate::networks::initialise::{Scheme, TrainedStart};
    use crate::networks::layout::Sizes;
    use crate::recipe::{
        ActionValueTarget, MStepKind, PolicyCritic, PolicyKind, PolicyObjective, Recipe, StateValueTarget,
        TrainedTemperature,
    };
    use crate::session::exploration::Exploration;
    use crate::session::temperature::TemperatureSource;
    use crate::session::{Engine, ResidualConfig, Session, SessionConfig, World};

    /// virel's parts.
    const RECIPE: Recipe = Recipe {
        policy: PolicyKind::TanhGaussian,
        action_value_target: ActionValueTarget::StateValue,
        state_value_target: StateValueTarget::ActionValue,
        policy_objective: PolicyObjective::Reparameterised,
        policy_critic: PolicyCritic::First,
        m_step: MStepKind::Direct,
        trained_temperature: TrainedTemperature::None,
    };

    fn config(hidden: &[usize], batch: usize, replay_capacity: usize) -> SessionConfig {
        SessionConfig {
            world: World::Mujoco {
                id: "HalfCheetah-v5".to_owned(),
                model_directory: "nowhere".into(),
                choices: Choices::default(),
            },
            max_episode_steps: 1000,
            seed: 0,
            reward_scale: 1.0,
            temperature: TemperatureSource::Fixed(1.0),
            residual: ResidualConfig { batch: 4096, factor: 1.0, warmup_value: 1.0, every: 1 },
            exploration: Exploration::Policy,
            target_every: 1,
            start_updates: 1,
            uniform_steps: 0,
            reset_every: 0,
            environments: 1,
            replay_capacity,
            max_unstable_per_10k: 0,
            initialise: Scheme::Rlkit,
            start: TrainedStart { temperature: 1.0, mean_multiplier: 1.0, covariance_multiplier: 1.0 },
            learner: LearnerConfig {
                recipe: RECIPE,
                sizes: Sizes {
                    observation: 17,
                    action: 6,
                    policy_hidden: hidden.to_vec(),
                    hidden: hidden.to_vec(),
                    action_values: 1,
                },
                batch,
                samples: 1,
                discount: 0.99,
                optimisers: Optimisers {
                    policy_learning_rate: 1e-3,
                    action_value_learning_rate: 1e-3,
                    state_value_learning_rate: 1e-3,
                    temperature_learning_rate: 1e-3,
                    target_update_rate: 0.01,
                },
                mean_regulariser: 0.0,
                log_std_regulariser: 0.0,
                value_loss_factor: 1.0,
                target_entropy: 0.0,
                kl_bounds: KlBounds { dual: 0.1, mean: 0.1, covariance: 0.1 },
                projected: ProjectedSteps {
                    value_step: 0.3,
                    value_decay: 0.9,
                    auxiliary_step: 0.9,
                    auxiliary_decay: 0.6,
                    scale: 1000.0,
                    radius: 100.0,
                    leak: 1e-6,
                },
                residual_bootstrap: Bootstrap::Online,
                threads: 1,
                gemm: Gemm::Own,
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
