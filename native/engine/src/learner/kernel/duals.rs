//! What a learner trains besides its networks: log T of a tuned temperature; of a dual one the numbers x that make T and the
//! multipliers.

use crate::error::Result;
use crate::ledger::Ledger;
use crate::math::adam::AdamStep;
use crate::math::temperature::{dual_slope, dual_value};
use crate::networks::layout::{
    COVARIANCE_MULTIPLIER, DUAL_TEMPERATURE, LOG_TEMPERATURE, MEAN_MULTIPLIER, Parameter, ParameterSpec,
};

/// One vector with its gradient and Adam's moments.
struct Dual {
    spec: ParameterSpec,
    values: Vec<f32>,
    gradient: Vec<f32>,
    first_moment: Vec<f32>,
    second_moment: Vec<f32>,
}

/// All of a recipe's; empty where the temperature is given from outside.
pub struct Duals {
    duals: Vec<Dual>,
    learning_rate: f64,
    steps: u64,
}

impl Duals {
    /// All zero.
    pub fn new(specs: &[ParameterSpec], learning_rate: f64) -> Self {
        let dual = |spec: &ParameterSpec| {
            let zeros = || vec![0.0; spec.len()];
            Dual {
                spec: spec.clone(),
                values: zeros(),
                gradient: zeros(),
                first_moment: zeros(),
                second_moment: zeros(),
            }
        };
        Self { duals: specs.iter().map(dual).collect(), learning_rate, steps: 0 }
    }

    /// Adam's state.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.value("steps", &mut self.steps)?;
        for Dual { spec, first_moment, second_moment, .. } in &mut self.duals {
            ledger.section(&spec.name, |ledger| {
                ledger.values("firstMoment", first_moment)?;
                ledger.values("secondMoment", second_moment)
            })?;
        }
        Ok(())
    }

    /// T; None where it is not trained.
    pub fn temperature(&self) -> Option<f32> {
        let tuned = self.trained(LOG_TEMPERATURE, 0).map(f32::exp);
        tuned.or_else(|| self.dual(DUAL_TEMPERATURE, 0))
    }

    /// Multiplier of the KL constraint on the mean in one action dimension.
    pub fn mean_multiplier(&self, dimension: usize) -> Option<f32> {
        self.dual(MEAN_MULTIPLIER, dimension)
    }

    /// Multiplier of the KL constraint on the covariance in one action dimension.
    pub fn covariance_multiplier(&self, dimension: usize) -> Option<f32> {
        self.dual(COVARIANCE_MULTIPLIER, dimension)
    }

    fn dual(&self, name: &str, index: usize) -> Option<f32> {
        self.trained(name, index).map(|x| dual_value(f64::from(x)) as f32)
    }

    fn trained(&self, name: &str, index: usize) -> Option<f32> {
        self.duals.iter().find(|dual| dual.spec.name == name).map(|dual| dual.values[index])
    }

    /// Writes the gradient by log T of a tuned temperature.
    pub fn set_gradient_by_log(&mut self, value: f64) {
        self.set_gradient(LOG_TEMPERATURE, 0, |_| value);
    }

    /// Writes one element of the gradient by x, from that by T or m.
    pub fn set_gradient_by_dual(&mut self, name: &str, index: usize, value: f64) {
        self.set_gradient(name, index, |x| dual_slope(x) * value);
    }

    fn set_gradient(&mut self, name: &str, index: usize, at: impl FnOnce(f64) -> f64) {
        if let Some(dual) = self.duals.iter_mut().find(|dual| dual.spec.name == name) {
            dual.gradient[index] = at(f64::from(dual.values[index])) as f32;
        }
    }

    /// One step of Adam.
    pub fn step(&mut self) -> Result<()> {
        self.steps += 1;
        let step = AdamStep::new(self.learning_rate, self.steps);
        for dual in &mut self.duals {
            step.apply(&mut dual.values, &dual.gradient, &mut dual.first_moment, &mut dual.second_moment)?;
        }
        Ok(())
    }

    /// The gradients by name.
    pub fn gradients(&self) -> Vec<Parameter> {
        let gradient = |dual: &Dual| Parameter { spec: dual.spec.clone(), data: dual.gradient.clone() };
        self.duals.iter().map(gradient).collect()
    }

    /// Overwrites those of `parameters` that this recipe trains here from them.
    pub fn refresh(&self, parameters: &mut [Parameter]) {
        for Parameter { spec, data } in parameters {
            if let Some(dual) = self.duals.iter().find(|dual| dual.spec.name == spec.name) {
                data.copy_from_slice(&dual.values);
            }
        }
    }

    /// Overwrites those of `parameters` that this recipe trains here; lengths have been checked.
    pub fn write(&mut self, parameters: &[Parameter]) {
        for Parameter { spec, data } in parameters {
            if let Some(dual) = self.duals.iter_mut().find(|dual| dual.spec.name == spec.name) {
                dual.values.copy_from_slice(data);
            }
        }
    }
}
