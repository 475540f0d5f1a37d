//! The learner on libtorch: batched operations on CPU or CUDA, f32 or f64, derivatives written out, no autograd.
//!
//! A step reads nothing back from the device; [`transfer`] alone does, when the caller asks for numbers. Matrix work
//! is shared: each pass that both halves of a step need is computed once ([`given`]). The halves are assembled from the
//! recipe's parts in [`halves`]; the equations of a part are in the file of its stem.
//!
//! Sizes are passed down rather than asked of tensors: `size`, `size2` and `numel` panic where libtorch throws.
//! Of such forms only `shallow_clone` and `device` remain: on a tensor that exists they read or copy one pointer.

mod adam;
mod bellman;
mod boltzmann;
mod e_step;
mod given;
mod halves;
mod m_step;
mod network;
mod networks;
mod optimisers;
mod projected_residual;
mod residual;
mod tanh_gaussian;
mod target_update;
mod temperature;
mod transfer;

use tch::{Device, Kind, Tensor};

use self::given::Given;
use self::halves::{EStep, MStep, e_half, m_half, residual_of};
use self::networks::{Targets, Trained, expect_part};
use self::optimisers::Optimisers;
use self::tanh_gaussian::{Gaussian, deterministic};
use self::temperature::{Logs, Temperature};
use self::transfer::{Inputs, Noise, Placement, pairs, read, read_optional};
use super::{Learner, LearnerConfig, Losses, Step, StepGradients, StepNorms, StepTerms};
use super::{expect_act, expect_all, expect_batch, expect_config, expect_parameters};
use crate::device::{use_threads, warm_up};
use crate::error::{Result, expect_len};
use crate::networks::layout::{Networks, Parameter, ParameterSpec};
use crate::recipe::PolicyKind;
use crate::replay::batch::Batch;

/// Networks, optimisers and targets on one device.
pub struct TensorLearner {
    config: LearnerConfig,
    layout: Networks,
    placement: Placement,
    trained: Trained,
    targets: Targets,
    /// Of the latest steps.
    gradients: Trained,
    optimisers: Optimisers,
    /// What the latest M-step and E-step saw, on the device until [`Learner::terms`].
    latest_m_step: Option<MStep>,
    latest_e_step: Option<EStep>,
}

impl TensorLearner {
    /// A learner with the `initial` values of every parameter of [`Networks::all`], on a device that `device::open` gave.
    ///
    /// `kind` is `Float` or, for tests of the mathematics, `Double`; numbers cross to the host as f32 either way.
    ///
    /// # Errors
    /// `RECIPE_UNSUPPORTED` for parts that do not fit each other, `CONFIG_RANGE` for a size or thread count that cannot
    /// be, `PARAMETER_SHAPE` for initial parameters that are missing, unknown or of another shape, `NOT_FINITE`,
    /// `NATIVE_EXCEPTION`.
    pub fn new(config: LearnerConfig, initial: &[Parameter], device: Device, kind: Kind) -> Result<Self> {
        expect_config(&config)?;
        let layout = Networks::new(&config.recipe, &config.sizes);
        expect_all(&layout, initial)?;
        warm_up()?;
        use_threads(config.threads)?;
        let placement = Placement { device, kind };
        let trained = Trained::zeros(&layout, placement)?;
        let mut learner = Self {
            placement,
            targets: Targets::zeros(&layout, placement)?,
            gradients: Trained::zeros(&layout, placement)?,
            optimisers: Optimisers::new(&trained, &config)?,
            trained,
            latest_m_step: None,
            latest_e_step: None,
            layout,
            config,
        };
        learner.set_parameters(initial)?;
        Ok(learner)
    }

    /// Checks what a step or the residual error is given and copies it to the device; `draws` are those of a row's noise
    /// for s and for s′.
    fn given(
        &self,
        batch: &Batch<'_>,
        noise: &[f32],
        draws: [usize; 2],
        temperature: Option<f32>,
    ) -> Result<Given<'_>> {
        use_threads(self.config.threads)?;
        let (sizes, placement) = (&self.config.sizes, self.placement);
        expect_batch(sizes, batch, noise, draws.iter().sum())?;
        let inputs = Inputs::upload(batch, sizes, placement)?;
        let noise = Noise::upload(noise, inputs.rows, draws, sizes.action, placement)?;
        let temperature = Temperature::new(temperature, self.trained.logs.as_ref(), placement)?;
        Ok(Given::new(&self.config, (&self.trained, &self.targets), (inputs, noise), temperature))
    }

    /// [`Self::given`] of a gradient step.
    fn given_step(&self, batch: &Batch<'_>, noise: &[f32], temperature: Option<f32>) -> Result<Given<'_>> {
        let (recipe, samples) = (&self.config.recipe, self.config.samples);
        let draws = [recipe.draws_at_state(samples), recipe.draws_at_next_state(samples)];
        self.given(batch, noise, draws, temperature)
    }

    /// Names and views of every parameter, in the order of [`Networks::all`].
    fn named_parameters(&self) -> Result<Vec<(ParameterSpec, Tensor)>> {
        Ok(self.trained.named()?.into_iter().chain(self.targets.named()?).collect())
    }
}

impl Learner for TensorLearner {
    fn parameters(&self) -> Result<Vec<Parameter>> {
        self.named_parameters()?.into_iter().map(to_host).collect()
    }

    fn set_parameters(&mut self, parameters: &[Parameter]) -> Result<()> {
        expect_parameters(&self.layout, parameters)?;
        for (spec, mut view) in self.named_parameters()? {
            // the last of equal names wins, as when they are set one by one
            if let Some(given) = parameters.iter().rfind(|given| given.spec.name == spec.name) {
                let shape: Vec<i64> = spec.shape.iter().map(|&length| length as i64).collect();
                view.f_copy_(&self.placement.upload(&given.data, &shape)?)?;
            }
        }
        Ok(())
    }

    fn temperature(&mut self) -> Result<Option<f32>> {
        use_threads(self.config.threads)?;
        let log = self.trained.logs.as_ref().map(Logs::log_temperature).transpose()?;
        read_optional(log.map(|log| log.f_exp()).transpose()?)
    }

    fn residual_error(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: Option<f32>) -> Result<f32> {
        let draws = [0, self.config.recipe.draws_at_next_state(self.config.samples)];
        let [error] = read([residual_of(&self.given(batch, noise, draws, temperature)?)?])?;
        Ok(error)
    }

    fn gradients(
        &mut self,
        batch: &Batch<'_>,
        noise: &[f32],
        temperature: Option<f32>,
    ) -> Result<StepGradients> {
        // apart from those of the latest steps, which the norms are of
        let gradients = Trained::zeros(&self.layout, self.placement)?;
        let given = self.given_step(batch, noise, temperature)?;
        let (m_step, e_step) = (m_half(&given, &gradients)?, e_half(&given, &gradients)?);
        let mut losses = Losses::default();
        read_m_losses(&m_step, &mut losses)?;
        read_e_losses(&e_step, &mut losses)?;
        let gradients = gradients.named()?.into_iter().map(to_host).collect::<Result<_>>()?;
        Ok(StepGradients { losses, gradients })
    }

    fn step(&mut self, step: Step, batch: &Batch<'_>, noise: &[f32], temperature: Option<f32>) -> Result<()> {
        let given = self.given_step(batch, noise, temperature)?;
        let m_step = step.has_m().then(|| m_half(&given, &self.gradients)).transpose()?;
        let e_step = step.has_e().then(|| e_half(&given, &self.gradients)).transpose()?;
        self.optimisers.step(&mut self.trained, &self.gradients, step)?;
        self.latest_m_step = m_step.or(self.latest_m_step.take());
        self.latest_e_step = e_step.or(self.latest_e_step.take());
        Ok(())
    }

    fn update_targets(&mut self, step: Step) -> Result<()> {
        use_threads(self.config.threads)?;
        self.targets.follow(&self.trained, step, self.config.optimisers.target_update_rate)
    }

    fn terms(&mut self) -> Result<StepTerms> {
        use_threads(self.config.threads)?;
        let mut terms = StepTerms::default();
        if let Some(m_step) = &self.latest_m_step {
            read_m_terms(m_step, &mut terms)?;
        }
        if let Some(e_step) = &self.latest_e_step {
            read_e_terms(e_step, &mut terms)?;
        }
        Ok(terms)
    }

    fn norms(&mut self) -> Result<StepNorms> {
        use_threads(self.config.threads)?;
        self.optimisers.norms(&self.gradients)
    }

    fn act(&mut self, observations: &[f32], noise: Option<&[f32]>, actions: &mut [f32]) -> Result<()> {
        let sizes = &self.config.sizes;
        let gaussian_noise = match self.config.recipe.policy {
            PolicyKind::TanhGaussian => noise,
            PolicyKind::Deterministic => {
                expect_len("noise", noise.map_or(0, <[f32]>::len), 0)?;
                None
            }
        };
        let rows = expect_act(sizes, observations, gaussian_noise, actions)? as i64;
        use_threads(self.config.threads)?;
        let observations = self.placement.upload(observations, &[rows, sizes.observation as i64])?;
        let output = self.trained.policy.forward(&observations)?.output;
        let chosen = match gaussian_noise {
            None => deterministic(&output, sizes.action)?,
            Some(noise) => {
                let noise = self.placement.upload(noise, &[rows, sizes.action as i64])?;
                Gaussian::new(&output, sizes.action)?.sample(&noise)?.action
            }
        };
        transfer::read_into(&chosen, actions)
    }

    fn action_value(&mut self, observations: &[f32], actions: &[f32], values: &mut [f32]) -> Result<()> {
        let sizes = &self.config.sizes;
        let rows = expect_act(sizes, observations, None, actions)?;
        expect_len("values", values.len(), rows)?;
        use_threads(self.config.threads)?;
        let rows = rows as i64;
        let observations = self.placement.upload(observations, &[rows, sizes.observation as i64])?;
        let actions = self.placement.upload(actions, &[rows, sizes.action as i64])?;
        let network = expect_part(self.trained.action_values.first(), "an action value")?;
        transfer::read_into(&network.forward(&pairs(&observations, &actions)?)?.output, values)
    }

    fn policy(&mut self, observations: &[f32], mean: &mut [f32], log_std: &mut [f32]) -> Result<()> {
        let sizes = &self.config.sizes;
        let rows = expect_act(sizes, observations, None, mean)? as i64;
        expect_len("logStd", log_std.len(), mean.len())?;
        use_threads(self.config.threads)?;
        let observations = self.placement.upload(observations, &[rows, sizes.observation as i64])?;
        let output = self.trained.policy.forward(&observations)?.output;
        match self.config.recipe.policy {
            PolicyKind::TanhGaussian => {
                let gaussian = Gaussian::new(&output, sizes.action)?;
                transfer::read_into(&gaussian.mean, mean)?;
                transfer::read_into(&gaussian.log_std, log_std)
            }
            PolicyKind::Deterministic => {
                log_std.fill(0.0);
                transfer::read_into(&output, mean)
            }
        }
    }
}

fn read_m_losses(m_step: &MStep, losses: &mut Losses) -> Result<()> {
    let each = Tensor::f_stack(&m_step.action_value.losses()?, 0)?;
    [losses.action_value] = read([each.f_sum(None)?])?;
    losses.state_value = read_optional(m_step.state_value.as_ref().map(|v| v.loss()).transpose()?)?;
    losses.auxiliary_weights = read_optional(m_step.action_value.auxiliary_loss()?)?;
    Ok(())
}

fn read_e_losses(e_step: &EStep, losses: &mut Losses) -> Result<()> {
    [losses.policy] = read([e_step.policy_loss()?])?;
    if let Some(temperature) = &e_step.temperature {
        losses.temperature = read_optional(Some(temperature.temperature.shallow_clone()))?;
        if let Some([mean, covariance]) = &temperature.multipliers {
            losses.mean_multiplier = read_optional(Some(mean.shallow_clone()))?;
            losses.covariance_multiplier = read_optional(Some(covariance.shallow_clone()))?;
        }
    }
    Ok(())
}

fn read_m_terms(m_step: &MStep, terms: &mut StepTerms) -> Result<()> {
    read_m_losses(m_step, &mut terms.losses)?;
    let scalar = |value: Tensor| read([value]).map(|[value]| value);
    terms.action_value_losses =
        m_step.action_value.losses()?.into_iter().map(scalar).collect::<Result<_>>()?;
    let predictions = m_step.action_value.predictions().into_iter();
    terms.action_values = predictions.map(|value| scalar(value.f_mean(None)?)).collect::<Result<_>>()?;
    let state_value = m_step.state_value.as_ref().map(|value| value.prediction.f_mean(None));
    terms.state_value = read_optional(state_value.transpose()?)?;
    Ok(())
}

fn read_e_terms(e_step: &EStep, terms: &mut StepTerms) -> Result<()> {
    read_e_losses(e_step, &mut terms.losses)?;
    [terms.absolute_action] = read([e_step.policy.action().f_abs()?.f_mean(None)?])?;
    let mean = |values: &Tensor| values.f_mean(None);
    terms.log_density = read_optional(e_step.policy.log_density()?.as_ref().map(mean).transpose()?)?;
    terms.log_std = read_optional(e_step.log_std.as_ref().map(mean).transpose()?)?;
    if let Some(fit) = e_step.policy.weighted_likelihood() {
        let divergences = fit.divergences()?;
        terms.kl_mean = read_optional(Some(divergences.mean.f_sum(None)?))?;
        terms.kl_covariance = read_optional(Some(divergences.covariance.f_sum(None)?))?;
    }
    Ok(())
}

fn to_host((spec, view): (ParameterSpec, Tensor)) -> Result<Parameter> {
    Ok(Parameter { data: transfer::read_all(&view, spec.len())?, spec })
}
