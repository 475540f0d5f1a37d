//! InvertedDoublePendulum: two poles on a cart, one on the other, paid for keeping their tip up and still.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/inverted_double_pendulum_v4.py` and `inverted_double_pendulum_v5.py`. v5
//! withholds the bonus on the step that terminates the episode and leaves two constant zeros out of the observation.

use super::options::Options;
use super::task::{
    About, Field, Fingerprint, Map, Noise, Quantity, Refresh, Task, Version, motors, part, parts, positions,
    site, squared_from, velocities,
};
use super::vocabulary::{Axis, inside, noise, rows};

/// Forward position of the upper pole's tip, m.
const TIP: Quantity = site("tip", Axis::X);
/// Height of the upper pole's tip, m; 1.2 at the start.
const HEIGHT: Quantity = site("tip", Axis::Z);

/// The task's row: a slide and two hinges, 11 (v4) or 9 (v5) observations, 1 action.
pub fn task(version: Version, options: &mut Options) -> Task {
    let frame_skip = version.frame_skip(5, options);
    let (mut survive, mut scale) = (10.0, 0.1);
    if version == Version::V5 {
        survive = options.weight("healthyReward", survive);
        scale = options.scale("resetNoiseScale", scale);
    }
    let velocity = |joint: &'static str| squared_from(Quantity::JointVelocity(joint.into()), 0.0);

    Task {
        id: version.id("InvertedDoublePendulum"),
        about: About {
            summary: "two poles on a cart, one on the other, paid for keeping their tip up and still".into(),
            versions:
                "v5 withholds the bonus for being healthy on the step that ends the episode, and leaves two \
                       constant zeros out of the observation"
                    .into(),
            random_return: version.pick("60", "50").into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "inverted_double_pendulum.xml".into(),
            sha256: "2b4eadf03bd7".into(),
            bodies: 4,
            mass: 18.869453,
            nq: 3,
            nv: 3,
            timestep: 0.01,
            contacts: true,
            actuators: motors(1.0, [("slider", 500.0)]),
        },
        frame_skip,
        max_episode_steps: 1000,
        refresh: Refresh::AsLeft,
        reset: noise(Noise::Uniform(scale), Noise::Normal(scale)),
        reward: vec![
            part("reward_survive", survive, version.survival(true)),
            parts("distance_penalty", [(-0.01, squared_from(TIP, 0.0)), (-1.0, squared_from(HEIGHT, 2.0))]),
            parts("velocity_penalty", [(-1e-3, velocity("hinge")), (-5e-3, velocity("hinge2"))]),
        ],
        base_reward: 0.0,
        healthy: vec![inside(HEIGHT, [1.0, f64::INFINITY])],
        terminates: true,
        observation: vec![
            positions(0..1),
            positions(1..3).mapped(Map::Sine),
            positions(1..3).mapped(Map::Cosine),
            velocities(0..3).clipped(10.0),
            rows(Field::ConstraintForces, 0..version.pick(3, 1)).clipped(10.0),
        ],
        info: vec![],
    }
}
