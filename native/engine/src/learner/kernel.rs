//! The gradient step by hand, in float32 on the CPU: forward and backward over flat, padded, preallocated
//! buffers, one matrix product a layer, a fused Adam, nothing recorded.
//!
//! Activations are feature-major (samples are what a vector register holds), biases are a column of the weights.
//! A step has two halves, [`actor`] (policy, its actions and their values, V(s)) and [`critic`] (targets, Q, V), which pass
//! their networks forward and backward with what is [`shared`]; what is left, gradients by weights and Adam, is the
//! [`descent`] of both. One thread runs the halves one after the other, two at once, and more share the rows of each half's
//! products ([`products`]); then all take pieces of the descent. They compute the same sums in the same order, so the number
//! of threads never changes a bit of a run that has not diverged.
//!
//! Which parts run is the recipe's choice, made in one place each: the target in [`bellman`], the actions and their
//! values in [`actor`], the policy's gradient in [`objective`]. The residual error of many rows is in [`residual`].

mod actor;
mod backward;
mod bellman;
mod critic;
mod descent;
mod duals;
mod forward;
mod memory;
mod network;
mod objective;
mod products;
mod residual;
mod sampler;
pub mod sgemm;
mod shared;
mod transpose;
mod values;
mod vector;

use std::slice;
use std::sync::Mutex;

use self::actor::{Actor, Held};
use self::critic::{Critic, CriticTerms};
use self::descent::{Descent, Meeting, Moves, take};
use self::network::squared_sum;
use self::objective::PolicyTerms;
use self::products::Products;
use self::residual::{Present, Tile, Tiles};
use self::sampler::Draws;
use self::shared::{Shared, write};
use super::{
    Learner, LearnerConfig, Losses, Norms, Step, StepGradients, StepNorms, StepTerms, Temperature,
    expect_act, expect_all, expect_config, expect_noise, expect_parameters, expect_positive, expect_rows,
    temperature_in_use,
};
use crate::error::{EngineError, Result, expect_len};
use crate::ledger::Ledger;
use crate::math::residual::residual_error;
use crate::math::tanh_gaussian::clip;
use crate::networks::layout::{Networks, Parameter, ParameterSpec};
use crate::recipe::{ActionValueTarget, MStepKind, PolicyKind, PolicyObjective, StateValueTarget};
use crate::replay::batch::Batch;
use crate::replay::buffer::GatheredBatch;
use crate::replay::rows::Rows;
use crate::threads::Helper;

/// [`Learner`] in float32 by hand; see the module's text.
pub struct KernelLearner {
    config: LearnerConfig,
    networks: Networks,
    shared: Shared,
    actor: Actor,
    critic: Critic,
    /// What runs the critic's half beside the actor's; None on one thread.
    helper: Option<Helper>,
    /// Room for one tile of the residual error for each thread.
    tile_room: Vec<Tile>,
    /// Of the latest residual error.
    tiles: Tiles,
    terms: StepTerms,
    /// KL of mean and covariance that the E-step before the prior policy's latest move saw.
    divergences_at_move: Option<(f32, f32)>,
    /// Norms of the latest step whose gradients [`Learner::gradients`] has overwritten since.
    earlier_norms: StepNorms,
}

impl KernelLearner {
    /// A learner with the parameters `initial`, all of [`Networks::all`], and optimisers before their first step.
    ///
    /// # Errors
    /// `RECIPE_UNSUPPORTED` for the projected M-step, which needs second derivatives; `CONFIG_RANGE` for a size of 0,
    /// `PARAMETER_SHAPE` for initial parameters that are missing, unknown or of another shape, `NOT_FINITE`,
    /// `OUT_OF_MEMORY` where the system has no
    /// more threads.
    pub fn new(config: LearnerConfig, initial: &[Parameter]) -> Result<Self> {
        expect_config(&config)?;
        if config.recipe.m_step == MStepKind::Projected {
            let recipe = "the projected M-step (mStep.kind projected): it takes the tensor engine".to_owned();
            return Err(EngineError::RecipeUnsupported { engine: "kernel", recipe });
        }
        let networks = Networks::new(&config.recipe, &config.sizes);
        expect_all(&networks, initial)?;
        let products = |threads| Products::new(config.gemm, threads);
        let helper = if config.threads > 1 { Some(Helper::spawn()?) } else { None };
        let shared = Shared::new(&config, &networks);
        let actor = Actor::new(&config, &networks, &shared.shapes, products(config.threads.div_ceil(2))?);
        let critic = Critic::new(&config, &shared.shapes, products(config.threads / 2)?);
        let (terms, earlier_norms) = (StepTerms::default(), StepNorms::default());
        let tile_room = (0..config.threads).map(|_| Tile::new(&config, &shared.shapes)).collect();
        let tiles = Tiles::new();
        let mut learner = Self {
            config,
            networks,
            shared,
            actor,
            critic,
            helper,
            tile_room,
            tiles,
            terms,
            divergences_at_move: None,
            earlier_norms,
        };
        learner.set_parameters(initial)?;
        Ok(learner)
    }

    /// Where the draws at s′ lie in a row of a step's noise.
    fn next_draws(&self) -> Draws {
        let (recipe, samples) = (&self.config.recipe, self.config.samples);
        Draws { first: recipe.draws_at_state(samples), total: recipe.draws(samples) }
    }

    /// Takes over some rows and their noise; `room` is what those of a buffer are gathered in.
    fn load(&mut self, rows: &Rows<'_>, room: &mut GatheredBatch, noise: &[f32]) -> Result<()> {
        let (n, next) = (rows.count(), self.next_draws());
        let Shared { shapes, inputs, next: sampler, .. } = &mut self.shared;
        match (rows, self.helper.as_mut()) {
            (Rows::Drawn { replay, indices }, Some(helper)) => {
                inputs.load_drawn(helper, (replay, indices), room);
            }
            _ => inputs.load(&rows.all(room)),
        }
        self.actor.load(shapes, noise, n);
        write(sampler)?.load(&shapes.policy, noise, next, n);
        self.critic.load(shapes, noise, next, n);
        self.shared.begin()?;
        Ok(())
    }

    /// T of a step; 0 where none of its losses reads one.
    fn temperature_of(&self, step: Step, temperature: Temperature) -> Result<f32> {
        let recipe = &self.config.recipe;
        let by_m = recipe.action_value_target == ActionValueTarget::SoftActionValue
            || recipe.state_value_target == StateValueTarget::SoftActionValue;
        let by_e = recipe.policy_objective != PolicyObjective::Deterministic;
        if !(step.has_m() && by_m || step.has_e() && by_e) {
            return Ok(0.0);
        }
        let given = temperature.at(self.terms.residual_error)?;
        let temperature = temperature_in_use(given, self.actor.duals.temperature())?;
        let weighs = step.has_e() && recipe.policy_objective == PolicyObjective::WeightedLikelihood;
        given.filter(|_| weighs).map_or(Ok(()), expect_positive)?;
        Ok(temperature)
    }

    /// A step: its halves, as far as it has them, and what they leave to both.
    fn run(
        &mut self,
        (step, gradients): (Step, Use),
        (rows, room): (&Rows<'_>, &mut GatheredBatch),
        noise: &[f32],
        temperature: Temperature,
    ) -> Result<Terms> {
        let draws = self.config.recipe.draws(self.config.samples);
        expect_rows(&self.config.sizes, rows, noise, draws)?;
        let temperature = self.temperature_of(step, temperature)?;
        self.load(rows, room, noise)?;

        let (shared, actor, critic) = (&self.shared, &mut self.actor, &mut self.critic);
        let beside = step.has_m() && self.helper.is_some();
        let (held, meeting) = (Held::of(shared)?, Meeting::of(1 + usize::from(beside)));
        let ours = || actor::run((shared, held), actor, step, temperature, &meeting);
        let theirs = || critic::run(shared, critic, temperature, &meeting);
        let terms = match self.helper.as_mut() {
            Some(helper) if step.has_m() => {
                let (critic, policy) = helper.join(theirs, ours);
                Terms { policy: policy?, critic: Some(critic?) }
            }
            _ => {
                let policy = ours()?;
                Terms { policy, critic: step.has_m().then(theirs).transpose()? }
            }
        };
        self.descend(step, gradients)?;
        Ok(terms)
    }

    /// The rest of the gradients of a step whose halves have met, Adam, and the targets that follow. All gradients are at the
    /// parameters that the step began with.
    fn descend(&mut self, step: Step, gradients: Use) -> Result<()> {
        let moves = gradients != Use::Keep;
        let rate = self.config.optimisers.target_update_rate as f32;
        let [rate_of_values, rate_of_policy] = gradients.follows().map(|follows| follows.then_some(rate));
        let Shared { shapes, inputs, targets, action_values, state_value, sampled, .. } = &mut self.shared;
        // a panic between two pieces leaves parameters half moved: no step may follow it
        let (sampled, at) = (write(sampled)?, (&*shapes, &*inputs));
        let (actor, critic) = (&mut self.actor, &mut self.critic);
        let mut their_targets = targets.action_values.iter_mut();
        let of_action_values = action_values
            .iter_mut()
            .filter(|_| moves)
            .map(|weights| Moves::of(weights, their_targets.next(), rate_of_values));
        let of_state_value =
            moves.then(|| Moves::of(state_value, targets.state_value.as_mut(), rate_of_values));
        let of_critic = step.has_m().then(|| {
            critic.descents.work(&critic.buffers, at, sampled.as_ref(), (of_action_values, of_state_value))
        });
        let policy = moves.then(|| Moves::of(&mut actor.weights, targets.policy.as_mut(), rate_of_policy));
        let of_actor = step.has_e().then(|| actor.buffers.work(&mut actor.descent, at, policy));
        let of_critic = Mutex::new(of_critic.into_iter().flatten());
        let of_actor = Mutex::new(of_actor.into_iter().flatten());

        // each half begins with its own: what Adam changes is still in its core's cache from the last step
        let ours_first = || take(&of_actor).or_else(|| take(&of_critic));
        let theirs_first = || take(&of_critic).or_else(|| take(&of_actor));
        let mut ours = || descent::share(actor.products.apart(), ours_first, || false);
        match self.helper.as_mut() {
            Some(helper) => {
                let theirs = || descent::share(critic.products.apart(), theirs_first, || false);
                let (theirs, ours) = helper.join(theirs, ours);
                ours.and(theirs)?;
            }
            None => ours()?,
        }
        if moves && step.has_e() {
            actor.duals.step()?;
        }
        Ok(())
    }

    /// The divergences at which a prior policy has moved.
    fn note_move(&mut self, followed: Option<Step>) {
        if followed.is_some_and(Step::has_e) && self.shared.targets.policy.is_some() {
            self.divergences_at_move = self.terms.kl_mean.zip(self.terms.kl_covariance);
        }
    }

    /// ε_w on some rows.
    fn residual_of(&mut self, rows: &Rows<'_>, noise: &[f32], temperature: Temperature) -> Result<f32> {
        let (recipe, sizes) = (self.config.recipe, &self.config.sizes);
        let draws = recipe.draws_at_next_state(self.config.samples);
        expect_rows(sizes, rows, noise, draws)?;
        let is_soft = recipe.action_value_target == ActionValueTarget::SoftActionValue;
        let temperature = if is_soft {
            temperature_in_use(temperature.at(self.terms.residual_error)?, self.actor.duals.temperature())?
        } else {
            0.0
        };

        let shared = &self.shared;
        let at = Present {
            shapes: &shared.shapes,
            policy: &self.actor.weights,
            action_values: &shared.action_values,
            state_value: &shared.state_value,
            targets: &shared.targets,
            temperature,
        };
        let count = rows.count().div_ceil(self.config.batch);
        self.tiles.fill(count);
        let (tiles, given) = (&self.tiles, (rows, noise));
        let team = self.actor.products.team();
        let (ours, theirs) = self.tile_room.split_at_mut(team.size());
        let mut ours = || tiles.squared_sums(team, ours, &at, given);
        match self.helper.as_mut() {
            Some(helper) if count > 1 => {
                let team = self.critic.products.team();
                let theirs = || tiles.squared_sums(team, theirs, &at, given);
                let (theirs, ours) = helper.join(theirs, ours);
                ours.and(theirs)?;
            }
            _ => ours()?,
        }
        Ok(residual_error(self.tiles.total(), rows.count() * self.config.sizes.action_values) as f32)
    }
}

impl Learner for KernelLearner {
    fn parameters(&self) -> Result<Vec<Parameter>> {
        let mut parameters = Vec::new();
        self.refresh(&mut parameters)?;
        Ok(parameters)
    }

    fn refresh(&self, parameters: &mut Vec<Parameter>) -> Result<()> {
        if parameters.is_empty() {
            let zeros = |spec: ParameterSpec| Parameter { data: vec![0.0; spec.len()], spec };
            parameters.extend(self.networks.all().into_iter().map(zeros));
        }
        let Shared { shapes, targets, action_values, state_value, .. } = &self.shared;
        shapes.policy.refresh(&self.actor.weights, parameters);
        self.actor.duals.refresh(parameters);
        for (network, weights) in shapes.action_values.iter().zip(action_values) {
            network.refresh(weights, parameters);
        }
        if let Some(network) = &shapes.state_value {
            network.refresh(state_value, parameters);
        }
        if let (Some(network), Some(weights)) = (&shapes.target_state_value, &targets.state_value) {
            network.refresh(weights, parameters);
        }
        for (network, weights) in shapes.target_action_values.iter().zip(&targets.action_values) {
            network.refresh(weights, parameters);
        }
        if let (Some(network), Some(weights)) = (&shapes.target_policy, &targets.policy) {
            network.refresh(weights, parameters);
        }
        Ok(())
    }

    fn set_parameters(&mut self, parameters: &[Parameter]) -> Result<()> {
        expect_parameters(&self.networks, parameters)?;
        let Shared { shapes, targets, action_values, state_value, .. } = &mut self.shared;
        shapes.policy.write(parameters, &mut self.actor.weights);
        self.actor.duals.write(parameters);
        for (shape, weights) in shapes.action_values.iter().zip(action_values) {
            shape.write(parameters, weights);
        }
        if let Some(shape) = &shapes.state_value {
            shape.write(parameters, state_value);
        }
        if let (Some(shape), Some(weights)) = (&shapes.target_state_value, &mut targets.state_value) {
            shape.write(parameters, weights);
        }
        for (shape, weights) in shapes.target_action_values.iter().zip(&mut targets.action_values) {
            shape.write(parameters, weights);
        }
        if let (Some(shape), Some(weights)) = (&shapes.target_policy, &mut targets.policy) {
            shape.write(parameters, weights);
        }
        Ok(())
    }

    fn temperature(&mut self) -> Result<Option<f32>> {
        Ok(self.actor.duals.temperature())
    }

    fn residual_error(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: Temperature) -> Result<f32> {
        self.residual_of(&Rows::Gathered(*batch), noise, temperature)
    }

    fn measure(&mut self, rows: &Rows<'_>, noise: &[f32], temperature: Temperature) -> Result<()> {
        self.terms.residual_error = Some(self.residual_of(rows, noise, temperature)?);
        Ok(())
    }

    fn gradients(
        &mut self,
        batch: &Batch<'_>,
        noise: &[f32],
        temperature: Temperature,
    ) -> Result<StepGradients> {
        let norms = self.norms()?;
        let given = (&Rows::Gathered(*batch), &mut GatheredBatch::default());
        let terms = self.run((Step::Joint, Use::Keep), given, noise, temperature)?;
        self.earlier_norms = norms;
        let mut at_these_parameters = StepTerms::default();
        terms.store(&mut at_these_parameters);
        let (shapes, descents) = (&self.shared.shapes, &self.critic.descents);
        let mut gradients = shapes.policy.read(&self.actor.descent.gradient);
        for (shape, descent) in shapes.action_values.iter().zip(&descents.action_values) {
            gradients.extend(shape.read(&descent.gradient));
        }
        if let (Some(shape), Some(descent)) = (&shapes.state_value, &descents.state_value) {
            gradients.extend(shape.read(&descent.gradient));
        }
        gradients.extend(self.actor.duals.gradients());
        Ok(StepGradients { losses: at_these_parameters.losses, gradients })
    }

    fn step(&mut self, step: Step, batch: &Batch<'_>, noise: &[f32], temperature: Temperature) -> Result<()> {
        self.step_on(
            (step, None),
            (&Rows::Gathered(*batch), &mut GatheredBatch::default()),
            noise,
            temperature,
        )
    }

    fn step_on(
        &mut self,
        (step, followed): (Step, Option<Step>),
        given: (&Rows<'_>, &mut GatheredBatch),
        noise: &[f32],
        temperature: Temperature,
    ) -> Result<()> {
        // a target moves with its network's pieces: one that follows on another step is a defect of the caller
        let is_within = |halves: Step| halves == step || step == Step::Joint;
        assert!(followed.is_none_or(is_within), "targets of a half that the step lacks");
        let terms = self.run((step, Use::Step(followed)), given, noise, temperature)?;
        terms.store(&mut self.terms);
        if step.has_m() {
            (self.earlier_norms.action_value, self.earlier_norms.state_value) = (None, None);
        }
        if step.has_e() {
            self.earlier_norms.policy = None;
        }
        self.note_move(followed);
        Ok(())
    }

    fn update_targets(&mut self, step: Step) -> Result<()> {
        let rate = self.config.optimisers.target_update_rate as f32;
        let Shared { targets, action_values, state_value, .. } = &mut self.shared;
        if step.has_m() {
            if let Some(target) = &mut targets.state_value {
                vector::move_target(target, state_value, rate)?;
            }
            for (target, online) in targets.action_values.iter_mut().zip(action_values) {
                vector::move_target(target, online, rate)?;
            }
        }
        if step.has_e()
            && let Some(target) = &mut targets.policy
        {
            vector::move_target(target, &self.actor.weights, rate)?;
        }
        self.note_move(Some(step));
        Ok(())
    }

    fn terms(&mut self) -> Result<StepTerms> {
        let mut terms = self.terms.clone();
        if let Some((mean, covariance)) = self.divergences_at_move {
            (terms.kl_mean, terms.kl_covariance) = (Some(mean), Some(covariance));
        }
        Ok(terms)
    }

    fn norms(&mut self) -> Result<StepNorms> {
        let of = |descents: &[Descent]| {
            let squared: Option<f64> =
                descents.iter().map(|descent| descent.optimiser.squared_update()).sum();
            let gradient: f64 = descents.iter().map(|descent| squared_sum(&descent.gradient)).sum();
            squared.map(|update| Norms { gradient: gradient.sqrt(), update: update.sqrt() })
        };
        let (earlier, critic) = (self.earlier_norms, &self.critic.descents);
        Ok(StepNorms {
            policy: earlier.policy.or_else(|| of(slice::from_ref(&self.actor.descent))),
            action_value: earlier.action_value.or_else(|| of(&critic.action_values)),
            state_value: earlier.state_value.or_else(|| of(slice::from_ref(critic.state_value.as_ref()?))),
        })
    }

    fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        // gradients are not kept: their norms are
        let mut norms = self.norms()?;
        ledger.section("policy", |ledger| self.actor.descent.optimiser.state(ledger))?;
        // the name in checkpoints that are on disk, of when logarithms were trained
        ledger.section("logs", |ledger| self.actor.duals.state(ledger))?;
        self.critic.state(ledger)?;
        ledger.section("terms", |ledger| self.terms.state(ledger))?;
        ledger.section("norms", |ledger| norms.state(ledger))?;
        self.earlier_norms = norms;
        let (mut mean, mut covariance) = self.divergences_at_move.unzip();
        ledger.optional("klMeanAtMove", &mut mean)?;
        ledger.optional("klCovarianceAtMove", &mut covariance)?;
        self.divergences_at_move = mean.zip(covariance);
        Ok(())
    }

    fn act(&mut self, observations: &[f32], noise: Option<&[f32]>, actions: &mut [f32]) -> Result<()> {
        let noise = expect_noise(self.config.recipe.policy, noise)?;
        expect_act(&self.config.sizes, observations, noise, actions)?;
        self.actor.act(&self.shared.shapes, observations, noise, actions)
    }

    fn action_value(&mut self, observations: &[f32], actions: &[f32], values: &mut [f32]) -> Result<()> {
        let sizes = &self.config.sizes;
        expect_len("observations", observations.len(), values.len() * sizes.observation)?;
        expect_len("actions", actions.len(), values.len() * sizes.action)?;
        let tiles = observations
            .chunks(self.config.batch * sizes.observation)
            .zip(actions.chunks(self.config.batch * sizes.action));
        for ((observations, actions), values) in tiles.zip(values.chunks_mut(self.config.batch)) {
            self.shared.inputs.load_pairs(observations, actions, values.len());
            self.critic.first_action_value(&self.shared, values)?;
        }
        Ok(())
    }

    fn policy(&mut self, observations: &[f32], mean: &mut [f32], log_std: &mut [f32]) -> Result<()> {
        let sizes = &self.config.sizes;
        expect_act(sizes, observations, None, mean)?;
        expect_len("logStd", log_std.len(), mean.len())?;
        let (policy, width) = (self.config.recipe.policy, sizes.action);
        self.actor.heads(&self.shared.shapes, observations, |state, of_mean, raw| {
            let place = state * width..(state + 1) * width;
            mean[place.clone()].copy_from_slice(of_mean);
            match policy {
                PolicyKind::Deterministic => log_std[place].fill(0.0),
                PolicyKind::TanhGaussian => {
                    log_std[place].iter_mut().zip(raw).for_each(|(to, &raw)| *to = clip(raw));
                }
            }
            Ok(())
        })
    }
}

/// What happens to a step's gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Optimisers move, then the targets of some of the step's halves.
    Step(Option<Step>),
    /// They are left for the caller to read.
    Keep,
}

impl Use {
    /// Whether the targets of the M-step follow, and those of the E-step.
    fn follows(self) -> [bool; 2] {
        match self {
            Self::Step(Some(halves)) => [halves.has_m(), halves.has_e()],
            Self::Step(None) | Self::Keep => [false, false],
        }
    }
}

/// What a step's halves saw.
struct Terms {
    policy: Option<PolicyTerms>,
    critic: Option<CriticTerms>,
}

impl Terms {
    /// Overwrites what this step has; the rest stays.
    fn store(&self, terms: &mut StepTerms) {
        if let Some(policy) = &self.policy {
            policy.store(&mut terms.losses);
            terms.log_density = policy.log_density.map(|value| value as f32);
            terms.absolute_action = policy.absolute_action as f32;
            terms.log_std = policy.log_std.map(|value| value as f32);
            terms.kl_mean = policy.divergences.map(|(mean, _)| mean as f32);
            terms.kl_covariance = policy.divergences.map(|(_, covariance)| covariance as f32);
        }
        if let Some(critic) = &self.critic {
            store_critic(critic, terms);
        }
    }
}

fn store_critic(critic: &CriticTerms, terms: &mut StepTerms) {
    let Losses { action_value, state_value, .. } = &mut terms.losses;
    *action_value = critic.action_values.iter().map(|(loss, _)| loss).sum::<f64>() as f32;
    *state_value = critic.state_value.map(|(loss, _)| loss as f32);
    terms.action_value_losses = critic.action_values.iter().map(|(loss, _)| *loss as f32).collect();
    terms.action_values = critic.action_values.iter().map(|(_, mean)| *mean as f32).collect();
    terms.state_value = critic.state_value.map(|(_, mean)| mean as f32);
}
