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

/// π_θ: `policy.trunk.*`, `policy.mean`, `policy.logStd`.
pub fn policy(sizes: &Sizes) -> Vec<LayerSpec> {
    network("policy", sizes.observation, &sizes.hidden, &[("mean", sizes.action), ("logStd", sizes.action)])
}

/// μ_θ, what a policy without noise needs: `policy.trunk.*`, `policy.mean`.
pub fn policy_mean(sizes: &Sizes) -> Vec<LayerSpec> {
    network("policy", sizes.observation, &sizes.hidden, &[("mean", sizes.action)])
}

/// The sizes whose [`policy_mean`] these parameters seem to be; 0 where a weight is missing or no matrix.
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
        hidden: trunk.into_iter().map(|(outputs, _)| outputs).collect(),
    }
}

/// Q_w: `actionValue.0.trunk.*`, `actionValue.0.value`.
pub fn action_value(sizes: &Sizes) -> Vec<LayerSpec> {
    network("actionValue.0", sizes.observation + sizes.action, &sizes.hidden, &[("value", 1)])
}

/// V_φ: `stateValue.trunk.*`, `stateValue.value`.
pub fn state_value(sizes: &Sizes) -> Vec<LayerSpec> {
    network("stateValue", sizes.observation, &sizes.hidden, &[("value", 1)])
}

/// V_φ̄: as [`state_value`] under `target.`.
pub fn target_state_value(sizes: &Sizes) -> Vec<LayerSpec> {
    network("target.stateValue", sizes.observation, &sizes.hidden, &[("value", 1)])
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

/// Every trained parameter of `virel`, in file order: policy, Q, V.
pub fn trained(sizes: &Sizes) -> Vec<ParameterSpec> {
    parameters(&[policy(sizes), action_value(sizes), state_value(sizes)].concat())
}

/// Every parameter of `virel`: the trained ones, then the target.
pub fn all(sizes: &Sizes) -> Vec<ParameterSpec> {
    [trained(sizes), parameters(&target_state_value(sizes))].concat()
}
