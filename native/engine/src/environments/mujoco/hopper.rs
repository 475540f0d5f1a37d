//! Hopper: a planar leg that is paid for moving forward and for not falling over.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/hopper_v4.py` and `hopper_v5.py`. The versions differ in one thing: v5
//! withholds the bonus for being healthy on the step that terminates the episode.

use super::options::Options;
use super::task::{
    About, Condition, Fingerprint, Noise, Quantity, Refresh, Signal, Task, Version, joint, motors, part,
    positions, velocities,
};
use super::vocabulary::{inside, noise};

/// Forward position of the torso, m.
const FORWARD: Quantity = joint("rootx");
/// Height of the torso, m; 1.25 at the start.
const HEIGHT: Quantity = joint("rootz");
/// Pitch of the torso, rad.
const PITCH: Quantity = joint("rooty");

/// The task's row: one leg of three joints, 11 observations, 3 actions.
pub fn task(version: Version, options: &mut Options) -> Task {
    let frame_skip = version.frame_skip(4, options);
    let forward = options.weight("forwardRewardWeight", 1.0);
    let control = options.weight("ctrlCostWeight", 1e-3);
    let survive = options.weight("healthyReward", 1.0);
    let terminates = options.flag("terminateWhenUnhealthy", true);
    let [low, high] = options.interval("healthyStateRange", [-100.0, 100.0]);
    let heights = options.interval("healthyZRange", [0.7, f64::INFINITY]);
    let pitches = options.interval("healthyAngleRange", [-0.2, 0.2]);
    let scale = options.scale("resetNoiseScale", 5e-3);
    let excluded = usize::from(options.flag("excludeCurrentPositionsFromObservation", true));

    Task {
        id: version.id("Hopper"),
        about: About {
            summary: "a planar leg, paid for moving forward and staying upright".into(),
            versions: "v5 withholds the bonus for being healthy on the step that ends the episode".into(),
            random_return: "18".into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "hopper.xml".into(),
            sha256: "3ce93a055ffd".into(),
            bodies: 5,
            mass: 15.820013,
            nq: 6,
            nv: 6,
            timestep: 0.002,
            contacts: true,
            actuators: motors(1.0, [("thigh_joint", 200.0), ("leg_joint", 200.0), ("foot_joint", 200.0)]),
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
        healthy: vec![
            Condition::StateInside { first: 2, low, high },
            inside(HEIGHT, heights),
            inside(PITCH, pitches),
        ],
        terminates,
        observation: vec![positions(excluded..6), velocities(0..6).clipped(10.0)],
        info: vec![
            ("x_position".into(), Signal::Now(FORWARD)),
            ("z_distance_from_origin".into(), Signal::FromStart(HEIGHT)),
            ("x_velocity".into(), Signal::Rate(FORWARD)),
        ],
    }
}
