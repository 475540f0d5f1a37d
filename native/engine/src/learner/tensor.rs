//! The learner on libtorch: batched operations on CPU or CUDA, f32 or f64, derivatives written out, no autograd.
//!
//! A step reads nothing back from the device; [`transfer`] alone does, when the caller asks for numbers. Matrix
//! work is shared: one pass of the policy and one of Q_w(s, ã) serve both y_V and J_π.
//!
//! Sizes are passed down rather than asked of tensors: `size`, `size2` and `numel` panic where libtorch throws.
//! Of such forms only `shallow_clone` and `device` remain: on a tensor that exists they read or copy one pointer.

mod adam;
mod bellman;
mod e_step;
mod m_step;
mod network;
mod residual;
mod tanh_gaussian;
mod target_update;
mod transfer;

use tch::{Device, Kind, Tensor};

use self::adam::Adam;
use self::bellman::one_step_target;
use self::e_step::{PolicyLoss, Regularisers};
use self::m_step::Regression;
use self::network::{Network, Pass};
use self::residual::residual_error;
use self::tanh_gaussian::TanhGaussian;
use self::target_update::target_update;
use self::transfer::{Inputs, Placement};
use super::{Learner, LearnerConfig, Losses, StepGradients, StepTerms};
use super::{expect_act, expect_all, expect_batch, expect_config, expect_parameters};
use crate::agents::recipe::{ActionValueTarget, PolicyGradient, Recipe, StateValueTarget};
use crate::device::{use_threads, warm_up};
use crate::error::Result;
use crate::networks::layout::{self, LayerSpec, Parameter, ParameterSpec};
use crate::replay::batch::Batch;

/// Networks, optimisers and target on one device.
pub struct TensorLearner {
    config: LearnerConfig,
    placement: Placement,
    policy: Trained,
    action_value: Trained,
    state_value: Trained,
    target_state_value: Network,
    /// What the latest M-step and E-step saw, on the device until [`Learner::terms`].
    latest_m_step: Option<MStep>,
    latest_e_step: Option<PolicyLoss>,
}

/// A network, the latest gradient by its parameters, and its optimiser.
struct Trained {
    network: Network,
    gradient: Network,
    optimiser: Adam,
}

/// J_Q and J_V.
struct MStep {
    action_value: Regression,
    state_value: Regression,
}

/// The policy at the states of a batch and the critic at the policy's actions: what both steps share.
struct Proposal {
    policy: Pass,
    sample: TanhGaussian,
    action_value: Pass,
}

impl Trained {
    fn new(layers: Vec<LayerSpec>, learning_rate: f64, placement: Placement) -> Result<Self> {
        let network = Network::zeros(layers.clone(), placement)?;
        let optimiser = Adam::new(&network.values, learning_rate)?;
        Ok(Self { gradient: Network::zeros(layers, placement)?, network, optimiser })
    }

    /// Writes the gradient of a loss, given the loss's gradient by the output.
    fn backward(&self, pass: &Pass, output_gradient: &Tensor) -> Result<()> {
        self.network.backward(pass, output_gradient, &self.gradient)
    }

    fn step(&mut self) -> Result<()> {
        self.optimiser.step(&mut self.network.values, &self.gradient.values)
    }
}

impl TensorLearner {
    /// A learner with the `initial` values of every parameter of `layout::all`, on a device that `device::open` gave.
    ///
    /// `kind` is `Float` or, for tests of the mathematics, `Double`; numbers cross to the host as f32 either way.
    ///
    /// # Errors
    /// `CONFIG_RANGE` for a size or thread count that cannot be, `PARAMETER_SHAPE` for initial parameters that are
    /// missing, unknown or of another shape, `NOT_FINITE`, `NATIVE_EXCEPTION`.
    pub fn new(config: LearnerConfig, initial: &[Parameter], device: Device, kind: Kind) -> Result<Self> {
        // every part this learner can run; a new one in the vocabulary stops the compiler here
        let Recipe {
            action_value_target: ActionValueTarget::TargetStateValue,
            state_value_target: StateValueTarget::SampledActionValue,
            policy_gradient: PolicyGradient::Reparameterised,
        } = config.recipe;
        expect_config(&config)?;
        expect_all(&config.sizes, initial)?;
        warm_up()?;
        use_threads(config.threads)?;
        let placement = Placement { device, kind };
        let sizes = &config.sizes;
        let trained = |layers, learning_rate| Trained::new(layers, learning_rate, placement);
        let mut learner = Self {
            placement,
            policy: trained(layout::policy(sizes), config.policy_learning_rate)?,
            action_value: trained(layout::action_value(sizes), config.action_value_learning_rate)?,
            state_value: trained(layout::state_value(sizes), config.state_value_learning_rate)?,
            target_state_value: Network::zeros(layout::target_state_value(sizes), placement)?,
            latest_m_step: None,
            latest_e_step: None,
            config,
        };
        learner.set_parameters(initial)?;
        Ok(learner)
    }

    /// Checks a batch and copies it and its noise to the device.
    fn upload(&self, batch: &Batch<'_>, noise: &[f32]) -> Result<(Inputs, Tensor)> {
        use_threads(self.config.threads)?;
        expect_batch(&self.config.sizes, batch, Some(noise))?;
        let shape = [batch.rows() as i64, self.config.sizes.action as i64];
        let inputs = Inputs::upload(batch, &self.config.sizes, self.placement)?;
        Ok((inputs, self.placement.upload(noise, &shape)?))
    }

    /// ã ~ π_θ(·|s) and Q_w(s, ã).
    fn propose(&self, inputs: &Inputs, noise: &Tensor) -> Result<Proposal> {
        let policy = self.policy.network.forward(&inputs.observations)?;
        let sample = TanhGaussian::sample(&policy.output, noise, self.config.sizes.action)?;
        let state_action = Tensor::f_cat(&[&inputs.observations, &sample.action], 1)?;
        let action_value = self.action_value.network.forward(&state_action)?;
        Ok(Proposal { policy, sample, action_value })
    }

    /// J_Q, J_V and their gradients by w and φ.
    fn m_step_gradients(&self, inputs: &Inputs, proposed_value: &Tensor) -> Result<MStep> {
        // J_Q
        let next_state_value = self.target_state_value.forward(&inputs.next_observations)?.output;
        let pass = self.action_value.network.forward(&inputs.state_action)?;
        let target = one_step_target(&inputs.rewards, &inputs.discounts, &next_state_value)?;
        let action_value = Regression { prediction: pass.output.shallow_clone(), target };
        self.action_value.backward(&pass, &action_value.gradient(inputs.rows)?)?;
        // J_V
        let pass = self.state_value.network.forward(&inputs.observations)?;
        let target = proposed_value.shallow_clone();
        let state_value = Regression { prediction: pass.output.shallow_clone(), target };
        self.state_value.backward(&pass, &state_value.gradient(inputs.rows)?)?;
        Ok(MStep { action_value, state_value })
    }

    /// J_π and its gradient by θ.
    fn e_step_gradients(&self, rows: usize, proposal: Proposal, temperature: f32) -> Result<PolicyLoss> {
        let Proposal { policy, sample, action_value } = proposal;
        let loss = PolicyLoss {
            rows,
            dimensions: self.config.sizes.action,
            sample,
            action_value: action_value.output.shallow_clone(),
            temperature: self.placement.upload(&[temperature], &[])?,
            regularisers: Regularisers {
                mean: f64::from(self.config.mean_regulariser),
                log_std: f64::from(self.config.log_std_regulariser),
            },
        };
        // through Q to ã; w gets nothing
        let by_action = self.action_value.network.backward_to_input(
            &action_value,
            &loss.action_value_gradient()?,
            self.config.sizes.observation as i64,
        )?;
        self.policy.backward(&policy, &loss.output_gradient(&by_action)?)?;
        Ok(loss)
    }

    /// Both steps' losses and gradients at the same parameters.
    fn all_gradients(
        &self,
        batch: &Batch<'_>,
        noise: &[f32],
        temperature: f32,
    ) -> Result<(MStep, PolicyLoss)> {
        let (inputs, noise) = self.upload(batch, noise)?;
        let proposal = self.propose(&inputs, &noise)?;
        let m_step = self.m_step_gradients(&inputs, &proposal.action_value.output)?;
        Ok((m_step, self.e_step_gradients(inputs.rows, proposal, temperature)?))
    }

    /// Adam on w and φ, then the target.
    fn step_critic(&mut self) -> Result<()> {
        self.action_value.step()?;
        self.state_value.step()?;
        let online = &self.state_value.network.values;
        target_update(&mut self.target_state_value.values, online, self.config.target_update_rate)
    }

    /// Names and views of every parameter, in the order of `layout::all`.
    fn named_parameters(&self) -> Result<Vec<(ParameterSpec, Tensor)>> {
        let networks = [
            self.policy.network.named()?,
            self.action_value.network.named()?,
            self.state_value.network.named()?,
            self.target_state_value.named()?,
        ];
        Ok(networks.into_iter().flatten().collect())
    }
}

impl Learner for TensorLearner {
    fn parameters(&self) -> Result<Vec<Parameter>> {
        self.named_parameters()?.into_iter().map(to_host).collect()
    }

    fn set_parameters(&mut self, parameters: &[Parameter]) -> Result<()> {
        expect_parameters(&self.config.sizes, parameters)?;
        for (spec, mut view) in self.named_parameters()? {
            // the last of equal names wins, as when they are set one by one
            if let Some(given) = parameters.iter().rfind(|given| given.spec.name == spec.name) {
                let shape: Vec<i64> = spec.shape.iter().map(|&length| length as i64).collect();
                view.f_copy_(&self.placement.upload(&given.data, &shape)?)?;
            }
        }
        Ok(())
    }

    fn residual_error(&mut self, batch: &Batch<'_>) -> Result<f32> {
        use_threads(self.config.threads)?;
        expect_batch(&self.config.sizes, batch, None)?;
        let inputs = Inputs::upload(batch, &self.config.sizes, self.placement)?;
        let next_state_value = self.state_value.network.forward(&inputs.next_observations)?.output;
        let target = one_step_target(&inputs.rewards, &inputs.discounts, &next_state_value)?;
        let action_value = self.action_value.network.forward(&inputs.state_action)?.output;
        let [error] = transfer::read([residual_error(&action_value, &target)?])?;
        Ok(error)
    }

    fn gradients(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: f32) -> Result<StepGradients> {
        let (m_step, e_step) = self.all_gradients(batch, noise, temperature)?;
        let [policy, action_value, state_value] =
            transfer::read([e_step.loss()?, m_step.action_value.loss()?, m_step.state_value.loss()?])?;
        let named = [
            self.policy.gradient.named()?,
            self.action_value.gradient.named()?,
            self.state_value.gradient.named()?,
        ];
        Ok(StepGradients {
            losses: Losses { policy, action_value, state_value },
            gradients: named.into_iter().flatten().map(to_host).collect::<Result<_>>()?,
        })
    }

    fn update(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: f32) -> Result<()> {
        let (m_step, e_step) = self.all_gradients(batch, noise, temperature)?;
        self.step_critic()?;
        self.policy.step()?;
        self.latest_m_step = Some(m_step);
        self.latest_e_step = Some(e_step);
        Ok(())
    }

    fn m_step(&mut self, batch: &Batch<'_>, noise: &[f32]) -> Result<()> {
        let (inputs, noise) = self.upload(batch, noise)?;
        let proposal = self.propose(&inputs, &noise)?;
        self.latest_m_step = Some(self.m_step_gradients(&inputs, &proposal.action_value.output)?);
        self.step_critic()
    }

    fn e_step(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: f32) -> Result<()> {
        let (inputs, noise) = self.upload(batch, noise)?;
        let proposal = self.propose(&inputs, &noise)?;
        self.latest_e_step = Some(self.e_step_gradients(inputs.rows, proposal, temperature)?);
        self.policy.step()
    }

    fn terms(&mut self) -> Result<StepTerms> {
        use_threads(self.config.threads)?;
        let mut terms = StepTerms::default();
        if let Some(MStep { action_value, state_value }) = &self.latest_m_step {
            [terms.losses.action_value, terms.losses.state_value, terms.action_value, terms.state_value] =
                transfer::read([
                    action_value.loss()?,
                    state_value.loss()?,
                    action_value.prediction.f_mean(None)?,
                    state_value.prediction.f_mean(None)?,
                ])?;
        }
        if let Some(e_step) = &self.latest_e_step {
            [terms.losses.policy, terms.log_density, terms.absolute_action, terms.log_std] =
                transfer::read([
                    e_step.loss()?,
                    e_step.sample.log_density()?.f_mean(None)?,
                    e_step.sample.action.f_abs()?.f_mean(None)?,
                    e_step.sample.log_std.f_mean(None)?,
                ])?;
        }
        Ok(terms)
    }

    fn act(&mut self, observations: &[f32], noise: Option<&[f32]>, actions: &mut [f32]) -> Result<()> {
        let sizes = &self.config.sizes;
        let rows = expect_act(sizes, observations, noise, actions)?;
        let [observation, action] = [sizes.observation, sizes.action];
        use_threads(self.config.threads)?;
        let observations = self.placement.upload(observations, &[rows as i64, observation as i64])?;
        let output = self.policy.network.forward(&observations)?.output;
        let chosen = match noise {
            None => tanh_gaussian::deterministic(&output, action)?,
            Some(noise) => {
                let noise = self.placement.upload(noise, &[rows as i64, action as i64])?;
                TanhGaussian::sample(&output, &noise, action)?.action
            }
        };
        transfer::read_into(&chosen, actions)
    }
}

fn to_host((spec, view): (ParameterSpec, Tensor)) -> Result<Parameter> {
    Ok(Parameter { data: transfer::read_all(&view, spec.len())?, spec })
}
