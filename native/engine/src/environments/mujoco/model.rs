//! Loading a model file, and proof that it is the task's model.

use std::path::Path;
use std::sync::Arc;

use mujoco_rs::mujoco_c::mjtDisableBit;
use mujoco_rs::wrappers::mj_model::{MjModel, MjtObjBase, MjtTrn};

use super::messages;
use super::task::Fingerprint;
use crate::error::{EngineError, Result};

/// Tables state masses to six decimals.
const MASS_TOLERANCE: f64 = 1e-6;

/// Loads `fingerprint.file` from `directory` and compares it with the fingerprint.
///
/// # Errors
/// `MODEL_MISSING`, `MODEL_INVALID`, `MODEL_FINGERPRINT`.
pub(super) fn load(directory: &Path, fingerprint: &Fingerprint) -> Result<Arc<MjModel>> {
    let path = directory.join(fingerprint.file.as_ref());
    let name = path.display().to_string();
    if !path.is_file() {
        return Err(EngineError::ModelMissing { path: name });
    }
    messages::install();
    let mut model = MjModel::from_xml(&path).map_err(|error| {
        // one line: MuJoCo puts the place on a second
        let reason = error.to_string().trim_end().replace('\n', ", ");
        EngineError::ModelInvalid { path: name.clone(), reason }
    })?;
    check(&model, fingerprint, &name)?;
    // a diverged state must be reported, not silently replaced by the start
    model.opt_mut().disableflags |= mjtDisableBit::mjDSBL_AUTORESET as i32;
    Ok(Arc::new(model))
}

/// Compares what is known of the task's model with what was loaded.
fn check(model: &MjModel, expected: &Fingerprint, path: &str) -> Result<()> {
    let count =
        |quantity, got: i64, expected: usize| require(path, quantity, got as f64, expected as f64, 0.0);
    count("bodies", model.nbody(), expected.bodies)?;
    count("nq", model.nq(), expected.nq)?;
    count("nv", model.nv(), expected.nv)?;
    count("nu", model.nu(), expected.actuators.len())?;
    require(path, "timestep", model.opt().timestep, expected.timestep, 0.0)?;
    require(path, "mass", model.body_mass().iter().sum(), expected.mass, MASS_TOLERANCE)?;

    for (index, actuator) in expected.actuators.iter().enumerate() {
        let joint = model
            .name_to_id(MjtObjBase::mjOBJ_JOINT, &actuator.joint)
            .ok_or_else(|| no_joint(path, &actuator.joint))?;
        count("joint driven by an actuator", driven_joint(model, index), joint)?;
        require(path, "gear of an actuator", model.actuator_gear()[index][0], actuator.gear, 0.0)?;
        let [low, high] = model.actuator_ctrlrange()[index];
        require(path, "low end of a control range", low, actuator.low, 0.0)?;
        require(path, "high end of a control range", high, actuator.high, 0.0)?;
    }
    Ok(())
}

/// Id of the joint that an actuator drives; -1 when it drives something else.
fn driven_joint(model: &MjModel, actuator: usize) -> i64 {
    match model.actuator_trntype()[actuator] {
        MjtTrn::mjTRN_JOINT => i64::from(model.actuator_trnid()[actuator][0]),
        _ => -1,
    }
}

/// A joint that the task names and the model lacks.
pub(super) fn no_joint(path: &str, joint: &str) -> EngineError {
    EngineError::ModelInvalid { path: path.to_owned(), reason: format!("has no joint named {joint}") }
}

fn require(path: &str, quantity: &'static str, got: f64, expected: f64, tolerance: f64) -> Result<()> {
    if (got - expected).abs() <= tolerance {
        Ok(())
    } else {
        Err(EngineError::ModelFingerprint { path: path.to_owned(), quantity, expected, got })
    }
}
