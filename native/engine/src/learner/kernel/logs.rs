//! What a learner trains besides its networks: log T, and with a dual temperature the logarithms of the multipliers.

use crate::error::Result;
use crate::ledger::Ledger;
use crate::math::adam::AdamStep;
use crate::networks::layout::{
    LOG_COVARIANCE_MULTIPLIER, LOG_MEAN_MULTIPLIER, LOG_TEMPERATURE, Parameter, ParameterSpec,
};

/// One vector of logarithms with its gradient and Adam's moments.
struct Log {
    spec: ParameterSpec,
    values: Vec<f32>,
    gradient: Vec<f32>,
    first_moment: Vec<f32>,
    second_moment: Vec<f32>,
}

/// All of a recipe's; empty where the temperature is given from outside.
pub struct Logs {
    logs: Vec<Log>,
    learning_rate: f64,
    steps: u64,
}

impl Logs {
    /// All logarithms zero.
    pub fn new(specs: &[ParameterSpec], learning_rate: f64) -> Self {
        let log = |spec: &ParameterSpec| {
            let zeros = || vec![0.0; spec.len()];
            Log {
                spec: spec.clone(),
                values: zeros(),
                gradient: zeros(),
                first_moment: zeros(),
                second_moment: zeros(),
            }
        };
        Self { logs: specs.iter().map(log).collect(), learning_rate, steps: 0 }
    }

    /// Adam's state.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.value("steps", &mut self.steps)?;
        for Log { spec, first_moment, second_moment, .. } in &mut self.logs {
            ledger.section(&spec.name, |ledger| {
                ledger.values("firstMoment", first_moment)?;
                ledger.values("secondMoment", second_moment)
            })?;
        }
        Ok(())
    }

    /// T; None where it is not trained.
    pub fn temperature(&self) -> Option<f32> {
        self.exponential(LOG_TEMPERATURE, 0)
    }

    /// Multiplier of the KL constraint on the mean in one action dimension.
    pub fn mean_multiplier(&self, dimension: usize) -> Option<f32> {
        self.exponential(LOG_MEAN_MULTIPLIER, dimension)
    }

    /// Multiplier of the KL constraint on the covariance in one action dimension.
    pub fn covariance_multiplier(&self, dimension: usize) -> Option<f32> {
        self.exponential(LOG_COVARIANCE_MULTIPLIER, dimension)
    }

    fn exponential(&self, name: &str, index: usize) -> Option<f32> {
        self.logs.iter().find(|log| log.spec.name == name).map(|log| log.values[index].exp())
    }

    /// Writes one element of the gradient.
    pub fn set_gradient(&mut self, name: &str, index: usize, value: f64) {
        if let Some(log) = self.logs.iter_mut().find(|log| log.spec.name == name) {
            log.gradient[index] = value as f32;
        }
    }

    /// One step of Adam.
    pub fn step(&mut self) -> Result<()> {
        self.steps += 1;
        let step = AdamStep::new(self.learning_rate, self.steps);
        for log in &mut self.logs {
            step.apply(&mut log.values, &log.gradient, &mut log.first_moment, &mut log.second_moment)?;
        }
        Ok(())
    }

    /// The gradients by name.
    pub fn gradients(&self) -> Vec<Parameter> {
        let gradient = |log: &Log| Parameter { spec: log.spec.clone(), data: log.gradient.clone() };
        self.logs.iter().map(gradient).collect()
    }

    /// Overwrites those of `parameters` that are logarithms of this recipe from them.
    pub fn refresh(&self, parameters: &mut [Parameter]) {
        for Parameter { spec, data } in parameters {
            if let Some(log) = self.logs.iter().find(|log| log.spec.name == spec.name) {
                data.copy_from_slice(&log.values);
            }
        }
    }

    /// Overwrites those of `parameters` that are logarithms of this recipe; lengths have been checked.
    pub fn write(&mut self, parameters: &[Parameter]) {
        for Parameter { spec, data } in parameters {
            if let Some(log) = self.logs.iter_mut().find(|log| log.spec.name == spec.name) {
                log.values.copy_from_slice(data);
            }
        }
    }
}
