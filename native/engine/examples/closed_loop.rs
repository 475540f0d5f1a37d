//! What the closed loop (policy, step, reward, reset, buffer) costs beside the physics alone: its steps a second against a
//! bare loop of mj_step from the same states with the same controls, on one core, in alternating blocks.
//!
//! `VIREL_MODELS=DIR cargo run --release --target host-tuple -p virel-engine --example closed_loop -- TASK MODEL [ENVIRONMENTS BLOCKS STEPS]`,
//! such as `HalfCheetah-v5 half_cheetah.xml 8`.

#[path = "paper/mod.rs"]
mod paper;

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use mujoco_rs::wrappers::mj_data::MjData;
use mujoco_rs::wrappers::mj_model::MjModel;
use virel_engine::environments::environment::{Environment, Outcome};
use virel_engine::environments::mujoco::choices::Choices;
use virel_engine::environments::mujoco::create;
use virel_engine::environments::spec::Spec;
use virel_engine::error::{EngineError, Result};
use virel_engine::learner::LearnerConfig;
use virel_engine::learner::kernel::KernelLearner;
use virel_engine::learner::kernel::sgemm::Gemm;
use virel_engine::ledger::Ledger;
use virel_engine::networks::initialise::{Scheme, TrainedStart, initial};
use virel_engine::random::{Purpose, Stream};
use virel_engine::session::collect::Collector;
use virel_engine::session::exploration::Exploration;
use virel_engine::session::temperature::TemperatureSource;
use virel_engine::session::{Engine, ResidualConfig, SessionConfig, World};

/// What happened to an environment, in order.
enum Event {
    /// It was put into this state.
    Start { qpos: Vec<f64>, qvel: Vec<f64> },
    /// It was stepped with these controls.
    Step(Vec<f64>),
}

/// The events of all environments with the number of each.
type Log = Arc<Mutex<Vec<(usize, Event)>>>;

/// An environment whose events are written down.
struct Recording {
    inner: Box<dyn Environment>,
    number: usize,
    log: Log,
}

impl Recording {
    fn write(&self, event: Event) {
        if let Ok(mut log) = self.log.lock() {
            log.push((self.number, event));
        }
    }
}

impl Environment for Recording {
    fn spec(&self) -> &Spec {
        self.inner.spec()
    }
    fn reset(&mut self, stream: &mut Stream, observation: &mut [f64]) -> Result<()> {
        self.inner.reset(stream, observation)?;
        self.write(Event::Start { qpos: self.inner.qpos().to_vec(), qvel: self.inner.qvel().to_vec() });
        Ok(())
    }
    fn set_state(&mut self, qpos: &[f64], qvel: &[f64], observation: &mut [f64]) -> Result<()> {
        self.inner.set_state(qpos, qvel, observation)
    }
    fn step(&mut self, action: &[f64], observation: &mut [f64]) -> Result<Outcome> {
        self.write(Event::Step(action.to_vec()));
        self.inner.step(action, observation)
    }
    fn info(&self) -> &[f64] {
        self.inner.info()
    }
    fn qpos(&self) -> &[f64] {
        self.inner.qpos()
    }
    fn qvel(&self) -> &[f64] {
        self.inner.qvel()
    }
    fn set_max_episode_steps(&mut self, steps: u64) {
        self.inner.set_max_episode_steps(steps);
    }
    fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.inner.state(ledger)
    }
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |index: usize, default: &str| words.get(index).cloned().unwrap_or_else(|| default.to_owned());
    let number =
        |index: usize, default: usize| words.get(index).and_then(|w| w.parse().ok()).unwrap_or(default);
    let (task, model) = (word(0, "HalfCheetah-v5"), word(1, "half_cheetah.xml"));
    let (count, blocks, steps) = (number(2, 1), number(3, 9), number(4, 10_000));
    let models = PathBuf::from(std::env::var_os("VIREL_MODELS").unwrap_or_default());

    let environments = |log: Option<&Log>| -> Result<Vec<Box<dyn Environment>>> {
        let plain = (0..count).map(|_| create(&task, &models));
        let boxed = plain.enumerate().map(|(number, inner)| -> Result<Box<dyn Environment>> {
            let inner: Box<dyn Environment> = Box::new(inner?);
            Ok(match log {
                None => inner,
                Some(log) => Box::new(Recording { inner, number, log: Arc::clone(log) }),
            })
        });
        boxed.collect()
    };
    let spec = create(&task, &models)?.spec().clone();
    let config = config(&spec, &task, &models, count);
    let log = Log::default();
    let mut recorded = Collector::new(&config, environments(Some(&log))?)?;
    let mut measured = Collector::new(&config, environments(None)?)?;
    let (mut first, mut second) = (learner(&config)?, learner(&config)?);
    let physics = MjModel::from_xml(models.join(&model))
        .map_err(|error| EngineError::ModelInvalid { path: model.clone(), reason: error.to_string() })?;
    let physics = Rc::new(physics);
    let bare: Vec<_> = (0..count).map(|_| RefCell::new(MjData::new(Rc::clone(&physics)))).collect();

    let mut rates = Vec::new();
    for block in 0..=blocks {
        for _ in 0..steps {
            recorded.step(&mut first)?;
        }
        let events = log.lock().map(|mut log| std::mem::take(&mut *log)).unwrap_or_default();
        let start = Instant::now();
        for _ in 0..steps {
            measured.step(&mut second)?;
        }
        let closed = steps as f64 / start.elapsed().as_secs_f64();
        let start = Instant::now();
        for (number, event) in &events {
            let mut data = bare[*number].borrow_mut();
            match event {
                Event::Start { qpos, qvel } => {
                    data.reset();
                    data.qpos_mut().copy_from_slice(qpos);
                    data.qvel_mut().copy_from_slice(qvel);
                }
                Event::Step(control) => {
                    data.ctrl_mut().copy_from_slice(control);
                    for _ in 0..spec.frame_skip {
                        data.step();
                    }
                }
            }
        }
        let alone = steps as f64 / start.elapsed().as_secs_f64();
        // the first block warms up
        if block > 0 {
            rates.push((closed, alone, closed / alone));
        }
    }
    let median = |of: &dyn Fn(&(f64, f64, f64)) -> f64| {
        let mut values: Vec<f64> = rates.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        (values[values.len() / 2], values[0], values[values.len() - 1])
    };
    let (closed, alone, share) = (median(&|r| r.0), median(&|r| r.1), median(&|r| r.2));
    println!(
        "{task}, {count} environment(s): closed loop {:.0} steps/s, bare loop {:.0}, share {:.1} % ({:.1} to {:.1})",
        closed.0,
        alone.0,
        100.0 * share.0,
        100.0 * share.1,
        100.0 * share.2
    );
    Ok(())
}

fn learner(config: &SessionConfig) -> Result<KernelLearner> {
    let mut stream = Stream::new(config.seed, Purpose::Initialise, 0);
    let LearnerConfig { recipe, sizes, .. } = &config.learner;
    let parameters = initial(config.initialise, recipe, sizes, &config.start, &mut stream);
    KernelLearner::new(config.learner.clone(), &parameters)
}

/// Collecting alone: what updates read is as in the paper and not used.
fn config(spec: &Spec, task: &str, models: &std::path::Path, environments: usize) -> SessionConfig {
    SessionConfig {
        world: World::Mujoco {
            id: task.to_owned(),
            model_directory: models.to_owned(),
            choices: Choices::default(),
        },
        max_episode_steps: spec.max_episode_steps,
        seed: 1,
        reward_scale: 5.0,
        temperature: TemperatureSource::Fixed(1.0),
        residual: ResidualConfig { batch: 4096, factor: 1.0, warmup_value: 1.0, every: 1 },
        exploration: Exploration::Policy,
        target_every: 1,
        start_updates: 1,
        uniform_steps: 0,
        reset_every: 0,
        environments,
        replay_capacity: 1_000_000,
        max_unstable_per_10k: 100,
        initialise: Scheme::Rlkit,
        start: TrainedStart { temperature: 1.0, mean_multiplier: 1.0, covariance_multiplier: 1.0 },
        learner: paper::config(spec.observation_size, spec.action_size, 1, Gemm::Own),
        engine: Engine::Kernel,
    }
}
