//! The trained policy on its own, for acting: tanh μ(s), as a learner's own policy computes it, to the bit.

use super::layout::{
    Parameter, ParameterSpec, Sizes, parameters as parameters_of, policy_mean, policy_sizes,
};
use super::mlp::{Shape, forward};
use crate::error::{EngineError, Result, expect_len};
use crate::math::tanh_gaussian::mode;

/// μ_θ of a trained policy.
#[derive(Debug, Clone)]
pub struct DeterministicPolicy {
    sizes: Sizes,
    shape: Shape,
    weights: Vec<f32>,
    /// What one sample passes through, and μ at its end.
    between: [Vec<f32>; 2],
    mean: Vec<f32>,
}

impl DeterministicPolicy {
    /// From named parameters, which may hold more than the policy's.
    ///
    /// # Errors
    /// `PARAMETER_SHAPE` when a layer is missing, has no width or does not fit its neighbours.
    pub fn new(parameters: &[Parameter]) -> Result<Self> {
        let sizes = policy_sizes(parameters);
        let layers = policy_mean(&sizes);
        parameters_of(&layers).iter().try_for_each(|spec| expect_parameter(parameters, spec))?;
        let shape = Shape::new(layers);
        let mut weights = vec![0.0; shape.len()];
        shape.write(parameters, &mut weights);
        let between = [(); 2].map(|()| vec![0.0; shape.sample_len()]);
        Ok(Self { mean: vec![0.0; sizes.action], sizes, shape, weights, between })
    }

    /// Sizes that the parameters imply.
    pub fn sizes(&self) -> Sizes {
        self.sizes.clone()
    }

    /// tanh μ(s) in [−1, 1] for one `observation` `[O]`; fills `action` `[A]`. NaN gives NaN.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`.
    pub fn act(&mut self, observation: &[f32], action: &mut [f32]) -> Result<()> {
        expect_len("observation", observation.len(), self.sizes.observation)?;
        expect_len("action", action.len(), self.sizes.action)?;
        let [now, next] = &mut self.between;
        forward(&self.shape, &self.weights, observation, [now, next], &mut self.mean);
        mode(&self.mean, action)
    }
}

/// Checks that `spec` is among the parameters, with its shape and as many values, at least one.
fn expect_parameter(parameters: &[Parameter], spec: &ParameterSpec) -> Result<()> {
    let found = parameters.iter().rfind(|p| p.spec.name == spec.name);
    let got = match found {
        Some(p) if p.spec == *spec && p.data.len() == spec.len() && !spec.is_empty() => return Ok(()),
        Some(p) => format!("shape {:?} with {} values", p.spec.shape, p.data.len()),
        None => "no such tensor".to_owned(),
    };
    let expected = match spec.is_empty() {
        true => "a policy's parameter, no width 0".to_owned(),
        false => format!("shape {:?}", spec.shape),
    };
    Err(EngineError::ParameterShape { name: spec.name.clone(), expected, got })
}

#[cfg(test)]
mod tests {
    use super::DeterministicPolicy;
    use crate::networks::layout::{Parameter, Sizes, parameters, policy};
    use crate::random::{Purpose, Stream};
    use crate::recipe::PolicyKind;

    fn sizes() -> Sizes {
        Sizes { observation: 5, action: 2, policy_hidden: vec![19, 33], hidden: Vec::new(), action_values: 0 }
    }

    /// A Gaussian policy with standard normal parameters.
    fn drawn() -> Vec<Parameter> {
        let mut stream = Stream::new(1, Purpose::Initialise, 0);
        let specs = parameters(&policy("policy", PolicyKind::TanhGaussian, &sizes()));
        let parameter = |spec: crate::networks::layout::ParameterSpec| {
            let data = (0..spec.len()).map(|_| (0.2 * stream.normal()) as f32).collect();
            Parameter { spec, data }
        };
        specs.into_iter().map(parameter).collect()
    }

    #[test]
    fn it_computes_tanh_of_the_mean_head() {
        let parameters = drawn();
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
        let parameters = drawn();
        let without: Vec<_> =
            parameters.iter().filter(|p| p.spec.name != "policy.mean.bias").cloned().collect();
        assert_eq!(DeterministicPolicy::new(&without).unwrap_err().code(), "PARAMETER_SHAPE");
        let mut wrong = parameters;
        wrong[2].spec.shape = vec![33, 18];
        assert_eq!(DeterministicPolicy::new(&wrong).unwrap_err().code(), "PARAMETER_SHAPE");
    }

    /// What `new` says of a fresh policy's parameters after a change of the one called `name`.
    fn refusal(name: &str, change: impl Fn(&mut Parameter)) -> &'static str {
        let mut parameters = drawn();
        parameters.iter_mut().filter(|p| p.spec.name == name).for_each(change);
        DeterministicPolicy::new(&parameters).unwrap_err().code()
    }

    #[test]
    fn a_layer_without_width_is_refused() {
        for name in ["policy.trunk.0.weight", "policy.trunk.1.weight", "policy.mean.weight"] {
            for shape in [vec![], vec![0, 0], vec![0, 5], vec![19, 0], vec![19]] {
                let emptied = |p: &mut Parameter| {
                    *p = Parameter {
                        spec: crate::networks::layout::ParameterSpec {
                            shape: shape.clone(),
                            ..p.spec.clone()
                        },
                        data: Vec::new(),
                    }
                };
                assert_eq!(refusal(name, emptied), "PARAMETER_SHAPE", "{name} {shape:?}");
            }
        }
        let emptied = |p: &mut Parameter| {
            p.spec.shape = vec![0];
            p.data.clear();
        };
        for name in ["policy.trunk.0.bias", "policy.mean.bias"] {
            assert_eq!(refusal(name, emptied), "PARAMETER_SHAPE", "{name}");
        }
        assert_eq!(refusal("policy.mean.bias", |p| p.data.clear()), "PARAMETER_SHAPE");
    }

    #[test]
    fn an_observation_that_is_not_a_number_gives_no_plausible_action() {
        let parameters = drawn();
        let mut action = [0.0; 2];
        let mut policy = DeterministicPolicy::new(&parameters).unwrap();
        policy.act(&[0.3, f32::NAN, 2.0, 0.1, 0.7], &mut action).unwrap();
        assert!(action.iter().all(|a| a.is_nan()), "{action:?}");
    }
}
