//! Reset noise against the exact distribution function of every coordinate (Kolmogorov and Smirnov).

use std::f64::consts::PI;

use super::*;

/// Episodes of every task.
const EPISODES: usize = 10_000;
/// Bound on √n · sup |F_n − F|: exceeded with probability 2 exp(−2 · 2.5²) = 7.5e-6 by one coordinate, and by one of
/// the 500 or so tested with 0.4 %; the seed is fixed. A width that is 10 % off reaches 4.5.
const BOUND: f64 = 2.5;

/// The distribution of one coordinate, less its start.
#[derive(Clone, Copy)]
enum Law {
    /// Always this.
    Exactly(f64),
    Uniform(f64),
    Normal(f64),
    /// Either coordinate of a point uniform on a disc around zero, not less its start.
    Disc(f64),
    /// First coordinate of Pusher's puck, not less its start.
    PuckAlong,
    /// Second coordinate of Pusher's puck, not less its start.
    PuckAcross,
}

/// Pusher's puck keeps this distance from its goal, m.
const HOLE: f64 = 0.17;

/// ∫ √(r² − x²) dx, from 0.
fn half_disc(x: f64, r: f64) -> f64 {
    let x = x.clamp(-r, r);
    0.5 * (x * (r * r - x * x).max(0.0).sqrt() + r * r * (x / r).asin())
}

impl Law {
    /// P(X ≤ x).
    fn distribution(self, x: f64) -> f64 {
        match self {
            Self::Exactly(value) => f64::from(u8::from(x >= value)),
            Self::Uniform(limit) => (0.5 + 0.5 * x / limit).clamp(0.0, 1.0),
            Self::Normal(deviation) => normal(x / deviation),
            Self::Disc(r) => 0.5 + 2.0 * half_disc(x, r) / (PI * r * r),
            // of the strip up to x, what lies outside the hole; its width is 0.4
            Self::PuckAlong => {
                let area = |x: f64| 0.4 * (x + 0.3) - 2.0 * (half_disc(x, HOLE) - half_disc(-0.3, HOLE));
                area(x.clamp(-0.3, 0.0)) / area(0.0)
            }
            // half of the hole lies in the box, whose width is 0.3
            Self::PuckAcross => {
                let area = |y: f64| 0.3 * (y + 0.2) - (half_disc(y, HOLE) - half_disc(-0.2, HOLE));
                area(y_in_box(x)) / area(0.2)
            }
        }
    }

    /// Whether the law is of the coordinate itself, not of its distance from the start.
    fn is_absolute(self) -> bool {
        matches!(self, Self::Disc(_) | Self::PuckAlong | Self::PuckAcross)
    }
}

fn y_in_box(y: f64) -> f64 {
    y.clamp(-0.2, 0.2)
}

/// The normal distribution function; Abramowitz and Stegun 7.1.26, within 1.5e-7.
fn normal(x: f64) -> f64 {
    let z = x.abs() / 2.0_f64.sqrt();
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let series = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let tail = 0.5 * series.iter().fold(0.0, |sum, factor| (sum + factor) * t) * (-z * z).exp();
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// √n · sup |F_n − F|.
fn statistic(values: &mut [f64], law: Law) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let gaps = values.iter().enumerate().map(|(index, &value)| {
        let expected = law.distribution(value);
        (expected - index as f64 / n).abs().max((expected - (index + 1) as f64 / n).abs())
    });
    gaps.fold(0.0, f64::max) * n.sqrt()
}

/// Laws of the positions and of the velocities of a task.
fn laws(id: &str, nq: usize, nv: usize) -> (Vec<Law>, Vec<Law>) {
    let both = |position: Law, velocity: Law| (vec![position; nq], vec![velocity; nv]);
    let still = |(positions, mut velocities): (Vec<Law>, Vec<Law>), first: usize| {
        velocities[first..].fill(Law::Exactly(0.0));
        (positions, velocities)
    };
    match id.rsplit_once('-').map_or(id, |(task, _)| task) {
        "Hopper" | "Walker2d" => both(Law::Uniform(0.005), Law::Uniform(0.005)),
        "HalfCheetah" | "Ant" | "InvertedDoublePendulum" => both(Law::Uniform(0.1), Law::Normal(0.1)),
        "Humanoid" | "HumanoidStandup" | "InvertedPendulum" => both(Law::Uniform(0.01), Law::Uniform(0.01)),
        "Swimmer" => both(Law::Uniform(0.1), Law::Uniform(0.1)),
        "humanoid" | "swimmer" => both(Law::Normal(0.01), Law::Normal(0.1)),
        "Reacher" => {
            let (mut positions, velocities) = still(both(Law::Uniform(0.1), Law::Uniform(0.005)), 2);
            positions[2..].fill(Law::Disc(0.2));
            (positions, velocities)
        }
        "Pusher" => {
            let (mut positions, velocities) = still(both(Law::Exactly(0.0), Law::Uniform(0.005)), 7);
            (positions[7], positions[8]) = (Law::PuckAlong, Law::PuckAcross);
            (positions, velocities)
        }
        other => panic!("no law of {other}"),
    }
}

/// Every coordinate (positions, then velocities) of many starts.
fn draw(environment: &mut MujocoEnvironment) -> Vec<Vec<f64>> {
    let mut observation = observation_of(environment);
    let mut stream = stream(17);
    let mut draws = vec![Vec::with_capacity(EPISODES); environment.qpos().len() + environment.qvel().len()];
    for _ in 0..EPISODES {
        environment.reset(&mut stream, &mut observation).unwrap();
        let state = environment.qpos().iter().chain(environment.qvel());
        for (values, value) in draws.iter_mut().zip(state) {
            values.push(*value);
        }
    }
    draws
}

#[test]
fn every_coordinate_of_a_reset_has_its_exact_distribution() {
    for spec in specs() {
        let mut environment = make(&spec.id);
        let start = environment.qpos().to_vec();
        let (positions, velocities) = laws(&spec.id, start.len(), environment.qvel().len());
        let starts = start.into_iter().chain(std::iter::repeat(0.0));
        let mut worst = 0.0_f64;
        for (index, ((mut values, law), start)) in draw(&mut environment)
            .into_iter()
            .zip(positions.into_iter().chain(velocities))
            .zip(starts)
            .enumerate()
        {
            let shift = if law.is_absolute() { 0.0 } else { start };
            values.iter_mut().for_each(|value| *value -= shift);
            if let Law::Exactly(value) = law {
                assert!(values.iter().all(|&got| got == value), "{} coordinate {index}", spec.id);
                continue;
            }
            let distance = statistic(&mut values, law);
            assert!(distance < BOUND, "{} coordinate {index}: {distance}", spec.id);
            worst = worst.max(distance);
        }
        println!("{}: at most {worst:.2}", spec.id);
    }
}

#[test]
fn coordinates_of_a_reset_are_drawn_on_their_own() {
    for id in ["HalfCheetah-v5", "Humanoid-v5", "Walker2d-v4"] {
        let draws = draw(&mut make(id));
        let centred = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            values.iter().map(|value| value - mean).collect::<Vec<_>>()
        };
        for (index, pair) in draws.windows(2).enumerate() {
            let [one, other] = [centred(&pair[0]), centred(&pair[1])];
            let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let correlation = product(&one, &other) / (product(&one, &one) * product(&other, &other)).sqrt();
            // five standard errors
            assert!(correlation.abs() < 5.0 / (EPISODES as f64).sqrt(), "{id} {index}: {correlation}");
        }
    }
}

#[test]
fn points_drawn_with_rejection_fill_their_whole_region() {
    // of a point uniform on a disc the squared distance is uniform
    let draws = draw(&mut make("Reacher-v5"));
    let mut shares: Vec<f64> =
        draws[2].iter().zip(&draws[3]).map(|(x, y)| 2.0 * (x * x + y * y) / 0.04 - 1.0).collect();
    assert!(statistic(&mut shares, Law::Uniform(1.0)) < BOUND);
    // the puck never lies in its goal's way
    let draws = draw(&mut make("Pusher-v5"));
    let nearest = draws[7].iter().zip(&draws[8]).map(|(x, y)| x.hypot(*y)).fold(f64::INFINITY, f64::min);
    assert!((0.17..0.175).contains(&nearest), "{nearest}");
}

#[test]
fn the_scale_of_the_noise_is_an_option() {
    let mut environment = make_with("HalfCheetah-v5", &Choices::default().with("resetNoiseScale", 0.3));
    let draws = draw(&mut environment);
    for (index, mut values) in draws.into_iter().enumerate() {
        let law = if index < 9 { Law::Uniform(0.3) } else { Law::Normal(0.3) };
        assert!(statistic(&mut values, law) < BOUND, "coordinate {index}");
    }
}

#[test]
fn the_statistic_refuses_a_distribution_that_is_a_tenth_too_wide() {
    let mut stream = stream(5);
    let mut uniform: Vec<f64> = (0..EPISODES).map(|_| stream.uniform_in(-1.1, 1.1)).collect();
    assert!(statistic(&mut uniform, Law::Uniform(1.0)) > BOUND);
    let mut gaussian: Vec<f64> = (0..EPISODES).map(|_| 1.15 * stream.normal()).collect();
    assert!(statistic(&mut gaussian, Law::Normal(1.0)) > BOUND);
    assert!((normal(1.0) - 0.841_344_746).abs() < 2e-7 && (normal(-1.96) - 0.024_997_895).abs() < 2e-7);
}
