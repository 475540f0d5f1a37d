//! HumanoidStandup: the Humanoid's body, lying on its back and paid for how high its torso is.
//!
//! Source: Gymnasium 1.4.0, `envs/mujoco/humanoidstandup_v4.py` and `humanoidstandup_v5.py`. v5 leaves constant zeros
//! out of the observation and has options; nothing else differs. Its `uph_cost_weight` is not offered: Gymnasium
//! stores it and never uses it.

use super::humanoid;
use super::options::Options;
use super::task::{About, Fingerprint, Noise, Quantity, Refresh, Signal, Task, Version, part};
use super::vocabulary::noise;

/// Height of the torso, m; .105 at the start.
const HEIGHT: Quantity = Quantity::Position(2);

/// The task's row: a free torso and 17 hinges, 376 (v4) or 348 (v5) observations, 17 actions.
pub fn task(version: Version, options: &mut Options) -> Task {
    let v5 = version == Version::V5;
    let frame_skip = version.frame_skip(5, options);
    let mut control = 0.1;
    let mut impact = 0.5e-6;
    let mut impact_range = [f64::NEG_INFINITY, 10.0];
    let mut scale = 1e-2;
    let mut excluded = true;
    if v5 {
        control = options.weight("ctrlCostWeight", control);
        impact = options.weight("impactCostWeight", impact);
        impact_range = options.interval("impactCostRange", impact_range);
        scale = options.scale("resetNoiseScale", scale);
        excluded = options.flag("excludeCurrentPositionsFromObservation", excluded);
    }
    let forces = Quantity::SquaredContactForces { low: f64::NEG_INFINITY, high: f64::INFINITY };

    Task {
        id: version.id("HumanoidStandup"),
        about: About {
            summary: "the Humanoid's body on its back, paid for how high its torso is".into(),
            versions: "v5 leaves 28 constant zeros out of the observation".into(),
            random_return: "33000 +/- 1700".into(),
            ..About::default()
        },
        model: Fingerprint {
            file: "humanoidstandup.xml".into(),
            sha256: "9f72a3c4ef95".into(),
            bodies: 14,
            mass: 42.116030,
            nq: 24,
            nv: 23,
            timestep: 0.003,
            contacts: true,
            actuators: humanoid::actuators(),
        },
        frame_skip,
        max_episode_steps: 1000,
        refresh: Refresh::AsLeft,
        reset: noise(Noise::Uniform(scale), Noise::Uniform(scale)),
        reward: vec![
            part("reward_linup", 1.0, Signal::PerTimestep(HEIGHT)),
            part("reward_quadctrl", -control, Signal::SquaredAction),
            part("reward_impact", -impact, Signal::Now(forces)).with_cost_in(impact_range),
        ],
        base_reward: 1.0,
        healthy: vec![],
        terminates: false,
        observation: humanoid::observation(version, excluded, options),
        info: vec![
            ("x_position".into(), Signal::Now(Quantity::Position(0))),
            ("y_position".into(), Signal::Now(Quantity::Position(1))),
            ("z_distance_from_origin".into(), Signal::FromStart(HEIGHT)),
        ],
    }
}
