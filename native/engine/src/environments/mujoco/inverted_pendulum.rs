//! InvertedPendulum: a pole on a cart, paid for every step it stays upright.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/inverted_pendulum_v4.py` and `inverted_pendulum_v5.py`. The versions
//! differ in one thing: v5 pays nothing on the step that terminates the episode. Gymnasium also terminates on a
//! state that is not finite; here the simulator reports such a state as an error before the task's rule is asked.

use super::task::{
    Condition, Fingerprint, Noise, Quantity, Reset, Segment, Task, Version, joint, motors, part,
};

/// Angle of the pole from upright, rad.
const ANGLE: Quantity = joint("hinge");

/// The task's row: a slide and a hinge, 4 observations, 1 action.
pub fn task(version: Version) -> Task {
    Task {
        id: version.id("InvertedPendulum"),
        model: Fingerprint {
            file: "inverted_pendulum.xml".into(),
            bodies: 3,
            mass: 15.490567,
            nq: 2,
            nv: 2,
            timestep: 0.02,
            actuators: motors(3.0, [("slider", 100.0)]),
        },
        frame_skip: 2,
        max_episode_steps: 1000,
        reset: Reset { positions: Noise::Uniform(0.01), velocities: Noise::Uniform(0.01) },
        reward: vec![part("reward_survive", 1.0, version.survival())],
        healthy: vec![Condition::Within(ANGLE, -0.2, 0.2)],
        observation: vec![Segment::Positions(0..2), Segment::Velocities(0..2)],
        info: vec![],
    }
}
