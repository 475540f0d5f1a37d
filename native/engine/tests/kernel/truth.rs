//! Losses of the paper in float64, straight from the equations, on named parameters.

use std::collections::HashMap;
use std::fmt;

use virel_engine::agents;
use virel_engine::learner::kernel::KernelLearner;
use virel_engine::learner::{LearnerConfig, Losses, StepTerms};
use virel_engine::networks::initialise;
use virel_engine::networks::layout::{self, Parameter, Sizes};
use virel_engine::random::{Purpose, Stream};
use virel_engine::replay::batch::Batch;

const MEAN_REGULARISER: f32 = 2e-3;
const LOG_STD_REGULARISER: f32 = 3e-3;
const TARGET_UPDATE_RATE: f64 = 0.05;

/// Where parameters come from.
#[derive(Debug, Clone, Copy)]
pub enum Scale {
    /// As a run begins: heads near zero.
    Fresh,
    /// Large everywhere, the target another network, log σ on both sides of its clip.
    Random,
}

/// Parameters, a batch and its noise.
pub struct Case {
    pub sizes: Sizes,
    pub rows: usize,
    pub initial: Vec<Parameter>,
    pub observations: Vec<f32>,
    pub actions: Vec<f32>,
    pub rewards: Vec<f32>,
    pub next_observations: Vec<f32>,
    pub discounts: Vec<f32>,
    pub noise: Vec<f32>,
    scale: Scale,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, batch {}, {:?}", self.sizes, self.rows, self.scale)
    }
}

impl Case {
    pub fn new(observation: usize, action: usize, hidden: &[usize], rows: usize, scale: Scale) -> Self {
        let sizes = Sizes { observation, action, hidden: hidden.to_vec() };
        let mut stream = Stream::new(11, Purpose::Initialise, 0);
        let initial = match scale {
            Scale::Fresh => initialise::rlkit(&sizes, &mut stream),
            Scale::Random => random_parameters(&sizes, &mut stream),
        };
        let mut stream = Stream::new(12, Purpose::ReplayIndex, 0);
        let mut normal = |len: usize| (0..len).map(|_| stream.normal() as f32).collect::<Vec<_>>();
        Self {
            rows,
            initial,
            observations: normal(rows * observation),
            actions: normal(rows * action).iter().map(|x| x.tanh()).collect(),
            rewards: normal(rows),
            next_observations: normal(rows * observation),
            // every third transition is terminal
            discounts: (0..rows).map(|b| if b % 3 == 1 { 0.0 } else { 0.9 }).collect(),
            noise: normal(rows * action),
            sizes,
            scale,
        }
    }

    pub fn config(&self, threads: usize) -> LearnerConfig {
        LearnerConfig {
            recipe: agents::recipe("virel").unwrap(),
            sizes: self.sizes.clone(),
            batch: self.rows.max(1),
            discount: 0.9,
            policy_learning_rate: self.learning_rate("policy."),
            action_value_learning_rate: self.learning_rate("actionValue."),
            state_value_learning_rate: self.learning_rate("stateValue."),
            target_update_rate: TARGET_UPDATE_RATE,
            mean_regulariser: MEAN_REGULARISER,
            log_std_regulariser: LOG_STD_REGULARISER,
            threads,
        }
    }

    pub fn learner(&self, threads: usize) -> KernelLearner {
        self.learner_for_batch(self.rows.max(1), threads)
    }

    pub fn learner_for_batch(&self, batch: usize, threads: usize) -> KernelLearner {
        KernelLearner::new(LearnerConfig { batch, ..self.config(threads) }, &self.initial).unwrap()
    }

    pub fn batch(&self) -> Batch<'_> {
        Batch {
            observations: &self.observations,
            actions: &self.actions,
            rewards: &self.rewards,
            next_observations: &self.next_observations,
            discounts: &self.discounts,
        }
    }

    /// Three different ones, so that a mix-up shows.
    pub fn learning_rate(&self, name: &str) -> f64 {
        match name.split('.').next() {
            Some("policy") => 2e-3,
            Some("actionValue") => 5e-3,
            _ => 1e-3,
        }
    }

    pub fn target_update_rate(&self) -> f64 {
        TARGET_UPDATE_RATE
    }

    /// The initial parameters in f64.
    pub fn wide(&self) -> Vec<Vec<f64>> {
        self.initial.iter().map(|p| p.data.iter().map(|&x| f64::from(x)).collect()).collect()
    }
}

fn random_parameters(sizes: &Sizes, stream: &mut Stream) -> Vec<Parameter> {
    let parameters = layout::all(sizes).into_iter().map(|spec| {
        let fan_in = *spec.shape.get(1).unwrap_or(&4);
        let scale = 1.5 / (fan_in as f64).sqrt();
        let mut data: Vec<f32> = (0..spec.len()).map(|_| (scale * stream.normal()) as f32).collect();
        // some samples above the upper bound of log σ, some below
        if spec.name == "policy.logStd.bias" {
            data[0] = 1.9;
        }
        Parameter { spec, data }
    });
    parameters.collect()
}

/// The case in f64, with everything that the losses hold constant.
pub struct Truth<'a> {
    case: &'a Case,
    temperature: f64,
    parameters: HashMap<String, Vec<f64>>,
    action_value_target: Vec<f64>,
    state_value_target: Vec<f64>,
}

/// The policy's loss and what it is made of.
#[derive(Default)]
struct PolicyTerms {
    loss: f64,
    log_density: f64,
    absolute_action: f64,
    log_std: f64,
}

type Named = HashMap<String, Vec<f64>>;

impl<'a> Truth<'a> {
    pub fn new(case: &'a Case, temperature: f32) -> Self {
        let names = case.initial.iter().map(|p| p.spec.name.clone());
        let parameters: Named = names.zip(case.wide()).collect();
        let mut truth = Self {
            case,
            temperature: f64::from(temperature),
            parameters,
            action_value_target: Vec::new(),
            state_value_target: Vec::new(),
        };
        truth.action_value_target = truth.bellman("target.stateValue");
        truth.state_value_target = (0..case.rows)
            .map(|b| {
                let (_, action, _) = truth.sample(&truth.parameters, b, Some(&case.noise));
                truth.action_value(&truth.parameters, b, &action)
            })
            .collect();
        truth
    }

    fn observation(&self, b: usize) -> Vec<f64> {
        row(&self.case.observations, b, self.case.sizes.observation)
    }

    /// r + γ(1−d) V(s′) with the named V.
    fn bellman(&self, network: &str) -> Vec<f64> {
        let case = self.case;
        let targets = (0..case.rows).map(|b| {
            let next = row(&case.next_observations, b, case.sizes.observation);
            let value = self.network(&self.parameters, network, "value", &next)[0];
            f64::from(case.rewards[b]) + f64::from(case.discounts[b]) * value
        });
        targets.collect()
    }

    /// ReLU layers, then one linear head.
    fn network(&self, parameters: &Named, prefix: &str, head: &str, input: &[f64]) -> Vec<f64> {
        let mut x = input.to_vec();
        for layer in 0..self.case.sizes.hidden.len() {
            x = affine(parameters, &format!("{prefix}.trunk.{layer}"), &x);
            x.iter_mut().for_each(|x| *x = x.max(0.0));
        }
        affine(parameters, &format!("{prefix}.{head}"), &x)
    }

    fn action_value(&self, parameters: &Named, b: usize, action: &[f64]) -> f64 {
        let pair = [self.observation(b), action.to_vec()].concat();
        self.network(parameters, "actionValue.0", "value", &pair)[0]
    }

    /// (μ, log σ after its clip), ã, log π(ã|s); without noise tanh μ.
    fn sample(&self, parameters: &Named, b: usize, noise: Option<&[f32]>) -> ([Vec<f64>; 2], Vec<f64>, f64) {
        let observation = self.observation(b);
        let mean = self.network(parameters, "policy", "mean", &observation);
        let log_std = self.network(parameters, "policy", "logStd", &observation);
        let log_std: Vec<f64> = log_std.iter().map(|x| x.clamp(-20.0, 2.0)).collect();
        let dimensions = self.case.sizes.action;
        let noise = noise.map_or(vec![0.0; dimensions], |noise| row(noise, b, dimensions));
        let (mut action, mut log_density) = (Vec::new(), 0.0);
        for i in 0..dimensions {
            let u = mean[i] + log_std[i].exp() * noise[i];
            // log N(u) - log(1 - tanh^2 u), cosh by its definition
            let cosh = (u.exp() + (-u).exp()) / 2.0;
            log_density +=
                -0.5 * noise[i].powi(2) - log_std[i] - 0.5 * std::f64::consts::TAU.ln() + 2.0 * cosh.ln();
            action.push(u.tanh());
        }
        ([mean, log_std], action, log_density)
    }

    fn policy_terms(&self, parameters: &Named) -> PolicyTerms {
        let (rows, elements) = (self.case.rows as f64, (self.case.rows * self.case.sizes.action) as f64);
        let mut terms = PolicyTerms::default();
        for b in 0..self.case.rows {
            let ([mean, log_std], action, log_density) = self.sample(parameters, b, Some(&self.case.noise));
            let squares = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>();
            // Q at the unmoved parameters, as a function of the action alone
            let action_value = self.action_value(&self.parameters, b, &action);
            terms.loss += (self.temperature * log_density - action_value) / rows
                + f64::from(MEAN_REGULARISER) * squares(&mean) / elements
                + f64::from(LOG_STD_REGULARISER) * squares(&log_std) / elements;
            terms.log_density += log_density / rows;
            terms.absolute_action += action.iter().map(|a| a.abs()).sum::<f64>() / elements;
            terms.log_std += log_std.iter().sum::<f64>() / elements;
        }
        terms
    }

    fn action_value_loss(&self, parameters: &Named) -> f64 {
        let errors = (0..self.case.rows).map(|b| {
            let action = row(&self.case.actions, b, self.case.sizes.action);
            self.action_value(parameters, b, &action) - self.action_value_target[b]
        });
        errors.map(|e| e * e).sum::<f64>() / self.case.rows as f64
    }

    fn state_value_loss(&self, parameters: &Named) -> f64 {
        let errors = (0..self.case.rows).map(|b| {
            self.network(parameters, "stateValue", "value", &self.observation(b))[0]
                - self.state_value_target[b]
        });
        errors.map(|e| e * e).sum::<f64>() / self.case.rows as f64
    }

    pub fn losses(&self) -> WideLosses {
        WideLosses {
            policy: self.policy_terms(&self.parameters).loss,
            action_value: self.action_value_loss(&self.parameters),
            state_value: self.state_value_loss(&self.parameters),
        }
    }

    pub fn terms(&self) -> StepTerms {
        let (losses, policy) = (self.losses(), self.policy_terms(&self.parameters));
        let rows = self.case.rows as f64;
        let values =
            |value: &dyn Fn(usize) -> f64| ((0..self.case.rows).map(value).sum::<f64>() / rows) as f32;
        StepTerms {
            losses: Losses {
                policy: losses.policy as f32,
                action_value: losses.action_value as f32,
                state_value: losses.state_value as f32,
            },
            action_value: values(&|b| {
                self.action_value(&self.parameters, b, &row(&self.case.actions, b, self.case.sizes.action))
            }),
            state_value: values(&|b| {
                self.network(&self.parameters, "stateValue", "value", &self.observation(b))[0]
            }),
            log_density: policy.log_density as f32,
            absolute_action: policy.absolute_action as f32,
            log_std: policy.log_std as f32,
        }
    }

    /// Central differences of the loss that trains `name`.
    pub fn gradient(&self, name: &str) -> Vec<f64> {
        // rounding costs 1e-16 / h, 1e-7 of the smallest gradients here (1e-4, below fresh heads); curvature h² = 1e-10;
        // and no kink of a ReLU or of the clip lies this near in these cases
        const DIFFERENCE: f64 = 1e-5;
        let loss = |parameters: &Named| match name.split('.').next() {
            Some("policy") => self.policy_terms(parameters).loss,
            Some("actionValue") => self.action_value_loss(parameters),
            _ => self.state_value_loss(parameters),
        };
        let mut moved = self.parameters.clone();
        let differences = (0..self.parameters[name].len()).map(|i| {
            let middle = self.parameters[name][i];
            let mut at = |h: f64| {
                moved.get_mut(name).unwrap()[i] = middle + h;
                loss(&moved)
            };
            let difference = (at(DIFFERENCE) - at(-DIFFERENCE)) / (2.0 * DIFFERENCE);
            at(0.0);
            difference
        });
        differences.collect()
    }

    pub fn residual_error(&self) -> f64 {
        let targets = self.bellman("stateValue");
        let residuals = (0..self.case.rows).map(|b| {
            let action = row(&self.case.actions, b, self.case.sizes.action);
            targets[b] - self.action_value(&self.parameters, b, &action)
        });
        residuals.map(|e| e * e).sum::<f64>() / self.case.rows as f64
    }

    pub fn actions(&self, noise: Option<&[f32]>) -> Vec<f64> {
        (0..self.case.rows).flat_map(|b| self.sample(&self.parameters, b, noise).1).collect()
    }
}

/// [`Losses`] in f64.
pub struct WideLosses {
    pub policy: f64,
    pub action_value: f64,
    pub state_value: f64,
}

fn row(values: &[f32], b: usize, width: usize) -> Vec<f64> {
    values[b * width..(b + 1) * width].iter().map(|&x| f64::from(x)).collect()
}

fn affine(parameters: &Named, layer: &str, x: &[f64]) -> Vec<f64> {
    let weight = parameters[&format!("{layer}.weight")].chunks_exact(x.len());
    let bias = &parameters[&format!("{layer}.bias")];
    weight.zip(bias).map(|(row, bias)| bias + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()).collect()
}

/// ‖got − expected‖₂ / ‖expected‖₂; absolute where the expected vector is shorter than 1e-6.
pub fn relative_error(got: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let error = norm(&mut got.iter().zip(expected).map(|(&got, expected)| f64::from(got) - expected));
    let length = norm(&mut expected.iter().copied());
    if length < 1e-6 { error } else { error / length }
}

/// One step of Adam as published, on one parameter.
pub fn adam(rate: f64, t: i32, gradient: &[f32], weight: &mut [f64], moments: &mut (Vec<f64>, Vec<f64>)) {
    moments.0.resize(weight.len(), 0.0);
    moments.1.resize(weight.len(), 0.0);
    for i in 0..weight.len() {
        let g = f64::from(gradient[i]);
        moments.0[i] = 0.9 * moments.0[i] + 0.1 * g;
        moments.1[i] = 0.999 * moments.1[i] + 0.001 * g * g;
        let (first, second) =
            (moments.0[i] / (1.0 - 0.9_f64.powi(t)), moments.1[i] / (1.0 - 0.999_f64.powi(t)));
        weight[i] -= rate * first / (second.sqrt() + 1e-8);
    }
}
