//! The critic's half of a step: Q and V with their optimisers.
//!
//! Order: Q_i(s, a) | next value, y_Q | Q backward | gradients by w while the actor's V(s) and y_V are awaited | V backward from
//! them | gradients by w and φ until the actor is done; Adam is with the [`descent`](super::descent) of all.

use std::iter;
use std::sync::Mutex;

use super::backward::{Deltas, Passed, hidden_deltas};
use super::bellman::{Bellman, of_targets};
use super::descent::{self, Descent, Meeting, Moves, Work, take};
use super::memory::Floats;
use super::products::Products;
use super::sampler::Draws;
use super::shared::{Inputs, Sampled, Shapes, Shared, expect_part, read};
use super::values::Pairs;
use super::vector;
use crate::error::Result;
use crate::learner::{LearnerConfig, PerActionValue};
use crate::ledger::Ledger;
use crate::math::real::sum;
use crate::networks::mlp::Shape;

/// What the M-step saw; means over its batch.
#[derive(Debug, Clone, Default)]
pub struct CriticTerms {
    /// J of each Q_i, and mean Q_i(s, a).
    pub action_values: PerActionValue<(f64, f64)>,
    /// J_V and mean V(s), where there is a V.
    pub state_value: Option<(f64, f64)>,
}

/// Buffers of one step.
pub struct Buffers {
    capacity: usize,
    bellman: Bellman,
    action_value_deltas: Vec<Deltas>,
    state_value_deltas: Option<Deltas>,
}

impl Buffers {
    fn new(config: &LearnerConfig, shapes: &Shapes, capacity: usize) -> Self {
        Self {
            capacity,
            bellman: Bellman::new(config, shapes, capacity),
            action_value_deltas: shapes
                .action_values
                .iter()
                .map(|shape| Deltas::new(shape, capacity))
                .collect(),
            state_value_deltas: shapes.state_value.as_ref().map(|shape| Deltas::new(shape, capacity)),
        }
    }
}

/// Gradients and optimisers of Q and V.
pub struct Descents {
    /// Of w_i.
    pub action_values: Vec<Descent>,
    /// Of φ; None without a V.
    pub state_value: Option<Descent>,
}

impl Descents {
    /// [`Descent::work`] of every Q_i and, once it has been passed backward and `sampled` is given, of V, with what moves of
    /// each.
    pub fn work<'a>(
        &'a mut self,
        buffers: &'a Buffers,
        (shapes, inputs): (&'a Shapes, &'a Inputs),
        sampled: Option<&'a Sampled>,
        (mut of_action_values, of_state_value): (impl Iterator<Item = Moves<'a>>, Option<Moves<'a>>),
    ) -> impl Iterator<Item = Work<'a>> {
        let networks = shapes.action_values.iter().zip(&buffers.action_value_deltas).enumerate();
        let action_values = self.action_values.iter_mut().zip(networks).flat_map(
            move |(descent, (index, (network, deltas)))| {
                let activations = buffers.bellman.action_values.pass(index);
                let passed = Passed { network, input: inputs.pairs(), activations, deltas };
                descent.work(passed, of_action_values.next())
            },
        );
        let passed = shapes.state_value.as_ref().zip(buffers.state_value_deltas.as_ref()).zip(sampled);
        let state_value =
            self.state_value.as_mut().zip(passed).map(|(descent, ((network, deltas), sampled))| {
                let activations = &sampled.state_value;
                descent.work(Passed { network, input: inputs.states(), activations, deltas }, of_state_value)
            });
        action_values.chain(state_value.into_iter().flatten())
    }

    fn begin(&mut self) {
        self.action_values.iter_mut().chain(&mut self.state_value).for_each(Descent::begin);
    }
}

/// All that only the critic's half touches.
pub struct Critic {
    config: LearnerConfig,
    /// On the half's threads.
    pub products: Products,
    /// Gradients of the latest step, and optimisers.
    pub descents: Descents,
    /// Of the latest step.
    pub buffers: Buffers,
}

impl Critic {
    /// Before the first step.
    pub fn new(config: &LearnerConfig, shapes: &Shapes, products: Products) -> Self {
        let rates = &config.optimisers;
        let of_value = |network| Descent::new(network, rates.action_value_learning_rate);
        let of_state = |network| Descent::new(network, rates.state_value_learning_rate);
        Self {
            products,
            descents: Descents {
                action_values: shapes.action_values.iter().map(of_value).collect(),
                state_value: shapes.state_value.as_ref().map(of_state),
            },
            buffers: Buffers::new(config, shapes, config.batch),
            config: config.clone(),
        }
    }

    /// Takes over the noise of `n` rows: the draws at s′ that a prior policy takes.
    pub fn load(&mut self, shapes: &Shapes, noise: &[f32], draws: Draws, n: usize) {
        if n > self.buffers.capacity {
            self.buffers = Buffers::new(&self.config, shapes, n);
        }
        self.buffers.bellman.load(shapes, noise, draws, n);
    }

    /// Of the optimisers.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        for (index, descent) in self.descents.action_values.iter_mut().enumerate() {
            ledger.section(&format!("actionValue.{index}"), |ledger| descent.optimiser.state(ledger))?;
        }
        match &mut self.descents.state_value {
            Some(descent) => ledger.section("stateValue", |ledger| descent.optimiser.state(ledger)),
            None => Ok(()),
        }
    }

    /// From J_Q down to the first layer of every Q_i; J_Q and mean Q_i(s, a) of each.
    fn differentiate_action_values(
        &mut self,
        shapes: &Shapes,
        weights: &[Floats],
        n: usize,
    ) -> Result<PerActionValue<(f64, f64)>> {
        let factor = self.config.value_loss_factor;
        let Buffers { bellman: Bellman { target, action_values, .. }, action_value_deltas, .. } =
            &mut self.buffers;
        let target = target.row(0, n);
        let mut terms = PerActionValue::new();
        let networks = shapes.action_values.iter().zip(weights).zip(action_value_deltas);
        for (index, ((shape, weights), deltas)) in networks.enumerate() {
            let prediction = action_values.of(index);
            value_gradient(prediction, target, factor, deltas.output.row_mut(0, n))?;
            hidden_deltas(&mut self.products, (shape, weights), action_values.pass(index), deltas, n)?;
            terms.push(value_terms(prediction, target, factor)?);
        }
        Ok(terms)
    }

    /// From J_V down to the first layer of V; J_V and mean V(s).
    fn differentiate_state_value(
        &mut self,
        (shape, weights): (&Shape, &Floats),
        sampled: &Sampled,
        n: usize,
    ) -> Result<(f64, f64)> {
        let factor = self.config.value_loss_factor;
        let (prediction, target) = (sampled.state_value.output.row(0, n), sampled.target.row(0, n));
        let deltas = expect_part(self.buffers.state_value_deltas.as_mut(), "state value")?;
        value_gradient(prediction, target, factor, deltas.output.row_mut(0, n))?;
        hidden_deltas(&mut self.products, (shape, weights), &sampled.state_value, deltas, n)?;
        value_terms(prediction, target, factor)
    }

    /// Gradients by w and, where `sampled` is given, by φ, until it is `enough`.
    fn take_gradients(
        &mut self,
        shared: &Shared,
        sampled: Option<&Sampled>,
        enough: impl Fn() -> bool + Sync,
    ) -> Result<()> {
        let Self { products, descents, buffers, .. } = self;
        let nothing_moves = (iter::empty(), None);
        let work = descents.work(buffers, (&shared.shapes, &shared.inputs), sampled, nothing_moves);
        let work = Mutex::new(work);
        descent::share(products.apart(), || take(&work), enough)
    }

    /// Q_0 of the pairs in `shared`.
    pub fn first_action_value(&mut self, shared: &Shared, values: &mut [f32]) -> Result<()> {
        let networks = (&shared.shapes.action_values[..1], &shared.action_values[..1]);
        let action_values = &mut self.buffers.bellman.action_values;
        action_values.forward(&mut self.products, networks, Pairs::Whole(shared.inputs.pairs()))?;
        values.copy_from_slice(action_values.of(0));
        Ok(())
    }
}

/// ∂J/∂prediction of f · mean (prediction − target)².
fn value_gradient(prediction: &[f32], target: &[f32], factor: f32, by: &mut [f32]) -> Result<()> {
    vector::value_gradient(prediction, target, by)?;
    if factor != 1.0 {
        vector::scale(by, factor);
    }
    Ok(())
}

/// f · mean (prediction − target)² and the mean prediction.
fn value_terms(prediction: &[f32], target: &[f32], factor: f32) -> Result<(f64, f64)> {
    let mean = sum(prediction.iter().copied()) / prediction.len() as f64;
    Ok((f64::from(factor) * vector::value_loss(prediction, target)?, mean))
}

/// The critic's half of a step on the batch in `shared`, up to where it meets the actor's.
pub fn run(shared: &Shared, critic: &mut Critic, temperature: f32, meeting: &Meeting) -> Result<CriticTerms> {
    let Shared { shapes, inputs, targets, action_values: weights, .. } = shared;
    let mut terms = CriticTerms::default();
    critic.descents.begin();

    let (bellman, products) = (&mut critic.buffers.bellman, &mut critic.products);
    let terms_of_states = shared.state_terms(products)?;
    let pairs = Pairs::Begun(&terms_of_states, inputs.actions());
    bellman.action_values.forward(products, (&shapes.action_values, weights), pairs)?;
    drop(terms_of_states);
    let of_targets = of_targets(targets, temperature);
    bellman.compute(products, (shapes, targets), inputs, &*read(&shared.next)?, &of_targets)?;
    terms.action_values = critic.differentiate_action_values(shapes, weights, inputs.n)?;

    let Some(shape) = &shapes.state_value else {
        meeting.arrive();
        critic.take_gradients(shared, None, || meeting.is_complete())?;
        return Ok(terms);
    };
    critic.take_gradients(shared, None, || shared.sampled.try_read().is_ok())?;
    let sampled = read(&shared.sampled)?;
    let sampled = expect_part(sampled.as_ref(), "state value")?;
    let network = (shape, &shared.state_value);
    terms.state_value = Some(critic.differentiate_state_value(network, sampled, inputs.n)?);
    meeting.arrive();
    critic.take_gradients(shared, Some(sampled), || meeting.is_complete())?;
    Ok(terms)
}
