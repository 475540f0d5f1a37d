//! The vocabulary of parts that algorithms are made of. A learner reads parts and never asks which algorithm it
//! serves; which algorithm has which parts is data of `src/algorithms`.
//!
//! Symbols: γ discount, d termination, T temperature, π_θ the policy, π_φ MPO's prior policy, a bar marks a target
//! network, ã an action drawn from the policy with given noise, lp its log-density.

use crate::error::{EngineError, Result};

/// What π_θ is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// a = tanh(μ + σξ).
    TanhGaussian,
    /// a = tanh μ.
    Deterministic,
}

/// M-step: y_Q = r + γ(1−d) · next, what every Q_i is regressed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionValueTarget {
    /// next = V̄(s′), J_Q of Appendix H.
    StateValue,
    /// next = min_i Q̄_i(s′, ã′) − T lp′, ã′ ~ π_θ(·|s′).
    SoftActionValue,
    /// next = Q̄(s′, π̄(s′)), π̄ the target of a deterministic policy.
    TargetPolicy,
    /// next = mean_k Q̄(s′, a′_k), a′_k ~ π_φ(·|s′); Appendix G.
    PriorPolicy,
}

/// M-step: what V_φ is regressed on; ã is the policy loss's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateValueTarget {
    /// There is no V.
    None,
    /// y_V = min_i Q_i(s, ã); J_V of Appendix H, no entropy bonus.
    ActionValue,
    /// y_V = min_i Q_i(s, ã) − T lp.
    SoftActionValue,
}

/// E-step: the loss of π_θ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyObjective {
    /// mean[T lp − Q(s, ã)], gradient through ã; (25).
    Reparameterised,
    /// mean[lp(ã) · stop(T lp − (Q(s, ã) − V(s)))], ã held constant.
    Score,
    /// −mean Q(s, tanh μ(s)).
    Deterministic,
    /// −mean_s Σ_k ω_k log π_θ(a_k|s), ω = softmax_k(Q̄(s, a_k)/T), a_k ~ π_φ(·|s); Appendix G.
    WeightedLikelihood,
    /// mean_{s,k}[T(log π_θ(ã_k|s) − log π_φ(ã_k|s)) − Q(s, ã_k)], gradient through ã_k; (43).
    PriorDivergence,
}

/// Which Q the policy's loss reads where there are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyCritic {
    /// Q_1.
    First,
    /// The smaller of both.
    Minimum,
}

/// M-step: how w follows the Bellman residual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MStepKind {
    /// The target is held constant; F.3.
    Direct,
    /// The gradient of the projected residual error, with auxiliary weights; F.1.
    Projected,
}

/// A temperature that the learner trains itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainedTemperature {
    /// It is given with each step.
    None,
    /// To a target entropy: J_T = −log T · stop(mean lp + target entropy).
    Tuned,
    /// To a KL bound: J_T = T · bound + T mean_s log mean_k exp(Q̄(s, a_k)/T).
    Dual,
}

/// An algorithm, as parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// π_θ.
    pub policy: PolicyKind,
    /// M-step, Q.
    pub action_value_target: ActionValueTarget,
    /// M-step, V.
    pub state_value_target: StateValueTarget,
    /// E-step.
    pub policy_objective: PolicyObjective,
    /// E-step, which Q.
    pub policy_critic: PolicyCritic,
    /// M-step, gradient.
    pub m_step: MStepKind,
    /// Temperature.
    pub trained_temperature: TrainedTemperature,
}

impl Recipe {
    /// Whether there is a V.
    pub fn has_state_value(&self) -> bool {
        self.state_value_target != StateValueTarget::None
    }

    /// Standard normals that a row of a gradient step's noise holds for s, in action widths; `samples` is K.
    pub const fn draws_at_state(&self, samples: usize) -> usize {
        match self.action_value_target {
            ActionValueTarget::TargetPolicy => 0,
            ActionValueTarget::PriorPolicy => samples,
            ActionValueTarget::StateValue | ActionValueTarget::SoftActionValue => 1,
        }
    }

    /// The same for s′, which follow those for s; also what a row of the residual error's noise holds.
    pub const fn draws_at_next_state(&self, samples: usize) -> usize {
        match (self.action_value_target, self.m_step) {
            (ActionValueTarget::PriorPolicy, _) => samples,
            (ActionValueTarget::SoftActionValue, _) | (_, MStepKind::Projected) => 1,
            (ActionValueTarget::TargetPolicy | ActionValueTarget::StateValue, MStepKind::Direct) => 0,
        }
    }

    /// All draws of a row of a gradient step's noise.
    pub const fn draws(&self, samples: usize) -> usize {
        self.draws_at_state(samples) + self.draws_at_next_state(samples)
    }

    /// Checks that the parts fit each other: each reads only what another brings.
    ///
    /// # Errors
    /// `RECIPE_UNSUPPORTED`, naming the parts that do not fit.
    pub fn expect_coherent(&self) -> Result<()> {
        let deterministic = self.policy == PolicyKind::Deterministic;
        let samples_prior = self.action_value_target == ActionValueTarget::PriorPolicy;
        let reads_prior = matches!(
            self.policy_objective,
            PolicyObjective::WeightedLikelihood | PolicyObjective::PriorDivergence
        );
        let checks = [
            (
                deterministic != (self.policy_objective == PolicyObjective::Deterministic),
                "a deterministic policy goes with the deterministic objective, and with no other",
            ),
            (
                deterministic != (self.action_value_target == ActionValueTarget::TargetPolicy),
                "a deterministic policy goes with the target policy's action value, and with no other",
            ),
            (
                samples_prior != reads_prior,
                "a prior policy serves both the M-step and the E-step, or neither",
            ),
            (
                self.policy_objective == PolicyObjective::Score && !self.has_state_value(),
                "the score gradient needs a state value as its baseline",
            ),
            (
                (self.action_value_target == ActionValueTarget::StateValue) != self.has_state_value(),
                "a state value is trained where the action value's target reads it, and nowhere else",
            ),
            (
                self.m_step == MStepKind::Projected && !self.has_state_value(),
                "the projected M-step goes with recipes that have a state value",
            ),
            (
                self.trained_temperature == TrainedTemperature::Dual
                    && self.policy_objective != PolicyObjective::WeightedLikelihood,
                "a dual temperature goes with the weighted likelihood",
            ),
            (
                self.trained_temperature == TrainedTemperature::Tuned && (deterministic || reads_prior),
                "a tuned temperature needs the entropy of the policy's own samples",
            ),
        ];
        match checks.into_iter().find(|(wrong, _)| *wrong) {
            None => Ok(()),
            Some((_, reason)) => {
                Err(EngineError::RecipeUnsupported { engine: "every", recipe: reason.to_owned() })
            }
        }
    }
}

/// A part's public name, as `src/algorithms/recipe.ts` writes it.
pub trait Named: Sized + Copy + 'static {
    /// Every value with its name.
    const NAMES: &'static [(&'static str, Self)];

    /// The value of this name, for the option `field`.
    ///
    /// # Errors
    /// `CONFIG_RANGE`, naming the option.
    fn named(field: &'static str, name: &str) -> Result<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(|| {
            EngineError::OutOfRange {
                name: field,
                expected: "a part of the vocabulary",
                got: name.to_owned(),
            }
        })
    }
}

impl Named for PolicyKind {
    const NAMES: &'static [(&'static str, Self)] =
        &[("tanhGaussian", Self::TanhGaussian), ("deterministic", Self::Deterministic)];
}

impl Named for ActionValueTarget {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("stateValue", Self::StateValue),
        ("softActionValue", Self::SoftActionValue),
        ("targetPolicy", Self::TargetPolicy),
        ("priorPolicy", Self::PriorPolicy),
    ];
}

impl Named for StateValueTarget {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("none", Self::None),
        ("actionValue", Self::ActionValue),
        ("softActionValue", Self::SoftActionValue),
    ];
}

impl Named for PolicyObjective {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("reparameterised", Self::Reparameterised),
        ("score", Self::Score),
        ("deterministic", Self::Deterministic),
        ("weightedLikelihood", Self::WeightedLikelihood),
        ("priorDivergence", Self::PriorDivergence),
    ];
}

impl Named for PolicyCritic {
    const NAMES: &'static [(&'static str, Self)] = &[("first", Self::First), ("minimum", Self::Minimum)];
}

impl Named for MStepKind {
    const NAMES: &'static [(&'static str, Self)] =
        &[("direct", Self::Direct), ("projected", Self::Projected)];
}

impl Named for TrainedTemperature {
    const NAMES: &'static [(&'static str, Self)] =
        &[("none", Self::None), ("tuned", Self::Tuned), ("dual", Self::Dual)];
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIREL: Recipe = Recipe {
        policy: PolicyKind::TanhGaussian,
        action_value_target: ActionValueTarget::StateValue,
        state_value_target: StateValueTarget::ActionValue,
        policy_objective: PolicyObjective::Reparameterised,
        policy_critic: PolicyCritic::First,
        m_step: MStepKind::Direct,
        trained_temperature: TrainedTemperature::None,
    };

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        assert!(VIREL.expect_coherent().is_ok());
        let mpo = Recipe {
            action_value_target: ActionValueTarget::PriorPolicy,
            state_value_target: StateValueTarget::None,
            policy_objective: PolicyObjective::WeightedLikelihood,
            trained_temperature: TrainedTemperature::Dual,
            ..VIREL
        };
        assert!(mpo.expect_coherent().is_ok());
        let wrong = [
            Recipe { policy: PolicyKind::Deterministic, ..VIREL },
            Recipe { policy_objective: PolicyObjective::WeightedLikelihood, ..VIREL },
            Recipe { action_value_target: ActionValueTarget::SoftActionValue, ..VIREL },
            Recipe { state_value_target: StateValueTarget::None, ..VIREL },
            Recipe { trained_temperature: TrainedTemperature::Dual, ..VIREL },
            Recipe { trained_temperature: TrainedTemperature::Tuned, ..mpo },
            Recipe { m_step: MStepKind::Projected, ..mpo },
        ];
        for recipe in wrong {
            assert_eq!(recipe.expect_coherent().unwrap_err().code(), "RECIPE_UNSUPPORTED", "{recipe:?}");
        }
    }

    #[test]
    fn names_are_found_and_others_named() {
        assert_eq!(PolicyObjective::named("policyObjective", "score"), Ok(PolicyObjective::Score));
        let error = MStepKind::named("mStep", "printed").unwrap_err().to_string();
        assert!(error.contains("mStep") && error.contains("printed"), "{error}");
    }
}
