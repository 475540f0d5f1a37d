//! Walker2d: two planar legs that are paid for moving forward and for not falling over.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/walker2d_v4.py` and `walker2d_v5.py`. v5 withholds the bonus for being
//! healthy on the step that terminates the episode, and its model gives the right foot the friction of the left.

use super::task::{
    Condition, Fingerprint, Noise, Quantity, Reset, Segment, Signal, Task, Version, joint, motors, part,
};

/// Forward position of the torso, m.
const FORWARD: Quantity = joint("rootx");
/// Height of the torso, m; 1.25 at the start.
const HEIGHT: Quantity = joint("rootz");
/// Pitch of the torso, rad.
const PITCH: Quantity = joint("rooty");

/// The task's row: two legs of three joints, 17 observations, 6 actions.
pub fn task(version: Version) -> Task {
    let file = match version {
        Version::V4 => "walker2d.xml",
        Version::V5 => "walker2d_v5.xml",
    };
    let actuators = motors(
        1.0,
        [
            ("thigh_joint", 100.0),
            ("leg_joint", 100.0),
            ("foot_joint", 100.0),
            ("thigh_left_joint", 100.0),
            ("leg_left_joint", 100.0),
            ("foot_left_joint", 100.0),
        ],
    );
    Task {
        id: version.id("Walker2d"),
        model: Fingerprint {
            file: file.into(),
            bodies: 8,
            mass: 23.677137,
            nq: 9,
            nv: 9,
            timestep: 0.002,
            actuators,
        },
        frame_skip: 4,
        max_episode_steps: 1000,
        reset: Reset { positions: Noise::Uniform(0.005), velocities: Noise::Uniform(0.005) },
        reward: vec![
            part("reward_forward", 1.0, Signal::Rate(FORWARD)),
            part("reward_survive", 1.0, version.survival()),
            part("reward_ctrl", -1e-3, Signal::SquaredAction),
        ],
        healthy: vec![Condition::Inside(HEIGHT, 0.8, 2.0), Condition::Inside(PITCH, -1.0, 1.0)],
        observation: vec![Segment::Positions(1..9), Segment::ClippedVelocities(0..9)],
        info: vec![
            ("x_position".into(), Signal::Now(FORWARD)),
            ("z_distance_from_origin".into(), Signal::FromStart(HEIGHT)),
            ("x_velocity".into(), Signal::Rate(FORWARD)),
        ],
    }
}
