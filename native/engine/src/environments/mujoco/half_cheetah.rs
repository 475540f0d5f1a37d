//! HalfCheetah: two planar legs on a long torso, paid for moving forward; it never terminates.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/half_cheetah_v4.py` and `half_cheetah_v5.py`. The versions are the same
//! task.

use super::options::Options;
use super::task::{
    About, Fingerprint, Noise, Quantity, Refresh, Signal, Task, Version, joint, motors, part, positions,
    velocities,
};
use super::vocabulary::noise;

/// Forward position of the torso, m.
const FORWARD: Quantity = joint("rootx");

/// The task's row: a back and a front leg of three joints, 17 observations, 6 actions.
pub fn task(version: Version, options: &mut Options) -> Task {
    let frame_skip = version.frame_skip(5, options);
    let forward = options.weight("forwardRewardWeight", 1.0);
    let control = options.weight("ctrlCostWeight", 0.1);
    let scale = options.scale("resetNoiseScale", 0.1);
    let excluded = usize::from(options.flag("excludeCurrentPositionsFromObservation", true));

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
        about: About {
            summary:
                "two planar legs on a long torso, paid for moving forward; it cannot fall out of the task"
                    .into(),
            versions: "v4 and v5 are the same task".into(),
            random_return: "-295 +/- 76".into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "half_cheetah.xml".into(),
            sha256: "11797a5d69e8".into(),
            bodies: 8,
            mass: 14.0,
            nq: 9,
            nv: 9,
            timestep: 0.01,
            contacts: true,
            actuators,
        },
        frame_skip,
        max_episode_steps: 1000,
        refresh: Refresh::AsLeft,
        reset: noise(Noise::Uniform(scale), Noise::Normal(scale)),
        reward: vec![
            part("reward_forward", forward, Signal::Rate(FORWARD)),
            part("reward_ctrl", -control, Signal::SquaredAction),
        ],
        base_reward: 0.0,
        healthy: vec![],
        terminates: false,
        observation: vec![positions(excluded..9), velocities(0..9)],
        info: vec![("x_position".into(), Signal::Now(FORWARD)), ("x_velocity".into(), Signal::Rate(FORWARD))],
    }
}
