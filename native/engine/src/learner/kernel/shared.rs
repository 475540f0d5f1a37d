//! What both halves of a step see, each part behind its own lock.
//!
//! The locks are the order of a step, and the proof that its halves do not disturb each other:
//! | part | written by | read by | ready |
//! |---|---|---|---|
//! | inputs | the caller, before the halves | both | at once |
//! | Q's weights | the critic's half, last | both | free when the actor has taken ∂Q/∂ã |
//! | V's weights | the critic's half | both | free when the actor has V(s) |
//! | sampled | the actor's half | the critic's | when the actor lets go of it |
//!
//! The actor's half holds its locks before the critic's half may begin, so a critic that is early waits.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::critic::Critic;
use super::forward::Activations;
use super::memory::{Floats, Matrix};
use super::sgemm::Factor;
use crate::error::{EngineError, Result};
use crate::learner::LearnerConfig;
use crate::networks::layout::{self, Sizes};
use crate::networks::mlp::Shape;
use crate::replay::batch::Batch;

/// What happens to a half's gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Optimisers and target move.
    Step,
    /// They are left for the caller to read.
    Keep,
}

/// Which half of a step has gradients, and what becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Both halves; nothing is stepped.
    Gradients,
    /// M-step and E-step on one batch.
    Both,
    /// Q, V and the target.
    M,
    /// The policy.
    E,
}

impl Step {
    /// What the critic does; None where it rests.
    pub const fn critic(self) -> Option<Use> {
        match self {
            Self::Gradients => Some(Use::Keep),
            Self::Both | Self::M => Some(Use::Step),
            Self::E => None,
        }
    }

    /// What becomes of the policy's gradient; None where it has none.
    pub const fn policy(self) -> Option<Use> {
        match self {
            Self::Gradients => Some(Use::Keep),
            Self::Both | Self::E => Some(Use::Step),
            Self::M => None,
        }
    }
}

/// The three networks' shapes, and the target's, which has its own names.
pub struct Shapes {
    /// π_θ: heads μ, then log σ.
    pub policy: Shape,
    /// Q_w of `[observation, action]`.
    pub action_value: Shape,
    /// V_φ.
    pub state_value: Shape,
    /// V_φ̄.
    pub target_state_value: Shape,
}

impl Shapes {
    /// The networks of `networks::layout`.
    pub fn new(sizes: &Sizes) -> Self {
        Self {
            policy: Shape::new(layout::policy(sizes)),
            action_value: Shape::new(layout::action_value(sizes)),
            state_value: Shape::new(layout::state_value(sizes)),
            target_state_value: Shape::new(layout::target_state_value(sizes)),
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
    fn new(observation: usize, action: usize, capacity: usize) -> Self {
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
        if n > self.capacity {
            *self = Self::new(self.observation, self.action, n);
        }
        self.n = n;
        self.pairs.load(1, batch.observations, self.observation);
        self.pairs.load(1 + self.observation, batch.actions, self.action);
        self.next.load(1, batch.next_observations, self.observation);
        self.outcomes.row_mut(0, n).copy_from_slice(batch.rewards);
        self.outcomes.row_mut(1, n).copy_from_slice(batch.discounts);
    }

    /// [1, s].
    pub fn states(&self) -> Factor<'_> {
        self.pairs.view(0..1 + self.observation, self.n)
    }

    /// [1, s, a].
    pub fn pairs(&self) -> Factor<'_> {
        self.pairs.view(0..1 + self.observation + self.action, self.n)
    }

    /// [1, s′].
    pub fn next_states(&self) -> Factor<'_> {
        self.next.view(0..1 + self.observation, self.n)
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

/// What the actor's half computes for the critic's.
pub struct Sampled {
    capacity: usize,
    /// V(s), in the half that has less to do.
    pub state_value: Activations,
    /// Q(s, ã), one row.
    pub action_value: Matrix,
}

impl Sampled {
    fn new(shapes: &Shapes, capacity: usize) -> Self {
        Self {
            capacity,
            state_value: Activations::new(&shapes.state_value, capacity),
            action_value: Matrix::zeros(1, capacity),
        }
    }

    /// Makes room for `n` samples.
    pub fn fit(&mut self, shapes: &Shapes, n: usize) {
        if n > self.capacity {
            *self = Self::new(shapes, n);
        }
    }
}

/// All of it.
pub struct Shared {
    /// Never changes.
    pub shapes: Shapes,
    /// The batch.
    pub inputs: RwLock<Inputs>,
    /// w.
    pub action_value: RwLock<Floats>,
    /// φ.
    pub state_value: RwLock<Floats>,
    /// From the actor's half to the critic's.
    pub sampled: RwLock<Sampled>,
    /// The critic's half's own.
    pub critic: Mutex<Critic>,
}

impl Shared {
    /// All parameters zero.
    pub fn new(config: &LearnerConfig) -> Self {
        let (sizes, capacity) = (&config.sizes, config.batch);
        let shapes = Shapes::new(sizes);
        Self {
            inputs: RwLock::new(Inputs::new(sizes.observation, sizes.action, capacity)),
            action_value: RwLock::new(shapes.action_value.zeros()),
            state_value: RwLock::new(shapes.state_value.zeros()),
            sampled: RwLock::new(Sampled::new(&shapes, capacity)),
            critic: Mutex::new(Critic::new(config, &shapes)),
            shapes,
        }
    }
}

/// A lock whose holder panicked: the step it was in is half done, so nothing behind it can be trusted.
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

/// Locks a part that has one user at a time.
pub fn lock<T>(lock: &Mutex<T>) -> Result<MutexGuard<'_, T>> {
    lock.lock().map_err(poisoned)
}
