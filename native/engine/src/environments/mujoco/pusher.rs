//! Pusher: an arm of seven joints that pushes a puck to a goal.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/pusher_v5.py`. v4 does not exist on MuJoCo 3: Gymnasium refuses to make it,
//! because its puck is too light for the solver.

use super::options::Options;
use super::task::{
    About, Draw, Field, Fingerprint, Noise, Quantity, Refresh, Reset, Signal, Task, Version, motors, part,
    positions, velocities,
};
use super::vocabulary::rows;

/// The task's row: seven hinges, a puck and a goal on two slides each, 23 observations, 7 actions.
pub fn task(options: &mut Options) -> Task {
    let version = Version::V5;
    let frame_skip = version.frame_skip(5, options);
    let near = options.weight("rewardNearWeight", 0.5);
    let distance = options.weight("rewardDistWeight", 1.0);
    let control = options.weight("rewardControlWeight", 0.1);
    let between =
        |one: &'static str, other: &'static str| Signal::Now(Quantity::Distance(one.into(), other.into()));

    Task {
        id: version.id("Pusher"),
        about: About {
            summary: "an arm of seven joints, paid for pushing a puck to a goal".into(),
            versions: "v5 only: the model of v4 does not run on MuJoCo 3; v5 takes its distances after the step, v4 \
                       took them before"
                .into(),
            random_return: "-149".into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "pusher_v5.xml".into(),
            sha256: "3c9a717f6d2c".into(),
            bodies: 13,
            mass: 13.673004,
            nq: 11,
            nv: 11,
            timestep: 0.01,
            contacts: true,
            actuators: motors(
                2.0,
                [
                    "r_shoulder_pan_joint",
                    "r_shoulder_lift_joint",
                    "r_upper_arm_roll_joint",
                    "r_elbow_flex_joint",
                    "r_forearm_roll_joint",
                    "r_wrist_flex_joint",
                    "r_wrist_roll_joint",
                ]
                .map(|joint| (joint, 1.0)),
            ),
        },
        frame_skip,
        max_episode_steps: 100,
        refresh: Refresh::AsLeft,
        reset: Reset {
            positions: Noise::None,
            velocities: Noise::Uniform(0.005),
            // the puck, y before x as the joints are ordered; the goal stays where the model has it
            draws: vec![Draw {
                first: 7,
                low: vec![-0.3, -0.2],
                high: vec![0.0, 0.2],
                beyond: 0.17,
                within: f64::INFINITY,
            }],
            still_from: Some(7),
        },
        reward: vec![
            part("reward_dist", -distance, between("object", "goal")),
            part("reward_ctrl", -control, Signal::SquaredAction),
            part("reward_near", -near, between("object", "tips_arm")),
        ],
        base_reward: 0.0,
        healthy: vec![],
        terminates: false,
        observation: vec![
            positions(0..7),
            velocities(0..7),
            rows(Field::Body("tips_arm".into()), 0..3),
            rows(Field::Body("object".into()), 0..3),
            rows(Field::Body("goal".into()), 0..3),
        ],
        info: vec![],
    }
}
