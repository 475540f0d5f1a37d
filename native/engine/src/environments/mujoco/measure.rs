//! Quantities bound to a loaded model: names looked up once, then only reading, without allocation.

use mujoco_rs::wrappers::mj_data::MjData;
use mujoco_rs::wrappers::mj_model::{MjModel, MjtJoint, MjtObjBase};

use super::simulator::Model;
use super::task::Quantity;

/// What a task asks for and its model does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lacking {
    /// As the task writes it, where it is a name.
    pub name: String,
    /// What is wrong, and what there is instead.
    pub reason: String,
}

/// Where the simulator keeps a quantity.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Address {
    Position(usize),
    Velocity(usize),
    /// Body and axis.
    Body(usize, usize),
    /// Site and axis.
    Site(usize, usize),
    CentreOfMass(usize),
    /// Body and axis.
    SubtreeVelocity(usize, usize),
    /// Two bodies.
    Distance(usize, usize),
    Norm(Vec<Address>),
    SquaredContactForces(f64, f64),
}

impl Address {
    /// Whether it reads what a physics step does not compute.
    pub fn reads_contact_forces(&self) -> bool {
        match self {
            Self::SquaredContactForces(..) => true,
            Self::Norm(all) => all.iter().any(Self::reads_contact_forces),
            _ => false,
        }
    }

    /// Looks a quantity up.
    pub fn of(quantity: &Quantity, model: &MjModel) -> Result<Self, Lacking> {
        Ok(match quantity {
            Quantity::Joint(name) => Self::Position(model.jnt_qposadr()[scalar_joint(model, name)?] as usize),
            Quantity::JointVelocity(name) => {
                Self::Velocity(model.jnt_dofadr()[scalar_joint(model, name)?] as usize)
            }
            Quantity::Position(index) if (*index as i64) < model.nq() => Self::Position(*index),
            Quantity::Position(index) => {
                let reason = format!("position {index} asked for, it has {}", model.nq());
                return Err(Lacking { name: index.to_string(), reason });
            }
            Quantity::Body(name, axis) => Self::Body(body(model, name)?, axis.index()),
            Quantity::Site(name, axis) => {
                Self::Site(find(model, MjtObjBase::mjOBJ_SITE, "site", name)?, axis.index())
            }
            Quantity::CentreOfMass(axis) => Self::CentreOfMass(axis.index()),
            Quantity::SubtreeVelocity(name, axis) => Self::SubtreeVelocity(body(model, name)?, axis.index()),
            Quantity::Distance(from, to) => Self::Distance(body(model, from)?, body(model, to)?),
            Quantity::Norm(all) => {
                Self::Norm(all.iter().map(|each| Self::of(each, model)).collect::<Result<_, _>>()?)
            }
            Quantity::SquaredContactForces { low, high } => Self::SquaredContactForces(*low, *high),
        })
    }

    /// The quantity now.
    pub fn read(&self, data: &MjData<Model>) -> f64 {
        match *self {
            Self::Position(index) => data.qpos()[index],
            Self::Velocity(index) => data.qvel()[index],
            Self::Body(body, axis) => data.xpos()[body][axis],
            Self::Site(site, axis) => data.site_xpos()[site][axis],
            Self::CentreOfMass(axis) => {
                let masses = data.model().body_mass();
                let moment: f64 =
                    masses.iter().zip(data.xipos()).map(|(mass, place)| mass * place[axis]).sum();
                moment / masses.iter().sum::<f64>()
            }
            Self::SubtreeVelocity(body, axis) => data.subtree_linvel()[body][axis],
            Self::Distance(from, to) => {
                let places = data.xpos();
                let squares = places[from].iter().zip(&places[to]).map(|(a, b)| (a - b) * (a - b));
                squares.sum::<f64>().sqrt()
            }
            Self::Norm(ref all) => all
                .iter()
                .map(|each| {
                    let value = each.read(data);
                    value * value
                })
                .sum::<f64>()
                .sqrt(),
            Self::SquaredContactForces(low, high) => {
                let forces = data.cfrc_ext().as_flattened().iter();
                forces.map(|force| force.clamp(low, high)).map(|force| force * force).sum()
            }
        }
    }
}

/// The body of this name.
pub(super) fn body(model: &MjModel, name: &str) -> Result<usize, Lacking> {
    find(model, MjtObjBase::mjOBJ_BODY, "body", name)
}

/// The joint of this name.
pub(super) fn joint(model: &MjModel, name: &str) -> Result<usize, Lacking> {
    find(model, MjtObjBase::mjOBJ_JOINT, "joint", name)
}

/// The joint of this name, which must have a single position.
fn scalar_joint(model: &MjModel, name: &str) -> Result<usize, Lacking> {
    let id = joint(model, name)?;
    match model.jnt_type()[id] {
        MjtJoint::mjJNT_SLIDE | MjtJoint::mjJNT_HINGE => Ok(id),
        MjtJoint::mjJNT_FREE | MjtJoint::mjJNT_BALL => {
            let reason = format!("joint {name} has no single position: it is no slide or hinge");
            Err(Lacking { name: name.to_owned(), reason })
        }
    }
}

fn find(model: &MjModel, kind: MjtObjBase, word: &str, name: &str) -> Result<usize, Lacking> {
    // a name with NUL inside cannot be one of MuJoCo's
    let known = || (0..).map_while(|id| id_to_name(model, kind, id));
    let found = if name.contains('\0') { None } else { model.name_to_id(kind, name) };
    found.ok_or_else(|| {
        let names = known().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { "none with a name".to_owned() } else { names };
        Lacking { name: name.to_owned(), reason: format!("no {word} named {name}; the model has {names}") }
    })
}

/// Name of an object, empty if it has none; nothing beyond the last object.
fn id_to_name(model: &MjModel, kind: MjtObjBase, id: usize) -> Option<&str> {
    let count = match kind {
        MjtObjBase::mjOBJ_JOINT => model.njnt(),
        MjtObjBase::mjOBJ_SITE => model.nsite(),
        _ => model.nbody(),
    };
    ((id as i64) < count).then(|| model.id_to_name(kind, id).unwrap_or_default())
}
