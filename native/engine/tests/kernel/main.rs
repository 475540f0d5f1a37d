//! The kernel learner of every recipe that it runs against the f64 statement of the losses, and its bookkeeping.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod gradients;
mod products;
#[path = "../support/mod.rs"]
mod support;
mod threads;

use support::Case;
use support::losses::Oracle;
use support::recipes::{MPO_GIVEN, VARIANTS, Variant};
use virel_engine::learner::LearnerConfig;
use virel_engine::learner::kernel::KernelLearner;
use virel_engine::networks::layout::Sizes;
use virel_engine::recipe::MStepKind;

/// Every recipe but those with a projected M-step, which takes second derivatives.
fn variants() -> impl Iterator<Item = Variant> {
    VARIANTS.into_iter().chain([MPO_GIVEN]).filter(|variant| variant.recipe.m_step == MStepKind::Direct)
}

fn sizes(observation: usize, action: usize, policy_hidden: &[usize], hidden: &[usize]) -> Sizes {
    let (policy_hidden, hidden) = (policy_hidden.to_vec(), hidden.to_vec());
    Sizes { observation, action, policy_hidden, hidden, action_values: 1 }
}

/// Widths that no two layers share, where a swap could hide.
fn tiny() -> Sizes {
    sizes(4, 2, &[8, 5], &[7, 6])
}

fn learner_with(case: &Case, config: LearnerConfig) -> KernelLearner {
    KernelLearner::new(config, &case.parameters).unwrap()
}

fn learner(case: &Case) -> KernelLearner {
    learner_with(case, case.config())
}

/// A case whose kinks are all further than `distance` away.
fn smooth_case(variant: Variant, seed: u64, sizes: &Sizes, rows: usize, scale: f64, distance: f64) -> Case {
    let cases = (0..1000).map(|attempt| Case::of(variant, 1000 * seed + attempt, sizes.clone(), rows, scale));
    let mut smooth = cases.filter(|case| Oracle::new(case, &case.parameters).kink_distance() > distance);
    smooth.next().unwrap_or_else(|| panic!("{}: no case without a kink", variant.name))
}
