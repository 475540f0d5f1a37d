//! One simulation: MuJoCo's state, stepped under guard.

use std::sync::Arc;

use mujoco_rs::error::MjDataError;
use mujoco_rs::mujoco_c::{mjMAXVAL, mjtState};
use mujoco_rs::wrappers::mj_data::{MjData, MjtWarning};
use mujoco_rs::wrappers::mj_model::MjModel;

use crate::error::{EngineError, Result};
use crate::ledger::Ledger;

/// Warnings after which the state means nothing; the others (full buffers) only lose contacts.
const FATAL: [(MjtWarning, &str); 4] = [
    (MjtWarning::mjWARN_BADQPOS, "qpos"),
    (MjtWarning::mjWARN_BADQVEL, "qvel"),
    (MjtWarning::mjWARN_BADQACC, "qacc"),
    (MjtWarning::mjWARN_BADCTRL, "ctrl"),
];

/// A loaded model, shared by its simulations.
pub(super) type Model = Arc<MjModel>;

/// What an environment step computes beyond what its last physics step leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// Nothing that the task reads is missing.
    Nothing,
    /// Contact forces on the bodies, which Gymnasium computes after every step: 1 to 2 % of a small task's step.
    ContactForces,
    /// All that follows from positions and velocities.
    All,
}

/// A model's moving state.
pub(super) struct Simulator {
    data: MjData<Model>,
    afterwards: Afterwards,
}

impl Simulator {
    /// At the model's own start.
    ///
    /// # Errors
    /// `MODEL_INVALID` when MuJoCo cannot allocate the state; `path` names the model's file.
    pub fn new(model: Model, afterwards: Afterwards, path: &str) -> Result<Self> {
        let invalid = |error: MjDataError| EngineError::ModelInvalid {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        Ok(Self { data: MjData::try_new(model).map_err(invalid)?, afterwards })
    }

    /// Another simulation of the same model, at its start.
    ///
    /// # Errors
    /// `MODEL_INVALID` as for [`Self::new`].
    pub fn sibling(&self, path: &str) -> Result<Self> {
        Self::new(self.data.model_clone(), self.afterwards, path)
    }

    /// Bytes of its own state; the model is shared.
    pub fn bytes(&self) -> u64 {
        self.data.narena() as u64 + self.data.nbuffer() as u64
    }

    /// Everything that MuJoCo's next steps depend on, its warm start included.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        const EVERYTHING: u32 = mjtState::mjSTATE_INTEGRATION as u32;
        let mut state = self.data.state(EVERYTHING).into_vec();
        ledger.values("state", &mut state)?;
        if ledger.is_reading() {
            let refused = |error: MjDataError| EngineError::CheckpointCorrupt {
                path: "the simulator's state".to_owned(),
                reason: error.to_string(),
            };
            self.data.set_state(&state, EVERYTHING).map_err(refused)?;
        }
        Ok(())
    }

    /// All that MuJoCo holds, to read.
    pub fn data(&self) -> &MjData<Model> {
        &self.data
    }

    /// Generalised positions `[nq]`.
    pub fn qpos(&self) -> &[f64] {
        self.data.qpos()
    }

    /// Generalised velocities `[nv]`.
    pub fn qvel(&self) -> &[f64] {
        self.data.qvel()
    }

    /// Positions to write between [`Self::reset`] and [`Self::forward`].
    pub fn qpos_mut(&mut self) -> &mut [f64] {
        self.data.qpos_mut()
    }

    /// Velocities to write between [`Self::reset`] and [`Self::forward`].
    pub fn qvel_mut(&mut self) -> &mut [f64] {
        self.data.qvel_mut()
    }

    /// Back to the model's own start; warm start, time and warnings too.
    pub fn reset(&mut self) {
        self.data.reset();
    }

    /// Computes what follows from positions and velocities, without moving in time.
    pub fn forward(&mut self) {
        self.data.forward();
        if self.afterwards == Afterwards::All {
            self.complete();
        }
    }

    /// What `mj_forward` leaves out: contact forces on the bodies, velocities of subtrees.
    fn complete(&mut self) {
        self.data.rne_post_constraint();
        self.data.subtree_vel();
    }

    /// Holds `control` `[nu]` for `steps` physics steps. MuJoCo clamps it to the control range itself and leaves
    /// what was written unclamped. Derived quantities stay, unless the task wants them anew, as the integrator left them
    /// (under RK4 from its last stage, under Euler from the last physics step's start): refreshing them would be another
    /// task.
    ///
    /// # Errors
    /// `SIM_UNSTABLE`, at the first physics step after which the state means nothing.
    pub fn advance(&mut self, control: &[f64], steps: usize) -> Result<()> {
        self.data.ctrl_mut().copy_from_slice(control);
        for _ in 0..steps {
            // cleared each time: what is counted afterwards belongs to this step
            for warning in self.data.warning_mut() {
                warning.number = 0;
            }
            let time = self.data.time();
            self.data.step();
            self.check(time)?;
        }
        match self.afterwards {
            Afterwards::Nothing => {}
            Afterwards::ContactForces => self.data.rne_post_constraint(),
            Afterwards::All => self.forward(),
        }
        Ok(())
    }

    /// Refuses a state that MuJoCo complained about, that left the range of numbers it can continue from, or
    /// that did not move on from `time`.
    fn check(&self, time: f64) -> Result<()> {
        let unstable = |reason| Err(EngineError::Unstable { reason });
        for (name, values) in
            [("qpos", self.data.qpos()), ("qvel", self.data.qvel()), ("qacc", self.data.qacc())]
        {
            if let Some(index) = values.iter().position(|&value| !usable(value)) {
                return unstable(format!("{name}[{index}] is {}", values[index]));
            }
        }
        for (warning, name) in FATAL {
            if self.data.warning()[warning as usize].number > 0 {
                return unstable(format!("{name} left the range of ±{mjMAXVAL:e} inside a physics step"));
            }
        }
        if self.data.time() > time { Ok(()) } else { unstable(format!("time stopped at {time} s")) }
    }
}

/// Finite, and within the magnitude that MuJoCo itself accepts; NaN is not.
fn usable(value: f64) -> bool {
    value.abs() <= mjMAXVAL
}
