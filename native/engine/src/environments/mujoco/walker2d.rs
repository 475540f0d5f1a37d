//! Walker2d: two planar legs that are paid for moving forward and for not falling over.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/walker2d_v4.py` and `walker2d_v5.py`. v5 withholds the bonus for being
//! healthy on the step that terminates the episode, and its model gives the right foot the friction of the left.

use super::options::Options;
use super::task::{
    About, Fingerprint, Noise, Quantity, Refresh, Signal, Task, Version, joint, motors, part, positions,
    velocities,
};
use super::vocabulary::{inside, noise};

/// Forward position of the torso, m.
const FORWARD: Quantity = joint("rootx");
/// Height of the torso, m; 1.25 at the start.
const HEIGHT: Quantity = joint("rootz");
/// Pitch of the torso, rad.
const PITCH: Quantity = joint("rooty");

/// The task's row: two legs of three joints, 17 observations, 6 actions.
pub fn task(version: Version, options: &mut Options) -> Task {
    let frame_skip = version.frame_skip(4, options);
    let forward = options.weight("forwardRewardWeight", 1.0);
    let control = options.weight("ctrlCostWeight", 1e-3);
    let survive = options.weight("healthyReward", 1.0);
    let terminates = options.flag("terminateWhenUnhealthy", true);
    let heights = options.interval("healthyZRange", [0.8, 2.0]);
    let pitches = options.interval("healthyAngleRange", [-1.0, 1.0]);
    let scale = options.scale("resetNoiseScale", 5e-3);
    let excluded = usize::from(options.flag("excludeCurrentPositionsFromObservation", true));

    let (file, sha256) = version.pick(("walker2d.xml", "ac13373c7ac9"), ("walker2d_v5.xml", "6bed53a6cc3c"));
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
        about: About {
            summary: "two planar legs, paid for moving forward and staying upright".into(),
            versions:
                "v5 withholds the bonus for being healthy on the step that ends the episode; the friction of \
                       its right foot is 1.9, the left one's, in place of 0.9"
                    .into(),
            random_return: "2".into(),
            ..About::default()
        },
        model: Fingerprint {
            file: file.into(),
            sha256: sha256.into(),
            bodies: 8,
            mass: 23.677137,
            nq: 9,
            nv: 9,
            timestep: 0.002,
            contacts: true,
            actuators,
        },
        frame_skip,
        max_episode_steps: 1000,
        refresh: Refresh::AsLeft,
        reset: noise(Noise::Uniform(scale), Noise::Uniform(scale)),
        reward: vec![
            part("reward_forward", forward, Signal::Rate(FORWARD)),
            part("reward_survive", survive, version.survival(terminates)),
            part("reward_ctrl", -control, Signal::SquaredAction),
        ],
        base_reward: 0.0,
        healthy: vec![inside(HEIGHT, heights), inside(PITCH, pitches)],
        terminates,
        observation: vec![positions(excluded..9), velocities(0..9).clipped(10.0)],
        info: vec![
            ("x_position".into(), Signal::Now(FORWARD)),
            ("z_distance_from_origin".into(), Signal::FromStart(HEIGHT)),
            ("x_velocity".into(), Signal::Rate(FORWARD)),
        ],
    }
}
