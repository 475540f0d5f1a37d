//! Hopper: a planar leg that is paid for moving forward and for not falling over.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/hopper_v4.py` and `hopper_v5.py`. The versions differ in one thing: v5
//! withholds the bonus for being healthy on the step that terminates the episode.

use super::task::{
    Condition, Fingerprint, Noise, Quantity, Reset, Segment, Signal, Task, Version, joint, motors, part,
};

/// Forward position of the torso, m.
const FORWARD: Quantity = joint("rootx");
/// Height of the torso, m; 1.25 at the start.
const HEIGHT: Quantity = joint("rootz");
/// Pitch of the torso, rad.
const PITCH: Quantity = joint("rooty");

/// The task's row: one leg of three joints, 11 observations, 3 actions.
pub fn task(version: Version) -> Task {
    Task {
        id: version.id("Hopper"),
        model: Fingerprint {
            file: "hopper.xml".into(),
            bodies: 5,
            mass: 15.820013,
            nq: 6,
            nv: 6,
            timestep: 0.002,
            actuators: motors(1.0, [("thigh_joint", 200.0), ("leg_joint", 200.0), ("foot_joint", 200.0)]),
        },
        frame_skip: 4,
        max_episode_steps: 1000,
        reset: Reset { positions: Noise::Uniform(0.005), velocities: Noise::Uniform(0.005) },
        reward: vec![
            part("reward_forward", 1.0, Signal::Rate(FORWARD)),
            part("reward_survive", 1.0, version.survival()),
            part("reward_ctrl", -1e-3, Signal::SquaredAction),
        ],
        healthy: vec![
            Condition::StateBelow(2..12, 100.0),
            Condition::Inside(HEIGHT, 0.7, f64::INFINITY),
            Condition::Inside(PITCH, -0.2, 0.2),
        ],
        observation: vec![Segment::Positions(1..6), Segment::ClippedVelocities(0..6)],
        info: vec![
            ("x_position".into(), Signal::Now(FORWARD)),
            ("z_distance_from_origin".into(), Signal::FromStart(HEIGHT)),
            ("x_velocity".into(), Signal::Rate(FORWARD)),
        ],
    }
}
