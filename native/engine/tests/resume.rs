//! A session that was stopped anywhere, written to disk and taken up by another goes on to the same bits as one that was not.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::recipes::{VARIANTS, VIREL};
use support::session;
use virel_engine::checkpoint::{load_parameters, load_state, save_parameters, save_state};
use virel_engine::learner::Step;
use virel_engine::networks::layout::Parameter;
use virel_engine::random::{Purpose, Stream};
use virel_engine::recipe::MStepKind;
use virel_engine::replay::buffer::GatheredBatch;
use virel_engine::replay::segment;
use virel_engine::session::exploration::Exploration;
use virel_engine::session::temperature::TemperatureSource;
use virel_engine::session::{Engine, Phase, Plan, Session, SessionConfig};

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("virel-resume-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // a folder that stays behind fails nothing
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A small session in one of our tasks; a ring that goes round, targets and residual error that are not due every time.
fn config(task: &str, variant: support::recipes::Variant, engine: Engine, threads: usize) -> SessionConfig {
    let plain = session::in_task(task, variant, TemperatureSource::ResidualAuto { discount: 0.99 });
    let mut learner = plain.learner.clone();
    learner.threads = threads;
    let mut residual = plain.residual;
    (residual.batch, residual.every) = (40, 3);
    SessionConfig {
        max_episode_steps: 37,
        residual,
        target_every: 2,
        start_updates: 50,
        uniform_steps: 30,
        replay_capacity: 130,
        learner,
        engine,
        ..plain
    }
}

/// All that can be seen of a session.
#[derive(Debug, PartialEq)]
struct Seen {
    parameters: Vec<Parameter>,
    state: virel_engine::ledger::Entries,
    metrics: Vec<(&'static str, u64)>,
    rows: Vec<u32>,
}

fn seen(session: &mut Session) -> Seen {
    let mut gathered = GatheredBatch::default();
    session.replay().gather(&(0..session.replay().len()).collect::<Vec<_>>(), &mut gathered);
    let batch = gathered.as_batch();
    let rows = [batch.observations, batch.actions, batch.rewards, batch.next_observations, batch.discounts];
    Seen {
        parameters: session.learner().parameters().unwrap(),
        state: session.save_state().unwrap(),
        metrics: session
            .metrics()
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name, value.to_bits()))
            .collect(),
        rows: rows.concat().into_iter().map(f32::to_bits).collect(),
    }
}

/// Writes a session to disk and takes it up by a new one; `files` are those of the replay buffer so far.
fn taken_up(mut session: Session, folder: &Path, files: &mut Vec<PathBuf>, next: &mut u64) -> Session {
    let parameters = folder.join("model.safetensors");
    save_parameters(&parameters, &session.learner().parameters().unwrap(), HashMap::new()).unwrap();
    save_state(folder, &session.save_state().unwrap()).unwrap();
    if session.replay().stored() > *next {
        let path = folder.join(format!("rows-{next:012}.safetensors"));
        let (first, count) = segment::save(&path, session.replay(), *next).unwrap();
        *next = first + count;
        files.push(path);
    }
    let config = session.config().clone();
    drop(session);
    let mut session = Session::new(config).unwrap();
    session.load_state(&load_parameters(&parameters).unwrap(), load_state(folder).unwrap()).unwrap();
    segment::load(files, session.replay_mut()).unwrap();
    session
}

/// Stops a session at random places and takes it up by another, until it has done what one that is not stopped does.
fn expect_exact(name: &str, config: SessionConfig, plan: &Plan) {
    let never = AtomicBool::new(false);
    let mut whole = Session::new(config.clone()).unwrap();
    whole.advance(plan, &never).unwrap();

    let folder = Folder::new(name);
    let (mut files, mut next) = (Vec::new(), 0);
    let mut pause = Stream::new(u64::from(std::process::id()), Purpose::Diagnostics, 0);
    let mut session = Session::new(config).unwrap();
    let (mut done, mut cuts) = (0, 0);
    // once for certain: on a busy machine the stops below can all come late
    let third = Plan { repeat: plan.repeat / 3, ..plan.clone() };
    done += session.advance(&third, &never).unwrap().iterations;
    session = taken_up(session, &folder.0, &mut files, &mut next);
    while done < plan.repeat {
        let stop = AtomicBool::new(false);
        let rest = Plan { repeat: plan.repeat - done, ..plan.clone() };
        let microseconds = pause.index(4000) as u64;
        let progress = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_micros(microseconds));
                stop.store(true, Ordering::Relaxed);
            });
            session.advance(&rest, &stop).unwrap()
        });
        done += progress.iterations;
        // a plan that was done before the stop was not cut
        if done < plan.repeat {
            cuts += 1;
            session = taken_up(session, &folder.0, &mut files, &mut next);
        }
        // after so many cuts the rest in one go
        if cuts > 40 {
            let rest = Plan { repeat: plan.repeat - done, ..plan.clone() };
            done += session.advance(&rest, &never).unwrap().iterations;
        }
    }
    let (cut, whole) = (seen(&mut session), seen(&mut whole));
    assert_eq!(cut.state, whole.state, "{name}: state");
    assert_eq!(cut.metrics, whole.metrics, "{name}: metrics");
    assert!(cut == whole, "{name}: parameters or rows");
}

fn plan(phases: &[Phase], repeat: u64) -> Plan {
    Plan { repeat, phases: phases.to_vec(), residual_floor: 0.125 }
}

#[test]
fn every_recipe_on_every_engine() {
    let phases = [Phase::Collect(3), Phase::Update { m_steps: 2, e_steps: 1 }];
    for variant in VARIANTS {
        let projected = variant.recipe.m_step == MStepKind::Projected;
        let kernel = [1, 2].map(|threads| ("kernel", Engine::Kernel, threads));
        let tensor = ("tensor", Engine::Tensor { device: "cpu".to_owned() }, 1);
        let engines = kernel.into_iter().filter(|_| !projected).chain([tensor]);
        for (engine, kind, threads) in engines {
            let config = config("Hopper-v5", variant, kind, threads);
            expect_exact(
                &format!("{}-{engine}-{threads}", variant.name.replace(' ', "")),
                config,
                &plan(&phases, 120),
            );
        }
    }
}

#[test]
fn every_task_and_several_environments() {
    for task in
        ["HalfCheetah-v5", "Humanoid-v5", "Swimmer-v5", "Reacher-v5", "InvertedDoublePendulum-v5", "Ant-v4"]
    {
        for environments in [1, 3] {
            let mut config = config(task, VIREL, Engine::Kernel, 1);
            config.environments = environments;
            config.reset_every = 60;
            let phases = [Phase::Collect(1), Phase::Update { m_steps: 1, e_steps: 1 }];
            expect_exact(&format!("{task}-{environments}"), config, &plan(&phases, 300));
        }
    }
}

#[test]
fn complete_halves_and_noise_that_is_a_process() {
    let converge = |half| Phase::Converge { half, tolerance: 1e-3, max_steps: 40 };
    let phases = [Phase::Collect(5), converge(Step::M), converge(Step::E)];
    let mut config = config("Hopper-v5", VIREL, Engine::Kernel, 1);
    config.exploration = Exploration::OrnsteinUhlenbeck { theta: 0.15, sigma: 0.3 };
    expect_exact("complete", config, &plan(&phases, 40));
}

#[test]
#[ignore = "needs a GPU"]
fn every_recipe_on_a_gpu() {
    let phases = [Phase::Collect(3), Phase::Update { m_steps: 2, e_steps: 1 }];
    for variant in VARIANTS {
        let config = config("Hopper-v5", variant, Engine::Tensor { device: "cuda".to_owned() }, 1);
        expect_exact(&format!("{}-cuda", variant.name.replace(' ', "")), config, &plan(&phases, 120));
    }
}
