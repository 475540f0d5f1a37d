//! What a learner expects of its config and of what it is called with, said once for both engines.

use super::{LearnerConfig, MOST_ACTION_VALUES};
use crate::error::{EngineError, Result, expect_finite, expect_len};
use crate::networks::layout::{Networks, Parameter, Sizes};
use crate::recipe::{MStepKind, PolicyKind};
use crate::replay::batch::Batch;
use crate::replay::rows::Rows;

/// Checks the parts, and the numbers that every learner needs to be positive.
///
/// # Errors
/// `RECIPE_UNSUPPORTED` for parts that do not fit each other, `CONFIG_RANGE` naming the first number that is 0, or more
/// action values than two.
pub fn expect_config(config: &LearnerConfig) -> Result<()> {
    config.recipe.expect_coherent()?;
    let sizes = &config.sizes;
    let narrowest = sizes.hidden.iter().chain(&sizes.policy_hidden).copied().min();
    let checks = [
        ("observation width", sizes.observation),
        ("action width", sizes.action),
        ("number of hidden layers", sizes.hidden.len().min(sizes.policy_hidden.len())),
        ("width of a hidden layer", narrowest.unwrap_or_default()),
        ("number of action values", sizes.action_values),
        ("batch", config.batch),
        ("samples", config.samples),
        ("threads", config.threads),
    ];
    if let Some((name, value)) = checks.into_iter().find(|&(_, value)| value == 0) {
        return Err(EngineError::OutOfRange { name, expected: "at least 1", got: value.to_string() });
    }
    if sizes.action_values > MOST_ACTION_VALUES {
        let (name, got) = ("number of action values", sizes.action_values.to_string());
        return Err(EngineError::OutOfRange { name, expected: "at most 2", got });
    }
    if config.recipe.m_step == MStepKind::Projected && sizes.action_values != 1 {
        let reason = "the projected M-step with several action values".to_owned();
        return Err(EngineError::RecipeUnsupported { engine: "every", recipe: reason });
    }
    Ok(())
}

/// Checks that the initial parameters are all there.
///
/// # Errors
/// `PARAMETER_SHAPE`, naming the first that is missing.
pub fn expect_all(networks: &Networks, initial: &[Parameter]) -> Result<()> {
    let missing = networks
        .all()
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
pub fn expect_parameters(networks: &Networks, parameters: &[Parameter]) -> Result<()> {
    let known = networks.all();
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

/// Checks that a batch has rows (a mean needs one), that it has the widths of the networks, and that the noise holds
/// `draws` actions a row.
///
/// # Errors
/// `LENGTH_MISMATCH`.
pub fn expect_batch(sizes: &Sizes, batch: &Batch<'_>, noise: &[f32], draws: usize) -> Result<()> {
    let rows = batch.rows();
    if rows == 0 {
        return Err(EngineError::LengthMismatch { name: "rewards", expected: 1, got: 0 });
    }
    expect_len("observations", batch.observations.len(), rows * sizes.observation)?;
    expect_len("actions", batch.actions.len(), rows * sizes.action)?;
    expect_len("nextObservations", batch.next_observations.len(), rows * sizes.observation)?;
    expect_len("discounts", batch.discounts.len(), rows)?;
    expect_len("noise", noise.len(), rows * draws * sizes.action)
}

/// [`expect_batch`] of rows that may be in a replay buffer yet.
///
/// # Errors
/// `LENGTH_MISMATCH`.
pub fn expect_rows(sizes: &Sizes, rows: &Rows<'_>, noise: &[f32], draws: usize) -> Result<()> {
    match rows {
        Rows::Gathered(batch) => expect_batch(sizes, batch, noise, draws),
        Rows::Drawn { replay, indices } => {
            let (observation, action) = replay.widths();
            let count = indices.len();
            if count == 0 {
                return Err(EngineError::LengthMismatch { name: "indices", expected: 1, got: 0 });
            }
            expect_len("observations", count * observation, count * sizes.observation)?;
            expect_len("actions", count * action, count * sizes.action)?;
            expect_len("noise", noise.len(), count * draws * sizes.action)
        }
    }
}

/// T of a step: the given one, or the learner's own.
///
/// # Errors
/// `CONFIG_RANGE` where there is neither.
pub fn temperature_in_use(given: Option<f32>, own: Option<f32>) -> Result<f32> {
    given.or(own).ok_or_else(no_temperature)
}

/// A part reads T, and there is none.
pub fn no_temperature() -> EngineError {
    EngineError::OutOfRange {
        name: "temperature",
        expected: "a number, since this learner trains none",
        got: "none".to_owned(),
    }
}

/// Checks T of Boltzmann weights.
///
/// # Errors
/// `TEMPERATURE_NOT_POSITIVE`.
pub fn expect_positive(temperature: f32) -> Result<()> {
    if temperature > 0.0 { Ok(()) } else { Err(EngineError::TemperatureNotPositive { got: temperature }) }
}

/// The noise that a policy draws by: a deterministic one has none.
///
/// # Errors
/// `LENGTH_MISMATCH` for noise that it is given.
pub fn expect_noise(policy: PolicyKind, noise: Option<&[f32]>) -> Result<Option<&[f32]>> {
    match policy {
        PolicyKind::TanhGaussian => Ok(noise),
        PolicyKind::Deterministic => {
            expect_len("noise", noise.map_or(0, <[f32]>::len), 0)?;
            Ok(None)
        }
    }
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
