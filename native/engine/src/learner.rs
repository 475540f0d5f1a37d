//! One gradient step, as `src/reference/gradient-step.ts` defines it; two implementations.

mod expectations;
pub mod kernel;
pub mod tensor;

use arrayvec::ArrayVec;

pub use self::expectations::{
    expect_act, expect_all, expect_batch, expect_config, expect_noise, expect_parameters, expect_positive,
    expect_rows, no_temperature, temperature_in_use,
};
use self::kernel::sgemm::Gemm;
use crate::error::{EngineError, Result};
use crate::ledger::Ledger;
use crate::networks::layout::{Parameter, Sizes};
use crate::recipe::Recipe;
use crate::replay::batch::Batch;
use crate::replay::buffer::GatheredBatch;
use crate::replay::rows::Rows;

/// What a learner is made of; every field is chosen by the caller, nothing has a default here.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnerConfig {
    /// The algorithm's parts.
    pub recipe: Recipe,
    /// Shapes of the networks.
    pub sizes: Sizes,
    /// B, rows of a training batch; other sizes work, this one is prepared for.
    pub batch: usize,
    /// K, actions sampled from a prior policy; 1 without one.
    pub samples: usize,
    /// γ, needed where a batch states terminations instead of discounts.
    pub discount: f32,
    /// Rates and factors of the optimisers.
    pub optimisers: Optimisers,
    /// Factor of mean μ² in the policy loss; the mean is over batch and dimensions.
    pub mean_regulariser: f32,
    /// Factor of mean (log σ)² in the policy loss, log σ after its clip.
    pub log_std_regulariser: f32,
    /// Factor of J_Q and J_V: 1, or ½ as haarnoja/sac has it.
    pub value_loss_factor: f32,
    /// Target entropy of a tuned temperature, in nats.
    pub target_entropy: f32,
    /// Bounds of a dual temperature's KL divergences.
    pub kl_bounds: KlBounds,
    /// Steps of the projected M-step.
    pub projected: ProjectedSteps,
    /// Which V the residual error bootstraps with.
    pub residual_bootstrap: Bootstrap,
    /// Threads that one step may use, at least 1.
    pub threads: usize,
    /// What computes the products of the kernel learner; the tensor learner has its own.
    pub gemm: Gemm,
}

/// Adam's rates, and the share of the online network in a target update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimisers {
    /// λ_π.
    pub policy_learning_rate: f64,
    /// λ_Q.
    pub action_value_learning_rate: f64,
    /// λ_V.
    pub state_value_learning_rate: f64,
    /// Rate of a trained temperature and of its multipliers.
    pub temperature_learning_rate: f64,
    /// τ in φ̄ ← τφ + (1−τ)φ̄.
    pub target_update_rate: f64,
}

/// Bounds of the KL divergences of a dual temperature, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KlBounds {
    /// Of the weighted actions' distribution from the prior policy.
    pub dual: f32,
    /// Of the fitted mean, per action dimension.
    pub mean: f32,
    /// Of the fitted covariance, per action dimension.
    pub covariance: f32,
}

/// Step sizes of the projected M-step (34), (35): after k of them α(k) = step / (1 + k / scale)^decay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProjectedSteps {
    /// α_w(0).
    pub value_step: f64,
    /// Decay of α_w.
    pub value_decay: f64,
    /// α_ζ(0).
    pub auxiliary_step: f64,
    /// Decay of α_ζ.
    pub auxiliary_decay: f64,
    /// M-steps after which the decay is felt.
    pub scale: f64,
    /// Largest ‖w‖₂: w is scaled back onto the ball.
    pub radius: f64,
    /// Share of ζ forgotten with each step.
    pub leak: f64,
}

/// The value of s′ in the residual error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bootstrap {
    /// Of the online networks, as the authors' code.
    Online,
    /// Of the target networks, as Alg. 2 is printed.
    Target,
}

/// Loss values as minimised, factors and regularisers included.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Losses {
    /// J_π.
    pub policy: f32,
    /// J_Q, summed over the action values; with a projected M-step its objective mean[β j − ½ j²].
    pub action_value: f32,
    /// J_V.
    pub state_value: Option<f32>,
    /// What ζ minimises: the negative of its M-step's objective.
    pub auxiliary_weights: Option<f32>,
    /// J_T of a trained temperature.
    pub temperature: Option<f32>,
    /// Σ_i multiplier_i (bound − KL_i) of the mean.
    pub mean_multiplier: Option<f32>,
    /// The same of the covariance.
    pub covariance_multiplier: Option<f32>,
}

impl Losses {
    /// Every loss by its public name, in a fixed order; those the recipe has.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f32)> {
        let all = [
            ("policy", Some(self.policy)),
            ("actionValue", Some(self.action_value)),
            ("stateValue", self.state_value),
            ("auxiliaryWeights", self.auxiliary_weights),
            ("temperature", self.temperature),
            ("meanMultiplier", self.mean_multiplier),
            ("covarianceMultiplier", self.covariance_multiplier),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

impl Losses {
    fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.value("policy", &mut self.policy)?;
        ledger.value("actionValue", &mut self.action_value)?;
        for (name, loss) in [
            ("stateValue", &mut self.state_value),
            ("auxiliaryWeights", &mut self.auxiliary_weights),
            ("temperature", &mut self.temperature),
            ("meanMultiplier", &mut self.mean_multiplier),
            ("covarianceMultiplier", &mut self.covariance_multiplier),
        ] {
            ledger.optional(name, loss)?;
        }
        Ok(())
    }
}

/// Most action values whose minimum a loss may read.
const MOST_ACTION_VALUES: usize = 2;

/// One value for each Q_i.
pub type PerActionValue<T> = ArrayVec<T, MOST_ACTION_VALUES>;

/// What the latest gradient steps saw, means over their batches, and the latest residual error.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepTerms {
    /// Losses at the parameters before the step.
    pub losses: Losses,
    /// J of each action value.
    pub action_value_losses: PerActionValue<f32>,
    /// mean Q_i(s, a) of each.
    pub action_values: PerActionValue<f32>,
    /// mean V(s).
    pub state_value: Option<f32>,
    /// mean log π_θ of the actions that the policy's loss read; none for a deterministic policy.
    pub log_density: Option<f32>,
    /// mean |ã|, over batch and dimensions.
    pub absolute_action: f32,
    /// mean log σ after its clip, over batch and dimensions.
    pub log_std: Option<f32>,
    /// Σ_i KL_i of the mean from the prior policy's, with a weighted likelihood: as the E-step before the prior's
    /// latest move saw it, since right after a move it is 0.
    pub kl_mean: Option<f32>,
    /// The same of the covariance.
    pub kl_covariance: Option<f32>,
    /// ε as [`Learner::measure`] last found it.
    pub residual_error: Option<f32>,
}

impl StepTerms {
    /// For a session that is taken up before its next step.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.section("losses", |ledger| self.losses.state(ledger))?;
        for (name, each) in
            [("actionValueLosses", &mut self.action_value_losses), ("actionValues", &mut self.action_values)]
        {
            let mut list = each.to_vec();
            ledger.list(name, &mut list)?;
            *each = list.into_iter().take(MOST_ACTION_VALUES).collect();
        }
        ledger.value("absoluteAction", &mut self.absolute_action)?;
        for (name, value) in [
            ("stateValue", &mut self.state_value),
            ("logDensity", &mut self.log_density),
            ("logStd", &mut self.log_std),
            ("klMean", &mut self.kl_mean),
            ("klCovariance", &mut self.kl_covariance),
            ("residualError", &mut self.residual_error),
        ] {
            ledger.optional(name, value)?;
        }
        Ok(())
    }
}

/// ‖·‖₂ of a network's latest gradient, and of the change that its optimiser made with it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Norms {
    /// Of the gradient.
    pub gradient: f64,
    /// Of the change of the parameters.
    pub update: f64,
}

/// [`Norms`] of the trained networks; several action values count as one vector.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StepNorms {
    /// θ; None before its first step.
    pub policy: Option<Norms>,
    /// w.
    pub action_value: Option<Norms>,
    /// φ.
    pub state_value: Option<Norms>,
}

impl StepNorms {
    /// For a session that is taken up before its next step.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        for (name, norms) in [
            ("policy", &mut self.policy),
            ("actionValue", &mut self.action_value),
            ("stateValue", &mut self.state_value),
        ] {
            let (mut gradient, mut update) =
                (norms.map(|norms| norms.gradient), norms.map(|norms| norms.update));
            ledger.section(name, |ledger| {
                ledger.optional("gradient", &mut gradient)?;
                ledger.optional("update", &mut update)
            })?;
            *norms = gradient.zip(update).map(|(gradient, update)| Norms { gradient, update });
        }
        Ok(())
    }
}

/// Losses and gradients at one set of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct StepGradients {
    /// Loss values.
    pub losses: Losses,
    /// Gradient of its loss by every trained parameter, in the order of [`Networks::trained`].
    pub gradients: Vec<Parameter>,
}

/// Where T of a gradient step comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Temperature {
    /// The learner's own, which it trains.
    Own,
    /// A number.
    Given(f32),
    /// slope · ε + offset, ε as [`Learner::measure`] last found it. The learner does the sum, so that ε need not leave
    /// a device.
    OfResidual {
        /// In units of T for one of ε, return⁻¹.
        slope: f64,
        /// In units of return, as T.
        offset: f64,
    },
}

impl Temperature {
    /// T as a number, at the latest ε where that is on the host; None where the learner trains its own.
    ///
    /// # Errors
    /// `CONFIG_RANGE` where ε is read and has not been measured.
    pub fn at(self, residual_error: Option<f32>) -> Result<Option<f32>> {
        match self {
            Self::Own => Ok(None),
            Self::Given(number) => Ok(Some(number)),
            Self::OfResidual { slope, offset } => {
                let error = residual_error.ok_or_else(not_measured)?;
                Ok(Some((slope * f64::from(error) + offset) as f32))
            }
        }
    }
}

/// A temperature of the residual error before its first measurement.
pub fn not_measured() -> EngineError {
    EngineError::OutOfRange {
        name: "temperature",
        expected: "a number until the residual error has been measured",
        got: "a multiple of it".to_owned(),
    }
}

/// Which halves of a gradient step are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// M-step and E-step on one batch and one set of sampled actions.
    Joint,
    /// Q and V on their losses. The policy only gives actions.
    M,
    /// π, and a trained temperature, on theirs. Q only gives values and ∂Q/∂ã.
    E,
}

impl Step {
    /// Whether Q and V are stepped.
    pub fn has_m(self) -> bool {
        self != Self::E
    }

    /// Whether π is stepped.
    pub fn has_e(self) -> bool {
        self != Self::M
    }
}

/// A gradient step and its parts, over parameters the learner owns.
///
/// Shapes: a batch has B rows; `noise` is standard normal, `[B, draws, A]`, row-major, [`Recipe::draws`] of them a
/// row: those for s, then those for s′.
///
/// A learner may live on a device. [`Self::measure`], [`Self::step`] and [`Self::update_targets`] bring nothing from
/// there and do not wait for it; every other method does.
pub trait Learner: Send {
    /// A copy of every parameter, in the order of [`Networks::all`].
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    fn parameters(&self) -> Result<Vec<Parameter>>;

    /// [`Self::parameters`] into a list that an earlier call made, or an empty one.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    fn refresh(&self, parameters: &mut Vec<Parameter>) -> Result<()> {
        *parameters = self.parameters()?;
        Ok(())
    }

    /// Overwrites the named parameters; the others and the optimisers' state stay.
    ///
    /// # Errors
    /// `PARAMETER_SHAPE`, `NOT_FINITE`, before anything is changed.
    fn set_parameters(&mut self, parameters: &[Parameter]) -> Result<()>;

    /// The temperature that this learner trains; None where it is given from outside.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    fn temperature(&mut self) -> Result<Option<f32>>;

    /// ε_w on the batch: the mean over rows and action values of (r + γ(1−d) next − Q_i(s, a))², `next` as the recipe's
    /// target has it, of the networks that [`LearnerConfig::residual_bootstrap`] says (Alg. 2; paper.md A7); no
    /// gradient. `noise` is `[B, draws, A]`, [`Recipe::draws_at_next_state`] of them a row.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn residual_error(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: Temperature) -> Result<f32>;

    /// [`Self::residual_error`] of rows that need not be gathered yet, kept for [`Temperature::OfResidual`] and
    /// [`StepTerms::residual_error`].
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn measure(&mut self, rows: &Rows<'_>, noise: &[f32], temperature: Temperature) -> Result<()>;

    /// Every loss and gradient at the same parameters; nothing is stepped.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn gradients(
        &mut self,
        batch: &Batch<'_>,
        noise: &[f32],
        temperature: Temperature,
    ) -> Result<StepGradients>;

    /// The gradients of `step`'s halves at the same parameters, then their optimisers: Q, V, ζ, π, a trained temperature.
    /// Targets stay.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn step(&mut self, step: Step, batch: &Batch<'_>, noise: &[f32], temperature: Temperature) -> Result<()>;

    /// [`Self::step`] on rows that may be in a replay buffer yet, with room to gather them in, then [`Self::update_targets`]
    /// for some of the step's halves; at once, a learner may do both while a network is near.
    ///
    /// # Errors
    /// As [`Self::step`].
    fn step_on(
        &mut self,
        (step, followed): (Step, Option<Step>),
        (rows, room): (&Rows<'_>, &mut GatheredBatch),
        noise: &[f32],
        temperature: Temperature,
    ) -> Result<()> {
        self.step(step, &rows.all(room), noise, temperature)?;
        followed.map_or(Ok(()), |halves| self.update_targets(halves))
    }

    /// φ̄ ← τφ + (1−τ)φ̄ for the targets of `step`'s halves: those of Q and V with an M-step, a target or prior policy
    /// with an E-step.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    fn update_targets(&mut self, step: Step) -> Result<()>;

    /// What the latest steps saw; a half that has not run yet leaves its part at 0.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    fn terms(&mut self) -> Result<StepTerms>;

    /// Norms of the latest steps' gradients and updates.
    ///
    /// # Errors
    /// `NATIVE_EXCEPTION`.
    fn norms(&mut self) -> Result<StepNorms>;

    /// All that the next steps depend on beside the parameters, and what the latest steps saw.
    ///
    /// # Errors
    /// Those of the ledger; `NATIVE_EXCEPTION`.
    fn state(&mut self, ledger: &mut Ledger) -> Result<()>;

    /// Actions in [−1, 1], `[n, A]`, for `[n, O]` observations: tanh(μ + σξ) with `noise` ξ `[n, A]`, tanh μ without.
    /// A deterministic policy takes no noise.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn act(&mut self, observations: &[f32], noise: Option<&[f32]>, actions: &mut [f32]) -> Result<()>;

    /// Q_0(s, a), `[n]`, for `[n, O]` observations and `[n, A]` actions.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn action_value(&mut self, observations: &[f32], actions: &[f32], values: &mut [f32]) -> Result<()>;

    /// μ and the clipped log σ, `[n, A]` each, for `[n, O]` observations; log σ is 0 for a deterministic policy.
    ///
    /// # Errors
    /// `LENGTH_MISMATCH`, `NATIVE_EXCEPTION`.
    fn policy(&mut self, observations: &[f32], mean: &mut [f32], log_std: &mut [f32]) -> Result<()>;
}
