//! What both halves of a step see. Nothing of it changes while they run, but what one computes for the other, behind locks:
//! what the actor computes for the critic it holds before either begins, so a critic that is early waits; what both need is
//! computed by the first who does.

use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::forward::Activations;
use super::memory::{Floats, Matrix};
use super::network::zeros;
use super::products::Products;
use super::sampler::Sampler;
use super::sgemm::Factor;
use super::values::StateTerms;
use crate::error::{EngineError, Result};
use crate::learner::LearnerConfig;
use crate::networks::layout::{LayerSpec, Networks};
use crate::networks::mlp::Shape;
use crate::replay::batch::Batch;
use crate::replay::buffer::{GatheredBatch, ReplayBuffer};
use crate::threads::Helper;

/// Every network that the recipe has, without its parameters.
pub struct Shapes {
    /// π_θ: heads μ, then log σ unless it is deterministic.
    pub policy: Shape,
    /// Q_i of `[observation, action]`.
    pub action_values: Vec<Shape>,
    /// V_φ.
    pub state_value: Option<Shape>,
    /// V_φ̄.
    pub target_state_value: Option<Shape>,
    /// Q̄_i.
    pub target_action_values: Vec<Shape>,
    /// π̄ or π_φ.
    pub target_policy: Option<Shape>,
}

impl Shapes {
    /// The networks of a recipe.
    pub fn new(networks: &Networks) -> Self {
        let shape = |layers: &Vec<LayerSpec>| Shape::new(layers.clone());
        Self {
            policy: shape(&networks.policy),
            action_values: networks.action_values.iter().map(shape).collect(),
            state_value: networks.state_value.as_ref().map(shape),
            target_state_value: networks.target_state_value.as_ref().map(shape),
            target_action_values: networks.target_action_values.iter().map(shape).collect(),
            target_policy: networks.target_policy.as_ref().map(shape),
        }
    }
}

/// One batch, feature-major.
pub struct Inputs {
    observation: usize,
    action: usize,
    capacity: usize,
    /// Samples in use.
    pub n: usize,
    /// [1, s, a]: policy and V read the upper rows, Q all of them.
    pairs: Matrix,
    /// [1, s′].
    next: Matrix,
    /// r and γ(1−d).
    outcomes: Matrix,
}

impl Inputs {
    /// Room for `capacity` samples.
    pub fn new(observation: usize, action: usize, capacity: usize) -> Self {
        Self {
            observation,
            action,
            capacity,
            n: 0,
            pairs: Matrix::with_ones(observation + action, capacity),
            next: Matrix::with_ones(observation, capacity),
            outcomes: Matrix::zeros(2, capacity),
        }
    }

    /// Takes over a batch whose lengths have been checked.
    pub fn load(&mut self, batch: &Batch<'_>) {
        let n = batch.rows();
        self.load_pairs(batch.observations, batch.actions, n);
        self.next.load(1, batch.next_observations, self.observation);
        self.outcomes.row_mut(0, n).copy_from_slice(batch.rewards);
        self.outcomes.row_mut(1, n).copy_from_slice(batch.discounts);
    }

    /// [`Self::load`] of rows of a replay buffer, gathered and turned over by two threads: they lie anywhere in memory.
    pub fn load_drawn(
        &mut self,
        helper: &mut Helper,
        (replay, indices): (&ReplayBuffer, &[usize]),
        room: &mut GatheredBatch,
    ) {
        self.fit(indices.len());
        let Self { observation, action, n, pairs, next, outcomes, .. } = self;
        let (observation, n, (taken, followed)) = (*observation, *n, room.halves());
        let ours = || {
            replay.gather_pairs(indices, taken);
            pairs.load(1, &taken.observations, observation);
            pairs.load(1 + observation, &taken.actions, *action);
        };
        let theirs = || {
            replay.gather_outcomes(indices, followed);
            next.load(1, &followed.next_observations, observation);
            outcomes.row_mut(0, n).copy_from_slice(&followed.rewards);
            outcomes.row_mut(1, n).copy_from_slice(&followed.discounts);
        };
        helper.join(theirs, ours);
    }

    /// Takes over `n` pairs (s, a) alone.
    pub fn load_pairs(&mut self, observations: &[f32], actions: &[f32], n: usize) {
        self.fit(n);
        self.pairs.load(1, observations, self.observation);
        self.pairs.load(1 + self.observation, actions, self.action);
    }

    /// Makes room for `n` samples.
    fn fit(&mut self, n: usize) {
        if n > self.capacity {
            *self = Self::new(self.observation, self.action, n);
        }
        self.n = n;
    }

    /// [1, s].
    pub fn states(&self) -> Factor<'_> {
        self.pairs.view(0..1 + self.observation, self.n).observations()
    }

    /// [1, s, a].
    pub fn pairs(&self) -> Factor<'_> {
        self.pairs.view(0..1 + self.observation + self.action, self.n).observations()
    }

    /// a.
    pub fn actions(&self) -> Factor<'_> {
        self.pairs.view(1 + self.observation..1 + self.observation + self.action, self.n)
    }

    /// [1, s′].
    pub fn next_states(&self) -> Factor<'_> {
        self.next.view(0..1 + self.observation, self.n).observations()
    }

    /// r.
    pub fn rewards(&self) -> &[f32] {
        self.outcomes.row(0, self.n)
    }

    /// γ, or 0 at a terminal transition.
    pub fn discounts(&self) -> &[f32] {
        self.outcomes.row(1, self.n)
    }
}

/// Target networks; the recipe's shapes say which there are.
pub struct Targets {
    /// φ̄.
    pub state_value: Option<Floats>,
    /// w̄_i.
    pub action_values: Vec<Floats>,
    /// π̄ or π_φ.
    pub policy: Option<Floats>,
}

/// What the actor's half computes for V in the critic's.
pub struct Sampled {
    capacity: usize,
    /// V(s), in the half that has less to do.
    pub state_value: Activations,
    /// y_V, one row.
    pub target: Matrix,
}

impl Sampled {
    fn new(shape: &Shape, capacity: usize) -> Self {
        Self { capacity, state_value: Activations::new(shape, capacity), target: Matrix::zeros(1, capacity) }
    }

    /// Makes room for `n` samples.
    pub fn fit(&mut self, shape: &Shape, n: usize) {
        if n > self.capacity {
            *self = Self::new(shape, n);
        }
    }
}

/// All of it.
pub struct Shared {
    /// Of all networks.
    pub shapes: Shapes,
    /// The batch.
    pub inputs: Inputs,
    /// Targets.
    pub targets: Targets,
    /// w_i.
    pub action_values: Vec<Floats>,
    /// φ; nothing without a V.
    pub state_value: Floats,
    /// π_θ at s′ and an action of it, where the M-step's target reads one; from the actor's half to the critic's.
    pub next: RwLock<Sampler>,
    /// From the actor's half to the critic's; None without a V.
    pub sampled: RwLock<Option<Sampled>>,
    /// Of Q at s: at a and at the policy's actions. Written only by who has the turn and finds them unknown, so a half that
    /// reads them never keeps the other waiting.
    state_terms: RwLock<StateTerms>,
    turn: Mutex<()>,
}

impl Shared {
    /// Forgets what was computed of another batch.
    ///
    /// # Errors
    /// `PANIC` after a panic.
    pub fn begin(&mut self) -> Result<()> {
        write(&self.state_terms)?.fit(&self.shapes.action_values, self.inputs.n);
        Ok(())
    }

    /// What the batch's states give to every Q_i; on the first half's `products` that asks.
    ///
    /// # Errors
    /// `PANIC` after a panic.
    pub fn state_terms(&self, products: &mut Products) -> Result<RwLockReadGuard<'_, StateTerms>> {
        // who comes second waits here, and finds them known
        let turn = self.turn.lock().map_err(poisoned)?;
        if !read(&self.state_terms)?.is_known {
            let networks = (self.shapes.action_values.as_slice(), self.action_values.as_slice());
            write(&self.state_terms)?.compute(products, networks, self.inputs.states())?;
        }
        drop(turn);
        read(&self.state_terms)
    }

    /// All parameters zero.
    pub fn new(config: &LearnerConfig, networks: &Networks) -> Self {
        let (sizes, capacity) = (&config.sizes, config.batch);
        let shapes = Shapes::new(networks);
        let targets = Targets {
            state_value: shapes.target_state_value.as_ref().map(zeros),
            action_values: shapes.target_action_values.iter().map(zeros).collect(),
            policy: shapes.target_policy.as_ref().map(zeros),
        };
        Self {
            inputs: Inputs::new(sizes.observation, sizes.action, capacity),
            targets,
            action_values: shapes.action_values.iter().map(zeros).collect(),
            state_value: shapes.state_value.as_ref().map_or_else(|| Floats::zeros(0), zeros),
            next: RwLock::new(Sampler::new(config.recipe.policy, &shapes.policy, sizes.action, 1, capacity)),
            state_terms: RwLock::new(StateTerms::new(&shapes.action_values, capacity)),
            turn: Mutex::new(()),
            sampled: RwLock::new(shapes.state_value.as_ref().map(|shape| Sampled::new(shape, capacity))),
            shapes,
        }
    }
}

/// A lock whose holder panicked: what lies behind it, or the parameters, are those of a step that is half done.
fn poisoned<T>(_: PoisonError<T>) -> EngineError {
    EngineError::Panic { reason: "an earlier gradient step ended in a panic".to_owned() }
}

/// Locks for reading; waits for a writer.
pub fn read<T>(lock: &RwLock<T>) -> Result<RwLockReadGuard<'_, T>> {
    lock.read().map_err(poisoned)
}

/// Locks for writing; waits for everyone else.
pub fn write<T>(lock: &RwLock<T>) -> Result<RwLockWriteGuard<'_, T>> {
    lock.write().map_err(poisoned)
}

/// An error that only a defect of this learner can cause: a part that the recipe has must be there.
pub fn expect_part<T>(part: Option<T>, name: &str) -> Result<T> {
    part.ok_or_else(|| EngineError::Panic { reason: format!("the recipe has no {name}") })
}
