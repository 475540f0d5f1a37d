//! Ant: four legs around a ball, paid for moving forward and for staying at a sane height.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/ant_v4.py` and `ant_v5.py`. v5 charges for contact forces, observes them and
//! withholds the bonus for being healthy on the step that terminates the episode. v4 has contact forces behind
//! `useContactForces`: gym's v2 on MuJoCo 1.50 (the paper's) is v4 with that switch on.

use super::options::Options;
use super::task::{
    About, Field, Fingerprint, Map, Noise, Quantity, Refresh, Signal, Task, Version, motors, part, positions,
    velocities,
};
use super::vocabulary::{Axis, noise, rows, within};

/// Bodies, the world included.
const BODIES: usize = 14;

/// The task's row: a free torso and eight hinges; 27 (v4), 111 (v4 with contact forces) or 105 (v5) observations,
/// 8 actions in an order of their own.
pub fn task(version: Version, options: &mut Options) -> Task {
    let v5 = version == Version::V5;
    let frame_skip = version.frame_skip(5, options);
    let forward = if v5 { options.weight("forwardRewardWeight", 1.0) } else { 1.0 };
    let control = options.weight("ctrlCostWeight", 0.5);
    let used = v5 || options.flag("useContactForces", false);
    let contact = options.weight("contactCostWeight", 5e-4);
    let survive = options.weight("healthyReward", 1.0);
    let main_body = if v5 { options.text("mainBody", "torso") } else { "torso".to_owned() };
    let terminates = options.flag("terminateWhenUnhealthy", true);
    let heights = options.interval("healthyZRange", [0.2, 1.0]);
    let [low, high] = options.interval("contactForceRange", [-1.0, 1.0]);
    let scale = options.scale("resetNoiseScale", 0.1);
    let excluded = if options.flag("excludeCurrentPositionsFromObservation", true) { 2 } else { 0 };
    let observed = if v5 { options.flag("includeCfrcExtInObservation", true) } else { used };

    let torso = |axis| Quantity::Body(main_body.clone().into(), axis);
    let mut observation = vec![positions(excluded..15), velocities(0..14)];
    if observed {
        // v5 leaves out the world, whose row is zero
        let forces = rows(Field::ContactForces, version.pick(0, 1)..BODIES);
        observation.push(forces.mapped(Map::Clip(low, high)));
    }
    let mut reward = vec![
        part("reward_forward", forward, Signal::Rate(torso(Axis::X))),
        part("reward_ctrl", -control, Signal::SquaredAction),
        part("reward_survive", survive, version.survival(terminates)),
    ];
    let paid = if used { -contact } else { 0.0 };
    reward.push(part("reward_contact", paid, Signal::Now(Quantity::SquaredContactForces { low, high })));

    Task {
        id: version.id("Ant"),
        about: About {
            summary: "four legs around a ball, paid for moving forward and staying at a sane height".into(),
            versions: "v5 charges for contact forces, observes them (78 more values), and withholds the bonus for being \
                       healthy on the step that ends the episode; v4 with useContactForces is closest to the paper's v2"
                .into(),
            random_return: "-46 +/- 83 (over 147 steps)".into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "ant.xml".into(),
            sha256: "cd5f83ef0ea3".into(),
            bodies: BODIES,
            mass: 0.910880,
            nq: 15,
            nv: 14,
            timestep: 0.01,
            contacts: true,
            actuators: motors(
                1.0,
                ["hip_4", "ankle_4", "hip_1", "ankle_1", "hip_2", "ankle_2", "hip_3", "ankle_3"]
                    .map(|joint| (joint, 150.0)),
            ),
        },
        frame_skip,
        max_episode_steps: 1000,
        refresh: Refresh::AsLeft,
        reset: noise(Noise::Uniform(scale), Noise::Normal(scale)),
        reward,
        base_reward: 0.0,
        healthy: vec![within(Quantity::Position(2), heights)],
        terminates,
        observation,
        info: vec![
            ("x_position".into(), Signal::Now(Quantity::Position(0))),
            ("y_position".into(), Signal::Now(Quantity::Position(1))),
            (
                "distance_from_origin".into(),
                Signal::Now(Quantity::Norm(vec![Quantity::Position(0), Quantity::Position(1)])),
            ),
            ("x_velocity".into(), Signal::Rate(torso(Axis::X))),
            ("y_velocity".into(), Signal::Rate(torso(Axis::Y))),
        ],
    }
}
