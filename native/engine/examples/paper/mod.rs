//! The paper's learner on shapes of a task.

#[allow(dead_code, reason = "the tests read the rest")]
#[path = "../../tests/support/recipes.rs"]
pub mod recipes;

use virel_engine::learner::kernel::sgemm::Gemm;
use virel_engine::learner::{Bootstrap, KlBounds, LearnerConfig, Optimisers, ProjectedSteps};
use virel_engine::networks::layout::Sizes;

/// Rows of a batch and width of both hidden layers, as in the paper.
pub const BATCH: usize = 128;
const HIDDEN: usize = 300;

/// virel with the paper's sizes; what it does not read is 0.
pub fn config(observation: usize, action: usize, threads: usize, gemm: Gemm) -> LearnerConfig {
    let hidden = vec![HIDDEN; 2];
    LearnerConfig {
        recipe: recipes::VIREL.recipe,
        sizes: Sizes { observation, action, policy_hidden: hidden.clone(), hidden, action_values: 1 },
        batch: BATCH,
        samples: 1,
        discount: 0.99,
        optimisers: Optimisers {
            policy_learning_rate: 3e-4,
            action_value_learning_rate: 3e-4,
            state_value_learning_rate: 3e-4,
            temperature_learning_rate: 0.0,
            target_update_rate: 1e-3,
        },
        mean_regulariser: 1e-3,
        log_std_regulariser: 1e-3,
        value_loss_factor: 1.0,
        target_entropy: 0.0,
        kl_bounds: KlBounds { dual: 0.0, mean: 0.0, covariance: 0.0 },
        projected: ProjectedSteps {
            value_step: 0.0,
            value_decay: 0.0,
            auxiliary_step: 0.0,
            auxiliary_decay: 0.0,
            scale: 1.0,
            radius: 0.0,
            leak: 0.0,
        },
        residual_bootstrap: Bootstrap::Online,
        threads,
        gemm,
    }
}
