//! Names and shapes of all parameters, as safetensors files and `Session.parameters` show them.
//! Weights are `[out, in]`, row-major, as PyTorch's `Linear`; the input of an action value is `[observation, action]`.

/// Sizes that fix every shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizes {
    /// O, width of an observation.
    pub observation: usize,
    /// A, width of an action.
    pub action: usize,
    /// H, widths of the hidden layers, first to last; the same for all networks.
    pub hidden: Vec<usize>,
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

/// Names of one linear layer.
fn linear(name: &str, inputs: usize, outputs: usize) -> [ParameterSpec; 2] {
    [
        ParameterSpec { name: format!("{name}.weight"), shape: vec![outputs, inputs] },
        ParameterSpec { name: format!("{name}.bias"), shape: vec![outputs] },
    ]
}

/// A trunk of ReLU layers and its linear heads.
fn network(prefix: &str, inputs: usize, hidden: &[usize], heads: &[(&str, usize)]) -> Vec<ParameterSpec> {
    let mut width = inputs;
    let mut specs = Vec::new();
    for (layer, &outputs) in hidden.iter().enumerate() {
        specs.extend(linear(&format!("{prefix}.trunk.{layer}"), width, outputs));
        width = outputs;
    }
    for (head, outputs) in heads {
        specs.extend(linear(&format!("{prefix}.{head}"), width, *outputs));
    }
    specs
}

/// π_θ: `policy.trunk.*`, `policy.mean`, `policy.logStd`.
pub fn policy(sizes: &Sizes) -> Vec<ParameterSpec> {
    network("policy", sizes.observation, &sizes.hidden, &[("mean", sizes.action), ("logStd", sizes.action)])
}

/// Q_w: `actionValue.0.trunk.*`, `actionValue.0.value`.
pub fn action_value(sizes: &Sizes) -> Vec<ParameterSpec> {
    network("actionValue.0", sizes.observation + sizes.action, &sizes.hidden, &[("value", 1)])
}

/// V_φ: `stateValue.trunk.*`, `stateValue.value`.
pub fn state_value(sizes: &Sizes) -> Vec<ParameterSpec> {
    network("stateValue", sizes.observation, &sizes.hidden, &[("value", 1)])
}

/// V_φ̄: as [`state_value`] under `target.`.
pub fn target_state_value(sizes: &Sizes) -> Vec<ParameterSpec> {
    let mut specs = state_value(sizes);
    for spec in &mut specs {
        spec.name.insert_str(0, "target.");
    }
    specs
}

/// Every trained parameter of `virel`, in file order: policy, Q, V.
pub fn trained(sizes: &Sizes) -> Vec<ParameterSpec> {
    [policy(sizes), action_value(sizes), state_value(sizes)].concat()
}

/// Every parameter of `virel`: the trained ones, then the target.
pub fn all(sizes: &Sizes) -> Vec<ParameterSpec> {
    [trained(sizes), target_state_value(sizes)].concat()
}
