//! Initial parameters, one scheme per publication; targets start as copies, auxiliary weights at zero.

use super::layout::{self, LayerSpec, Networks, Parameter, Role, Sizes};
use crate::math::temperature::dual_start;
use crate::random::Stream;
use crate::recipe::{PolicyKind, Recipe};

/// Hidden biases of [`Scheme::Rlkit`].
const HIDDEN_BIAS: f32 = 0.1;
/// Half-width of the last layers of Q, V and a deterministic policy in [`Scheme::Rlkit`].
const VALUE_HEAD: f64 = 3e-3;
/// Half-width of both heads of a Gaussian policy in [`Scheme::Rlkit`].
const POLICY_HEAD: f64 = 1e-3;

/// The distribution of the initial parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// rlkit v0.1.2, the code base of the paper's authors: hidden weights U(±1/√n_out) with n_out the layer's
    /// **output** width (its fan-in reads the wrong axis), hidden biases 0.1, last layers U(±3e-3) for Q, V and a
    /// deterministic policy, U(±1e-3) for the two heads of a Gaussian one, weights and biases alike.
    Rlkit,
    /// haarnoja/sac (Glorot and Bengio 2010): weights U(±√(6 / (n_in + n_out))), biases 0; a policy's heads are one
    /// layer.
    Glorot,
    /// PyTorch's default: weights and biases U(±1/√n_in).
    FanIn,
}

/// Starting values of what a learner trains besides its networks; only those that the recipe has are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainedStart {
    /// T, > 0.
    pub temperature: f64,
    /// Multiplier of the KL constraint on the mean, > 0.
    pub mean_multiplier: f64,
    /// Multiplier of the KL constraint on the covariance, > 0.
    pub covariance_multiplier: f64,
}

/// Fresh values of every parameter, in the order of [`Networks::all`].
///
/// Networks are drawn from `stream` in file order (policy, Q, V), each layer's weight row by row, then its bias.
pub fn initial(
    scheme: Scheme,
    recipe: &Recipe,
    sizes: &Sizes,
    start: &TrainedStart,
    stream: &mut Stream,
) -> Vec<Parameter> {
    let networks = Networks::new(recipe, sizes);
    let policy_head = match recipe.policy {
        PolicyKind::TanhGaussian => POLICY_HEAD,
        PolicyKind::Deterministic => VALUE_HEAD,
    };
    let mut draw = |layers: &[LayerSpec], head: f64| -> Vec<Parameter> {
        let outputs = layers.iter().filter(|layer| layer.role == Role::Head).map(|layer| layer.outputs).sum();
        layers.iter().flat_map(|layer| drawn(scheme, layer, outputs, head, stream)).collect()
    };
    let policy = draw(&networks.policy, policy_head);
    let action_values: Vec<_> =
        networks.action_values.iter().map(|layers| draw(layers, VALUE_HEAD)).collect();
    let state_value = networks.state_value.as_ref().map(|layers| draw(layers, VALUE_HEAD));

    let zeros = |spec: layout::ParameterSpec| Parameter { data: vec![0.0; spec.len()], spec };
    let auxiliary =
        networks.auxiliary_weights.iter().flat_map(|layers| layout::parameters(layers)).map(zeros);
    let duals = networks.duals.iter().map(|spec| {
        let value = match spec.name.as_str() {
            layout::LOG_TEMPERATURE => start.temperature.ln(),
            layout::DUAL_TEMPERATURE => dual_start(start.temperature),
            layout::MEAN_MULTIPLIER => dual_start(start.mean_multiplier),
            _ => dual_start(start.covariance_multiplier),
        };
        Parameter { spec: spec.clone(), data: vec![value as f32; spec.len()] }
    });

    // file order: trained ones, then the targets
    let mut all = policy.clone();
    all.extend(action_values.iter().flatten().cloned());
    all.extend(state_value.iter().flatten().cloned());
    all.extend(auxiliary);
    all.extend(duals);
    if let (Some(layers), Some(source)) = (&networks.target_state_value, &state_value) {
        all.extend(copied(layers, source));
    }
    for (layers, source) in networks.target_action_values.iter().zip(&action_values) {
        all.extend(copied(layers, source));
    }
    if let Some(layers) = &networks.target_policy {
        all.extend(copied(layers, &policy));
    }
    all
}

/// The values of `source` under the names of `layers`, which have the same shapes.
fn copied(layers: &[LayerSpec], source: &[Parameter]) -> Vec<Parameter> {
    let specs = layout::parameters(layers).into_iter();
    specs.zip(source).map(|(spec, source)| Parameter { spec, data: source.data.clone() }).collect()
}

/// Weight and bias of one layer; `outputs` is the width of all heads of its network, `head` [`Scheme::Rlkit`]'s
/// half-width of a head.
fn drawn(
    scheme: Scheme,
    layer: &LayerSpec,
    outputs: usize,
    head: f64,
    stream: &mut Stream,
) -> [Parameter; 2] {
    let is_head = layer.role == Role::Head;
    let [inputs, own, together] =
        [layer.inputs, layer.outputs, if is_head { outputs } else { layer.outputs }]
            .map(|width| width as f64);
    let (bound, bias) = match scheme {
        Scheme::Rlkit if is_head => (head, None),
        Scheme::Rlkit => (1.0 / own.sqrt(), Some(HIDDEN_BIAS)),
        Scheme::Glorot => ((6.0 / (inputs + together)).sqrt(), Some(0.0)),
        Scheme::FanIn => (1.0 / inputs.sqrt(), None),
    };
    let mut uniform =
        |len: usize| -> Vec<f32> { (0..len).map(|_| stream.uniform_in(-bound, bound) as f32).collect() };
    let weight = uniform(layer.outputs * layer.inputs);
    let bias = match bias {
        Some(constant) => vec![constant; layer.outputs],
        None => uniform(layer.outputs),
    };
    [Parameter { spec: layer.weight(), data: weight }, Parameter { spec: layer.bias(), data: bias }]
}
