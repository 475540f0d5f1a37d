//! Loading a model file, and proof that it is the task's model.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use mujoco_rs::mujoco_c::mjtDisableBit;
use mujoco_rs::wrappers::mj_model::{MjModel, MjtObjBase, MjtTrn};

use super::measure;
use super::messages;
use super::simulator::Model;
use super::task::{Actuator, Fingerprint};
use crate::error::{EngineError, Result};

/// Tables state masses to six decimals.
const MASS_TOLERANCE: f64 = 1e-6;

/// How much of a fingerprint a file must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// All of it: the file is the task's own.
    Same,
    /// Sizes, contacts, driven joints and ranges of the actions, so that the task's rules apply: the file is the user's.
    Fits,
}

/// A file as it was when its model was loaded.
type Version = (PathBuf, SystemTime, u64);

/// Models in use in this process. Only who begins an environment looks here, never who steps one.
static IN_USE: Mutex<Vec<(Version, Weak<MjModel>)>> = Mutex::new(Vec::new());

/// As [`load`], for a file that is read only: sessions in one process share its model while any of them uses it.
///
/// # Errors
/// As [`load`].
pub(super) fn shared(path: &Path) -> Result<Model> {
    let facts = path.metadata().and_then(|facts| Ok((facts.modified()?, facts.len())));
    let Ok((modified, bytes)) = facts else { return load(path) };
    let version = (path.to_owned(), modified, bytes);
    // also keeps a second caller from loading what the first is about to have
    let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    in_use.retain(|(_, model)| model.strong_count() > 0);
    let known = in_use.iter().find(|(known, _)| *known == version);
    if let Some(model) = known.and_then(|(_, model)| model.upgrade()) {
        return Ok(model);
    }
    let model = load(path)?;
    in_use.push((version, Arc::downgrade(&model)));
    Ok(model)
}

/// Loads a model file.
///
/// # Errors
/// `MODEL_MISSING`, `MODEL_INVALID`.
pub(super) fn load(path: &Path) -> Result<Model> {
    let name = path.display().to_string();
    if !path.is_file() {
        return Err(EngineError::ModelMissing { path: name });
    }
    messages::install();
    let mut model = MjModel::from_xml(path).map_err(|error| {
        // one line: MuJoCo puts the place on a second
        let reason = error.to_string().trim_end().replace('\n', ", ");
        EngineError::ModelInvalid { path: name, reason }
    })?;
    // a diverged state must be reported, not silently replaced by the start
    model.opt_mut().disableflags |= mjtDisableBit::mjDSBL_AUTORESET as i32;
    Ok(Arc::new(model))
}

/// Compares what is known of the task's model with what was loaded from `path`.
///
/// # Errors
/// `MODEL_FINGERPRINT`; `MODEL_INVALID` for a joint that is not there.
pub(super) fn check(model: &MjModel, expected: &Fingerprint, proof: Proof, path: &str) -> Result<()> {
    let count =
        |quantity, got: i64, expected: usize| require(path, quantity, got as f64, expected as f64, 0.0);
    count("bodies", model.nbody(), expected.bodies)?;
    count("nq", model.nq(), expected.nq)?;
    count("nv", model.nv(), expected.nv)?;
    count("nu", model.nu(), expected.actuators.len())?;
    let touching = |touches: bool| f64::from(u8::from(touches));
    require(path, "contacts, 1 on or 0 off", touching(contacts(model)), touching(expected.contacts), 0.0)?;
    if proof == Proof::Same {
        require(path, "timestep", model.opt().timestep, expected.timestep, 0.0)?;
        require(path, "mass", model.body_mass().iter().sum(), expected.mass, MASS_TOLERANCE)?;
    }
    for (index, actuator) in expected.actuators.iter().enumerate() {
        let joint = measure::joint(model, &actuator.joint)
            .map_err(|lacking| EngineError::ModelInvalid { path: path.to_owned(), reason: lacking.reason })?;
        count("joint driven by an actuator", driven_joint(model, index).map_or(-1, |id| id as i64), joint)?;
        if proof == Proof::Same {
            require(path, "gear of an actuator", model.actuator_gear()[index][0], actuator.gear, 0.0)?;
        }
        let [low, high] = model.actuator_ctrlrange()[index];
        require(path, "low end of a control range", low, actuator.low, 0.0)?;
        require(path, "high end of a control range", high, actuator.high, 0.0)?;
    }
    Ok(())
}

/// The fingerprint of a model of the user's.
///
/// # Errors
/// `MODEL_INVALID` when an action has no range: nothing could say what ±1 of a policy means.
pub(super) fn fingerprint(model: &MjModel, path: &str) -> Result<Fingerprint> {
    let actuator = |index: usize| {
        let [low, high] = model.actuator_ctrlrange()[index];
        if !(low < high && low.is_finite() && high.is_finite()) {
            let reason = format!("actuator {index} has no ctrlrange");
            return Err(EngineError::ModelInvalid { path: path.to_owned(), reason });
        }
        let joint = driven_joint(model, index).and_then(|id| model.id_to_name(MjtObjBase::mjOBJ_JOINT, id));
        let joint = joint.unwrap_or_default().to_owned().into();
        Ok(Actuator { joint, gear: model.actuator_gear()[index][0], low, high })
    };
    Ok(Fingerprint {
        file: path.to_owned().into(),
        sha256: "".into(),
        bodies: model.nbody() as usize,
        mass: model.body_mass().iter().sum(),
        nq: model.nq() as usize,
        nv: model.nv() as usize,
        timestep: model.opt().timestep,
        contacts: contacts(model),
        actuators: (0..model.nu() as usize).map(actuator).collect::<Result<_>>()?,
    })
}

/// Whether contacts are computed.
fn contacts(model: &MjModel) -> bool {
    model.opt().disableflags & mjtDisableBit::mjDSBL_CONTACT as i32 == 0
}

/// Id of the joint that an actuator drives, if it drives one.
fn driven_joint(model: &MjModel, actuator: usize) -> Option<usize> {
    match model.actuator_trntype()[actuator] {
        MjtTrn::mjTRN_JOINT => usize::try_from(model.actuator_trnid()[actuator][0]).ok(),
        _ => None,
    }
}

fn require(path: &str, quantity: &'static str, got: f64, expected: f64, tolerance: f64) -> Result<()> {
    if (got - expected).abs() <= tolerance {
        Ok(())
    } else {
        Err(EngineError::ModelFingerprint { path: path.to_owned(), quantity, expected, got })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::shared;

    #[test]
    fn a_model_is_shared_while_it_is_used_and_its_file_is_the_same() {
        let path = std::env::temp_dir().join(format!("virel-shared-{}.xml", std::process::id()));
        let write = |mass: &str| {
            let body = format!("<body><freejoint/><geom size='1' mass='{mass}'/></body>");
            std::fs::write(&path, format!("<mujoco><worldbody>{body}</worldbody></mujoco>")).unwrap();
        };
        write("1");
        let first = shared(&path).unwrap();
        assert!(Arc::ptr_eq(&first, &shared(&path).unwrap()));
        write("2.5");
        let changed = shared(&path).unwrap();
        assert!(!Arc::ptr_eq(&first, &changed));
        assert_eq!((first.body_mass()[1], changed.body_mass()[1]), (1.0, 2.5));
        drop((first, changed));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(shared(&path).unwrap_err().code(), "MODEL_MISSING");
    }
}
