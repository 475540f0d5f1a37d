//! HalfCheetah: two planar legs on a long torso, paid for moving forward; it never terminates.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/half_cheetah_v4.py` and `half_cheetah_v5.py`. The versions are the same
//! task.

use super::task::{Fingerprint, Noise, Quantity, Reset, Segment, Signal, Task, Version, joint, motors, part};

/// Forward position of the torso, m.
const FORWARD: Quantity = joint("rootx");

/// The task's row: a back and a front leg of three joints, 17 observations, 6 actions.
pub fn task(version: Version) -> Task {
    let actuators = motors(
        1.0,
        [
            ("bthigh", 120.0),
            ("bshin", 90.0),
            ("bfoot", 60.0),
            ("fthigh", 120.0),
            ("fshin", 60.0),
            ("ffoot", 30.0),
        ],
    );
    Task {
        id: version.id("HalfCheetah"),
        model: Fingerprint {
            file: "half_cheetah.xml".into(),
            bodies: 8,
            mass: 14.0,
            nq: 9,
            nv: 9,
            timestep: 0.01,
            actuators,
        },
        frame_skip: 5,
        max_episode_steps: 1000,
        reset: Reset { positions: Noise::Uniform(0.1), velocities: Noise::Normal(0.1) },
        reward: vec![
            part("reward_forward", 1.0, Signal::Rate(FORWARD)),
            part("reward_ctrl", -0.1, Signal::SquaredAction),
        ],
        healthy: vec![],
        observation: vec![Segment::Positions(1..9), Segment::Velocities(0..9)],
        info: vec![("x_position".into(), Signal::Now(FORWARD)), ("x_velocity".into(), Signal::Rate(FORWARD))],
    }
}
