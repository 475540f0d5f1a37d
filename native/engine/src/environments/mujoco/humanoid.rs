//! Humanoid: a body of 17 joints, paid for moving forward and for staying on its feet.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/humanoid_v4.py` and `humanoid_v5.py`. v5 charges for contact forces, leaves
//! constant zeros out of the observation and withholds the bonus for being healthy on the step that terminates the
//! episode. gym's v2 on MuJoCo 1.50 (the paper's) is v4 with `contactCostWeight` 5e-7, an option that Gymnasium's v4
//! does not have.

use super::options::Options;
use super::task::{
    About, Actuator, Field, Fingerprint, Noise, Quantity, Refresh, Segment, Signal, Task, Version, motors,
    part, positions, velocities,
};
use super::vocabulary::{Axis, inside, noise, rows};

/// Bodies, the world included.
const BODIES: usize = 14;
/// Velocities, the six of the free root first.
const VELOCITIES: usize = 23;

/// The motors of both humanoids; the abdomen's y comes before its z here, after it in the order of joints.
pub(super) fn actuators() -> Vec<Actuator> {
    motors(
        0.4,
        [
            ("abdomen_y", 100.0),
            ("abdomen_z", 100.0),
            ("abdomen_x", 100.0),
            ("right_hip_x", 100.0),
            ("right_hip_z", 100.0),
            ("right_hip_y", 300.0),
            ("right_knee", 200.0),
            ("left_hip_x", 100.0),
            ("left_hip_z", 100.0),
            ("left_hip_y", 300.0),
            ("left_knee", 200.0),
            ("right_shoulder1", 25.0),
            ("right_shoulder2", 25.0),
            ("right_elbow", 25.0),
            ("left_shoulder1", 25.0),
            ("left_shoulder2", 25.0),
            ("left_elbow", 25.0),
        ],
    )
}

/// What both humanoids observe; v5 leaves out the world and the forces on the free root, all zero, and lets each
/// group be left out.
pub(super) fn observation(version: Version, excluded: bool, options: &mut Options) -> Vec<Segment> {
    let (body, force) = version.pick((0, 0), (1, 6));
    let groups = [
        ("includeCinertInObservation", rows(Field::BodyInertias, body..BODIES)),
        ("includeCvelInObservation", rows(Field::BodyVelocities, body..BODIES)),
        ("includeQfrcActuatorInObservation", rows(Field::ActuatorForces, force..VELOCITIES)),
        ("includeCfrcExtInObservation", rows(Field::ContactForces, body..BODIES)),
    ];
    let mut observation = vec![positions(if excluded { 2 } else { 0 }..24), velocities(0..VELOCITIES)];
    for (option, segment) in groups {
        if version == Version::V4 || options.flag(option, true) {
            observation.push(segment);
        }
    }
    observation
}

/// The task's row: a free torso and 17 hinges, 376 (v4) or 348 (v5) observations, 17 actions.
pub fn task(version: Version, options: &mut Options) -> Task {
    let frame_skip = version.frame_skip(5, options);
    let forward = options.weight("forwardRewardWeight", 1.25);
    let control = options.weight("ctrlCostWeight", 0.1);
    let contact = options.weight("contactCostWeight", version.pick(0.0, 5e-7));
    let contact_range = options.interval("contactCostRange", [f64::NEG_INFINITY, 10.0]);
    let survive = options.weight("healthyReward", 5.0);
    let terminates = options.flag("terminateWhenUnhealthy", true);
    let heights = options.interval("healthyZRange", [1.0, 2.0]);
    let scale = options.scale("resetNoiseScale", 1e-2);
    let excluded = options.flag("excludeCurrentPositionsFromObservation", true);
    let forces = Quantity::SquaredContactForces { low: f64::NEG_INFINITY, high: f64::INFINITY };

    Task {
        id: version.id("Humanoid"),
        about: About {
            summary: "a body of 17 joints, paid for moving forward and staying on its feet".into(),
            versions: "v5 charges for contact forces, leaves 28 constant zeros out of the observation, and withholds \
                       the bonus for being healthy on the step that ends the episode; v4 with contactCostWeight 5e-7 \
                       is closest to the paper's v2"
                .into(),
            random_return: version.pick("121", "113").into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "humanoid.xml".into(),
            sha256: "85816f372c82".into(),
            bodies: BODIES,
            mass: 42.116030,
            nq: 24,
            nv: VELOCITIES,
            timestep: 0.003,
            contacts: true,
            actuators: actuators(),
        },
        frame_skip,
        max_episode_steps: 1000,
        refresh: Refresh::AsLeft,
        reset: noise(Noise::Uniform(scale), Noise::Uniform(scale)),
        reward: vec![
            part("reward_forward", forward, Signal::Rate(Quantity::CentreOfMass(Axis::X))),
            part("reward_ctrl", -control, Signal::SquaredAction),
            part("reward_survive", survive, version.survival(terminates)),
            part("reward_contact", -contact, Signal::Now(forces)).with_cost_in(contact_range),
        ],
        base_reward: 0.0,
        healthy: vec![inside(Quantity::Position(2), heights)],
        terminates,
        observation: observation(version, excluded, options),
        info: vec![
            ("x_position".into(), Signal::Now(Quantity::Position(0))),
            ("y_position".into(), Signal::Now(Quantity::Position(1))),
            (
                "distance_from_origin".into(),
                Signal::Now(Quantity::Norm(vec![Quantity::Position(0), Quantity::Position(1)])),
            ),
            ("x_velocity".into(), Signal::Rate(Quantity::CentreOfMass(Axis::X))),
            ("y_velocity".into(), Signal::Rate(Quantity::CentreOfMass(Axis::Y))),
        ],
    }
}
