//! The actor's half of a step: the policy with its optimiser, its actions and their values, and the gradient of J_π.
//!
//! Order: π(s′) for the critic | policy, actions, Q at s | V(s), y_V | ∂Q/∂ã | ∂J_π/∂(μ, log σ) | policy backward |
//! gradients by θ, as far as the critic leaves time; Adam is with the [`descent`](super::descent) of all. ã is drawn once; V's
//! target and the policy's loss share it and its Q (docs/paper.md A14).

use std::sync::{Mutex, RwLockWriteGuard};

use super::backward::{Deltas, Passed, hidden_deltas};
use super::descent::{self, Descent, Meeting, Moves, Work, take};
use super::duals::Duals;
use super::forward::{Block, forward};
use super::memory::{Floats, Matrix};
use super::network::zeros;
use super::objective::{self, PolicyTerms};
use super::products::Products;
use super::sampler::{Draws, Sampler};
use super::shared::{Inputs, Sampled, Shapes, Shared, expect_part, write};
use super::values::{ActionValues, ByAction, Pairs, Read};
use super::vector;
use crate::error::Result;
use crate::learner::{KlBounds, LearnerConfig, Step};
use crate::math::e_step::Factors;
use crate::networks::layout::Networks;
use crate::networks::mlp;
use crate::recipe::{ActionValueTarget, PolicyCritic, PolicyKind, PolicyObjective, Recipe, StateValueTarget};

/// Most states that pass the policy together where it acts: what they leave between two layers of 300 is 19 KB, and stays in the
/// first-level cache.
const TOGETHER: usize = 8;

/// What this half must hold before the critic's may begin.
pub struct Held<'a> {
    next: RwLockWriteGuard<'a, Sampler>,
    sampled: RwLockWriteGuard<'a, Option<Sampled>>,
}

impl<'a> Held<'a> {
    /// All of it.
    pub fn of(shared: &'a Shared) -> Result<Self> {
        Ok(Self { next: write(&shared.next)?, sampled: write(&shared.sampled)? })
    }
}

/// The actor's half of a step on the batch in `shared`, up to where it meets the critic's; None without a policy gradient.
pub fn run(
    (shared, held): (&Shared, Held<'_>),
    actor: &mut Actor,
    step: Step,
    temperature: f32,
    meeting: &Meeting,
) -> Result<Option<PolicyTerms>> {
    let Shared { shapes, inputs, action_values, state_value, .. } = shared;
    let Held { mut next, mut sampled } = held;
    actor.descent.begin();
    if step.has_m() && actor.recipe.action_value_target == ActionValueTarget::SoftActionValue {
        next.sample(&mut actor.products, (&shapes.policy, &actor.weights), inputs.next_states())?;
    }
    drop(next);

    if step.has_e() || sampled.is_some() {
        actor.propose(shared)?;
    }
    if let Some(sampled) = sampled.as_mut()
        && (step.has_m() || actor.recipe.policy_objective == PolicyObjective::Score)
    {
        actor.value_state(shapes, inputs, state_value, sampled, temperature)?;
    }
    drop(sampled);

    let mut terms = None;
    if step.has_e() {
        actor.differentiate_by_action(shapes, action_values)?;
        terms = Some(objective::differentiate(actor, temperature, inputs.n)?);
        actor.differentiate(shapes, inputs.n)?;
    }
    meeting.arrive();
    if step.has_e() {
        let Actor { products, descent, buffers, .. } = actor;
        let work = Mutex::new(buffers.work(descent, (shapes, inputs), None));
        descent::share(products.apart(), || take(&work), || meeting.is_complete())?;
    }
    Ok(terms)
}

/// Buffers of one step.
pub struct Buffers {
    capacity: usize,
    /// π_θ at s and the actions that the loss draws from it.
    pub own: Sampler,
    /// π_φ at s and its actions; without a prior policy it is never run.
    pub prior: Option<Sampler>,
    /// Q at the actions that the loss reads: Q̄ of the prior's, else Q of its own.
    pub values: ActionValues,
    /// −∂(mean Q)/∂ã.
    pub by_action: ByAction,
    /// One value an action: ω, or the logarithm of a ratio of densities, or the advantage of the score form.
    pub row: Matrix,
    /// min_i Q_i, one row.
    pub smallest: Matrix,
    /// Gradients by the policy's outputs.
    pub policy_deltas: Deltas,
}

impl Buffers {
    fn new(config: &LearnerConfig, shapes: &Shapes, capacity: usize) -> Self {
        let (recipe, dimensions) = (&config.recipe, config.sizes.action);
        let reads_prior = shapes.target_policy.is_some() && recipe.policy == PolicyKind::TanhGaussian;
        let own_samples =
            if recipe.policy_objective == PolicyObjective::PriorDivergence { config.samples } else { 1 };
        let samples = if reads_prior { config.samples } else { 1 };
        let sampler = |samples| Sampler::new(recipe.policy, &shapes.policy, dimensions, samples, capacity);
        Self {
            capacity,
            own: sampler(own_samples),
            prior: reads_prior.then(|| sampler(samples)),
            values: ActionValues::new(&shapes.action_values, samples * capacity),
            by_action: ByAction::new(&shapes.action_values, dimensions, samples * capacity),
            row: Matrix::zeros(1, samples * capacity),
            smallest: Matrix::zeros(1, capacity),
            policy_deltas: Deltas::new(&shapes.policy, capacity),
        }
    }

    /// [`Descent::work`] of the policy.
    pub fn work<'a>(
        &'a self,
        descent: &'a mut Descent,
        (shapes, inputs): (&'a Shapes, &'a Inputs),
        moves: Option<Moves<'a>>,
    ) -> impl Iterator<Item = Work<'a>> {
        let (activations, deltas) = (&self.own.activations, &self.policy_deltas);
        descent.work(Passed { network: &shapes.policy, input: inputs.states(), activations, deltas }, moves)
    }
}

/// The policy and all that only its half touches.
pub struct Actor {
    config: LearnerConfig,
    /// The algorithm's parts.
    pub recipe: Recipe,
    /// A.
    pub dimensions: usize,
    /// Constants of J_π; the temperature comes with each step.
    pub factors: Factors<f32>,
    /// Of a tuned temperature.
    pub target_entropy: f32,
    /// Of a dual temperature.
    pub kl_bounds: KlBounds,
    /// On the half's threads.
    pub products: Products,
    /// θ.
    pub weights: Floats,
    /// ∂J_π/∂θ of the latest step, and its optimiser.
    pub descent: Descent,
    /// A trained temperature and its multipliers.
    pub duals: Duals,
    /// Of the latest step.
    pub buffers: Buffers,
    /// What [`TOGETHER`] states pass through, and the heads at their end.
    between: [Floats; 2],
    heads: Floats,
}

impl Actor {
    /// All parameters zero.
    pub fn new(config: &LearnerConfig, networks: &Networks, shapes: &Shapes, products: Products) -> Self {
        let rates = &config.optimisers;
        Self {
            recipe: config.recipe,
            dimensions: config.sizes.action,
            factors: Factors {
                temperature: 1.0,
                mean_regulariser: config.mean_regulariser,
                log_std_regulariser: config.log_std_regulariser,
            },
            target_entropy: config.target_entropy,
            kl_bounds: config.kl_bounds,
            products,
            weights: zeros(&shapes.policy),
            descent: Descent::new(&shapes.policy, rates.policy_learning_rate),
            duals: Duals::new(&networks.duals, rates.temperature_learning_rate),
            buffers: Buffers::new(config, shapes, config.batch),
            between: [(); 2].map(|()| Floats::zeros(TOGETHER * shapes.policy.sample_len())),
            heads: Floats::zeros(TOGETHER * shapes.policy.outputs()),
            config: config.clone(),
        }
    }

    /// Takes over the noise of `n` rows, `[n, draws, A]`: the draws at s.
    pub fn load(&mut self, shapes: &Shapes, noise: &[f32], n: usize) {
        if n > self.buffers.capacity {
            self.buffers = Buffers::new(&self.config, shapes, n);
        }
        let draws = Draws { first: 0, total: self.recipe.draws(self.config.samples) };
        self.buffers.own.load(&shapes.policy, noise, draws, n);
        if let Some(prior) = &mut self.buffers.prior {
            prior.load(&shapes.policy, noise, draws, n);
        }
    }

    /// The actions at s that the loss reads, and their values.
    fn propose(&mut self, shared: &Shared) -> Result<()> {
        let Shared { shapes, inputs, targets, action_values, .. } = shared;
        let Buffers { own, prior, values, .. } = &mut self.buffers;
        let (products, states) = (&mut self.products, inputs.states());
        let policy = (&shapes.policy, &self.weights);
        let prior_policy =
            || expect_part(targets.policy.as_ref(), "prior policy").map(|w| (&shapes.policy, w));
        match (self.recipe.policy_objective, prior) {
            (PolicyObjective::WeightedLikelihood, Some(prior)) => {
                prior.sample(products, prior_policy()?, states)?;
                own.forward(products, policy, states)?;
                let networks = (shapes.target_action_values.as_slice(), targets.action_values.as_slice());
                values.forward(products, networks, Pairs::Apart(states, prior.actions()))?;
            }
            (_, prior) => {
                if let Some(prior) = prior {
                    prior.forward(products, prior_policy()?, states)?;
                }
                own.sample(products, policy, states)?;
                let terms_of_states = shared.state_terms(products)?;
                let pairs = Pairs::Begun(&terms_of_states, own.actions());
                values.forward(products, (&shapes.action_values, action_values), pairs)?;
            }
        }
        Ok(())
    }

    /// V(s) and y_V, which the critic's half needs, and the advantage of the score form.
    fn value_state(
        &mut self,
        shapes: &Shapes,
        inputs: &Inputs,
        state_value: &Floats,
        sampled: &mut Sampled,
        temperature: f32,
    ) -> Result<()> {
        let n = inputs.n;
        let shape = expect_part(shapes.state_value.as_ref(), "state value")?;
        sampled.fit(shape, n);
        let network = (shape, &**state_value);
        forward(&mut self.products, network, &[Block::Inputs(inputs.states())], &mut sampled.state_value)?;

        let Buffers { own, values, row, smallest, .. } = &mut self.buffers;
        values.minimum(sampled.target.row_mut(0, n))?;
        if self.recipe.state_value_target == StateValueTarget::SoftActionValue {
            vector::soften(sampled.target.row_mut(0, n), own.log_density(), temperature)?;
        }
        if self.recipe.policy_objective == PolicyObjective::Score {
            let read = match self.recipe.policy_critic {
                PolicyCritic::First => values.of(0),
                PolicyCritic::Minimum => {
                    values.minimum(smallest.row_mut(0, n))?;
                    smallest.row(0, n)
                }
            };
            let baseline = sampled.state_value.output.row(0, n);
            vector::advantage(own.log_density(), read, baseline, temperature, row.row_mut(0, n))?;
        }
        Ok(())
    }

    /// −∂(mean Q)/∂ã, where the objective reads it.
    fn differentiate_by_action(&mut self, shapes: &Shapes, action_values: &[Floats]) -> Result<()> {
        let read = match (self.recipe.policy_objective, self.recipe.policy_critic) {
            (PolicyObjective::Score | PolicyObjective::WeightedLikelihood, _) => return Ok(()),
            (_, PolicyCritic::First) => Read::First,
            (_, PolicyCritic::Minimum) => Read::Minimum,
        };
        let Buffers { values, by_action, .. } = &mut self.buffers;
        let networks = (shapes.action_values.as_slice(), action_values);
        by_action.differentiate(&mut self.products, networks, values, read)
    }

    /// From ∂J_π/∂(μ, log σ) down to the policy's first layer.
    fn differentiate(&mut self, shapes: &Shapes, n: usize) -> Result<()> {
        let Buffers { own: Sampler { activations, .. }, policy_deltas, .. } = &mut self.buffers;
        hidden_deltas(&mut self.products, (&shapes.policy, &self.weights), activations, policy_deltas, n)
    }

    /// Actions `[n, A]` at observations `[n, O]`: tanh(μ + σξ) with noise `[n, A]`, or tanh μ; each as if it were alone.
    pub fn act(
        &mut self,
        shapes: &Shapes,
        observations: &[f32],
        noise: Option<&[f32]>,
        actions: &mut [f32],
    ) -> Result<()> {
        let width = self.dimensions;
        self.heads(shapes, observations, |state, mean, log_std| {
            let place = state * width..(state + 1) * width;
            let action = &mut actions[place.clone()];
            match noise {
                Some(noise) => vector::sample(mean, log_std, &noise[place], action),
                None => vector::mode(mean, action),
            }
        })
    }

    /// Gives each of the states `[n, O]` by its number, with μ and log σ before its clip; no log σ of a deterministic policy.
    pub fn heads(
        &mut self,
        shapes: &Shapes,
        observations: &[f32],
        mut give: impl FnMut(usize, &[f32], &[f32]) -> Result<()>,
    ) -> Result<()> {
        let (shape, width) = (&shapes.policy, self.config.sizes.observation);
        for (group, observations) in observations.chunks(TOGETHER * width).enumerate() {
            let [now, next] = &mut self.between;
            let heads = &mut self.heads[..observations.len() / width * shape.outputs()];
            mlp::forward(shape, &self.weights, observations, [now, next], heads);
            for (index, heads) in heads.chunks_exact(shape.outputs()).enumerate() {
                let (mean, log_std) = heads.split_at(self.dimensions);
                give(group * TOGETHER + index, mean, log_std)?;
            }
        }
        Ok(())
    }
}
