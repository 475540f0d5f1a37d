//! Initial parameters, one function per published scheme; targets start as copies.

use super::layout::{Parameter, ParameterSpec, Sizes, all};
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
/// Values are drawn from `stream` in the order of [`all`], row by row.
pub fn rlkit(sizes: &Sizes, stream: &mut Stream) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for spec in all(sizes) {
        let data = match spec.name.strip_prefix("target.") {
            Some(source) => copy_of(&parameters, source),
            None => draw(&spec, stream),
        };
        parameters.push(Parameter { spec, data });
    }
    parameters
}

fn copy_of(parameters: &[Parameter], name: &str) -> Vec<f32> {
    parameters.iter().find(|p| p.spec.name == name).map(|p| p.data.clone()).unwrap_or_default()
}

fn draw(spec: &ParameterSpec, stream: &mut Stream) -> Vec<f32> {
    let hidden = spec.name.contains(".trunk.");
    if hidden && spec.name.ends_with(".bias") {
        return vec![HIDDEN_BIAS; spec.len()];
    }
    let bound = match hidden {
        true => 1.0 / (spec.shape[0] as f64).sqrt(),
        false if spec.name.starts_with("policy.") => POLICY_HEAD,
        false => VALUE_HEAD,
    };
    (0..spec.len()).map(|_| stream.uniform_in(-bound, bound) as f32).collect()
}
