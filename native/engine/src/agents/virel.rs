//! Algorithm 1 of the paper, with its authors' reading of what is left open (docs/paper.md).

use super::recipe::{ActionValueTarget, PolicyGradient, Recipe, StateValueTarget};

/// Variational EM with the temperature as a constant.
pub const VIREL: Recipe = Recipe {
    action_value_target: ActionValueTarget::TargetStateValue,
    state_value_target: StateValueTarget::SampledActionValue,
    policy_gradient: PolicyGradient::Reparameterised,
};
