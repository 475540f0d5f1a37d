//! The two tasks that the paper's v1 experiments took from rllab: its humanoid and its swimmer.
//!
//! Source: `rll/rllab`, `rllab/envs/mujoco/{simple_humanoid_env,swimmer_env}.py`. Their models are not shipped and no
//! registry has them: `env.modelFile` names the user's copy, changed so that MuJoCo 3 takes it. rllab computed
//! everything anew after a step, in float64 on MuJoCo 1.31; there is no oracle for MuJoCo 3, so what is fixed here is
//! our reading.

use super::options::Options;
use super::task::{
    About, Field, Fingerprint, Map, Noise, Quantity, Refresh, Signal, Task, motors, part, parts, positions,
    squared_from, velocities,
};
use super::vocabulary::{Axis, noise, rows, within};

/// The humanoid's motors with their gears, in rllab's order.
const HUMANOID_MOTORS: [(&str, f64); 21] = [
    ("abdomen_y", 200.0),
    ("abdomen_z", 200.0),
    ("abdomen_x", 200.0),
    ("right_hip_x", 200.0),
    ("right_hip_z", 200.0),
    ("right_hip_y", 600.0),
    ("right_knee", 400.0),
    ("right_ankle_x", 100.0),
    ("right_ankle_y", 100.0),
    ("left_hip_x", 200.0),
    ("left_hip_z", 200.0),
    ("left_hip_y", 600.0),
    ("left_knee", 400.0),
    ("left_ankle_x", 100.0),
    ("left_ankle_y", 100.0),
    ("right_shoulder1", 100.0),
    ("right_shoulder2", 100.0),
    ("right_elbow", 200.0),
    ("left_shoulder1", 100.0),
    ("left_shoulder2", 100.0),
    ("left_elbow", 200.0),
];

/// Velocity of the whole robot, m/s.
fn speed(axis: Axis) -> Quantity {
    Quantity::SubtreeVelocity("torso".into(), axis)
}

/// The humanoid's row: a free torso and 21 hinges, 142 observations, 21 actions.
pub fn humanoid(_: &mut Options) -> Task {
    // rllab divides actions by half their range
    let (limit, scale) = (0.4, 0.4 * 0.4);
    let forces = Quantity::SquaredContactForces { low: -1.0, high: 1.0 };
    Task {
        id: "humanoid-rllab".to_owned(),
        about: About {
            summary: "rllab's humanoid of 21 joints, paid for moving forward and staying on its feet".into(),
            model_needed:
                "humanoid.xml of github.com/rll/rllab, folder vendor/mujoco_models, with the attribute \
                           solverstat=\"enable\" of <flag> deleted"
                    .into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "".into(),
            sha256: "".into(),
            bodies: 14,
            mass: 40.844021,
            nq: 28,
            nv: 27,
            timestep: 0.002,
            contacts: true,
            actuators: motors(limit, HUMANOID_MOTORS),
        },
        frame_skip: 4,
        max_episode_steps: 1000,
        refresh: Refresh::Anew,
        reset: noise(Noise::Normal(0.01), Noise::Normal(0.1)),
        reward: vec![
            part("reward_forward", 1.0, Signal::Now(speed(Axis::X))),
            part("reward_survive", 0.2, Signal::Always),
            part("reward_ctrl", -0.5e-3 / scale, Signal::SquaredAction),
            part("reward_contact", -0.5e-5, Signal::Now(forces)),
            parts(
                "reward_deviation",
                [(-0.5e-2, squared_from(speed(Axis::Y), 0.0)), (-0.5e-2, squared_from(speed(Axis::Z), 0.0))],
            ),
        ],
        base_reward: 0.0,
        healthy: vec![within(Quantity::Position(2), [0.8, 2.0])],
        terminates: true,
        observation: vec![
            positions(0..28),
            velocities(0..27),
            rows(Field::ContactForces, 0..14).mapped(Map::Clip(-1.0, 1.0)),
            rows(Field::SubtreeCentre("torso".into()), 0..3),
        ],
        info: vec![],
    }
}

/// The swimmer's row: two slides, a free rotation and two motors, 13 observations, 2 actions.
pub fn swimmer(_: &mut Options) -> Task {
    let (limit, scale) = (50.0, 50.0 * 50.0);
    Task {
        id: "swimmer-rllab".to_owned(),
        about: About {
            summary: "rllab's swimmer of three links, paid for moving forward".into(),
            model_needed: "swimmer.xml of github.com/rll/rllab, folder vendor/mujoco_models, with the attribute \
                           collision=\"predefined\" of <option> deleted and contact=\"disable\" added to its <flag>"
                .into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "".into(),
            sha256: "".into(),
            bodies: 4,
            mass: 106.814150,
            nq: 5,
            nv: 5,
            timestep: 0.001,
            contacts: false,
            actuators: motors(limit, [("rot2", 1.0), ("rot3", 1.0)]),
        },
        frame_skip: 50,
        max_episode_steps: 1000,
        refresh: Refresh::Anew,
        reset: noise(Noise::Normal(0.01), Noise::Normal(0.1)),
        reward: vec![
            part("reward_forward", 1.0, Signal::Now(speed(Axis::X))),
            part("reward_ctrl", -0.5e-2 / scale, Signal::SquaredAction),
        ],
        base_reward: 0.0,
        healthy: vec![],
        terminates: false,
        observation: vec![
            positions(0..5),
            velocities(0..5),
            rows(Field::SubtreeCentre("torso".into()), 0..3),
        ],
        info: vec![],
    }
}
