//! Initial parameters, one function per published scheme; targets start as copies.

use super::layout::{self, LayerSpec, Parameter, Role, Sizes};
use crate::random::Stream;

/// Hidden biases of [`rlkit`].
const HIDDEN_BIAS: f32 = 0.1;
/// Half-width of the last layers of Q and V in [`rlkit`].
const VALUE_HEAD: f64 = 3e-3;
/// Half-width of both policy heads in [`rlkit`].
const POLICY_HEAD: f64 = 1e-3;

/// rlkit v0.1.2, the code base of the paper's authors: hidden weights U(±1/√n_out) with n_out the layer's
/// **output** width (its fan-in reads the wrong axis), hidden biases 0.1, last layers U(±3e-3) for Q and V,
/// U(±1e-3) for the policy's two heads, weights and biases alike.
///
/// Values are drawn from `stream` in the order of [`layout::all`], row by row.
pub fn rlkit(sizes: &Sizes, stream: &mut Stream) -> Vec<Parameter> {
    let mut draw = |layers: &[LayerSpec], head: f64| -> Vec<Parameter> {
        layers.iter().flat_map(|layer| draw(layer, head, stream)).collect()
    };
    let policy = draw(&layout::policy(sizes), POLICY_HEAD);
    let action_value = draw(&layout::action_value(sizes), VALUE_HEAD);
    let state_value = draw(&layout::state_value(sizes), VALUE_HEAD);
    let target = layout::parameters(&layout::target_state_value(sizes)).into_iter();
    let target: Vec<_> = target
        .zip(&state_value)
        .map(|(spec, source)| Parameter { spec, data: source.data.clone() })
        .collect();
    [policy, action_value, state_value, target].concat()
}

/// Weight and bias of one layer; `head` is the half-width where it is one.
fn draw(layer: &LayerSpec, head: f64, stream: &mut Stream) -> [Parameter; 2] {
    let bound = match layer.role {
        Role::Hidden => 1.0 / (layer.outputs as f64).sqrt(),
        Role::Head => head,
    };
    let mut uniform =
        |len: usize| -> Vec<f32> { (0..len).map(|_| stream.uniform_in(-bound, bound) as f32).collect() };
    let weight = uniform(layer.outputs * layer.inputs);
    let bias = match layer.role {
        Role::Hidden => vec![HIDDEN_BIAS; layer.outputs],
        Role::Head => uniform(layer.outputs),
    };
    [Parameter { spec: layer.weight(), data: weight }, Parameter { spec: layer.bias(), data: bias }]
}
