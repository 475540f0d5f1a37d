//! ∂J_π/∂(μ, log σ) by the recipe's objective, and what the policy's loss is made of.

use super::actor::{Actor, Buffers};
use super::shared::expect_part;
use super::vector;
use crate::error::Result;
use crate::learner::Losses;
use crate::math::boltzmann::Partition;
use crate::math::e_step::prior::Pair;
use crate::math::e_step::{self, Factors, Heads, Means};
use crate::math::real::{Real, sum};
use crate::math::tanh_gaussian::clip;
use crate::math::temperature::{dual_gradient, dual_loss, multiplier_gradient, tuned_gradient, tuned_loss};
use crate::networks::layout::{COVARIANCE_MULTIPLIER, DUAL_TEMPERATURE, MEAN_MULTIPLIER};
use crate::recipe::{PolicyCritic, PolicyKind, PolicyObjective, TrainedTemperature};

/// What the E-step saw; means over its batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct PolicyTerms {
    /// J_π.
    pub loss: f64,
    /// log π_θ of the actions that the loss read; None for a deterministic policy.
    pub log_density: Option<f64>,
    /// |ã|, over batch and dimensions.
    pub absolute_action: f64,
    /// log σ after its clip, over batch and dimensions; None for a deterministic policy.
    pub log_std: Option<f64>,
    /// Σ_i KL_i of mean and covariance from the prior, with a weighted likelihood.
    pub divergences: Option<(f64, f64)>,
    /// J_T of a trained temperature.
    pub temperature_loss: Option<f64>,
    /// Losses of the multipliers of mean and covariance, with a dual temperature.
    pub multiplier_losses: Option<(f64, f64)>,
}

impl PolicyTerms {
    /// Overwrites the E-step's losses.
    pub const fn store(&self, losses: &mut Losses) {
        losses.policy = self.loss as f32;
        if let Some(loss) = self.temperature_loss {
            losses.temperature = Some(loss as f32);
        }
        if let Some((mean, covariance)) = self.multiplier_losses {
            losses.mean_multiplier = Some(mean as f32);
            losses.covariance_multiplier = Some(covariance as f32);
        }
    }
}

/// Fills the gradients by the policy's outputs and those of a trained temperature.
pub fn differentiate(actor: &mut Actor, temperature: f32, n: usize) -> Result<PolicyTerms> {
    let factors = Factors { temperature, ..actor.factors };
    let mut terms = match actor.recipe.policy_objective {
        PolicyObjective::Reparameterised | PolicyObjective::Score => own_samples(actor, &factors, n)?,
        PolicyObjective::Deterministic => deterministic(actor, &factors, n)?,
        PolicyObjective::WeightedLikelihood => weighted_likelihood(actor, &factors, n)?,
        PolicyObjective::PriorDivergence => prior_divergence(actor, &factors, n)?,
    };
    regularise(actor, &factors, n, &mut terms)?;
    if actor.recipe.trained_temperature == TrainedTemperature::Tuned {
        let log_density = terms.log_density.unwrap_or_default();
        let target = f64::from(actor.target_entropy);
        actor.duals.set_gradient_by_log(tuned_gradient(log_density, target));
        terms.temperature_loss = Some(tuned_loss(f64::from(temperature), log_density, target));
    }
    Ok(terms)
}

/// mean[T lp − Q(s, ã)] through ã, or by the score form.
fn own_samples(actor: &mut Actor, factors: &Factors<f32>, n: usize) -> Result<PolicyTerms> {
    let is_score = actor.recipe.policy_objective == PolicyObjective::Score;
    let dimensions = actor.dimensions;
    let Buffers { own, values, by_action, row, smallest, policy_deltas, .. } = &mut actor.buffers;
    for i in 0..dimensions {
        let heads = Heads { mean: own.mean(i), log_std: own.log_std(i), noise: own.noise(i) };
        let (by_mean, by_log_std) = policy_deltas.output.two_rows_mut(i, dimensions + i, n);
        if is_score {
            vector::score_gradient(factors, dimensions, &heads, row.row(0, n), by_mean, by_log_std)?;
        } else {
            vector::policy_gradient(factors, dimensions, &heads, by_action.row(i, n), by_mean, by_log_std)?;
        }
    }
    let log_density = average(own.log_density());
    let loss = if is_score {
        let weighted = own.log_density().iter().zip(row.row(0, n)).map(|(&lp, &advantage)| lp * advantage);
        sum(weighted) / n as f64
    } else {
        let read = match actor.recipe.policy_critic {
            PolicyCritic::First => values.of(0),
            PolicyCritic::Minimum => {
                values.minimum(smallest.row_mut(0, n))?;
                smallest.row(0, n)
            }
        };
        let action_value = average(read);
        let means = Means { log_density, action_value, squared_mean: 0.0, squared_log_std: 0.0 };
        e_step::loss(factors, &means)
    };
    Ok(PolicyTerms { loss, log_density: Some(log_density), ..PolicyTerms::default() })
}

/// −mean Q(s, tanh μ).
fn deterministic(actor: &mut Actor, factors: &Factors<f32>, n: usize) -> Result<PolicyTerms> {
    let dimensions = actor.dimensions;
    let Buffers { own, values, by_action, policy_deltas, .. } = &mut actor.buffers;
    for i in 0..dimensions {
        let by_mean = policy_deltas.output.row_mut(i, n);
        vector::deterministic_gradient(factors, dimensions, own.mean(i), by_action.row(i, n), by_mean)?;
    }
    Ok(PolicyTerms { loss: -average(values.of(0)), ..PolicyTerms::default() })
}

/// −mean Σ_k ω_k log π_θ(a_k|s), and with a dual temperature its KL constraints.
fn weighted_likelihood(actor: &mut Actor, factors: &Factors<f32>, n: usize) -> Result<PolicyTerms> {
    let dimensions = actor.dimensions;
    let temperature = f64::from(factors.temperature);
    let Buffers { own, prior, values, row, policy_deltas, by_action, .. } = &mut actor.buffers;
    let prior = expect_part(prior.as_ref(), "prior policy")?;
    let count = prior.count();
    let weight = row.row_mut(0, count);
    let partition = vector::boltzmann_weights(n, factors.temperature, values.of(0), weight)?;

    let mut divergences = (0.0, 0.0);
    let mut penalty = 0.0;
    // room that this objective does not use otherwise
    let log_density = by_action.scratch(count);
    log_density.fill(0.0);
    for i in 0..dimensions {
        let pair = Pair {
            mean: own.mean(i),
            log_std: own.log_std(i),
            prior_mean: prior.mean(i),
            prior_log_std: prior.log_std(i),
            noise: prior.noise(i),
        };
        let (by_mean, by_log_std) = policy_deltas.output.two_rows_mut(i, dimensions + i, n);
        vector::likelihood_gradient(factors, dimensions, &pair, weight, by_mean, by_log_std)?;
        vector::add_log_density_of_prior_samples(&pair, log_density)?;
        let (mean, covariance) = vector::kl_divergences(&pair)?;
        divergences = (divergences.0 + mean, divergences.1 + covariance);
        if let (Some(of_mean), Some(of_covariance)) =
            (actor.duals.mean_multiplier(i), actor.duals.covariance_multiplier(i))
        {
            vector::add_kl_gradient(of_mean, of_covariance, &pair, by_mean, by_log_std)?;
            penalty += f64::from(of_mean) * mean + f64::from(of_covariance) * covariance;
        }
    }
    let likelihood = weight.iter().zip(log_density.iter()).map(|(&weight, &lp)| weight * lp);
    let loss = penalty - sum(likelihood) / n as f64;
    let log_density = Some(average(log_density));
    let terms = PolicyTerms { loss, log_density, divergences: Some(divergences), ..PolicyTerms::default() };
    if actor.recipe.trained_temperature == TrainedTemperature::Dual {
        return dual(actor, temperature, &partition, terms);
    }
    Ok(terms)
}

/// Losses and gradients of a dual temperature and of its multipliers.
fn dual(
    actor: &mut Actor,
    temperature: f64,
    partition: &Partition,
    terms: PolicyTerms,
) -> Result<PolicyTerms> {
    let bound = f64::from(actor.kl_bounds.dual);
    actor.duals.set_gradient_by_dual(DUAL_TEMPERATURE, 0, dual_gradient(bound, partition));
    let mut losses = (0.0, 0.0);
    for i in 0..actor.dimensions {
        let Buffers { own, prior, .. } = &actor.buffers;
        let prior = expect_part(prior.as_ref(), "prior policy")?;
        let pair = Pair {
            mean: own.mean(i),
            log_std: own.log_std(i),
            prior_mean: prior.mean(i),
            prior_log_std: prior.log_std(i),
            noise: prior.noise(i),
        };
        let (mean, covariance) = vector::kl_divergences(&pair)?;
        let (bounds, duals) = (actor.kl_bounds, &mut actor.duals);
        let by_mean = multiplier_gradient(f64::from(bounds.mean), mean);
        let by_covariance = multiplier_gradient(f64::from(bounds.covariance), covariance);
        duals.set_gradient_by_dual(MEAN_MULTIPLIER, i, by_mean);
        duals.set_gradient_by_dual(COVARIANCE_MULTIPLIER, i, by_covariance);
        let of = |multiplier: Option<f32>, by| f64::from(multiplier.unwrap_or_default()) * by;
        losses.0 += of(duals.mean_multiplier(i), by_mean);
        losses.1 += of(duals.covariance_multiplier(i), by_covariance);
    }
    Ok(PolicyTerms {
        temperature_loss: Some(dual_loss(temperature, bound, partition)),
        multiplier_losses: Some(losses),
        ..terms
    })
}

/// mean[T(log π_θ(ã_k|s) − log π_φ(ã_k|s)) − Q(s, ã_k)] through ã_k.
fn prior_divergence(actor: &mut Actor, factors: &Factors<f32>, n: usize) -> Result<PolicyTerms> {
    let dimensions = actor.dimensions;
    let Buffers { own, prior, values, by_action, row, policy_deltas, .. } = &mut actor.buffers;
    let prior = expect_part(prior.as_ref(), "prior policy")?;
    let count = own.count();
    let log_ratio = row.row_mut(0, count);
    log_ratio.fill(0.0);
    for i in 0..dimensions {
        let pair = Pair {
            mean: own.mean(i),
            log_std: own.log_std(i),
            prior_mean: prior.mean(i),
            prior_log_std: prior.log_std(i),
            noise: own.noise(i),
        };
        let (by_mean, by_log_std) = policy_deltas.output.two_rows_mut(i, dimensions + i, n);
        let by_action = by_action.row(i, count);
        vector::divergence_gradient(factors, dimensions, &pair, by_action, by_mean, by_log_std)?;
        vector::add_log_ratio(&pair, log_ratio)?;
    }
    let loss = f64::from(factors.temperature) * average(log_ratio) - average(values.of(0));
    Ok(PolicyTerms { loss, log_density: Some(average(own.log_density())), ..PolicyTerms::default() })
}

/// Adds the regularisers to the loss, and what is said of actions and deviations.
fn regularise(actor: &Actor, factors: &Factors<f32>, n: usize, terms: &mut PolicyTerms) -> Result<()> {
    let Buffers { own, prior, .. } = &actor.buffers;
    let read = match (actor.recipe.policy_objective, prior) {
        (PolicyObjective::WeightedLikelihood, Some(prior)) => prior,
        _ => own,
    };
    let elements = (n * actor.dimensions) as f64;
    let (mut squared_mean, mut squared_log_std, mut log_std) = (0.0, 0.0, 0.0);
    for i in 0..actor.dimensions {
        terms.absolute_action +=
            sum(read.action(i).iter().map(|a| a.absolute())) / (read.count() * actor.dimensions) as f64;
        // a deterministic policy has no deviation to pull at
        let raw = match actor.recipe.policy {
            PolicyKind::TanhGaussian => own.log_std(i),
            PolicyKind::Deterministic => {
                squared_mean += sum(own.mean(i).iter().map(|&mean| mean * mean)) / elements;
                continue;
            }
        };
        let squares = vector::regulariser_sums(own.mean(i), raw)?;
        squared_mean += squares.0 / elements;
        squared_log_std += squares.1 / elements;
        log_std += sum(raw.iter().map(|&raw| clip(raw))) / elements;
    }
    terms.loss += factors.regularisers(squared_mean, squared_log_std);
    terms.log_std = (actor.recipe.policy == PolicyKind::TanhGaussian).then_some(log_std);
    Ok(())
}

fn average(values: &[f32]) -> f64 {
    sum(values.iter().copied()) / values.len() as f64
}
