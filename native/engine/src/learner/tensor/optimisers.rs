//! The optimisers of a recipe: Adam, one state per network and one for a trained temperature, and the projected M-step's plain
//! descent for w and ζ.

use tch::{Kind, Tensor};

use super::adam::{Adam, Clock};
use super::networks::Trained;
use super::projected_residual::{ProjectedDescent, Weights};
use super::queues::Queue;
use super::transfer::{Placement, Report};
use crate::error::Result;
use crate::learner::{LearnerConfig, Norms, Step, StepNorms};
use crate::ledger::Ledger;

/// An optimiser, what it moves, the gradient by that, and its clock.
type Move<'a> = (&'a mut Adam, &'a mut Tensor, &'a Tensor, &'a Clock);

/// State of every optimiser.
pub struct Optimisers {
    policy: Adam,
    /// One for each Q; none with a projected M-step.
    action_values: Vec<Adam>,
    /// Of w and ζ, with a projected M-step.
    projected: Option<ProjectedDescent>,
    state_value: Option<Adam>,
    duals: Option<Adam>,
    /// Steps of the M-half and of the E-half.
    m_clock: Clock,
    e_clock: Clock,
    /// Whether the M-half and the E-half have been stepped at all.
    m_stepped: bool,
    e_stepped: bool,
}

impl Optimisers {
    /// Before the first step.
    pub fn new(trained: &Trained, config: &LearnerConfig) -> Result<Self> {
        let rates = &config.optimisers;
        let first = trained.action_values.first();
        let projected = match (&trained.auxiliary_weights, first) {
            (Some(_), Some(first)) => Some(ProjectedDescent::new(&first.values, config.projected)?),
            _ => None,
        };
        let by_adam = if projected.is_some() { &[] } else { trained.action_values.as_slice() };
        let adam = |values: &Tensor, rate| Adam::new(values, rate);
        let values = &trained.policy.values;
        let placement = Placement { device: values.device(), kind: values.f_kind()? };
        Ok(Self {
            policy: adam(values, rates.policy_learning_rate)?,
            action_values: by_adam
                .iter()
                .map(|network| adam(&network.values, rates.action_value_learning_rate))
                .collect::<Result<_>>()?,
            projected,
            state_value: (trained.state_value.as_ref())
                .map(|network| adam(&network.values, rates.state_value_learning_rate))
                .transpose()?,
            duals: (trained.duals.as_ref())
                .map(|duals| adam(&duals.values, rates.temperature_learning_rate))
                .transpose()?,
            m_clock: Clock::new(placement)?,
            e_clock: Clock::new(placement)?,
            m_stepped: false,
            e_stepped: false,
        })
    }

    /// Of every optimiser. What the latest steps did is forgotten by one that is taken up.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.m_clock.state("mSteps", ledger)?;
        self.e_clock.state("eSteps", ledger)?;
        ledger.section("policy", |ledger| self.policy.state(ledger))?;
        for (index, adam) in self.action_values.iter_mut().enumerate() {
            ledger.section(&format!("actionValue.{index}"), |ledger| adam.state(ledger))?;
        }
        if let Some(descent) = &mut self.projected {
            ledger.section("projected", |ledger| descent.state(ledger))?;
        }
        // "logs" in checkpoints that are on disk, of when logarithms were trained
        for (name, adam) in [("stateValue", &mut self.state_value), ("logs", &mut self.duals)] {
            if let Some(adam) = adam {
                ledger.section(name, |ledger| adam.state(ledger))?;
            }
        }
        if ledger.is_reading() {
            (self.m_stepped, self.e_stepped) = (false, false);
        }
        Ok(())
    }

    /// Begins a step of some halves: counts it.
    pub fn begin(&self, step: Step) -> Result<()> {
        if step.has_m() {
            let complement = self.m_clock.tick()?;
            (self.action_values.iter().chain(&self.state_value))
                .try_for_each(|adam| adam.begin(&complement))?;
        }
        if step.has_e() {
            let complement = self.e_clock.tick()?;
            ([&self.policy].into_iter().chain(&self.duals)).try_for_each(|adam| adam.begin(&complement))?;
        }
        Ok(())
    }

    /// Steps the halves that were begun: Q, V, ζ, π, a trained temperature.
    pub fn step(
        &mut self,
        queue: Queue<'_>,
        trained: &mut Trained,
        gradients: &Trained,
        step: Step,
    ) -> Result<()> {
        let mut moves = Vec::new();
        if step.has_e() {
            let clock = &self.e_clock;
            moves.push((&mut self.policy, &mut trained.policy.values, &gradients.policy.values, clock));
            let duals = self.duals.iter_mut().zip(&mut trained.duals).zip(&gradients.duals);
            moves.extend(duals.map(|((adam, own), by)| (adam, &mut own.values, &by.values, clock)));
        }
        if step.has_m() {
            let clock = &self.m_clock;
            let action_values = self.action_values.iter_mut().zip(&mut trained.action_values);
            let action_values = action_values.zip(&gradients.action_values);
            moves.extend(action_values.map(|((adam, own), by)| (adam, &mut own.values, &by.values, clock)));
            let state_value = self.state_value.iter_mut().zip(&mut trained.state_value);
            let state_value = state_value.zip(&gradients.state_value);
            moves.extend(state_value.map(|((adam, own), by)| (adam, &mut own.values, &by.values, clock)));
        }
        queue
            .map(moves, &|_, (adam, values, gradient, clock): Move<'_>| adam.step(values, gradient, clock))?;
        if step.has_m()
            && let (Some(descent), Some(weights), Some(gradient)) =
                (&mut self.projected, projected_weights(trained), projected_weights(gradients))
        {
            descent.step(weights, gradient)?;
        }
        Ok(())
    }

    /// Notes that the halves were stepped, by [`Self::step`] or by a recording of it.
    pub fn note(&mut self, step: Step) {
        self.m_stepped |= step.has_m();
        self.e_stepped |= step.has_e();
    }

    /// Norms of the gradients and of the changes that the latest steps made with them.
    pub fn norms(&mut self, gradients: &Trained) -> Result<StepNorms> {
        let mut report = Report::new();
        if self.m_stepped {
            add(&mut report, self.action_value_norms(gradients)?, |norms| &mut norms.action_value);
            for (adam, gradient) in self.state_value.iter_mut().zip(&gradients.state_value) {
                let of_state_value = joined(&[&gradient.values], &[adam.change_norm(&self.m_clock)?])?;
                add(&mut report, of_state_value, |norms| &mut norms.state_value);
            }
        }
        if self.e_stepped {
            let change = self.policy.change_norm(&self.e_clock)?;
            let of_policy = joined(&[&gradients.policy.values], &[change])?;
            add(&mut report, of_policy, |norms| &mut norms.policy);
        }
        let mut norms = StepNorms::default();
        report.read_into(&mut norms)?;
        Ok(norms)
    }

    fn action_value_norms(&mut self, gradients: &Trained) -> Result<[Tensor; 2]> {
        let adam = self.action_values.iter_mut().map(|adam| adam.change_norm(&self.m_clock));
        let projected = self.projected.iter().map(|descent| Ok(descent.change_norm()));
        let changes = adam.chain(projected).collect::<Result<Vec<_>>>()?;
        let gradients: Vec<_> = gradients.action_values.iter().map(|network| &network.values).collect();
        joined(&gradients, &changes)
    }
}

/// w and ζ; None without a projected M-step.
pub fn projected_weights(trained: &Trained) -> Option<Weights<'_>> {
    let auxiliary = trained.auxiliary_weights.as_ref()?;
    Some(Weights { action_value: trained.action_values.first()?, auxiliary })
}

/// Puts the norms of a gradient and of a change into a report.
fn add(
    report: &mut Report<StepNorms>,
    [gradient, update]: [Tensor; 2],
    of: fn(&mut StepNorms) -> &mut Option<Norms>,
) {
    report.add(gradient, move |norms, value| {
        of(norms).get_or_insert_default().gradient = f64::from(value);
    });
    report.add(update, move |norms, value| {
        of(norms).get_or_insert_default().update = f64::from(value);
    });
}

/// Norms of several vectors as of one, of their gradients and of the changes whose norms are given; scalars in f64.
fn joined(gradients: &[&Tensor], changes: &[Tensor]) -> Result<[Tensor; 2]> {
    let each =
        gradients.iter().map(|gradient| Ok(gradient.f_to_dtype(Kind::Double, false, false)?.f_norm()?));
    let gradient = Tensor::f_stack(&each.collect::<Result<Vec<_>>>()?, 0)?.f_norm()?;
    let update = Tensor::f_stack(changes, 0)?.f_norm()?.f_to_dtype(Kind::Double, false, false)?;
    Ok([gradient, update])
}
