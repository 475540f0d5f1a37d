//! The losses of virel (Algorithm 1) in f64, one row at a time, without any gradient: what finite differences of
//! the learners' losses are taken of. Shares nothing with the engine but names.

use std::cell::Cell;
use std::collections::BTreeMap;

use virel_engine::networks::layout::Parameter;

use super::{Case, to_f64};

/// Networks as numbers by name, and the least distance to a kink (of ReLU or of the clip of log σ) met so far.
pub struct Model {
    pub values: BTreeMap<String, Vec<f64>>,
    pub kink_distance: Cell<f64>,
}

/// What the losses and their parts are at one set of parameters.
#[derive(Debug, Default, Clone, Copy)]
pub struct Terms {
    pub policy_loss: f64,
    pub action_value_loss: f64,
    pub state_value_loss: f64,
    pub residual_error: f64,
    pub action_value: f64,
    pub state_value: f64,
    pub log_density: f64,
    pub absolute_action: f64,
    pub log_std: f64,
}

impl Model {
    pub fn new(parameters: &[Parameter]) -> Self {
        let values = parameters.iter().map(|p| (p.spec.name.clone(), to_f64(&p.data))).collect();
        Self { values, kink_distance: Cell::new(f64::INFINITY) }
    }

    fn near_kink(&self, distance: f64) {
        self.kink_distance.set(self.kink_distance.get().min(distance.abs()));
    }

    fn linear(&self, name: &str, input: &[f64]) -> Vec<f64> {
        let weight = &self.values[&format!("{name}.weight")];
        let bias = &self.values[&format!("{name}.bias")];
        let row = |i: usize| &weight[i * input.len()..(i + 1) * input.len()];
        let dot = |i: usize| row(i).iter().zip(input).map(|(w, x)| w * x).sum::<f64>();
        bias.iter().enumerate().map(|(i, b)| b + dot(i)).collect()
    }

    fn trunk(&self, prefix: &str, input: Vec<f64>) -> Vec<f64> {
        let mut hidden = input;
        for layer in 0.. {
            let name = format!("{prefix}.trunk.{layer}");
            if !self.values.contains_key(&format!("{name}.weight")) {
                break;
            }
            hidden = self.linear(&name, &hidden);
            hidden.iter().for_each(|&x| self.near_kink(x));
            hidden.iter_mut().for_each(|x| *x = x.max(0.0));
        }
        hidden
    }

    pub fn state_value(&self, prefix: &str, observation: &[f64]) -> f64 {
        self.linear(&format!("{prefix}.value"), &self.trunk(prefix, observation.to_vec()))[0]
    }

    pub fn action_value(&self, observation: &[f64], action: &[f64]) -> f64 {
        let prefix = "actionValue.0";
        self.linear(&format!("{prefix}.value"), &self.trunk(prefix, [observation, action].concat()))[0]
    }

    /// μ and log σ after its clip.
    pub fn policy(&self, observation: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let hidden = self.trunk("policy", observation.to_vec());
        let clip = |x: f64| {
            self.near_kink(x - 2.0);
            self.near_kink(x + 20.0);
            x.clamp(-20.0, 2.0)
        };
        let log_std = self.linear("policy.logStd", &hidden).into_iter().map(clip).collect();
        (self.linear("policy.mean", &hidden), log_std)
    }

    /// All losses of a case, by its settings.
    pub fn terms(&self, case: &Case) -> Terms {
        let config = case.config();
        let (batch, width) = (case.batch(), case.sizes.action);
        let rows = batch.rows() as f64;
        let values = rows * width as f64;
        let mut terms = Terms::default();
        for row in 0..batch.rows() {
            let slice = |all: &[f32], width: usize| to_f64(&all[row * width..(row + 1) * width]);
            let observation = slice(batch.observations, case.sizes.observation);
            let next = slice(batch.next_observations, case.sizes.observation);
            let (reward, discount) = (f64::from(batch.rewards[row]), f64::from(batch.discounts[row]));
            // J_Q and the residual error
            let action_value = self.action_value(&observation, &slice(batch.actions, width));
            let target = reward + discount * self.state_value("target.stateValue", &next);
            let online_target = reward + discount * self.state_value("stateValue", &next);
            terms.action_value_loss += (action_value - target).powi(2) / rows;
            terms.residual_error += (online_target - action_value).powi(2) / rows;
            terms.action_value += action_value / rows;
            // the policy's own action
            let (mean, log_std) = self.policy(&observation);
            let mut action = Vec::new();
            let mut log_density = 0.0;
            for (i, noise) in slice(&case.noise, width).into_iter().enumerate() {
                let pre_tanh = mean[i] + log_std[i].exp() * noise;
                action.push(pre_tanh.tanh());
                let normal = -0.5 * noise * noise - log_std[i] - 0.5 * (2.0 * std::f64::consts::PI).ln();
                // 1 − tanh² u = 1 / cosh² u
                let log_cosh = pre_tanh.abs() + (-2.0 * pre_tanh.abs()).exp().ln_1p() - 2.0_f64.ln();
                log_density += normal + 2.0 * log_cosh;
                terms.policy_loss += f64::from(config.mean_regulariser) * mean[i].powi(2) / values;
                terms.policy_loss += f64::from(config.log_std_regulariser) * log_std[i].powi(2) / values;
                terms.absolute_action += action[i].abs() / values;
                terms.log_std += log_std[i] / values;
            }
            let proposed = self.action_value(&observation, &action);
            terms.policy_loss += (f64::from(case.temperature) * log_density - proposed) / rows;
            terms.log_density += log_density / rows;
            // J_V
            let state_value = self.state_value("stateValue", &observation);
            terms.state_value_loss += (state_value - proposed).powi(2) / rows;
            terms.state_value += state_value / rows;
        }
        terms
    }

    /// Gradient of one loss by one parameter tensor: fourth-order central differences.
    pub fn finite_difference(&mut self, case: &Case, name: &str, loss: fn(&Terms) -> f64) -> Vec<f64> {
        const STEP: f64 = 1e-4;
        let mut gradient = Vec::new();
        for index in 0..self.values[name].len() {
            let centre = self.values[name][index];
            let mut at = |steps: f64| {
                self.values.get_mut(name).unwrap()[index] = centre + steps * STEP;
                loss(&self.terms(case))
            };
            let slope = 8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0));
            gradient.push(slope / (12.0 * STEP));
            self.values.get_mut(name).unwrap()[index] = centre;
        }
        gradient
    }
}
