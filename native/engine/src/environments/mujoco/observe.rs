//! Runs of an observation bound to a loaded model: names looked up once, then only copying, without allocation.

use std::ops::Range;

use mujoco_rs::wrappers::mj_data::MjData;
use mujoco_rs::wrappers::mj_model::MjModel;

use super::measure::{Lacking, body};
use super::simulator::Model;
use super::task::{Field, Map, Segment};

/// Where the simulator keeps a run of values.
#[derive(Debug, Clone)]
enum Source {
    Positions,
    Velocities,
    ActuatorForces,
    ConstraintForces,
    BodyInertias,
    BodyVelocities,
    ContactForces,
    Body(usize),
    Offset(usize, usize),
    SubtreeCentre(usize),
}

/// A segment with its place.
#[derive(Debug, Clone)]
pub(super) struct View {
    source: Source,
    /// Values, not rows.
    range: Range<usize>,
    map: Map,
}

impl View {
    /// Whether it reads what a physics step does not compute.
    pub const fn reads_contact_forces(&self) -> bool {
        matches!(self.source, Source::ContactForces)
    }

    /// Looks a segment up.
    pub fn of(segment: &Segment, model: &MjModel) -> Result<Self, Lacking> {
        let (nq, nv, bodies) = (model.nq() as usize, model.nv() as usize, model.nbody() as usize);
        let (source, word, rows) = match &segment.field {
            Field::Positions => (Source::Positions, "positions", nq),
            Field::Velocities => (Source::Velocities, "velocities", nv),
            Field::ActuatorForces => (Source::ActuatorForces, "actuatorForces", nv),
            Field::ConstraintForces => (Source::ConstraintForces, "constraintForces", nv),
            Field::BodyInertias => (Source::BodyInertias, "bodyInertias", bodies),
            Field::BodyVelocities => (Source::BodyVelocities, "bodyVelocities", bodies),
            Field::ContactForces => (Source::ContactForces, "contactForces", bodies),
            Field::Body(name) => (Source::Body(body(model, name)?), "coordinates", 3),
            Field::Offset(to, from) => {
                (Source::Offset(body(model, to)?, body(model, from)?), "coordinates", 3)
            }
            Field::SubtreeCentre(name) => (Source::SubtreeCentre(body(model, name)?), "coordinates", 3),
        };
        let (Range { start, end }, width) = (&segment.rows, segment.field.width());
        if start > end || *end > rows {
            let reason = format!("{word} {start}..{end} asked for, the model has {rows}");
            return Err(Lacking { name: word.to_owned(), reason });
        }
        Ok(Self { source, range: start * width..end * width, map: segment.map })
    }

    /// Fills the first values of `into`; gives the rest back.
    pub fn read<'a>(&self, data: &MjData<Model>, into: &'a mut [f64]) -> &'a mut [f64] {
        let (values, rest) = into.split_at_mut(self.range.len());
        let offset;
        let from: &[f64] = match self.source {
            Source::Positions => data.qpos(),
            Source::Velocities => data.qvel(),
            Source::ActuatorForces => data.qfrc_actuator(),
            Source::ConstraintForces => data.qfrc_constraint(),
            Source::BodyInertias => data.cinert().as_flattened(),
            Source::BodyVelocities => data.cvel().as_flattened(),
            Source::ContactForces => data.cfrc_ext().as_flattened(),
            Source::Body(body) => &data.xpos()[body],
            Source::Offset(to, from) => {
                let (to, from) = (data.xpos()[to], data.xpos()[from]);
                offset = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
                &offset
            }
            Source::SubtreeCentre(body) => &data.subtree_com()[body],
        };
        values.copy_from_slice(&from[self.range.clone()]);
        match self.map {
            Map::Identity => {}
            Map::Clip(low, high) => values.iter_mut().for_each(|value| *value = value.clamp(low, high)),
            Map::Sine => values.iter_mut().for_each(|value| *value = value.sin()),
            Map::Cosine => values.iter_mut().for_each(|value| *value = value.cos()),
        }
        rest
    }
}
