//! The words of a task: quantities that the simulator holds, signals of a step, conditions, runs of an observation,
//! and how an episode starts. The same words, in the same spelling (camelCase), make up a task in JSON.

use std::ops::Range;

use serde::Deserialize;

use super::task::Name;

/// Of a vector in space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Axis {
    /// Forward.
    X,
    /// To the left.
    Y,
    /// Up.
    Z,
}

impl Axis {
    /// Place in a vector of three.
    pub const fn index(self) -> usize {
        match self {
            Self::X => 0,
            Self::Y => 1,
            Self::Z => 2,
        }
    }
}

/// A scalar that the simulator holds at any moment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Quantity {
    /// Position of a slide (m) or hinge (rad) joint, by its name.
    Joint(Name),
    /// Velocity of a slide (m/s) or hinge (rad/s) joint, by its name.
    JointVelocity(Name),
    /// Generalised position at an index; a free joint's are x, y, z and its quaternion.
    Position(usize),
    /// Coordinate of a body's frame (not its centre of mass), m.
    Body(Name, Axis),
    /// Coordinate of a site, m.
    Site(Name, Axis),
    /// Coordinate of the centre of mass of all bodies, m.
    CentreOfMass(Axis),
    /// Velocity of the centre of mass of a body and all below it, m/s; needs [`super::task::Refresh::Anew`].
    SubtreeVelocity(Name, Axis),
    /// Distance between the frames of two bodies, m.
    Distance(Name, Name),
    /// Euclidean norm of several quantities.
    Norm(Vec<Quantity>),
    /// Sum of squares of all external contact forces and torques, each first kept between two limits.
    SquaredContactForces {
        /// Smallest value, N or N m.
        #[serde(default = "lowest")]
        low: f64,
        /// Largest value, N or N m.
        #[serde(default = "highest")]
        high: f64,
    },
}

/// The position of a slide (m) or hinge (rad) joint.
pub const fn joint(name: &'static str) -> Quantity {
    Quantity::Joint(Name::Borrowed(name))
}

/// A coordinate of a body's frame, m.
pub const fn body(name: &'static str, axis: Axis) -> Quantity {
    Quantity::Body(Name::Borrowed(name), axis)
}

/// A coordinate of a site, m.
pub const fn site(name: &'static str, axis: Axis) -> Quantity {
    Quantity::Site(Name::Borrowed(name), axis)
}

/// Where a limit is left out in JSON.
pub(super) const fn lowest() -> f64 {
    f64::NEG_INFINITY
}

/// Where a limit is left out in JSON.
pub(super) const fn highest() -> f64 {
    f64::INFINITY
}

/// A scalar of one environment step. `Q` is how a quantity is named: by words in a task, by place in its rules.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Signal<Q = Quantity> {
    /// The quantity after the step.
    Now(Q),
    /// The quantity before the step.
    Before(Q),
    /// The quantity after the step, relative to the model's own start.
    FromStart(Q),
    /// Its change over the step, per second.
    Rate(Q),
    /// The quantity after the step, per second of a *physics* step (HumanoidStandup's height).
    PerTimestep(Q),
    /// Square of its distance from a number, after the step.
    SquaredFrom {
        /// The quantity.
        of: Q,
        /// The number.
        #[serde(default)]
        from: f64,
    },
    /// One, on every step.
    Always,
    /// One on a step that ends healthy, zero on another.
    WhileHealthy,
    /// Sum of squares of the raw action, before any clamping.
    SquaredAction,
}

/// (quantity − from)².
pub const fn squared_from(of: Quantity, from: f64) -> Signal {
    Signal::SquaredFrom { of, from }
}

/// What must hold after a step for it to be healthy. NaN fails all of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Condition<Q = Quantity> {
    /// Strictly between two numbers.
    Inside {
        /// The quantity.
        of: Q,
        /// It must be above this.
        #[serde(default = "lowest")]
        low: f64,
        /// It must be below this.
        #[serde(default = "highest")]
        high: f64,
    },
    /// Between two numbers, or equal to one.
    Within {
        /// The quantity.
        of: Q,
        /// It must not be below this.
        #[serde(default = "lowest")]
        low: f64,
        /// It must not be above this.
        #[serde(default = "highest")]
        high: f64,
    },
    /// Every value of the state (positions, then velocities) from `first` on lies strictly between two numbers.
    StateInside {
        /// Index of the first value.
        #[serde(default)]
        first: usize,
        /// They must be above this.
        #[serde(default = "lowest")]
        low: f64,
        /// They must be below this.
        #[serde(default = "highest")]
        high: f64,
    },
}

/// Strictly between the ends of `range`.
pub const fn inside(of: Quantity, [low, high]: [f64; 2]) -> Condition {
    Condition::Inside { of, low, high }
}

/// Between the ends of `range`, or equal to one.
pub const fn within(of: Quantity, [low, high]: [f64; 2]) -> Condition {
    Condition::Within { of, low, high }
}

/// What the values of an observation are read from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// Generalised positions, one value a row.
    Positions,
    /// Generalised velocities, one value a row.
    Velocities,
    /// Forces of the actuators on the generalised coordinates, one value a row.
    ActuatorForces,
    /// Forces of contacts and limits on the generalised coordinates, one value a row.
    ConstraintForces,
    /// Inertia and mass of each body about the centre of mass of its tree: ten values a body.
    BodyInertias,
    /// Velocity of each body about the centre of mass of its tree: six values a body, rotation first.
    BodyVelocities,
    /// External contact torque and force on each body: six values a body, torque first.
    ContactForces,
    /// Position of a body's frame, m: x, y, z.
    Body(Name),
    /// Position of the first body's frame relative to the second's, m: x, y, z.
    Offset(Name, Name),
    /// Centre of mass of a body and all below it, m: x, y, z.
    SubtreeCentre(Name),
}

impl Field {
    /// Values of one row.
    pub const fn width(&self) -> usize {
        match self {
            Self::Positions | Self::Velocities | Self::ActuatorForces | Self::ConstraintForces => 1,
            Self::BodyInertias => 10,
            Self::BodyVelocities | Self::ContactForces => 6,
            Self::Body(_) | Self::Offset(..) | Self::SubtreeCentre(_) => 1,
        }
    }
}

/// What is done to each value on its way into the observation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Map {
    /// Nothing.
    #[default]
    Identity,
    /// Kept between two numbers.
    Clip(f64, f64),
    /// Sine of an angle, rad.
    Sine,
    /// Cosine of an angle, rad.
    Cosine,
}

/// A run of an observation's values.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Where they come from.
    pub field: Field,
    /// Its rows: values, bodies, or axes of a vector.
    pub rows: Range<usize>,
    /// What is done to each.
    pub map: Map,
}

/// Rows of a field, as they are.
pub const fn rows(field: Field, rows: Range<usize>) -> Segment {
    Segment { field, rows, map: Map::Identity }
}

/// Generalised positions.
pub const fn positions(range: Range<usize>) -> Segment {
    rows(Field::Positions, range)
}

/// Generalised velocities.
pub const fn velocities(range: Range<usize>) -> Segment {
    rows(Field::Velocities, range)
}

impl Segment {
    /// The same values, changed by `map`.
    #[must_use]
    pub fn mapped(self, map: Map) -> Self {
        Self { map, ..self }
    }

    /// The same values, kept within ±`limit`.
    #[must_use]
    pub fn clipped(self, limit: f64) -> Self {
        self.mapped(Map::Clip(-limit, limit))
    }

    /// How many values it adds to the observation.
    pub(super) fn len(&self) -> usize {
        self.field.width() * self.rows.len()
    }
}

/// How an episode starts: the model's own start, noise on every coordinate, then what replaces some of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Reset {
    /// Added to the positions.
    pub positions: Noise,
    /// Added to the velocities, which start at zero.
    pub velocities: Noise,
    /// Positions drawn on their own, in order.
    pub draws: Vec<Draw>,
    /// Velocities from this index on are zero after all.
    pub still_from: Option<usize>,
}

/// Noise on the positions and the velocities, and nothing else.
pub const fn noise(positions: Noise, velocities: Noise) -> Reset {
    Reset { positions, velocities, draws: Vec::new(), still_from: None }
}

/// A distribution with mean zero.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Noise {
    /// None.
    None,
    /// Uniform between minus and plus this.
    Uniform(f64),
    /// Normal with this standard deviation.
    Normal(f64),
}

/// Positions uniform in a box, drawn again until their distance from zero lies strictly between two numbers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Draw {
    /// Index of the first position.
    pub first: usize,
    /// Smallest value of each.
    pub low: Vec<f64>,
    /// Largest value of each.
    pub high: Vec<f64>,
    /// The distance must be above this; below zero for no bound.
    #[serde(default = "lowest")]
    pub beyond: f64,
    /// The distance must be below this.
    #[serde(default = "highest")]
    pub within: f64,
}

impl Signal {
    /// The same signal of a quantity found by `find`.
    pub(super) fn bind<Q, E>(&self, find: impl FnOnce(&Quantity) -> Result<Q, E>) -> Result<Signal<Q>, E> {
        Ok(match self {
            Self::Now(quantity) => Signal::Now(find(quantity)?),
            Self::Before(quantity) => Signal::Before(find(quantity)?),
            Self::FromStart(quantity) => Signal::FromStart(find(quantity)?),
            Self::Rate(quantity) => Signal::Rate(find(quantity)?),
            Self::PerTimestep(quantity) => Signal::PerTimestep(find(quantity)?),
            Self::SquaredFrom { of, from } => Signal::SquaredFrom { of: find(of)?, from: *from },
            Self::Always => Signal::Always,
            Self::WhileHealthy => Signal::WhileHealthy,
            Self::SquaredAction => Signal::SquaredAction,
        })
    }
}

impl Condition {
    /// The same condition on a quantity found by `find`.
    pub(super) fn bind<Q, E>(&self, find: impl FnOnce(&Quantity) -> Result<Q, E>) -> Result<Condition<Q>, E> {
        Ok(match *self {
            Self::Inside { ref of, low, high } => Condition::Inside { of: find(of)?, low, high },
            Self::Within { ref of, low, high } => Condition::Within { of: find(of)?, low, high },
            Self::StateInside { first, low, high } => Condition::StateInside { first, low, high },
        })
    }
}
