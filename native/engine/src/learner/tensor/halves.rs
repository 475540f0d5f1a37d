//! The two halves of a gradient step, assembled from the parts of the recipe: each part is matched here, once, and
//! nowhere asks for the algorithm. Each half writes its gradients and leaves what its terms are computed from.

use tch::Tensor;

use super::bellman::{one_step_target, soft_value};
use super::boltzmann::Boltzmann;
use super::e_step::{
    Deterministic, HeadGradients, PolicyLoss, PriorDivergence, PriorGap, Regularisers, Reparameterised,
    Score, WeightedLikelihood, pull, regulariser, through_action,
};
use super::given::Given;
use super::m_step::Regression;
use super::network::{Network, Pass};
use super::networks::{Trained, expect_part};
use super::optimisers::projected_weights;
use super::projected_residual::ProjectedResidual;
use super::queues::Queue;
use super::residual::residual_error;
use super::tanh_gaussian::{Gaussian, slope};
use super::temperature::{Duals, TemperatureLosses, dual, tuned};
use crate::error::Result;
use crate::learner::{Bootstrap, Step};
use crate::recipe::{MStepKind, PolicyKind, PolicyObjective, StateValueTarget, TrainedTemperature};

/// What the M-half saw.
pub struct MStep {
    pub action_value: ActionValueLoss,
    /// J_V.
    pub state_value: Option<Regression>,
}

/// The loss of Q, by the kind of M-step.
pub enum ActionValueLoss {
    /// J_Q of each Q_i.
    Direct(Vec<Regression>),
    /// L.
    Projected(ProjectedResidual),
}

/// What the E-half saw.
pub struct EStep {
    /// J_π without its regularisers.
    pub policy: Box<dyn PolicyLoss>,
    /// μ of π_θ(·|s).
    pub mean: Tensor,
    /// log σ of π_θ(·|s) after its clip; none for a deterministic policy.
    pub log_std: Option<Tensor>,
    regularisers: Regularisers,
    /// Of a trained temperature.
    pub temperature: Option<TemperatureLosses>,
}

impl ActionValueLoss {
    /// J of each action value, scalars.
    pub fn losses(&self) -> Result<Vec<Tensor>> {
        match self {
            Self::Direct(regressions) => regressions.iter().map(Regression::loss).collect(),
            Self::Projected(projected) => Ok(vec![projected.loss()?]),
        }
    }

    /// Q_i(s, a), `[B, 1]` each.
    pub fn predictions(&self) -> Vec<&Tensor> {
        match self {
            Self::Direct(regressions) => regressions.iter().map(|each| &each.prediction).collect(),
            Self::Projected(projected) => vec![&projected.action_value],
        }
    }

    /// What ζ minimises, a scalar; none with a direct M-step.
    pub fn auxiliary_loss(&self) -> Result<Option<Tensor>> {
        match self {
            Self::Direct(_) => Ok(None),
            Self::Projected(projected) => Ok(Some(projected.loss()?.f_neg()?)),
        }
    }
}

impl EStep {
    /// J_π with its regularisers, a scalar.
    pub fn policy_loss(&self) -> Result<Tensor> {
        let loss = self.policy.loss()?.f_add(&regulariser(&self.mean, self.regularisers.mean)?)?;
        match &self.log_std {
            None => Ok(loss),
            Some(log_std) => Ok(loss.f_add(&regulariser(log_std, self.regularisers.log_std)?)?),
        }
    }
}

/// What the halves of a step saw; none of a half that was not taken.
#[derive(Default)]
pub struct Saw {
    /// Of the M-half.
    pub m_step: Option<MStep>,
    /// Of the E-half.
    pub e_step: Option<EStep>,
}

/// The losses of a step's halves with their gradients, by w, ζ and φ and by θ and what is trained of T. Q's part of the M-half needs
/// nothing of the rest; V's and the E-half share the policy's own actions.
pub fn differentiate(queue: Queue<'_>, given: &Given<'_>, step: Step, gradients: &Trained) -> Result<Saw> {
    let (has_m, has_e) = (step.has_m(), step.has_e());
    let (action_value, (state_value, e_step)) = queue.both(
        |queue| has_m.then(|| m_half_of_action_values(queue, given, gradients)).transpose(),
        |queue| {
            if has_m {
                given.share(queue)?;
            }
            if !has_m || given.trained.state_value.is_none() {
                return Ok((None, has_e.then(|| e_half(queue, given, gradients)).transpose()?));
            }
            queue.both(
                |queue| m_half_of_state_value(queue, given, gradients),
                |queue| has_e.then(|| e_half(queue, given, gradients)).transpose(),
            )
        },
    )?;
    let m_step = action_value.map(|action_value| MStep { action_value, state_value });
    Ok(Saw { m_step, e_step })
}

/// The loss of Q and its gradients by w and ζ.
fn m_half_of_action_values(
    queue: Queue<'_>,
    given: &Given<'_>,
    gradients: &Trained,
) -> Result<ActionValueLoss> {
    match given.config.recipe.m_step {
        MStepKind::Direct => direct(queue, given, gradients).map(ActionValueLoss::Direct),
        MStepKind::Projected => projected(queue, given, gradients).map(ActionValueLoss::Projected),
    }
}

/// The loss of V and its gradient by φ; None without a V.
fn m_half_of_state_value(
    queue: Queue<'_>,
    given: &Given<'_>,
    gradients: &Trained,
) -> Result<Option<Regression>> {
    let target = match given.config.recipe.state_value_target {
        StateValueTarget::None => return Ok(None),
        StateValueTarget::ActionValue => given.least_proposed_value(queue)?,
        StateValueTarget::SoftActionValue => {
            let log_density = given.distribution()?.log_density(given.sample()?)?;
            soft_value(&given.least_proposed_value(queue)?, &log_density, &given.temperature.value()?)?
        }
    };
    regress_state_value(queue, given, target, gradients).map(Some)
}

/// J_Q of each Q_i on the same target.
fn direct(queue: Queue<'_>, given: &Given<'_>, gradients: &Trained) -> Result<Vec<Regression>> {
    let inputs = &given.inputs;
    let (target, passes) = queue.both(
        |queue| {
            let next_value = given.next_value(queue, Bootstrap::Target)?;
            one_step_target(&inputs.rewards, &inputs.discounts, &next_value)
        },
        |queue| given.action_values(queue),
    )?;
    let networks = given.trained.action_values.iter().zip(&gradients.action_values).zip(&passes).collect();
    queue.map(networks, &|queue, ((network, gradient), pass): ((&Network, &Network), &Pass)| {
        let regression = Regression {
            factor: f64::from(given.config.value_loss_factor),
            prediction: pass.output.shallow_clone(),
            target: target.shallow_clone(),
        };
        network.backward(queue, pass, &regression.gradient(inputs.rows)?, gradient)?;
        Ok(regression)
    })
}

/// L of w and ζ.
fn projected(queue: Queue<'_>, given: &Given<'_>, gradients: &Trained) -> Result<ProjectedResidual> {
    let inputs = &given.inputs;
    let next = given.next_proposal()?;
    let target = one_step_target(&inputs.rewards, &inputs.discounts, &next.output)?;
    let weights = projected_weights(given.trained);
    let weights = expect_part(weights.as_ref(), "auxiliary weights")?;
    let gradient = projected_weights(gradients);
    let gradient = expect_part(gradient.as_ref(), "auxiliary weights")?;
    ProjectedResidual::backward(queue, *weights, inputs, &next, &target, *gradient)
}

/// J_V.
fn regress_state_value(
    queue: Queue<'_>,
    given: &Given<'_>,
    target: Tensor,
    gradients: &Trained,
) -> Result<Regression> {
    let factor = f64::from(given.config.value_loss_factor);
    let pass = given.state_value()?;
    let regression = Regression { factor, prediction: pass.output.shallow_clone(), target };
    let network = expect_part(given.trained.state_value.as_ref(), "a state value")?;
    let gradient = expect_part(gradients.state_value.as_ref(), "a state value")?;
    network.backward(queue, pass, &regression.gradient(given.inputs.rows)?, gradient)?;
    Ok(regression)
}

/// J_π and J_T and their gradients by θ and what is trained of T.
fn e_half(queue: Queue<'_>, given: &Given<'_>, gradients: &Trained) -> Result<EStep> {
    let (policy, by_output) = match given.config.recipe.policy_objective {
        PolicyObjective::Reparameterised => reparameterised(queue, given)?,
        PolicyObjective::Score => score(queue, given)?,
        PolicyObjective::Deterministic => deterministic(queue, given)?,
        PolicyObjective::WeightedLikelihood => weighted_likelihood(given)?,
        PolicyObjective::PriorDivergence => prior_divergence(given)?,
    };
    let e_step = improve(queue, given, policy, &by_output, gradients)?;
    if let (Some(losses), Some(duals)) = (&e_step.temperature, &gradients.duals) {
        duals.values.shallow_clone().f_copy_(&losses.gradient)?;
    }
    Ok(e_step)
}

/// A policy's loss with its gradient by the policy's output, `[B, 2A]` or `[B, A]`, with the regularisers.
type Objective = (Box<dyn PolicyLoss>, Tensor);

fn reparameterised(queue: Queue<'_>, given: &Given<'_>) -> Result<Objective> {
    let (distribution, sample) = (given.distribution()?, given.sample()?);
    let temperature = given.temperature.value()?;
    let held = || regularised(given, Reparameterised::held(sample, &temperature, given.inputs.rows)?);
    let moved = || {
        let [by_mean, by_log_std] = sample.action_gradients()?;
        distribution.output_gradient(&by_mean, &by_log_std)
    };
    let critic = |queue| Ok((given.policy_action_value(queue)?, given.by_action(queue)?));
    let (((action_value, by_action), held), moved) = queue.with(|queue| queue.with(critic, held), moved)?;
    let by_output = through_action(&held, &moved, &by_action, given.config.sizes.action)?;
    let (distribution, sample) = (distribution.shallow_clone(), sample.shallow_clone());
    Ok((Box::new(Reparameterised { distribution, sample, action_value, temperature }), by_output))
}

fn score(queue: Queue<'_>, given: &Given<'_>) -> Result<Objective> {
    let loss = Score {
        rows: given.inputs.rows,
        distribution: given.distribution()?.shallow_clone(),
        sample: given.sample()?.shallow_clone(),
        action_value: given.policy_action_value(queue)?,
        state_value: given.state_value()?.output.shallow_clone(),
        temperature: given.temperature.value()?,
    };
    let by_output = regularised(given, loss.gradients()?)?;
    Ok((Box::new(loss), by_output))
}

fn deterministic(queue: Queue<'_>, given: &Given<'_>) -> Result<Objective> {
    let mean = &given.policy()?.output;
    let ((action_value, by_action), (action, held, moved)) = queue.with(
        |queue| Ok((given.policy_action_value(queue)?, given.by_action(queue)?)),
        || Ok((mean.f_tanh()?, pull_of(given, mean, Regularisers::of(given.config).mean)?, slope(mean)?)),
    )?;
    let by_output = through_action(&held, &moved, &by_action, given.config.sizes.action)?;
    Ok((Box::new(Deterministic { action, action_value }), by_output))
}

fn weighted_likelihood(given: &Given<'_>) -> Result<Objective> {
    let distribution = given.distribution()?.over_samples()?;
    let prior = given.prior(&given.inputs.observations)?.over_samples()?;
    let sample = prior.sample(&given.noise.at_state)?;
    let multipliers = given.trained.duals.as_ref().map(Duals::multipliers).transpose()?;
    let loss = WeightedLikelihood {
        rows: given.inputs.rows,
        boltzmann: Boltzmann::new(&given.target_values(&sample)?, &given.temperature.positive()?)?,
        placed: distribution.place(&sample)?,
        gap: PriorGap { distribution, prior },
        multipliers: multipliers.flatten(),
    };
    let by_output = regularised(given, loss.gradients()?)?;
    Ok((Box::new(loss), by_output))
}

fn prior_divergence(given: &Given<'_>) -> Result<Objective> {
    let distribution = given.distribution()?.over_samples()?;
    let prior = given.prior(&given.inputs.observations)?.over_samples()?;
    let sample = distribution.sample(&given.noise.at_state)?;
    let [action_value, by_action] = given.sampled_by_action(&sample)?;
    let loss = PriorDivergence {
        actions: given.inputs.rows * given.config.samples,
        placed: prior.place(&sample)?,
        distribution,
        prior,
        sample,
        action_value,
        temperature: given.temperature.value()?,
    };
    let by_output = regularised(given, loss.gradients(&by_action)?)?;
    Ok((Box::new(loss), by_output))
}

/// ∂J/∂output of a Gaussian π_θ at s from that by its heads, with the regularisers.
fn regularised(given: &Given<'_>, HeadGradients { by_mean, by_log_std }: HeadGradients) -> Result<Tensor> {
    let (distribution, factors) = (given.distribution()?, Regularisers::of(given.config));
    let by_mean = by_mean.f_add(&pull_of(given, &distribution.mean, factors.mean)?)?;
    let by_log_std = by_log_std.f_add(&pull_of(given, &distribution.log_std, factors.log_std)?)?;
    distribution.output_gradient(&by_mean, &by_log_std)
}

/// The gradient of a regulariser by a head.
fn pull_of(given: &Given<'_>, head: &Tensor, factor: f64) -> Result<Tensor> {
    pull(head, factor, given.inputs.rows * given.config.sizes.action)
}

/// Writes the gradient by θ, and completes the E-half with its temperature.
fn improve(
    queue: Queue<'_>,
    given: &Given<'_>,
    policy: Box<dyn PolicyLoss>,
    by_output: &Tensor,
    gradients: &Trained,
) -> Result<EStep> {
    let pass = given.policy()?;
    let ((), temperature) = queue.with(
        |queue| given.trained.policy.backward(queue, pass, by_output, &gradients.policy),
        || train_temperature(given, policy.as_ref()),
    )?;
    let (mean, log_std) = match given.config.recipe.policy {
        PolicyKind::Deterministic => (pass.output.shallow_clone(), None),
        PolicyKind::TanhGaussian => {
            let Gaussian { mean, log_std, .. } = given.distribution()?.shallow_clone();
            (mean, Some(log_std))
        }
    };
    let regularisers = Regularisers::of(given.config);
    Ok(EStep { policy, mean, log_std, regularisers, temperature })
}

/// J_T and its gradient, where the learner trains a temperature.
fn train_temperature(given: &Given<'_>, policy: &dyn PolicyLoss) -> Result<Option<TemperatureLosses>> {
    let config = given.config;
    match config.recipe.trained_temperature {
        TrainedTemperature::None => Ok(None),
        TrainedTemperature::Tuned => {
            let log_density = policy.log_density()?;
            let log_density = expect_part(log_density.as_ref(), "log π of the policy's own actions")?;
            tuned(&given.temperature, log_density, f64::from(config.target_entropy)).map(Some)
        }
        TrainedTemperature::Dual => {
            let fit = expect_part(policy.weighted_likelihood(), "a weighted likelihood")?;
            let multipliers = expect_part(fit.multipliers.as_ref(), "multipliers")?;
            let divergences = fit.gap.divergences()?;
            let samples = (config.samples, &fit.boltzmann);
            dual(&given.temperature, samples, &divergences, multipliers, &config.kl_bounds).map(Some)
        }
    }
}

/// ε_w of the networks that the config names; the projected M-step's own bootstrap has no target network.
pub fn residual_of(queue: Queue<'_>, given: &Given<'_>) -> Result<Tensor> {
    let inputs = &given.inputs;
    let (target, passes) = queue.both(
        |queue| {
            let next_value = match given.config.recipe.m_step {
                MStepKind::Projected => given.next_proposal()?.output,
                MStepKind::Direct => given.next_value(queue, given.config.residual_bootstrap)?,
            };
            one_step_target(&inputs.rewards, &inputs.discounts, &next_value)
        },
        |queue| given.action_values(queue),
    )?;
    residual_error(&passes.into_iter().map(|pass| pass.output).collect::<Vec<_>>(), &target)
}
