//! The gradient step by hand, in float32 on the CPU: forward and backward over flat, padded, preallocated
//! buffers, one matrix product a layer, a fused Adam, nothing recorded.
//!
//! Activations are feature-major (samples are what a vector register holds), biases are a column of the weights.
//! A step has two halves that meet in [`shared`]: [`actor`] (policy, ã, V(s), Q(s, ã)) and [`critic`] (targets,
//! Q, V), about 575,000 and 566,000 multiply-adds a sample with two hidden layers of 300. One thread runs them
//! one after the other, two threads at once; they compute the same sums in the same order, so the number of
//! threads never changes a bit.

mod actor;
mod backward;
mod critic;
mod forward;
mod memory;
mod network;
mod sgemm;
mod shared;
mod threads;
mod vector;

use std::ops::Range;
use std::sync::Arc;

use self::actor::{Actor, PolicyTerms};
use self::critic::CriticTerms;
use self::shared::{Shared, Step, lock, read, write};
use self::threads::CriticThread;
use super::{Learner, LearnerConfig, StepGradients, StepTerms};
use super::{expect_act, expect_all, expect_batch, expect_config, expect_parameters};
use crate::agents::recipe::{ActionValueTarget, PolicyGradient, Recipe, StateValueTarget};
use crate::error::Result;
use crate::math::residual::residual_error;
use crate::networks::layout::Parameter;
use crate::replay::batch::Batch;

/// [`Learner`] in float32 by hand; see the module's text.
pub struct KernelLearner {
    config: LearnerConfig,
    shared: Arc<Shared>,
    actor: Actor,
    /// None on one thread.
    critic_thread: Option<CriticThread>,
    terms: StepTerms,
}

impl KernelLearner {
    /// A learner with the parameters `initial`, all of `layout::all`, and optimisers before their first step.
    ///
    /// `config.threads` beyond 2 count as 2: there are two halves.
    ///
    /// # Errors
    /// `CONFIG_RANGE` for a size of 0, `PARAMETER_SHAPE` for initial parameters that are missing, unknown or of
    /// another shape, `NOT_FINITE`, `OUT_OF_MEMORY` without a second thread.
    pub fn new(config: LearnerConfig, initial: &[Parameter]) -> Result<Self> {
        // every part of the vocabulary that this learner knows; a new one does not compile before it is handled
        let Recipe {
            action_value_target: ActionValueTarget::TargetStateValue,
            state_value_target: StateValueTarget::SampledActionValue,
            policy_gradient: PolicyGradient::Reparameterised,
        } = config.recipe;
        expect_config(&config)?;
        expect_all(&config.sizes, initial)?;
        let shared = Arc::new(Shared::new(&config));
        let critic_thread =
            if config.threads > 1 { Some(CriticThread::spawn(Arc::clone(&shared))?) } else { None };
        let actor = Actor::new(&config, &shared.shapes);
        let mut learner = Self { config, shared, actor, critic_thread, terms: StepTerms::default() };
        learner.set_parameters(initial)?;
        Ok(learner)
    }

    /// Both halves of a step, as far as it has them.
    fn run(&mut self, step: Step, batch: &Batch<'_>, noise: &[f32], temperature: f32) -> Result<Terms> {
        expect_batch(&self.config.sizes, batch, Some(noise))?;
        let shared = &*self.shared;
        write(&shared.inputs)?.load(batch);
        self.actor.load(&shared.shapes, noise, batch.rows());

        let (actor, thread) = (&mut self.actor, self.critic_thread.as_mut());
        match (step.critic(), thread) {
            (None, _) => {
                let policy = actor::run(shared, actor, step, temperature, || Ok(()))?;
                Ok(Terms { policy, critic: None })
            }
            (Some(gradients), None) => {
                let policy = actor::run(shared, actor, step, temperature, || Ok(()))?;
                let critic = critic::run(shared, gradients)?;
                Ok(Terms { policy, critic: Some(critic) })
            }
            (Some(gradients), Some(thread)) => {
                let policy = actor::run(shared, actor, step, temperature, || thread.start(gradients));
                // also after an error: the next step must not meet this one's other half
                let critic = thread.finish();
                Ok(Terms { policy: policy?, critic: Some(critic?) })
            }
        }
    }

    /// [`Self::run`] for a step that moves parameters; its terms are kept.
    fn step(&mut self, step: Step, batch: &Batch<'_>, noise: &[f32], temperature: f32) -> Result<()> {
        let terms = self.run(step, batch, noise, temperature)?;
        terms.store(&mut self.terms);
        Ok(())
    }
}

impl Learner for KernelLearner {
    fn parameters(&self) -> Result<Vec<Parameter>> {
        let shapes = &self.shared.shapes;
        let (action_value, state_value) = (read(&self.shared.action_value)?, read(&self.shared.state_value)?);
        let critic = lock(&self.shared.critic)?;
        let networks = [
            shapes.policy.read(&self.actor.weights),
            shapes.action_value.read(&action_value),
            shapes.state_value.read(&state_value),
            shapes.target_state_value.read(&critic.target),
        ];
        Ok(networks.concat())
    }

    fn set_parameters(&mut self, parameters: &[Parameter]) -> Result<()> {
        expect_parameters(&self.config.sizes, parameters)?;
        let shapes = &self.shared.shapes;
        let (mut action_value, mut state_value) =
            (write(&self.shared.action_value)?, write(&self.shared.state_value)?);
        let mut critic = lock(&self.shared.critic)?;
        shapes.policy.write(parameters, &mut self.actor.weights);
        shapes.action_value.write(parameters, &mut action_value);
        shapes.state_value.write(parameters, &mut state_value);
        shapes.target_state_value.write(parameters, &mut critic.target);
        Ok(())
    }

    fn residual_error(&mut self, batch: &Batch<'_>) -> Result<f32> {
        expect_batch(&self.config.sizes, batch, None)?;
        let mut total = 0.0;
        // tiles of the training batch's size pass through both networks at once
        for first in (0..batch.rows()).step_by(self.config.batch) {
            let tile = first..batch.rows().min(first + self.config.batch);
            write(&self.shared.inputs)?.load(&rows_of(batch, &tile));
            total += lock(&self.shared.critic)?.squared_residuals(&self.shared)?;
        }
        Ok(residual_error(total, batch.rows()) as f32)
    }

    fn gradients(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: f32) -> Result<StepGradients> {
        let terms = self.run(Step::Gradients, batch, noise, temperature)?;
        let mut at_these_parameters = StepTerms::default();
        terms.store(&mut at_these_parameters);
        let (shapes, critic) = (&self.shared.shapes, lock(&self.shared.critic)?);
        let networks = [
            shapes.policy.read(&self.actor.gradient),
            shapes.action_value.read(&critic.action_value_gradient),
            shapes.state_value.read(&critic.state_value_gradient),
        ];
        Ok(StepGradients { losses: at_these_parameters.losses, gradients: networks.concat() })
    }

    fn update(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: f32) -> Result<()> {
        self.step(Step::Both, batch, noise, temperature)
    }

    fn m_step(&mut self, batch: &Batch<'_>, noise: &[f32]) -> Result<()> {
        // no loss of the M-step has a temperature
        self.step(Step::M, batch, noise, 0.0)
    }

    fn e_step(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: f32) -> Result<()> {
        self.step(Step::E, batch, noise, temperature)
    }

    fn terms(&mut self) -> Result<StepTerms> {
        Ok(self.terms)
    }

    fn act(&mut self, observations: &[f32], noise: Option<&[f32]>, actions: &mut [f32]) -> Result<()> {
        let sizes = &self.config.sizes;
        expect_act(sizes, observations, noise, actions)?;
        let samples =
            observations.chunks_exact(sizes.observation).zip(actions.chunks_exact_mut(sizes.action));
        for (index, (observation, action)) in samples.enumerate() {
            let noise = noise.map(|noise| &noise[index * sizes.action..][..sizes.action]);
            self.actor.act(&self.shared.shapes, observation, noise, action)?;
        }
        Ok(())
    }
}

/// What a step's halves saw.
struct Terms {
    policy: Option<PolicyTerms>,
    critic: Option<CriticTerms>,
}

impl Terms {
    /// Overwrites what this step has; the rest stays.
    const fn store(&self, terms: &mut StepTerms) {
        if let Some(policy) = self.policy {
            terms.losses.policy = policy.loss as f32;
            terms.log_density = policy.log_density as f32;
            terms.absolute_action = policy.absolute_action as f32;
            terms.log_std = policy.log_std as f32;
        }
        if let Some(critic) = self.critic {
            terms.losses.action_value = critic.action_value_loss as f32;
            terms.losses.state_value = critic.state_value_loss as f32;
            terms.action_value = critic.action_value as f32;
            terms.state_value = critic.state_value as f32;
        }
    }
}

/// Some rows of a batch.
fn rows_of<'a>(batch: &Batch<'a>, rows: &Range<usize>) -> Batch<'a> {
    let cut = |values: &'a [f32]| {
        let width = values.len() / batch.rows();
        &values[rows.start * width..rows.end * width]
    };
    Batch {
        observations: cut(batch.observations),
        actions: cut(batch.actions),
        rewards: cut(batch.rewards),
        next_observations: cut(batch.next_observations),
        discounts: cut(batch.discounts),
    }
}
