//! Recipes for tests: each algorithm's, and the variations that it allows.

use virel_engine::recipe::{
    ActionValueTarget, MStepKind, PolicyCritic, PolicyKind, PolicyObjective, Recipe, StateValueTarget,
    TrainedTemperature,
};

/// A recipe with the numbers that it is run with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variant {
    pub name: &'static str,
    pub recipe: Recipe,
    pub action_values: usize,
    /// K.
    pub samples: usize,
    /// T, where it is given from outside.
    pub temperature: Option<f32>,
}

/// Algorithm 1.
pub const VIREL: Variant = Variant {
    name: "virel",
    recipe: Recipe {
        policy: PolicyKind::TanhGaussian,
        action_value_target: ActionValueTarget::StateValue,
        state_value_target: StateValueTarget::ActionValue,
        policy_objective: PolicyObjective::Reparameterised,
        policy_critic: PolicyCritic::First,
        m_step: MStepKind::Direct,
        trained_temperature: TrainedTemperature::None,
    },
    action_values: 1,
    samples: 1,
    temperature: Some(0.7),
};

/// With a state value and its entropy.
pub const SAC: Variant = Variant {
    name: "sac",
    recipe: Recipe { state_value_target: StateValueTarget::SoftActionValue, ..VIREL.recipe },
    ..VIREL
};

/// Two Q, no V, a tuned temperature.
pub const SAC_TWIN: Variant = Variant {
    name: "sac-twin",
    recipe: Recipe {
        action_value_target: ActionValueTarget::SoftActionValue,
        state_value_target: StateValueTarget::None,
        policy_critic: PolicyCritic::Minimum,
        trained_temperature: TrainedTemperature::Tuned,
        ..VIREL.recipe
    },
    action_values: 2,
    samples: 1,
    temperature: None,
};

/// A deterministic policy.
pub const DDPG: Variant = Variant {
    name: "ddpg",
    recipe: Recipe {
        policy: PolicyKind::Deterministic,
        action_value_target: ActionValueTarget::TargetPolicy,
        state_value_target: StateValueTarget::None,
        policy_objective: PolicyObjective::Deterministic,
        ..VIREL.recipe
    },
    temperature: None,
    ..VIREL
};

/// Appendix G with a dual temperature.
pub const MPO: Variant = Variant {
    name: "mpo",
    recipe: Recipe {
        action_value_target: ActionValueTarget::PriorPolicy,
        state_value_target: StateValueTarget::None,
        policy_objective: PolicyObjective::WeightedLikelihood,
        trained_temperature: TrainedTemperature::Dual,
        ..VIREL.recipe
    },
    action_values: 1,
    samples: 3,
    temperature: None,
};

/// virel by the projected residual error.
pub const PROJECTED: Variant = Variant {
    name: "virel, projected",
    recipe: Recipe { m_step: MStepKind::Projected, ..VIREL.recipe },
    ..VIREL
};

const fn with_temperature(name: &'static str, of: Variant, trained: TrainedTemperature) -> Variant {
    let recipe = Recipe { trained_temperature: trained, ..of.recipe };
    let temperature = match trained {
        TrainedTemperature::None => Some(0.7),
        _ => None,
    };
    Variant { name, recipe, temperature, ..of }
}

const fn with_objective(name: &'static str, of: Variant, objective: PolicyObjective) -> Variant {
    Variant { name, recipe: Recipe { policy_objective: objective, ..of.recipe }, ..of }
}

/// Every recipe that the tests run through, each part in several companies.
pub const VARIANTS: [Variant; 19] = [
    VIREL,
    with_objective("virel, score", VIREL, PolicyObjective::Score),
    Variant { name: "virel, two Q", action_values: 2, ..VIREL },
    Variant {
        name: "virel, score, two Q",
        action_values: 2,
        ..with_objective("", VIREL, PolicyObjective::Score)
    },
    with_temperature("virel, tuned", VIREL, TrainedTemperature::Tuned),
    PROJECTED,
    with_objective("virel, score, projected", PROJECTED, PolicyObjective::Score),
    SAC,
    with_objective("sac, score", SAC, PolicyObjective::Score),
    Variant {
        name: "sac, two Q, tuned",
        action_values: 2,
        ..with_temperature("", SAC, TrainedTemperature::Tuned)
    },
    Variant {
        name: "sac, projected, tuned",
        recipe: Recipe {
            m_step: MStepKind::Projected,
            trained_temperature: TrainedTemperature::Tuned,
            ..SAC.recipe
        },
        temperature: None,
        ..SAC
    },
    SAC_TWIN,
    with_temperature("sac-twin, fixed", SAC_TWIN, TrainedTemperature::None),
    Variant { name: "sac-twin, one Q", action_values: 1, ..SAC_TWIN },
    Variant { name: "sac-twin, given temperature", temperature: Some(0.4), ..SAC_TWIN },
    DDPG,
    MPO,
    with_temperature("mpo, fixed", MPO, TrainedTemperature::None),
    with_temperature(
        "mpo, prior divergence",
        with_objective("", MPO, PolicyObjective::PriorDivergence),
        TrainedTemperature::None,
    ),
];

/// MPO whose given temperature stands in every loss beside a dual one that is trained on.
pub const MPO_GIVEN: Variant = Variant { name: "mpo, given temperature", temperature: Some(1.3), ..MPO };
