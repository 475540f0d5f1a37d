//! Swimmer: a chain of three links in a viscous fluid, paid for moving forward; it never terminates.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/swimmer_v4.py` and `swimmer_v5.py`. The versions are the same task.

use super::options::Options;
use super::task::{
    About, Fingerprint, Noise, Quantity, Refresh, Signal, Task, Version, joint, motors, part, positions,
    velocities,
};
use super::vocabulary::noise;

/// Forward position of the first link, m.
const FORWARD: Quantity = joint("slider1");
/// Position of the first link to the left, m.
const SIDEWAYS: Quantity = joint("slider2");

/// The task's row: two slides, a free rotation and two motors, 8 observations, 2 actions.
pub fn task(version: Version, options: &mut Options) -> Task {
    let frame_skip = version.frame_skip(4, options);
    let forward = options.weight("forwardRewardWeight", 1.0);
    let control = options.weight("ctrlCostWeight", 1e-4);
    let scale = options.scale("resetNoiseScale", 0.1);
    let excluded = if options.flag("excludeCurrentPositionsFromObservation", true) { 2 } else { 0 };

    Task {
        id: version.id("Swimmer"),
        about: About {
            summary: "three links in a viscous fluid, paid for moving forward".into(),
            versions: "v4 and v5 are the same task".into(),
            random_return: "0 +/- 8.5".into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "swimmer.xml".into(),
            sha256: "25b0d46bf552".into(),
            bodies: 4,
            mass: 106.814150,
            nq: 5,
            nv: 5,
            timestep: 0.01,
            contacts: true,
            actuators: motors(1.0, [("motor1_rot", 150.0), ("motor2_rot", 150.0)]),
        },
        frame_skip,
        max_episode_steps: 1000,
        refresh: Refresh::AsLeft,
        reset: noise(Noise::Uniform(scale), Noise::Uniform(scale)),
        reward: vec![
            part("reward_forward", forward, Signal::Rate(FORWARD)),
            part("reward_ctrl", -control, Signal::SquaredAction),
        ],
        base_reward: 0.0,
        healthy: vec![],
        terminates: false,
        observation: vec![positions(excluded..5), velocities(0..5)],
        info: vec![
            ("x_position".into(), Signal::Now(FORWARD)),
            ("y_position".into(), Signal::Now(SIDEWAYS)),
            ("distance_from_origin".into(), Signal::Now(Quantity::Norm(vec![FORWARD, SIDEWAYS]))),
            ("x_velocity".into(), Signal::Rate(FORWARD)),
            ("y_velocity".into(), Signal::Rate(SIDEWAYS)),
        ],
    }
}
