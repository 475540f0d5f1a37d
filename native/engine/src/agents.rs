//! The algorithms: each a constant over one vocabulary of parts.

pub mod recipe;
mod virel;

use crate::error::{EngineError, Result};
use recipe::Recipe;

/// Every algorithm by its public name.
pub const AGENTS: [(&str, Recipe); 1] = [("virel", virel::VIREL)];

/// The recipe of an algorithm.
///
/// # Errors
/// `ALGORITHM_UNKNOWN`.
pub fn recipe(name: &str) -> Result<Recipe> {
    AGENTS.iter().find(|(known, _)| *known == name).map(|(_, recipe)| *recipe).ok_or_else(|| {
        let known = AGENTS.map(|(known, _)| known).join(", ");
        EngineError::AlgorithmUnknown { name: name.to_owned(), known }
    })
}
