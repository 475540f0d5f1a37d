//! What every learner of either engine must do, said once: actions, values, refusals, optimisers, targets, norms; and that
//! both do the same. Gradients against the equations lie with each engine, whose precisions differ.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

/// Makes tests of functions that take the learner as a type, one for each engine.
macro_rules! of_both_engines {
    ($($test:ident),+ $(,)?) => {
        mod kernel {
            $(#[test] fn $test() { super::$test::<virel_engine::learner::kernel::KernelLearner>(); })+
        }
        mod tensor {
            $(#[test] fn $test() { super::$test::<virel_engine::learner::tensor::TensorLearner>(); })+
        }
    };
}

mod agreement;
mod gpu;
mod gradients;
mod interface;
mod steps;
#[path = "../support/mod.rs"]
mod support;

use support::Case;
use support::recipes::{MPO_GIVEN, VARIANTS, Variant};
use tch::{Device, Kind};
use virel_engine::error::Result;
use virel_engine::learner::kernel::KernelLearner;
use virel_engine::learner::tensor::TensorLearner;
use virel_engine::learner::{Learner, LearnerConfig};
use virel_engine::networks::layout::{Parameter, Sizes};
use virel_engine::recipe::MStepKind;

/// A learner as these tests build it: in f32, on the CPU.
trait Built: Learner + Sized {
    /// M-steps that it runs.
    const M_STEPS: &'static [MStepKind];

    fn build(config: LearnerConfig, initial: &[Parameter]) -> Result<Self>;
}

impl Built for KernelLearner {
    // the projected one takes second derivatives
    const M_STEPS: &'static [MStepKind] = &[MStepKind::Direct];

    fn build(config: LearnerConfig, initial: &[Parameter]) -> Result<Self> {
        Self::new(config, initial)
    }
}

impl Built for TensorLearner {
    const M_STEPS: &'static [MStepKind] = &[MStepKind::Direct, MStepKind::Projected];

    fn build(config: LearnerConfig, initial: &[Parameter]) -> Result<Self> {
        Self::new(config, initial, Device::Cpu, Kind::Float)
    }
}

/// Every recipe with one of these M-steps.
fn variants(m_steps: &[MStepKind]) -> impl Iterator<Item = Variant> {
    VARIANTS.into_iter().chain([MPO_GIVEN]).filter(|variant| m_steps.contains(&variant.recipe.m_step))
}

fn sizes(observation: usize, action: usize, policy_hidden: &[usize], hidden: &[usize]) -> Sizes {
    let (policy_hidden, hidden) = (policy_hidden.to_vec(), hidden.to_vec());
    Sizes { observation, action, policy_hidden, hidden, action_values: 1 }
}

/// Widths that no two layers share, where a swap could hide.
fn tiny() -> Sizes {
    sizes(4, 2, &[8, 5], &[7, 6])
}

fn learner_with<L: Built>(case: &Case, config: LearnerConfig) -> L {
    L::build(config, &case.parameters).unwrap()
}

fn learner<L: Built>(case: &Case) -> L {
    learner_with(case, case.config())
}
