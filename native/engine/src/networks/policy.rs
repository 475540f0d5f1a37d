//! The trained policy on its own, for acting: tanh μ(s) by plain loops over row-major weights.

use super::layout::{Parameter, Sizes};
use crate::error::{EngineError, Result, expect_len};

/// One linear layer, `[out, in]` weights.
#[derive(Debug, Clone)]
struct Linear {
    weight: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
}

impl Linear {
    /// y = W x + b.
    fn forward(&self, input: &[f32], output: &mut Vec<f32>) {
        output.clear();
        let rows = self.weight.chunks_exact(self.inputs);
        output.extend(rows.zip(&self.bias).map(|(row, bias)| bias + dot(row, input)));
    }
}

/// Σ wᵢxᵢ in sixteen partial sums, which the compiler keeps in one vector.
fn dot(weights: &[f32], input: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    let (weights, last_weights) = weights.as_chunks::<16>();
    let (input, last_input) = input.as_chunks::<16>();
    for (weights, input) in weights.iter().zip(input) {
        for ((sum, weight), value) in sums.iter_mut().zip(weights).zip(input) {
            *sum += weight * value;
        }
    }
    let rest: f32 = last_weights.iter().zip(last_input).map(|(weight, value)| weight * value).sum();
    sums.iter().sum::<f32>() + rest
}

/// μ_θ of a trained policy.
#[derive(Debug, Clone)]
pub struct DeterministicPolicy {
    trunk: Vec<Linear>,
    mean: Linear,
    activations: [Vec<f32>; 2],
}

impl DeterministicPolicy {
    /// From named parameters, which may hold more than the policy's.
    ///
    /// # Errors
    /// `PARAMETER_SHAPE` when a layer is missing or does not fit its neighbours.
    pub fn new(parameters: &[Parameter]) -> Result<Self> {
        let mut trunk: Vec<Linear> = Vec::new();
        while parameters.iter().any(|p| p.spec.name == format!("policy.trunk.{}.weight", trunk.len())) {
            let inputs = trunk.last().map(|layer| layer.bias.len());
            trunk.push(linear(parameters, &format!("policy.trunk.{}", trunk.len()), inputs)?);
        }
        let mean = linear(parameters, "policy.mean", trunk.last().map(|layer| layer.bias.len()))?;
        Ok(Self { trunk, mean, activations: [Vec::new(), Vec::new()] })
    }

    /// Sizes that the parameters imply.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            observation: self.trunk.first().unwrap_or(&self.mean).inputs,
            action: self.mean.bias.len(),
            hidden: self.trunk.iter().map(|layer| layer.bias.len()).collect(),
        }
    }

    /// tanh μ(s) in [−1, 1] for one `observation` `[O]`; fills `action` `[A]`.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`.
    pub fn act(&mut self, observation: &[f32], action: &mut [f32]) -> Result<()> {
        let sizes = (self.trunk.first().unwrap_or(&self.mean).inputs, self.mean.bias.len());
        expect_len("observation", observation.len(), sizes.0)?;
        expect_len("action", action.len(), sizes.1)?;
        let [input, output] = &mut self.activations;
        input.clear();
        input.extend_from_slice(observation);
        for layer in &self.trunk {
            layer.forward(input, output);
            output.iter_mut().for_each(|value| *value = value.max(0.0));
            std::mem::swap(input, output);
        }
        self.mean.forward(input, output);
        for (action, mean) in action.iter_mut().zip(output) {
            *action = mean.tanh();
        }
        Ok(())
    }
}

/// The layer `name`, whose input width must be `inputs` where that is known.
fn linear(parameters: &[Parameter], name: &str, inputs: Option<usize>) -> Result<Linear> {
    let find = |suffix: &str| {
        let name = format!("{name}.{suffix}");
        parameters.iter().find(|p| p.spec.name == name).ok_or_else(|| EngineError::ParameterShape {
            name,
            expected: "a policy's parameter".to_owned(),
            got: "no such tensor".to_owned(),
        })
    };
    let (weight, bias) = (find("weight")?, find("bias")?);
    let width = weight.spec.shape.get(1).copied().unwrap_or(0);
    let expected = [bias.data.len(), inputs.unwrap_or(width.max(1))];
    if weight.spec.shape != expected {
        return Err(EngineError::ParameterShape {
            name: weight.spec.name.clone(),
            expected: format!("shape {expected:?}"),
            got: format!("shape {:?}", weight.spec.shape),
        });
    }
    Ok(Linear { weight: weight.data.clone(), bias: bias.data.clone(), inputs: width })
}

#[cfg(test)]
mod tests {
    use super::DeterministicPolicy;
    use crate::networks::initialise::rlkit;
    use crate::networks::layout::Sizes;
    use crate::random::{Purpose, Stream};

    fn sizes() -> Sizes {
        Sizes { observation: 5, action: 2, hidden: vec![19, 33] }
    }

    #[test]
    fn it_computes_tanh_of_the_mean_head() {
        let parameters = rlkit(&sizes(), &mut Stream::new(1, Purpose::Initialise, 0));
        let mut policy = DeterministicPolicy::new(&parameters).unwrap();
        assert_eq!(policy.sizes(), sizes());
        let observation = [0.3_f32, -1.0, 2.0, 0.1, 0.7];
        let mut action = [0.0; 2];
        policy.act(&observation, &mut action).unwrap();
        // the same in float64 by plain loops
        let layer = |name: &str, input: &[f64]| -> Vec<f64> {
            let find =
                |s: &str| &parameters.iter().find(|p| p.spec.name == format!("{name}.{s}")).unwrap().data;
            let (weight, bias) = (find("weight"), find("bias"));
            let row =
                |i: usize| (0..input.len()).map(move |j| f64::from(weight[i * input.len() + j]) * input[j]);
            (0..bias.len()).map(|i| row(i).sum::<f64>() + f64::from(bias[i])).collect()
        };
        let relu = |values: Vec<f64>| values.into_iter().map(|v| v.max(0.0)).collect::<Vec<_>>();
        let first = relu(layer("policy.trunk.0", &observation.map(f64::from)));
        let second = relu(layer("policy.trunk.1", &first));
        for (got, mean) in action.iter().zip(layer("policy.mean", &second)) {
            assert!((f64::from(*got) - mean.tanh()).abs() < 1e-7);
        }
    }

    #[test]
    fn a_missing_or_misshapen_layer_is_refused() {
        let parameters = rlkit(&sizes(), &mut Stream::new(1, Purpose::Initialise, 0));
        let without: Vec<_> =
            parameters.iter().filter(|p| p.spec.name != "policy.mean.bias").cloned().collect();
        assert_eq!(DeterministicPolicy::new(&without).unwrap_err().code(), "PARAMETER_SHAPE");
        let mut wrong = parameters;
        wrong[2].spec.shape = vec![33, 18];
        assert_eq!(DeterministicPolicy::new(&wrong).unwrap_err().code(), "PARAMETER_SHAPE");
    }
}
