//! The tensor learner of every recipe against an independent statement of the losses, at both precisions, and its
//! bookkeeping.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod gradients;
mod operations;
mod projected;
mod repetition;
#[path = "../support/mod.rs"]
mod support;

use support::Case;
use support::losses::Oracle;
use support::recipes::{MPO_GIVEN, VARIANTS, Variant};
use tch::{Device, Kind};
use virel_engine::learner::tensor::TensorLearner;
use virel_engine::learner::{Learner as _, LearnerConfig, StepGradients};
use virel_engine::networks::layout::Sizes;

/// Widths that no two layers share, where a swap could hide.
fn tiny() -> Sizes {
    Sizes { observation: 4, action: 2, policy_hidden: vec![8, 5], hidden: vec![7, 6], action_values: 1 }
}

fn variants() -> impl Iterator<Item = Variant> {
    VARIANTS.into_iter().chain([MPO_GIVEN])
}

fn learner_with(case: &Case, config: LearnerConfig, kind: Kind) -> TensorLearner {
    TensorLearner::new(config, &case.parameters, Device::Cpu, kind).unwrap()
}

fn learner(case: &Case, kind: Kind) -> TensorLearner {
    learner_with(case, case.config(), kind)
}

fn gradients_of(case: &Case, kind: Kind) -> StepGradients {
    learner(case, kind).gradients(&case.batch(), &case.noise, case.temperature()).unwrap()
}

/// A case whose kinks are all further than `distance` away.
fn smooth_case(variant: Variant, seed: u64, sizes: &Sizes, rows: usize, scale: f64, distance: f64) -> Case {
    for attempt in 0..300 {
        let case = Case::of(variant, 1000 * seed + attempt, sizes.clone(), rows, scale);
        if Oracle::new(&case, &case.parameters).kink_distance() > distance {
            println!("{}, seed {seed}, scale {scale}: {attempt} cases redrawn", variant.name);
            return case;
        }
    }
    panic!("{}: no case without a kink", variant.name);
}
