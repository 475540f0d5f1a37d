//! InvertedPendulum: a pole on a cart, paid for every step it stays upright.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/inverted_pendulum_v4.py` and `inverted_pendulum_v5.py`. The versions
//! differ in one thing: v5 pays nothing on the step that terminates the episode. Gymnasium also terminates on a
//! state that is not finite; here the simulator reports such a state as an error before the task's rule is asked.

use super::options::Options;
use super::task::{
    About, Fingerprint, Noise, Quantity, Refresh, Task, Version, joint, motors, part, positions, velocities,
};
use super::vocabulary::{noise, within};

/// Angle of the pole from upright, rad.
const ANGLE: Quantity = joint("hinge");

/// The task's row: a slide and a hinge, 4 observations, 1 action.
pub fn task(version: Version, options: &mut Options) -> Task {
    let frame_skip = version.frame_skip(2, options);
    let scale = match version {
        Version::V4 => 0.01,
        Version::V5 => options.scale("resetNoiseScale", 0.01),
    };
    Task {
        id: version.id("InvertedPendulum"),
        about: About {
            summary: "a pole on a cart, paid for every step it stays upright".into(),
            versions: "v5 pays nothing on the step that ends the episode".into(),
            random_return: version.pick("6", "5").into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "inverted_pendulum.xml".into(),
            sha256: "80910a9af85c".into(),
            bodies: 3,
            mass: 15.490567,
            nq: 2,
            nv: 2,
            timestep: 0.02,
            contacts: true,
            actuators: motors(3.0, [("slider", 100.0)]),
        },
        frame_skip,
        max_episode_steps: 1000,
        refresh: Refresh::AsLeft,
        reset: noise(Noise::Uniform(scale), Noise::Uniform(scale)),
        reward: vec![part("reward_survive", 1.0, version.survival(true))],
        base_reward: 0.0,
        healthy: vec![within(ANGLE, [-0.2, 0.2])],
        terminates: true,
        observation: vec![positions(0..2), velocities(0..2)],
        info: vec![],
    }
}
