//! Cases for the learners: random networks, batches and noise, and the measure of their disagreement.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

pub mod losses;
pub mod recipes;
pub mod session;

use recipes::{VIREL, Variant};
use virel_engine::learner::kernel::sgemm::Gemm;
use virel_engine::learner::{Bootstrap, KlBounds, LearnerConfig, Optimisers, ProjectedSteps, Temperature};
use virel_engine::networks::layout::{Networks, Parameter, Sizes};
use virel_engine::random::{Purpose, Stream};
use virel_engine::replay::batch::Batch;

/// Everything one gradient step sees.
#[derive(Clone)]
pub struct Case {
    pub variant: Variant,
    pub sizes: Sizes,
    pub parameters: Vec<Parameter>,
    /// `[B, draws, A]`.
    pub noise: Vec<f32>,
    /// The draws for s′ alone, of the residual error.
    pub next_noise: Vec<f32>,
    pub temperature: Option<f32>,
    observations: Vec<f32>,
    actions: Vec<f32>,
    rewards: Vec<f32>,
    next_observations: Vec<f32>,
    discounts: Vec<f32>,
}

impl Case {
    /// virel's case: see [`Self::of`].
    pub fn random(seed: u64, sizes: Sizes, rows: usize, scale: f64) -> Self {
        Self::of(VIREL, seed, sizes, rows, scale)
    }

    /// Standard normal observations, noise and rewards; weights normal with deviation `scale` / √inputs, biases and
    /// trained temperatures with deviation `scale` / 2; about one transition in five terminal. Targets are networks of their own,
    /// but a prior policy, which is near the policy as after a hundred steps from a copy.
    pub fn of(variant: Variant, seed: u64, sizes: Sizes, rows: usize, scale: f64) -> Self {
        let sizes = Sizes { action_values: variant.action_values, ..sizes };
        let mut stream = Stream::new(seed, Purpose::Initialise, 0);
        let mut parameters: Vec<Parameter> = Vec::new();
        for spec in Networks::new(&variant.recipe, &sizes).all() {
            let deviation = match spec.shape[..] {
                [_, inputs] => scale / (inputs as f64).sqrt(),
                _ => scale / 2.0,
            };
            let mut data: Vec<f32> = (0..spec.len()).map(|_| (deviation * stream.normal()) as f32).collect();
            if let Some(layer) = spec.name.strip_prefix("priorPolicy.") {
                let twin = parameters.iter().find(|p| p.spec.name == format!("policy.{layer}")).unwrap();
                data.iter_mut().zip(&twin.data).for_each(|(x, twin)| *x = twin + 0.2 * *x);
            }
            parameters.push(Parameter { spec, data });
        }
        let mut case = Self {
            variant,
            parameters,
            noise: Vec::new(),
            next_noise: Vec::new(),
            temperature: variant.temperature,
            observations: Vec::new(),
            actions: Vec::new(),
            rewards: Vec::new(),
            next_observations: Vec::new(),
            discounts: Vec::new(),
            sizes,
        };
        case.redraw(&mut stream, rows);
        case
    }

    /// Another batch and other noise for the same networks.
    pub fn redraw(&mut self, stream: &mut Stream, rows: usize) {
        let Sizes { observation, action, .. } = self.sizes;
        let Variant { recipe, samples, .. } = self.variant;
        let mut normals = |len: usize| {
            let mut values = vec![0.0; len];
            stream.fill_normal(&mut values);
            values
        };
        self.observations = normals(rows * observation);
        self.actions = normals(rows * action).into_iter().map(f32::tanh).collect();
        self.rewards = normals(rows);
        self.next_observations = normals(rows * observation);
        self.noise = normals(rows * recipe.draws(samples) * action);
        self.next_noise = normals(rows * recipe.draws_at_next_state(samples) * action);
        self.discounts = (0..rows).map(|_| if stream.uniform() < 0.2 { 0.0 } else { 0.99 }).collect();
    }

    /// [`Self::redraw`] until every kink of the networks `parameters` is further away than `distance`: says how many
    /// batches were thrown away. A hundred in a row are a mistake in the distance.
    pub fn redraw_smooth(
        &mut self,
        stream: &mut Stream,
        rows: usize,
        parameters: &[Parameter],
        distance: f64,
    ) -> usize {
        let mut is_smooth = || {
            self.redraw(stream, rows);
            losses::Oracle::new(self, parameters).kink_distance() > distance
        };
        let thrown_away = (0..100).find(|_| is_smooth());
        assert!(thrown_away.is_some(), "no batch without a kink");
        thrown_away.unwrap_or_default()
    }

    /// T of a step.
    pub fn temperature(&self) -> Temperature {
        self.temperature.map_or(Temperature::Own, Temperature::Given)
    }

    pub fn batch(&self) -> Batch<'_> {
        Batch {
            observations: &self.observations,
            actions: &self.actions,
            rewards: &self.rewards,
            next_observations: &self.next_observations,
            discounts: &self.discounts,
        }
    }

    /// Settings unlike any default, so that a mixed-up or dropped one shows.
    pub fn config(&self) -> LearnerConfig {
        LearnerConfig {
            recipe: self.variant.recipe,
            sizes: self.sizes.clone(),
            batch: self.rewards.len(),
            samples: self.variant.samples,
            discount: 0.99,
            optimisers: Optimisers {
                policy_learning_rate: 1e-3,
                action_value_learning_rate: 2e-3,
                state_value_learning_rate: 3e-3,
                temperature_learning_rate: 4e-3,
                target_update_rate: 0.05,
            },
            mean_regulariser: 0.03,
            log_std_regulariser: 0.02,
            value_loss_factor: 0.5,
            target_entropy: -1.25,
            kl_bounds: KlBounds { dual: 0.2, mean: 0.05, covariance: 0.01 },
            projected: ProjectedSteps {
                value_step: 0.02,
                value_decay: 0.8,
                auxiliary_step: 0.05,
                auxiliary_decay: 0.7,
                scale: 2.0,
                radius: 100.0,
                leak: 0.01,
            },
            residual_bootstrap: Bootstrap::Online,
            threads: 1,
            gemm: Gemm::Own,
        }
    }
}

/// ‖got − reference‖₂ / ‖reference‖₂; the difference alone where the reference is below 1e-6.
pub fn disagreement(got: &[f32], reference: &[f64]) -> f64 {
    assert_eq!(got.len(), reference.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut got.iter().zip(reference).map(|(&g, r)| f64::from(g) - r));
    let size = norm(&mut reference.iter().copied());
    assert!(difference.is_finite() && size.is_finite(), "not finite");
    if size < 1e-6 { difference } else { difference / size }
}

/// [`disagreement`] of each parameter with its namesake.
pub fn disagreements(got: &[Parameter], reference: &[Parameter]) -> Vec<(String, f64)> {
    assert_eq!(got.len(), reference.len());
    let pairs = got.iter().zip(reference);
    pairs
        .map(|(got, reference)| {
            assert_eq!(got.spec, reference.spec);
            (got.spec.name.clone(), disagreement(&got.data, &to_f64(&reference.data)))
        })
        .collect()
}

pub fn to_f64(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// The parameters of one network, by the start of their names.
pub fn network<'a>(parameters: &'a [Parameter], prefix: &str) -> Vec<&'a Parameter> {
    let found: Vec<_> = parameters.iter().filter(|p| p.spec.name.starts_with(prefix)).collect();
    assert!(!found.is_empty(), "no parameter {prefix}*");
    found
}
