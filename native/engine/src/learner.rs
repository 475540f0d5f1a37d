//! One gradient step, as `src/reference/gradient-step.ts` defines it; two implementations.

pub mod kernel;
pub mod tensor;

use crate::agents::recipe::Recipe;
use crate::error::{EngineError, Result, expect_finite, expect_len};
use crate::networks::layout::{self, Parameter, Sizes};
use crate::replay::batch::Batch;

/// What a learner is made of; every field is chosen by the caller, nothing has a default here.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnerConfig {
    /// The algorithm's parts.
    pub recipe: Recipe,
    /// Shapes of the networks.
    pub sizes: Sizes,
    /// B, rows of a training batch; other sizes work, this one is prepared for.
    pub batch: usize,
    /// γ, needed where a batch states terminations instead of discounts.
    pub discount: f32,
    /// λ_π.
    pub policy_learning_rate: f64,
    /// λ_Q.
    pub action_value_learning_rate: f64,
    /// λ_V.
    pub state_value_learning_rate: f64,
    /// τ in φ̄ ← τφ + (1−τ)φ̄.
    pub target_update_rate: f64,
    /// Factor of mean μ² in the policy loss; the mean is over batch and dimensions.
    pub mean_regulariser: f32,
    /// Factor of mean (log σ)² in the policy loss, log σ after its clip.
    pub log_std_regulariser: f32,
    /// Threads that one step may use, at least 1.
    pub threads: usize,
}

/// Loss values as minimised, regularisers included.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Losses {
    /// J_π = mean[T log π(ã|s) − Q(s, ã)] + regularisers.
    pub policy: f32,
    /// J_Q = mean (Q(s, a) − y_Q)².
    pub action_value: f32,
    /// J_V = mean (V(s) − y_V)².
    pub state_value: f32,
}

/// What the latest gradient step saw; means over its batch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StepTerms {
    /// Losses at the parameters before the step.
    pub losses: Losses,
    /// mean Q_w(s, a).
    pub action_value: f32,
    /// mean V_φ(s).
    pub state_value: f32,
    /// mean log π_θ(ã|s).
    pub log_density: f32,
    /// mean |ã|, over batch and dimensions.
    pub absolute_action: f32,
    /// mean log σ after its clip, over batch and dimensions.
    pub log_std: f32,
}

/// Losses and gradients at one set of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct StepGradients {
    /// Loss values.
    pub losses: Losses,
    /// Gradient of its network's loss by every trained parameter, in the order of `layout::trained`.
    pub gradients: Vec<Parameter>,
}

/// The gradient step of Algorithm 1 and its parts, over parameters the learner owns.
///
/// Shapes: a batch has B rows; `noise` is standard normal, `[B, A]`, row-major; one ã serves both steps.
pub trait Learner: Send {
    /// A copy of every parameter, in the order of `layout::all`.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    fn parameters(&self) -> Result<Vec<Parameter>>;

    /// Overwrites the named parameters; the others and the optimisers' state stay.
    ///
    /// # Errors
    /// `PARAMETER_SHAPE`, before anything is changed.
    fn set_parameters(&mut self, parameters: &[Parameter]) -> Result<()>;

    /// ε_w on the batch: mean (r + γ(1−d) V_φ(s′) − Q_w(s, a))², online V (Alg. 2; paper.md A7); no gradient.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn residual_error(&mut self, batch: &Batch<'_>) -> Result<f32>;

    /// Every loss and gradient at the same parameters; nothing is stepped.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn gradients(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: f32) -> Result<StepGradients>;

    /// `gradients`, then Adam on Q, V and π, then the target: an M-step and an E-step on one batch.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn update(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: f32) -> Result<()>;

    /// The M-step alone: Q and V on their losses, then the target. The policy only gives ã.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn m_step(&mut self, batch: &Batch<'_>, noise: &[f32]) -> Result<()>;

    /// The E-step alone: π on its loss. Q only gives ∂Q/∂ã.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn e_step(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: f32) -> Result<()>;

    /// What the latest steps saw; a part that has not run yet is 0.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    fn terms(&mut self) -> Result<StepTerms>;

    /// Actions in [−1, 1], `[n, A]`, for `[n, O]` observations: tanh(μ + σξ) with `noise` ξ `[n, A]`, tanh μ without.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn act(&mut self, observations: &[f32], noise: Option<&[f32]>, actions: &mut [f32]) -> Result<()>;
}

/// Checks the numbers that every learner needs to be positive.
///
/// # Errors
/// `CONFIG_RANGE`, naming the first that is 0.
pub fn expect_config(config: &LearnerConfig) -> Result<()> {
    let sizes = &config.sizes;
    let checks = [
        ("observation width", sizes.observation),
        ("action width", sizes.action),
        ("number of hidden layers", sizes.hidden.len()),
        ("width of a hidden layer", sizes.hidden.iter().copied().min().unwrap_or_default()),
        ("batch", config.batch),
        ("threads", config.threads),
    ];
    match checks.into_iter().find(|&(_, value)| value == 0) {
        None => Ok(()),
        Some((name, value)) => {
            Err(EngineError::OutOfRange { name, expected: "at least 1", got: value.to_string() })
        }
    }
}

/// Checks that the initial parameters are all there.
///
/// # Errors
/// `PARAMETER_SHAPE`, naming the first that is missing.
pub fn expect_all(sizes: &Sizes, initial: &[Parameter]) -> Result<()> {
    let missing = layout::all(sizes)
        .into_iter()
        .find(|spec| !initial.iter().any(|parameter| parameter.spec.name == spec.name));
    match missing {
        None => Ok(()),
        Some(spec) => Err(EngineError::ParameterShape {
            expected: format!("shape {:?}", spec.shape),
            name: spec.name,
            got: "no such parameter among the initial ones".to_owned(),
        }),
    }
}

/// Checks names and shapes of parameters that a caller hands in.
///
/// # Errors
/// `PARAMETER_SHAPE`, naming the first that is unknown or has another shape or length; `NOT_FINITE`.
pub fn expect_parameters(sizes: &Sizes, parameters: &[Parameter]) -> Result<()> {
    let known = layout::all(sizes);
    for Parameter { spec, data } in parameters {
        let expected =
            known.iter().find(|k| k.name == spec.name).ok_or_else(|| EngineError::ParameterShape {
                name: spec.name.clone(),
                expected: known.iter().map(|k| k.name.as_str()).collect::<Vec<_>>().join(", "),
                got: "an unknown name".to_owned(),
            })?;
        if expected.shape != spec.shape || data.len() != expected.len() {
            return Err(EngineError::ParameterShape {
                name: spec.name.clone(),
                expected: format!("shape {:?}", expected.shape),
                got: format!("shape {:?} with {} values", spec.shape, data.len()),
            });
        }
        expect_finite(spec.name.clone(), data)?;
    }
    Ok(())
}

/// Checks that a batch has rows (a mean needs one) and that batch and noise have the widths of the networks.
///
/// # Errors
/// `LENGTH_MISMATCH`.
pub fn expect_batch(sizes: &Sizes, batch: &Batch<'_>, noise: Option<&[f32]>) -> Result<()> {
    let rows = batch.rows();
    if rows == 0 {
        return Err(EngineError::LengthMismatch { name: "rewards", expected: 1, got: 0 });
    }
    expect_len("observations", batch.observations.len(), rows * sizes.observation)?;
    expect_len("actions", batch.actions.len(), rows * sizes.action)?;
    expect_len("nextObservations", batch.next_observations.len(), rows * sizes.observation)?;
    expect_len("discounts", batch.discounts.len(), rows)?;
    noise.map_or(Ok(()), |noise| expect_len("noise", noise.len(), rows * sizes.action))
}

/// Checks the lengths that [`Learner::act`] is called with; returns n, the number of observations.
///
/// # Errors
/// `LENGTH_MISMATCH`.
pub fn expect_act(
    sizes: &Sizes,
    observations: &[f32],
    noise: Option<&[f32]>,
    actions: &[f32],
) -> Result<usize> {
    let rows = observations.len() / sizes.observation;
    expect_len("observations", observations.len(), rows * sizes.observation)?;
    expect_len("actions", actions.len(), rows * sizes.action)?;
    noise.map_or(Ok(()), |noise| expect_len("noise", noise.len(), rows * sizes.action))?;
    Ok(rows)
}
