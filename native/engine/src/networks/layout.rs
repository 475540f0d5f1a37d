//! Names and shapes of all parameters, as safetensors files and `Session.parameters` show them.
//! Weights are `[out, in]`, row-major, as PyTorch's `Linear`; the input of an action value is `[observation, action]`.

use crate::recipe::{ActionValueTarget, MStepKind, PolicyKind, Recipe, TrainedTemperature};

/// Sizes that fix every shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizes {
    /// O, width of an observation.
    pub observation: usize,
    /// A, width of an action.
    pub action: usize,
    /// Widths of the policy's hidden layers, first to last.
    pub policy_hidden: Vec<usize>,
    /// H, widths of the hidden layers of Q and V, first to last.
    pub hidden: Vec<usize>,
    /// n, number of action values.
    pub action_values: usize,
}

/// A parameter's name and shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Such as `policy.trunk.0.weight`.
    pub name: String,
    /// `[out, in]` of a weight, `[out]` of a bias.
    pub shape: Vec<usize>,
}

impl ParameterSpec {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A parameter with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Name and shape.
    pub spec: ParameterSpec,
    /// Row-major values.
    pub data: Vec<f32>,
}

/// Where an affine layer stands in its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// In the trunk, before a ReLU.
    Hidden,
    /// On top of the trunk: an output.
    Head,
}

/// One affine layer of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSpec {
    /// Such as `policy.trunk.0`.
    pub name: String,
    /// Where it stands.
    pub role: Role,
    /// Width of its input.
    pub inputs: usize,
    /// Width of its output.
    pub outputs: usize,
}

impl LayerSpec {
    /// `<name>.weight`, `[outputs, inputs]`.
    pub fn weight(&self) -> ParameterSpec {
        ParameterSpec { name: format!("{}.weight", self.name), shape: vec![self.outputs, self.inputs] }
    }

    /// `<name>.bias`, `[outputs]`.
    pub fn bias(&self) -> ParameterSpec {
        ParameterSpec { name: format!("{}.bias", self.name), shape: vec![self.outputs] }
    }
}

/// A trunk of ReLU layers and its linear heads.
fn network(prefix: &str, inputs: usize, hidden: &[usize], heads: &[(&str, usize)]) -> Vec<LayerSpec> {
    let mut width = inputs;
    let mut layers = Vec::new();
    for (index, &outputs) in hidden.iter().enumerate() {
        let name = format!("{prefix}.trunk.{index}");
        layers.push(LayerSpec { name, role: Role::Hidden, inputs: width, outputs });
        width = outputs;
    }
    for &(head, outputs) in heads {
        let name = format!("{prefix}.{head}");
        layers.push(LayerSpec { name, role: Role::Head, inputs: width, outputs });
    }
    layers
}

/// A policy π(a|s) of the recipe's kind under `prefix`: `<prefix>.trunk.*`, `<prefix>.mean`, and `<prefix>.logStd`
/// unless it is deterministic.
pub fn policy(prefix: &str, kind: PolicyKind, sizes: &Sizes) -> Vec<LayerSpec> {
    let mean = ("mean", sizes.action);
    let heads = match kind {
        PolicyKind::TanhGaussian => vec![mean, ("logStd", sizes.action)],
        PolicyKind::Deterministic => vec![mean],
    };
    network(prefix, sizes.observation, &sizes.policy_hidden, &heads)
}

/// The sizes of which these parameters' `policy.trunk.*` and `policy.mean` seem to be; 0 where a weight is missing or no matrix.
pub fn policy_sizes(parameters: &[Parameter]) -> Sizes {
    let weight = |name: &str| parameters.iter().rfind(|p| p.spec.name == name);
    let widths = |weight: Option<&Parameter>| match weight.map(|p| p.spec.shape.as_slice()) {
        Some(&[outputs, inputs]) => (outputs, inputs),
        _ => (0, 0),
    };
    let trunk = (0..).map_while(|index| weight(&format!("policy.trunk.{index}.weight")));
    let trunk: Vec<_> = trunk.map(|weight| widths(Some(weight))).collect();
    let mean = widths(weight("policy.mean.weight"));
    Sizes {
        observation: trunk.first().unwrap_or(&mean).1,
        action: mean.0,
        policy_hidden: trunk.into_iter().map(|(outputs, _)| outputs).collect(),
        hidden: Vec::new(),
        action_values: 0,
    }
}

/// A value of pairs (s, a) under `prefix`, such as Q_w's `actionValue.0`: `<prefix>.trunk.*`, `<prefix>.value`.
pub fn action_value(prefix: &str, sizes: &Sizes) -> Vec<LayerSpec> {
    network(prefix, sizes.observation + sizes.action, &sizes.hidden, &[("value", 1)])
}

/// A value of states under `prefix`: `<prefix>.trunk.*`, `<prefix>.value`.
pub fn state_value(prefix: &str, sizes: &Sizes) -> Vec<LayerSpec> {
    network(prefix, sizes.observation, &sizes.hidden, &[("value", 1)])
}

/// Weight and bias of each layer, in order.
pub fn parameters(layers: &[LayerSpec]) -> Vec<ParameterSpec> {
    layers.iter().flat_map(|layer| [layer.weight(), layer.bias()]).collect()
}

/// The layers of one network that are computed as one matrix, rows in order: each hidden layer alone, then all heads.
pub fn stacked(layers: Vec<LayerSpec>) -> Vec<Vec<LayerSpec>> {
    let (hidden, heads): (Vec<_>, Vec<_>) = layers.into_iter().partition(|layer| layer.role == Role::Hidden);
    hidden.into_iter().map(|layer| vec![layer]).chain([heads]).collect()
}

/// The layers of every network that a recipe has. A field is empty, or None, where the recipe has no such network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Networks {
    /// π_θ: `policy.*`.
    pub policy: Vec<LayerSpec>,
    /// Q_i: `actionValue.<i>.*`.
    pub action_values: Vec<Vec<LayerSpec>>,
    /// V_φ: `stateValue.*`.
    pub state_value: Option<Vec<LayerSpec>>,
    /// ζ, shaped as Q_0: `auxiliaryWeights.*`.
    pub auxiliary_weights: Option<Vec<LayerSpec>>,
    /// What the learner trains of a temperature, `[1]`, and of its KL multipliers, `[A]` each.
    pub duals: Vec<ParameterSpec>,
    /// V_φ̄: `target.stateValue.*`.
    pub target_state_value: Option<Vec<LayerSpec>>,
    /// Q̄_i: `target.actionValue.<i>.*`.
    pub target_action_values: Vec<Vec<LayerSpec>>,
    /// π̄ or π_φ: `target.policy.*` or `priorPolicy.*`.
    pub target_policy: Option<Vec<LayerSpec>>,
}

impl Networks {
    /// The networks of a recipe.
    pub fn new(recipe: &Recipe, sizes: &Sizes) -> Self {
        let indexed = |prefix: &str| -> Vec<Vec<LayerSpec>> {
            (0..sizes.action_values).map(|i| action_value(&format!("{prefix}.{i}"), sizes)).collect()
        };
        let bootstraps_state_value = recipe.action_value_target == ActionValueTarget::StateValue;
        let target_policy = match recipe.action_value_target {
            ActionValueTarget::TargetPolicy => Some("target.policy"),
            ActionValueTarget::PriorPolicy => Some("priorPolicy"),
            ActionValueTarget::StateValue | ActionValueTarget::SoftActionValue => None,
        };
        Self {
            policy: policy("policy", recipe.policy, sizes),
            action_values: indexed("actionValue"),
            state_value: recipe.has_state_value().then(|| state_value("stateValue", sizes)),
            auxiliary_weights: (recipe.m_step == MStepKind::Projected)
                .then(|| action_value("auxiliaryWeights", sizes)),
            duals: duals(recipe, sizes),
            target_state_value: bootstraps_state_value.then(|| state_value("target.stateValue", sizes)),
            target_action_values: if bootstraps_state_value {
                Vec::new()
            } else {
                indexed("target.actionValue")
            },
            target_policy: target_policy.map(|prefix| policy(prefix, recipe.policy, sizes)),
        }
    }

    /// Every trained parameter in file order: policy, Q, V, ζ, a trained temperature.
    pub fn trained(&self) -> Vec<ParameterSpec> {
        let networks = [&self.policy].into_iter().chain(&self.action_values);
        let networks = networks.chain(&self.state_value).chain(&self.auxiliary_weights);
        networks.flat_map(|layers| parameters(layers)).chain(self.duals.iter().cloned()).collect()
    }

    /// Every parameter in file order: the trained ones, then the targets.
    pub fn all(&self) -> Vec<ParameterSpec> {
        let targets = self.target_state_value.iter().chain(&self.target_action_values);
        let targets = targets.chain(&self.target_policy).flat_map(|layers| parameters(layers));
        self.trained().into_iter().chain(targets).collect()
    }
}

/// log T of a tuned temperature; the numbers that make a dual one and the multipliers of both KL constraints.
fn duals(recipe: &Recipe, sizes: &Sizes) -> Vec<ParameterSpec> {
    let dual = |name: &str, len: usize| ParameterSpec { name: name.to_owned(), shape: vec![len] };
    match recipe.trained_temperature {
        TrainedTemperature::None => Vec::new(),
        TrainedTemperature::Tuned => vec![dual(LOG_TEMPERATURE, 1)],
        TrainedTemperature::Dual => vec![
            dual(DUAL_TEMPERATURE, 1),
            dual(MEAN_MULTIPLIER, sizes.action),
            dual(COVARIANCE_MULTIPLIER, sizes.action),
        ],
    }
}

/// Name of a tuned temperature's log T among the parameters.
pub const LOG_TEMPERATURE: &str = "logTemperature";
/// Name of what makes a dual temperature: softplus of it is T.
pub const DUAL_TEMPERATURE: &str = "dualTemperature";
/// Name of what makes the mean constraint's multipliers, by softplus too.
pub const MEAN_MULTIPLIER: &str = "meanMultiplier";
/// Name of what makes the covariance constraint's.
pub const COVARIANCE_MULTIPLIER: &str = "covarianceMultiplier";
