//! The losses of every recipe in f64, one row at a time, without any gradient: what finite differences of the learners'
//! losses are taken of. Shares nothing with the engine but names.
//!
//! A loss reads two sets of parameters: those that move, and those that its constants are computed at. Where both are
//! the same it is the loss; moving one of the former gives the derivative that a learner owes.

use std::cell::Cell;
use std::collections::BTreeMap;

use virel_engine::learner::{Bootstrap, LearnerConfig};
use virel_engine::networks::layout::{
    COVARIANCE_MULTIPLIER, DUAL_TEMPERATURE, LOG_TEMPERATURE, MEAN_MULTIPLIER, Parameter,
};
use virel_engine::recipe::{
    ActionValueTarget, MStepKind, PolicyCritic, PolicyKind, PolicyObjective, StateValueTarget,
    TrainedTemperature,
};

use super::{Case, to_f64};

/// Networks as numbers by name, and the least distance to a kink (of ReLU, of the clip of log σ, of a minimum) met so far.
#[derive(Clone)]
pub struct Model {
    pub values: BTreeMap<String, Vec<f64>>,
    pub kink_distance: Cell<f64>,
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
        for name in self.hidden(prefix) {
            hidden = self.linear(&name, &hidden);
            hidden.iter().for_each(|&x| self.near_kink(x));
            hidden.iter_mut().for_each(|x| *x = x.max(0.0));
        }
        hidden
    }

    fn hidden(&self, prefix: &str) -> impl Iterator<Item = String> {
        let names = (0..).map(move |layer| format!("{prefix}.trunk.{layer}"));
        names.take_while(|name| self.values.contains_key(&format!("{name}.weight")))
    }

    /// A value network's number for an input.
    pub fn value(&self, prefix: &str, input: &[&[f64]]) -> f64 {
        self.linear(&format!("{prefix}.value"), &self.trunk(prefix, input.concat()))[0]
    }

    /// Its derivative along the parameters called `direction`: forward, sum by sum.
    pub fn directional_value(&self, prefix: &str, direction: &str, input: &[&[f64]]) -> f64 {
        let along = |name: &str, x: &[f64], dx: &[f64]| -> Vec<f64> {
            let weight = &self.values[&format!("{name}.weight")];
            let moved = self.linear(&name.replacen(prefix, direction, 1), x);
            let carried =
                weight.chunks(x.len()).map(|row| row.iter().zip(dx).map(|(w, d)| w * d).sum::<f64>());
            moved.into_iter().zip(carried).map(|(a, b)| a + b).collect()
        };
        let mut hidden = input.concat();
        let mut tangent = vec![0.0; hidden.len()];
        for name in self.hidden(prefix) {
            let before = self.linear(&name, &hidden);
            tangent = along(&name, &hidden, &tangent);
            tangent.iter_mut().zip(&before).for_each(|(d, &x)| *d *= f64::from(u8::from(x > 0.0)));
            hidden = before.into_iter().map(|x| x.max(0.0)).collect();
        }
        along(&format!("{prefix}.value"), &hidden, &tangent)[0]
    }

    /// μ and log σ after its clip; 0 without a head for it.
    pub fn policy(&self, prefix: &str, observation: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let hidden = self.trunk(prefix, observation.to_vec());
        let mean = self.linear(&format!("{prefix}.mean"), &hidden);
        let head = format!("{prefix}.logStd");
        if !self.values.contains_key(&format!("{head}.weight")) {
            return (mean.clone(), vec![0.0; mean.len()]);
        }
        let clip = |x: f64| {
            self.near_kink(x - 2.0);
            self.near_kink(x + 20.0);
            x.clamp(-20.0, 2.0)
        };
        (mean, self.linear(&head, &hidden).into_iter().map(clip).collect())
    }

    /// log T of a tuned temperature.
    fn log_temperature(&self) -> f64 {
        self.values[LOG_TEMPERATURE][0]
    }

    /// T or m of what a learner trains for it.
    fn dual(&self, name: &str) -> Vec<f64> {
        self.values[name].iter().map(|x| (1.0 + x.exp()).ln() + 1e-8).collect()
    }

    /// T that the learner trains, of either kind.
    fn temperature(&self) -> f64 {
        let is_tuned = self.values.contains_key(LOG_TEMPERATURE);
        if is_tuned { self.log_temperature().exp() } else { self.dual(DUAL_TEMPERATURE)[0] }
    }
}

/// A distribution of actions.
type Policy = (Vec<f64>, Vec<f64>);

/// u = μ + σξ.
fn pre_tanh((mean, log_std): &Policy, noise: &[f64]) -> Vec<f64> {
    let each = mean.iter().zip(log_std).zip(noise);
    each.map(|((mean, log_std), noise)| mean + log_std.exp() * noise).collect()
}

fn squashed(pre_tanh: &[f64]) -> Vec<f64> {
    pre_tanh.iter().map(|u| u.tanh()).collect()
}

/// log N(u; μ, σ).
fn log_gaussian((mean, log_std): &Policy, pre_tanh: &[f64]) -> f64 {
    let each = mean.iter().zip(log_std).zip(pre_tanh).map(|((mean, log_std), u)| {
        let z = (u - mean) / log_std.exp();
        -0.5 * z * z - log_std - 0.5 * (2.0 * std::f64::consts::PI).ln()
    });
    each.sum()
}

/// log π(tanh u).
fn log_density(policy: &Policy, pre_tanh: &[f64]) -> f64 {
    // 1 − tanh² u = 1 / cosh² u
    let log_cosh = |u: &f64| u.abs() + (-2.0 * u.abs()).exp().ln_1p() - 2.0_f64.ln();
    log_gaussian(policy, pre_tanh) + pre_tanh.iter().map(|u| 2.0 * log_cosh(u)).sum::<f64>()
}

/// One transition and its noise.
struct Row {
    observation: Vec<f64>,
    action: Vec<f64>,
    reward: f64,
    discount: f64,
    next: Vec<f64>,
    noise: Vec<Vec<f64>>,
    next_noise: Vec<Vec<f64>>,
}

/// A case with its rows, the parameters that move and those that constants are computed at.
pub struct Oracle<'a> {
    case: &'a Case,
    config: LearnerConfig,
    rows: Vec<Row>,
    /// As `rows`, with the residual error's own noise.
    residual_rows: Vec<Row>,
    pub moved: Model,
    constants: Model,
}

/// A loss by the name of what minimises it.
pub type Loss = fn(&Oracle<'_>) -> f64;

impl<'a> Oracle<'a> {
    pub fn new(case: &'a Case, parameters: &[Parameter]) -> Self {
        let config = case.config();
        let draws = config.recipe.draws_at_state(config.samples);
        let rows = rows_of(case, &case.noise, draws);
        let residual_rows = rows_of(case, &case.next_noise, 0);
        let moved = Model::new(parameters);
        Self { case, config, rows, residual_rows, constants: moved.clone(), moved }
    }

    /// The least distance to a kink in all that the case reads.
    pub fn kink_distance(&self) -> f64 {
        self.policy_loss();
        self.action_value_loss();
        self.state_value_loss();
        self.residual_error(Bootstrap::Online);
        self.moved.kink_distance.get().min(self.constants.kink_distance.get())
    }

    fn mean(&self, each: impl Fn(&Row) -> f64) -> f64 {
        self.rows.iter().map(each).sum::<f64>() / self.rows.len() as f64
    }

    fn critics(&self) -> usize {
        self.config.sizes.action_values
    }

    /// min_i of the action values under a prefix.
    fn least(&self, model: &Model, prefix: &str, count: usize, observation: &[f64], action: &[f64]) -> f64 {
        let value = |i: usize| model.value(&format!("{prefix}.{i}"), &[observation, action]);
        let first = value(0);
        (1..count).map(value).fold(first, |least, other| {
            model.near_kink(least - other);
            least.min(other)
        })
    }

    /// log T that moves, or its given value moved as far.
    fn log_temperature(&self) -> f64 {
        match self.case.temperature {
            None => self.moved.log_temperature(),
            Some(given) => {
                f64::from(given).ln() + self.moved.log_temperature() - self.constants.log_temperature()
            }
        }
    }

    /// T as a constant.
    fn temperature(&self) -> f64 {
        match self.case.temperature {
            None => self.constants.temperature(),
            Some(given) => f64::from(given),
        }
    }

    /// The value of s′, of one set of parameters, by the recipe's target.
    fn next_value(&self, row: &Row, networks: Bootstrap) -> f64 {
        let model = &self.constants;
        let online = networks == Bootstrap::Online;
        let action_value = if online { "actionValue" } else { "target.actionValue" };
        let first = |action: &[f64]| self.least(model, action_value, 1, &row.next, action);
        match self.config.recipe.action_value_target {
            ActionValueTarget::StateValue => {
                model.value(if online { "stateValue" } else { "target.stateValue" }, &[&row.next])
            }
            ActionValueTarget::SoftActionValue => {
                let policy = model.policy("policy", &row.next);
                let u = pre_tanh(&policy, &row.next_noise[0]);
                let least = self.least(model, action_value, self.critics(), &row.next, &squashed(&u));
                least - self.temperature() * log_density(&policy, &u)
            }
            ActionValueTarget::TargetPolicy => {
                let (mean, _) = model.policy(if online { "policy" } else { "target.policy" }, &row.next);
                first(&squashed(&mean))
            }
            ActionValueTarget::PriorPolicy => {
                let prior = model.policy("priorPolicy", &row.next);
                let values = row.next_noise.iter().map(|noise| first(&squashed(&pre_tanh(&prior, noise))));
                values.sum::<f64>() / row.next_noise.len() as f64
            }
        }
    }

    /// β and j of the projected M-step.
    fn residual_and_derivative(&self, row: &Row) -> (f64, f64) {
        let value =
            |observation: &[f64], action: &[f64]| self.moved.value("actionValue.0", &[observation, action]);
        let next_action =
            squashed(&pre_tanh(&self.constants.policy("policy", &row.next), &row.next_noise[0]));
        let target = row.reward + row.discount * value(&row.next, &next_action);
        let input: [&[f64]; 2] = [&row.observation, &row.action];
        let derivative = self.moved.directional_value("actionValue.0", "auxiliaryWeights", &input);
        (target - value(&row.observation, &row.action), derivative)
    }

    /// J of each action value.
    pub fn action_value_losses(&self) -> Vec<f64> {
        match self.config.recipe.m_step {
            MStepKind::Projected => vec![self.mean(|row| {
                let (residual, derivative) = self.residual_and_derivative(row);
                residual * derivative - 0.5 * derivative * derivative
            })],
            MStepKind::Direct => (0..self.critics()).map(|i| self.regression(i)).collect(),
        }
    }

    fn regression(&self, index: usize) -> f64 {
        let factor = f64::from(self.config.value_loss_factor);
        factor
            * self.mean(|row| {
                let target = row.reward + row.discount * self.next_value(row, Bootstrap::Target);
                (self.action_value_of(row, index) - target).powi(2)
            })
    }

    fn action_value_of(&self, row: &Row, index: usize) -> f64 {
        self.moved.value(&format!("actionValue.{index}"), &[&row.observation, &row.action])
    }

    pub fn action_value_loss(&self) -> f64 {
        self.action_value_losses().iter().sum()
    }

    pub fn auxiliary_loss(&self) -> f64 {
        -self.action_value_loss()
    }

    /// J_V; 0 without V.
    pub fn state_value_loss(&self) -> f64 {
        let target = |row: &Row| {
            let policy = self.constants.policy("policy", &row.observation);
            let u = pre_tanh(&policy, &row.noise[0]);
            let model = &self.constants;
            let least = self.least(model, "actionValue", self.critics(), &row.observation, &squashed(&u));
            match self.config.recipe.state_value_target {
                StateValueTarget::SoftActionValue => least - self.temperature() * log_density(&policy, &u),
                _ => least,
            }
        };
        if self.config.recipe.state_value_target == StateValueTarget::None {
            return 0.0;
        }
        let factor = f64::from(self.config.value_loss_factor);
        factor * self.mean(|row| (self.moved.value("stateValue", &[&row.observation]) - target(row)).powi(2))
    }

    /// Q of the policy's loss.
    fn policy_critic(&self, observation: &[f64], action: &[f64]) -> f64 {
        let count = match self.config.recipe.policy_critic {
            PolicyCritic::First => 1,
            PolicyCritic::Minimum => self.critics(),
        };
        self.least(&self.constants, "actionValue", count, observation, action)
    }

    /// Actions of the policy's loss at one state, before their squash, as constants, but those that move with θ.
    fn proposals(&self, row: &Row) -> Vec<Vec<f64>> {
        let own = self.moved.policy("policy", &row.observation);
        let fixed = || self.constants.policy("policy", &row.observation);
        match self.config.recipe.policy_objective {
            PolicyObjective::Deterministic => vec![own.0],
            PolicyObjective::Reparameterised => vec![pre_tanh(&own, &row.noise[0])],
            PolicyObjective::Score => vec![pre_tanh(&fixed(), &row.noise[0])],
            PolicyObjective::PriorDivergence => row.noise.iter().map(|noise| pre_tanh(&own, noise)).collect(),
            PolicyObjective::WeightedLikelihood => {
                let prior = self.constants.policy("priorPolicy", &row.observation);
                row.noise.iter().map(|noise| pre_tanh(&prior, noise)).collect()
            }
        }
    }

    /// Q̄(s, a_k).
    fn target_values(&self, row: &Row) -> Vec<f64> {
        let value = |u: &Vec<f64>| {
            self.least(&self.constants, "target.actionValue", 1, &row.observation, &squashed(u))
        };
        self.proposals(row).iter().map(value).collect()
    }

    /// J_π.
    pub fn policy_loss(&self) -> f64 {
        let config = &self.config;
        let width = config.sizes.action as f64;
        let regularised = self.mean(|row| {
            let (mean, log_std) = self.moved.policy("policy", &row.observation);
            let square = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>() / width;
            f64::from(config.mean_regulariser) * square(&mean)
                + f64::from(config.log_std_regulariser) * square(&log_std)
        });
        let held = match config.recipe.trained_temperature {
            TrainedTemperature::Dual => {
                let [mean, covariance] = self.divergences();
                let weighted = |name: &str, divergence: &[f64]| {
                    let multipliers = self.constants.dual(name).into_iter();
                    multipliers.zip(divergence).map(|(m, divergence)| m * divergence).sum::<f64>()
                };
                weighted(MEAN_MULTIPLIER, &mean) + weighted(COVARIANCE_MULTIPLIER, &covariance)
            }
            _ => 0.0,
        };
        regularised + held + self.mean(|row| self.objective(row))
    }

    /// The policy's objective at one state.
    fn objective(&self, row: &Row) -> f64 {
        let policy = self.moved.policy("policy", &row.observation);
        let proposals = self.proposals(row);
        let critic = |u: &[f64]| self.policy_critic(&row.observation, &squashed(u));
        match self.config.recipe.policy_objective {
            PolicyObjective::Deterministic => -critic(&proposals[0]),
            PolicyObjective::Reparameterised => {
                self.temperature() * log_density(&policy, &proposals[0]) - critic(&proposals[0])
            }
            PolicyObjective::Score => {
                let fixed = self.constants.policy("policy", &row.observation);
                let advantage =
                    critic(&proposals[0]) - self.constants.value("stateValue", &[&row.observation]);
                let signal = self.temperature() * log_density(&fixed, &proposals[0]) - advantage;
                log_density(&policy, &proposals[0]) * signal
            }
            PolicyObjective::WeightedLikelihood => {
                let values = self.target_values(row);
                let weights: Vec<f64> =
                    values.iter().map(|value| (value / self.temperature()).exp()).collect();
                let terms =
                    weights.iter().zip(&proposals).map(|(weight, u)| weight * log_density(&policy, u));
                -terms.sum::<f64>() / weights.iter().sum::<f64>()
            }
            PolicyObjective::PriorDivergence => {
                let prior = self.constants.policy("priorPolicy", &row.observation);
                let each = proposals.iter().map(|u| {
                    let divergence = log_gaussian(&policy, u) - log_gaussian(&prior, u);
                    self.temperature() * divergence - critic(u)
                });
                each.sum::<f64>() / proposals.len() as f64
            }
        }
    }

    /// KL of mean and covariance, by dimension.
    pub fn divergences(&self) -> [Vec<f64>; 2] {
        let each = |divergence: fn([f64; 4]) -> f64| {
            let at = |i: usize| {
                self.mean(|row| {
                    let (mean, log_std) = self.moved.policy("policy", &row.observation);
                    let (prior_mean, prior_log_std) = self.constants.policy("priorPolicy", &row.observation);
                    divergence([mean[i], log_std[i].exp(), prior_mean[i], prior_log_std[i].exp()])
                })
            };
            (0..self.config.sizes.action).map(at).collect()
        };
        [
            each(|[mean, _, prior_mean, prior_std]| (mean - prior_mean).powi(2) / (2.0 * prior_std.powi(2))),
            each(|[_, std, _, prior_std]| (std / prior_std).ln() + ((prior_std / std).powi(2) - 1.0) / 2.0),
        ]
    }

    /// J_T.
    pub fn temperature_loss(&self) -> f64 {
        let config = &self.config;
        if config.recipe.trained_temperature == TrainedTemperature::Tuned {
            let log_density = self.log_density_at(&self.constants);
            return -self.log_temperature() * (log_density + f64::from(config.target_entropy));
        }
        let temperature = match self.case.temperature {
            None => self.moved.temperature(),
            Some(given) => f64::from(given) + self.moved.temperature() - self.constants.temperature(),
        };
        let log_mean = self.mean(|row| {
            let values = self.target_values(row);
            let sum = values.iter().map(|value| (value / temperature).exp()).sum::<f64>();
            (sum / values.len() as f64).ln()
        });
        temperature * (f64::from(config.kl_bounds.dual) + log_mean)
    }

    pub fn mean_multiplier_loss(&self) -> f64 {
        let [mean, _] = self.divergences();
        self.multiplier_loss(MEAN_MULTIPLIER, self.config.kl_bounds.mean, &mean)
    }

    pub fn covariance_multiplier_loss(&self) -> f64 {
        let [_, covariance] = self.divergences();
        self.multiplier_loss(COVARIANCE_MULTIPLIER, self.config.kl_bounds.covariance, &covariance)
    }

    fn multiplier_loss(&self, name: &str, bound: f32, divergence: &[f64]) -> f64 {
        let multipliers = self.moved.dual(name).into_iter().zip(divergence);
        multipliers.map(|(m, divergence)| m * (f64::from(bound) - divergence)).sum()
    }

    /// ε_w.
    pub fn residual_error(&self, networks: Bootstrap) -> f64 {
        let target = |row: &Row| {
            let next = match self.config.recipe.m_step {
                MStepKind::Direct => self.next_value(row, networks),
                MStepKind::Projected => {
                    let policy = self.constants.policy("policy", &row.next);
                    let action = squashed(&pre_tanh(&policy, &row.next_noise[0]));
                    self.constants.value("actionValue.0", &[&row.next, &action])
                }
            };
            row.reward + row.discount * next
        };
        let errors = self.residual_rows.iter().map(|row| {
            let each = (0..self.critics()).map(|i| (target(row) - self.action_value_of(row, i)).powi(2));
            each.sum::<f64>() / self.critics() as f64
        });
        errors.sum::<f64>() / self.residual_rows.len() as f64
    }

    /// mean Q_i(s, a).
    pub fn action_values(&self) -> Vec<f64> {
        (0..self.critics()).map(|i| self.mean(|row| self.action_value_of(row, i))).collect()
    }

    /// mean V(s).
    pub fn state_value(&self) -> f64 {
        self.mean(|row| self.moved.value("stateValue", &[&row.observation]))
    }

    /// mean log π of the actions of the policy's loss.
    pub fn log_density(&self) -> f64 {
        self.log_density_at(&self.moved)
    }

    fn log_density_at(&self, model: &Model) -> f64 {
        self.mean(|row| {
            let policy = model.policy("policy", &row.observation);
            let proposals = self.proposals(row);
            proposals.iter().map(|u| log_density(&policy, u)).sum::<f64>() / proposals.len() as f64
        })
    }

    /// mean |ã|.
    pub fn absolute_action(&self) -> f64 {
        self.mean(|row| {
            let actions: Vec<f64> = self.proposals(row).iter().flat_map(|u| squashed(u)).collect();
            actions.iter().map(|a| a.abs()).sum::<f64>() / actions.len() as f64
        })
    }

    /// mean log σ.
    pub fn log_std(&self) -> f64 {
        self.mean(|row| {
            let (_, log_std) = self.moved.policy("policy", &row.observation);
            log_std.iter().sum::<f64>() / log_std.len() as f64
        })
    }

    pub fn is_deterministic(&self) -> bool {
        self.config.recipe.policy == PolicyKind::Deterministic
    }

    /// Gradient of one loss by one parameter tensor: fourth-order central differences.
    pub fn finite_difference(&mut self, name: &str, loss: Loss) -> Vec<f64> {
        const STEP: f64 = 1e-4;
        let mut gradient = Vec::new();
        for index in 0..self.moved.values[name].len() {
            let centre = self.moved.values[name][index];
            let mut at = |steps: f64| {
                self.moved.values.get_mut(name).unwrap()[index] = centre + steps * STEP;
                loss(self)
            };
            let slope = 8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0));
            gradient.push(slope / (12.0 * STEP));
            self.moved.values.get_mut(name).unwrap()[index] = centre;
        }
        gradient
    }
}

/// The loss that trains a parameter.
pub fn loss_of(name: &str) -> Loss {
    match name.split('.').next().unwrap() {
        "policy" => |oracle| oracle.policy_loss(),
        "actionValue" => |oracle| oracle.action_value_loss(),
        "stateValue" => |oracle| oracle.state_value_loss(),
        "auxiliaryWeights" => |oracle| oracle.auxiliary_loss(),
        LOG_TEMPERATURE | DUAL_TEMPERATURE => |oracle| oracle.temperature_loss(),
        MEAN_MULTIPLIER => |oracle| oracle.mean_multiplier_loss(),
        COVARIANCE_MULTIPLIER => |oracle| oracle.covariance_multiplier_loss(),
        other => panic!("{other} is not trained"),
    }
}

/// The rows of a case with noise `[B, draws, A]`, the first `at_state` draws for s.
fn rows_of(case: &Case, noise: &[f32], at_state: usize) -> Vec<Row> {
    let batch = case.batch();
    let (observation, action) = (case.sizes.observation, case.sizes.action);
    let draws = noise.len() / batch.rows();
    let row = |row: usize| {
        let slice = |all: &[f32], width: usize| to_f64(&all[row * width..(row + 1) * width]);
        let mut noise: Vec<Vec<f64>> = slice(noise, draws).chunks(action).map(<[f64]>::to_vec).collect();
        let next_noise = noise.split_off(at_state);
        Row {
            observation: slice(batch.observations, observation),
            action: slice(batch.actions, action),
            reward: f64::from(batch.rewards[row]),
            discount: f64::from(batch.discounts[row]),
            next: slice(batch.next_observations, observation),
            noise,
            next_noise,
        }
    };
    (0..batch.rows()).map(row).collect()
}
