//! The trained policy on its own, for acting: tanh μ(s), or tanh(μ + σξ) with noise, as a learner's own policy computes
//! them, to the bit.

use super::layout::{Parameter, ParameterSpec, Sizes, parameters as parameters_of, policy, policy_sizes};
use super::mlp::{Shape, forward};
use crate::error::{EngineError, Result, expect_len};
use crate::math::tanh_gaussian::{mode, sample};
use crate::recipe::PolicyKind;

/// What tells a Gaussian policy from a deterministic one in a file.
const LOG_STD: &str = "policy.logStd.weight";

/// π_θ of a training that is over.
#[derive(Debug, Clone)]
pub struct TrainedPolicy {
    sizes: Sizes,
    kind: PolicyKind,
    shape: Shape,
    weights: Vec<f32>,
    /// What one sample passes through, and μ and log σ at its end.
    between: [Vec<f32>; 2],
    heads: Vec<f32>,
}

impl TrainedPolicy {
    /// From named parameters, which may hold more than the policy's.
    ///
    /// # Errors
    /// `PARAMETER_SHAPE` when a layer is missing, has no width or does not fit its neighbours.
    pub fn new(parameters: &[Parameter]) -> Result<Self> {
        let sizes = policy_sizes(parameters);
        let is_gaussian = parameters.iter().any(|parameter| parameter.spec.name == LOG_STD);
        let kind = if is_gaussian { PolicyKind::TanhGaussian } else { PolicyKind::Deterministic };
        let layers = policy("policy", kind, &sizes);
        parameters_of(&layers).iter().try_for_each(|spec| expect_parameter(parameters, spec))?;
        let shape = Shape::new(layers);
        let mut weights = vec![0.0; shape.len()];
        shape.write(parameters, &mut weights);
        let between = [(); 2].map(|()| vec![0.0; shape.sample_len()]);
        Ok(Self { heads: vec![0.0; shape.outputs()], sizes, kind, shape, weights, between })
    }

    /// Sizes that the parameters imply.
    pub fn sizes(&self) -> Sizes {
        self.sizes.clone()
    }

    /// An action in [−1, 1] for one `observation` `[O]`: tanh μ(s), or with `noise` ξ `[A]` tanh(μ + σξ); fills `action`
    /// `[A]`. NaN gives NaN.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`; `POLICY_DETERMINISTIC` for noise where the policy has no σ.
    pub fn act(&mut self, observation: &[f32], noise: Option<&[f32]>, action: &mut [f32]) -> Result<()> {
        expect_len("observation", observation.len(), self.sizes.observation)?;
        expect_len("action", action.len(), self.sizes.action)?;
        let [now, next] = &mut self.between;
        forward(&self.shape, &self.weights, observation, [now, next], &mut self.heads);
        let (mean, log_std) = self.heads.split_at(self.sizes.action);
        match noise {
            None => mode(mean, action),
            Some(noise) if self.kind == PolicyKind::TanhGaussian => sample(mean, log_std, noise, action),
            Some(_) => Err(EngineError::PolicyDeterministic),
        }
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
    use super::TrainedPolicy;
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
    fn it_computes_tanh_of_the_mean_or_of_a_draw_around_it() {
        let parameters = drawn();
        let mut policy = TrainedPolicy::new(&parameters).unwrap();
        assert_eq!(policy.sizes(), sizes());
        let observation = [0.3_f32, -1.0, 2.0, 0.1, 0.7];
        let mut action = [0.0; 2];
        policy.act(&observation, None, &mut action).unwrap();
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
        let (means, log_stds) = (layer("policy.mean", &second), layer("policy.logStd", &second));
        for (got, mean) in action.iter().zip(&means) {
            assert!((f64::from(*got) - mean.tanh()).abs() < 1e-7);
        }
        let noise = [0.7, -1.3];
        policy.act(&observation, Some(&noise), &mut action).unwrap();
        for (((got, mean), log_std), noise) in action.iter().zip(&means).zip(&log_stds).zip(noise) {
            let drawn = mean + log_std.exp() * f64::from(noise);
            assert!((f64::from(*got) - drawn.tanh()).abs() < 2e-7);
        }
    }

    #[test]
    fn a_policy_without_a_deviation_refuses_noise() {
        let mean: Vec<_> =
            drawn().into_iter().filter(|p| !p.spec.name.starts_with("policy.logStd")).collect();
        let mut policy = TrainedPolicy::new(&mean).unwrap();
        let observation = [0.1; 5];
        policy.act(&observation, None, &mut [0.0; 2]).unwrap();
        let refused = policy.act(&observation, Some(&[0.0; 2]), &mut [0.0; 2]);
        assert_eq!(refused.unwrap_err().code(), "POLICY_DETERMINISTIC");
    }

    #[test]
    fn a_missing_or_misshapen_layer_is_refused() {
        let parameters = drawn();
        let without: Vec<_> =
            parameters.iter().filter(|p| p.spec.name != "policy.mean.bias").cloned().collect();
        assert_eq!(TrainedPolicy::new(&without).unwrap_err().code(), "PARAMETER_SHAPE");
        let mut wrong = parameters;
        wrong[2].spec.shape = vec![33, 18];
        assert_eq!(TrainedPolicy::new(&wrong).unwrap_err().code(), "PARAMETER_SHAPE");
    }

    /// What `new` says of a fresh policy's parameters after a change of the one called `name`.
    fn refusal(name: &str, change: impl Fn(&mut Parameter)) -> &'static str {
        let mut parameters = drawn();
        parameters.iter_mut().filter(|p| p.spec.name == name).for_each(change);
        TrainedPolicy::new(&parameters).unwrap_err().code()
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
        let mut policy = TrainedPolicy::new(&parameters).unwrap();
        policy.act(&[0.3, f32::NAN, 2.0, 0.1, 0.7], None, &mut action).unwrap();
        assert!(action.iter().all(|a| a.is_nan()), "{action:?}");
    }
}
