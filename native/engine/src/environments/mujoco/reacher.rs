//! Reacher: an arm of two links in a plane, paid for bringing its tip to a target that moves with every episode.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/reacher_v4.py` and `reacher_v5.py`. v5 takes the distance after the step and
//! leaves its constant z out of the observation; v4 takes the distance before the step.

use super::options::Options;
use super::task::{
    About, Draw, Field, Fingerprint, Map, Noise, Quantity, Refresh, Reset, Signal, Task, Version, motors,
    part, positions, velocities,
};
use super::vocabulary::rows;

/// The target lies this close to the arm's shoulder, m.
const FARTHEST: f64 = 0.2;

/// The task's row: two hinges and a target on two slides, 11 (v4) or 10 (v5) observations, 2 actions.
pub fn task(version: Version, options: &mut Options) -> Task {
    let frame_skip = version.frame_skip(2, options);
    let (mut near, mut control) = (1.0, 1.0);
    if version == Version::V5 {
        near = options.weight("rewardDistWeight", near);
        control = options.weight("rewardControlWeight", control);
    }
    let distance = Quantity::Distance("fingertip".into(), "target".into());
    let gap = Field::Offset("fingertip".into(), "target".into());

    Task {
        id: version.id("Reacher"),
        about: About {
            summary: "a planar arm of two links, paid for bringing its tip to a target".into(),
            versions:
                "v5 takes the distance after the step, v4 before it; v5 leaves its constant z out of the \
                       observation"
                    .into(),
            random_return: "-42.6".into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "reacher.xml".into(),
            sha256: "3fabc64fc738".into(),
            bodies: 5,
            mass: 0.078452,
            nq: 4,
            nv: 4,
            timestep: 0.01,
            contacts: true,
            actuators: motors(1.0, [("joint0", 200.0), ("joint1", 200.0)]),
        },
        frame_skip,
        max_episode_steps: 50,
        refresh: Refresh::AsLeft,
        reset: Reset {
            positions: Noise::Uniform(0.1),
            velocities: Noise::Uniform(0.005),
            // uniform on a disc
            draws: vec![Draw {
                first: 2,
                low: vec![-FARTHEST; 2],
                high: vec![FARTHEST; 2],
                beyond: f64::NEG_INFINITY,
                within: FARTHEST,
            }],
            still_from: Some(2),
        },
        reward: vec![
            part("reward_dist", -near, version.pick(Signal::Before(distance.clone()), Signal::Now(distance))),
            part("reward_ctrl", -control, Signal::SquaredAction),
        ],
        base_reward: 0.0,
        healthy: vec![],
        terminates: false,
        observation: vec![
            positions(0..2).mapped(Map::Cosine),
            positions(0..2).mapped(Map::Sine),
            positions(2..4),
            velocities(0..2),
            rows(gap, 0..version.pick(3, 2)),
        ],
        info: vec![],
    }
}
