//! Improving: draw a batch and its noise, measure the residual error, take a gradient step, move the targets. What a half of
//! complete EM needs beyond that is in [`super::converge`].

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{EngineError, Result};
use crate::learner::{Learner, Losses, Step, StepTerms, Temperature};
use crate::ledger::Ledger;
use crate::networks::layout::Parameter;
use crate::random::{Purpose, Stream};
use crate::recipe::{PolicyKind, Recipe};
use crate::replay::batch::Batch;
use crate::replay::buffer::{GatheredBatch, ReplayBuffer};
use crate::replay::rows::Rows;

use super::converge::{Change, Converged, Suspended};
use super::temperature::{ResidualInUse, TemperatureSource};
use super::{Engine, ResidualConfig, SessionConfig};

/// Gradient steps from one copy of finite parameters to the next: what a divergence can cost, and a copy in so many
/// steps is 0.1 % of their time.
const KEEP_EVERY: u64 = 256;

/// The steps of an update phase, in order: at 1:1 one joint step, otherwise all M-steps, then all E-steps.
pub fn order(m_steps: u64, e_steps: u64) -> impl Iterator<Item = Step> {
    let joint = u64::from(m_steps == 1 && e_steps == 1);
    let repeat = |step, count: u64| (0..count).map(move |_| step);
    repeat(Step::Joint, joint).chain(repeat(Step::M, m_steps - joint)).chain(repeat(Step::E, e_steps - joint))
}

/// Gradient steps of each kind so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    joint: u64,
    m: u64,
    e: u64,
}

impl Counts {
    const fn all(self) -> u64 {
        self.joint + self.m + self.e
    }

    const fn m_steps(self) -> u64 {
        self.joint + self.m
    }

    const fn e_steps(self) -> u64 {
        self.joint + self.e
    }

    fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.value("joint", &mut self.joint)?;
        ledger.value("m", &mut self.m)?;
        ledger.value("e", &mut self.e)
    }

    const fn add(&mut self, step: Step) {
        match step {
            Step::Joint => self.joint += 1,
            Step::M => self.m += 1,
            Step::E => self.e += 1,
        }
    }
}

/// Draws for the learner and counts what it did.
pub struct Improver {
    seed: u64,
    batch: usize,
    recipe: Recipe,
    samples: usize,
    action: usize,
    target_every: u64,
    source: TemperatureSource,
    residual: ResidualConfig,
    residual_floor: f64,
    /// Whether the learner has measured the residual error.
    is_measured: bool,
    /// Period of `residual.every` gradient steps that the residual error was last due in.
    measured_period: Option<u64>,
    /// Whether losses are looked at after every step, which costs the kernel nothing; the tensor engine would have to
    /// compute them, and wait for its device, so it is asked once a plan.
    looks_every_step: bool,
    index_stream: Stream,
    noise_stream: Stream,
    residual_index_stream: Stream,
    residual_noise_stream: Stream,
    counts: Counts,
    /// Halves since whose targets were last moved: M-steps, E-steps.
    since_targets: (u64, u64),
    converged_m: Converged,
    converged_e: Converged,
    suspended: Option<Suspended>,
    /// Parameters as they last were known to be finite, and after how many gradient steps.
    kept: (Vec<Parameter>, u64),
    /// Parameters that are not known to be finite yet.
    candidate: Vec<Parameter>,
    indices: Vec<usize>,
    noise: Vec<f32>,
    gathered: GatheredBatch,
    residual_noise: Vec<f32>,
}

impl Improver {
    /// Nothing drawn, nothing counted yet; `initial` are the learner's parameters.
    pub fn new(config: &SessionConfig, initial: Vec<Parameter>) -> Self {
        let stream = |purpose| Stream::new(config.seed, purpose, 0);
        let learner = &config.learner;
        Self {
            seed: config.seed,
            batch: learner.batch,
            recipe: learner.recipe,
            samples: learner.samples,
            action: learner.sizes.action,
            target_every: config.target_every,
            source: config.temperature,
            residual: config.residual,
            residual_floor: 0.0,
            is_measured: false,
            measured_period: None,
            looks_every_step: matches!(config.engine, Engine::Kernel),
            index_stream: stream(Purpose::ReplayIndex),
            noise_stream: stream(Purpose::PolicyNoise),
            residual_index_stream: stream(Purpose::ResidualIndex),
            residual_noise_stream: stream(Purpose::ResidualNoise),
            counts: Counts::default(),
            since_targets: (0, 0),
            converged_m: Converged::default(),
            converged_e: Converged::default(),
            suspended: None,
            kept: (initial, 0),
            candidate: Vec::new(),
            indices: Vec::new(),
            noise: Vec::new(),
            gathered: GatheredBatch::default(),
            residual_noise: Vec::new(),
        }
    }

    /// All that the next gradient steps depend on beside learner and replay buffer.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        ledger.section("rng", |ledger| {
            ledger.stream("replayIndex", &mut self.index_stream)?;
            ledger.stream("policyNoise", &mut self.noise_stream)?;
            ledger.stream("residualIndex", &mut self.residual_index_stream)?;
            ledger.stream("residualNoise", &mut self.residual_noise_stream)
        })?;
        ledger.section("schedule", |ledger| {
            ledger.flag("isMeasured", &mut self.is_measured)?;
            ledger.value("residualFloor", &mut self.residual_floor)?;
            ledger.optional("measuredPeriod", &mut self.measured_period)?;
            ledger.section("counts", |ledger| self.counts.state(ledger))?;
            ledger.value("mSinceTargets", &mut self.since_targets.0)?;
            ledger.value("eSinceTargets", &mut self.since_targets.1)?;
            ledger.section("convergedM", |ledger| self.converged_m.state(ledger))?;
            ledger.section("convergedE", |ledger| self.converged_e.state(ledger))?;
            let mut suspended = self.suspended.take().unwrap_or(Suspended::nothing());
            ledger.section("suspended", |ledger| suspended.state(ledger))?;
            self.suspended = (!suspended.indices.is_empty()).then_some(suspended);
            Ok(())
        })
    }

    /// A half that a stop interrupted is not gone on with.
    pub fn forget_half(&mut self) {
        self.suspended = None;
    }

    /// Gradient steps so far.
    pub const fn updates(&self) -> u64 {
        self.counts.all()
    }

    /// T of the next step.
    pub fn temperature(&self, replay: &ReplayBuffer) -> Temperature {
        self.source.at(self.residual_in_use(), replay)
    }

    /// The residual error in use where `measured` is the learner's latest, floor included; None where the temperature
    /// reads none.
    pub fn residual_error(&self, measured: Option<f32>) -> Option<f64> {
        if self.source.reads_residual_error() { self.residual_in_use().at(measured) } else { None }
    }

    const fn residual_in_use(&self) -> ResidualInUse {
        let floor = self.residual_floor;
        if self.is_measured {
            ResidualInUse::Measured { factor: self.residual.factor, floor }
        } else {
            ResidualInUse::Number(self.residual.warmup_value + floor)
        }
    }

    /// ε_k of incremental EM.
    pub const fn set_residual_floor(&mut self, floor: f64) {
        self.residual_floor = floor;
    }

    /// One gradient step on `B` rows, drawn uniformly with replacement; `env_steps` is for messages.
    ///
    /// # Errors
    /// `DIVERGED` where a loss is not finite, with the parameters as they last were; what the learner reports.
    pub fn step(
        &mut self,
        step: Step,
        learner: &mut dyn Learner,
        replay: &ReplayBuffer,
        env_steps: u64,
    ) -> Result<()> {
        self.measure(learner, replay)?;
        self.draw(replay);
        let temperature = self.temperature(replay);
        let rows = Rows::Drawn { replay, indices: &self.indices };
        let due = self.due(step);
        learner.step_on((step, due), (&rows, &mut self.gathered), &self.noise, temperature)?;
        self.count(step, due);
        if self.looks_every_step { self.expect_finite(learner, env_steps) } else { Ok(()) }
    }

    /// One gradient step on the given batch, then the targets that are due.
    ///
    /// # Errors
    /// What the learner reports.
    pub fn apply(
        &mut self,
        step: Step,
        learner: &mut dyn Learner,
        batch: &Batch<'_>,
        noise: &[f32],
        temperature: Temperature,
    ) -> Result<()> {
        let due = self.due(step);
        learner.step_on((step, due), (&Rows::Gathered(*batch), &mut self.gathered), noise, temperature)?;
        self.count(step, due);
        Ok(())
    }

    /// Of a step's halves those whose targets move after it: after every `target_every`-th step of the half.
    fn due(&self, step: Step) -> Option<Step> {
        let (m, e) = self.since_targets;
        let m_due = step.has_m() && m + 1 >= self.target_every;
        let e_due = step.has_e() && e + 1 >= self.target_every;
        match (m_due, e_due) {
            (true, true) => Some(Step::Joint),
            (true, false) => Some(Step::M),
            (false, true) => Some(Step::E),
            (false, false) => None,
        }
    }

    /// Counts a gradient step, after which the targets of `followed` moved.
    fn count(&mut self, step: Step, followed: Option<Step>) {
        self.counts.add(step);
        self.count_for_targets(step, followed);
    }

    fn count_for_targets(&mut self, step: Step, followed: Option<Step>) {
        let (m, e) = &mut self.since_targets;
        let after = |since: u64, has_half: bool, is_followed: bool| match is_followed {
            true => 0,
            false => since + u64::from(has_half),
        };
        *m = after(*m, step.has_m(), followed.is_some_and(Step::has_m));
        *e = after(*e, step.has_e(), followed.is_some_and(Step::has_e));
    }

    /// One complete half of EM on one batch (paper.md 4.11); whether it was not stopped. A stopped one goes on with the
    /// next call.
    ///
    /// # Errors
    /// `DIVERGED`, or what the learner reports.
    pub fn converge(
        &mut self,
        half: Step,
        (tolerance, max_steps): (f64, u64),
        learner: &mut dyn Learner,
        (replay, env_steps): (&ReplayBuffer, u64),
        stop: &AtomicBool,
    ) -> Result<bool> {
        let begun = self.suspended.take();
        match &begun {
            Some(Suspended { indices, noise, .. }) => {
                self.indices.clear();
                self.indices.extend(indices.iter().map(|&index| index as usize));
                replay.gather(&self.indices, &mut self.gathered);
                self.noise.clone_from(noise);
            }
            None => {
                self.measure(learner, replay)?;
                self.draw(replay);
                replay.gather(&self.indices, &mut self.gathered);
            }
        }
        let (gathered, noise) = (std::mem::take(&mut self.gathered), std::mem::take(&mut self.noise));
        let (batch, temperature) = (gathered.as_batch(), self.temperature(replay));
        let mut change = Change::new(half, &batch, self.action);
        let mut latest = 0;
        if let Some(begun) = begun {
            latest = begun.latest;
            (change.loss, change.before) = (begun.loss, begun.before);
        }
        let mut reached = false;
        let mut failed = Ok(());
        while !reached && latest < max_steps && !stop.load(Ordering::Relaxed) {
            latest += 1;
            let losses = self.converging_step(half, learner, (&batch, &noise, temperature), env_steps);
            let changed = losses.and_then(|losses| change.after_step(&losses, learner));
            failed = changed.map(|change| reached = change < tolerance);
            if failed.is_err() {
                break;
            }
        }
        (self.gathered, self.noise) = (gathered, noise);
        failed?;
        if !reached && latest < max_steps {
            let indices = self.indices.iter().map(|&index| index as u64).collect();
            let Change { loss, before, .. } = change;
            self.suspended = Some(Suspended { indices, noise: self.noise.clone(), latest, loss, before });
            return Ok(false);
        }
        let record = if half == Step::M { &mut self.converged_m } else { &mut self.converged_e };
        record.runs += 1;
        record.reached += u64::from(reached);
        record.latest = latest;
        // targets were frozen; the whole half counts as one step of theirs
        let due = self.due(half);
        due.map_or(Ok(()), |half| learner.update_targets(half))?;
        self.count_for_targets(half, due);
        Ok(true)
    }

    /// One gradient step of a converging half, with its targets frozen, and its losses: whether another follows is
    /// decided by what this one did.
    fn converging_step(
        &mut self,
        half: Step,
        learner: &mut dyn Learner,
        (batch, noise, temperature): (&Batch<'_>, &[f32], Temperature),
        env_steps: u64,
    ) -> Result<Losses> {
        learner.step(half, batch, noise, temperature)?;
        self.counts.add(half);
        self.finite_losses(learner, env_steps)
    }

    /// Draws the rows and the noise of a gradient step.
    fn draw(&mut self, replay: &ReplayBuffer) {
        draw(&mut self.index_stream, self.batch, replay, &mut self.indices);
        self.noise.resize(self.batch * self.recipe.draws(self.samples) * self.action, 0.0);
        self.noise_stream.fill_normal(&mut self.noise);
    }

    /// The residual error on fresh rows, where the temperature reads it and it is due, once in every period of
    /// `residual.every` gradient steps; its first value holds until the buffer has more rows than it takes.
    fn measure(&mut self, learner: &mut dyn Learner, replay: &ReplayBuffer) -> Result<()> {
        // a converging half may step over the first gradient step of a period
        let period = self.updates() / self.residual.every;
        let is_due = self.measured_period.replace(period) != Some(period);
        if !self.source.reads_residual_error() || !is_due || replay.len() <= self.residual.batch {
            return Ok(());
        }
        let temperature = self.temperature(replay);
        let rows = self.residual.batch;
        draw(&mut self.residual_index_stream, rows, replay, &mut self.indices);
        self.residual_noise.resize(rows * self.recipe.draws_at_next_state(self.samples) * self.action, 0.0);
        self.residual_noise_stream.fill_normal(&mut self.residual_noise);
        let rows = Rows::Drawn { replay, indices: &self.indices };
        learner.measure(&rows, &self.residual_noise, temperature)?;
        self.is_measured = true;
        Ok(())
    }

    /// Stops a session whose losses left the finite numbers, and gives the learner back the parameters that it last
    /// had before.
    ///
    /// # Errors
    /// `DIVERGED`, naming the quantity.
    pub fn expect_finite(&mut self, learner: &mut dyn Learner, env_steps: u64) -> Result<()> {
        if self.updates() == 0 { Ok(()) } else { self.finite_losses(learner, env_steps).map(|_| ()) }
    }

    /// The latest losses, after [`Self::expect_finite`].
    fn finite_losses(&mut self, learner: &mut dyn Learner, env_steps: u64) -> Result<Losses> {
        let terms = learner.terms()?;
        let residual = terms.residual_error.map(|error| ("residual error", error));
        let loss = terms.losses.named().chain(residual).find(|(_, value)| !value.is_finite());
        if let Some((name, value)) = loss {
            return Err(self.diverged(learner, env_steps, quantity(name), f64::from(value)));
        }
        if self.updates() >= self.kept.1 + KEEP_EVERY {
            learner.refresh(&mut self.candidate)?;
            let broken = self.candidate.iter().find_map(|parameter| {
                let index = parameter.data.iter().position(|value| !value.is_finite())?;
                Some((format!("{}[{index}]", parameter.spec.name), parameter.data[index]))
            });
            if let Some((name, value)) = broken {
                return Err(self.diverged(learner, env_steps, name, f64::from(value)));
            }
            std::mem::swap(&mut self.kept.0, &mut self.candidate);
            self.kept.1 = self.updates();
        }
        Ok(terms.losses)
    }

    /// Copies of parameters that a divergence gives back: finite ones that the learner has now.
    pub fn keep(&mut self, parameters: Vec<Parameter>) {
        self.kept = (parameters, self.updates());
    }

    /// What a policy answered, or the divergence that an action shows which is not finite: parameters break with a
    /// gradient step, before a loss says so.
    ///
    /// # Errors
    /// `DIVERGED`, with the parameters as they last were finite; any other as it is.
    pub fn explained<T>(&self, answer: Result<T>, learner: &mut dyn Learner, env_steps: u64) -> Result<T> {
        answer.map_err(|error| match error {
            EngineError::ActionNotFinite { index, value, .. } => {
                self.diverged(learner, env_steps, format!("the policy's action[{index}]"), value)
            }
            other => other,
        })
    }

    fn diverged(&self, learner: &mut dyn Learner, step: u64, quantity: String, value: f64) -> EngineError {
        let (parameters, updates) = &self.kept;
        match learner.set_parameters(parameters) {
            Ok(()) => {
                EngineError::Diverged { step, quantity, value, updates: self.updates(), kept: *updates }
            }
            Err(error) => error,
        }
    }

    /// Public metrics of the latest steps, by the names of `src/logging/metrics.ts`.
    ///
    /// # Errors
    /// What the learner reports.
    pub fn metrics(
        &mut self,
        learner: &mut dyn Learner,
        replay: &ReplayBuffer,
    ) -> Result<Vec<(&'static str, f64)>> {
        let terms = learner.terms()?;
        let given = self.temperature(replay).at(terms.residual_error)?;
        let temperature = learner.temperature()?.or(given).unwrap_or_default();
        let mut metrics = vec![
            ("virel/m_step", self.counts.m_steps() as f64),
            ("virel/e_step", self.counts.e_steps() as f64),
            ("replay/size", replay.len() as f64),
        ];
        if self.recipe.policy == PolicyKind::TanhGaussian {
            metrics.push(("virel/temperature", f64::from(temperature)));
        }
        let residual_error = self.residual_error(terms.residual_error);
        metrics.extend(residual_error.map(|error| ("virel/residual_error", error)));
        if self.residual_floor > 0.0 {
            metrics.push(("schedule/residual_floor", self.residual_floor));
        }
        if !replay.is_empty() {
            let raw = self.raw_residual_error(learner, replay, temperature)?;
            metrics.push(("virel/residual_error_raw", raw));
        }
        self.push_terms(&terms, learner, &mut metrics)?;
        for (record, steps, reached) in [
            (self.converged_m, "schedule/m_steps", "schedule/m_reached"),
            (self.converged_e, "schedule/e_steps", "schedule/e_reached"),
        ] {
            if record.runs > 0 {
                metrics.push((steps, record.latest as f64));
                metrics.push((reached, record.reached as f64 / record.runs as f64));
            }
        }
        Ok(metrics)
    }

    /// What the latest gradient steps saw, as far as they have run.
    fn push_terms(
        &self,
        terms: &StepTerms,
        learner: &mut dyn Learner,
        metrics: &mut Vec<(&'static str, f64)>,
    ) -> Result<()> {
        let norms = learner.norms()?;
        let mut push = |name, value: Option<f32>| metrics.extend(value.map(|value| (name, f64::from(value))));
        if self.counts.m_steps() > 0 {
            push("losses/qf1_loss", terms.action_value_losses.first().copied());
            push("losses/qf2_loss", terms.action_value_losses.get(1).copied());
            push("losses/vf_loss", terms.losses.state_value);
            push("losses/qf1_values", terms.action_values.first().copied());
            push("losses/qf2_values", terms.action_values.get(1).copied());
            push("losses/vf_values", terms.state_value);
            push("virel/projected_residual", terms.losses.auxiliary_weights.map(|loss| -loss));
        }
        if self.counts.e_steps() > 0 {
            push("losses/actor_loss", Some(terms.losses.policy));
            push("policy/log_prob", terms.log_density);
            push("policy/entropy", terms.log_density.map(|value| -value));
            push("policy/mean_abs_action", Some(terms.absolute_action));
            push("policy/log_std", terms.log_std);
            push("mpo/kl_mean", terms.kl_mean);
            push("mpo/kl_cov", terms.kl_covariance);
            let is_dual = terms.losses.mean_multiplier.is_some();
            push("mpo/dual_temperature", if is_dual { learner.temperature()? } else { None });
            push("losses/alpha_loss", terms.losses.temperature);
        }
        for (norms, gradient, update) in [
            (norms.policy, "gradients/policy_norm", "updates/policy_norm"),
            (norms.action_value, "gradients/action_value_norm", "updates/action_value_norm"),
            (norms.state_value, "gradients/state_value_norm", "updates/state_value_norm"),
        ] {
            if let Some(norms) = norms {
                metrics.push((gradient, norms.gradient));
                metrics.push((update, norms.update));
            }
        }
        Ok(())
    }

    /// ε_w on fresh rows; which ones follows from the updates so far, not from how often this was asked.
    fn raw_residual_error(
        &mut self,
        learner: &mut dyn Learner,
        replay: &ReplayBuffer,
        temperature: f32,
    ) -> Result<f64> {
        let mut stream = Stream::new(self.seed, Purpose::Diagnostics, self.updates());
        let mut gathered = GatheredBatch::default();
        let rows = self.residual.batch;
        draw(&mut stream, rows, replay, &mut self.indices);
        replay.gather(&self.indices, &mut gathered);
        let mut noise = vec![0.0; rows * self.recipe.draws_at_next_state(self.samples) * self.action];
        stream.fill_normal(&mut noise);
        learner.residual_error(&gathered.as_batch(), &noise, Temperature::Given(temperature)).map(f64::from)
    }
}

/// How a loss is called in a message.
fn quantity(loss: &str) -> String {
    match loss {
        "policy" => "the policy loss".to_owned(),
        "actionValue" => "the action value loss".to_owned(),
        "stateValue" => "the state value loss".to_owned(),
        "auxiliaryWeights" => "the projected residual error".to_owned(),
        "temperature" => "the temperature loss".to_owned(),
        other => format!("the {other}"),
    }
}

/// Draws `rows` rows of `replay`, uniformly with replacement.
fn draw(stream: &mut Stream, rows: usize, replay: &ReplayBuffer, indices: &mut Vec<usize>) {
    indices.clear();
    indices.extend((0..rows).map(|_| stream.index(replay.len())));
}

#[cfg(test)]
mod tests {
    use super::order;
    use crate::learner::Step;

    #[test]
    fn one_to_one_is_one_joint_step() {
        assert_eq!(order(1, 1).collect::<Vec<_>>(), [Step::Joint]);
    }

    #[test]
    fn any_other_pair_takes_m_steps_first() {
        assert_eq!(order(2, 1).collect::<Vec<_>>(), [Step::M, Step::M, Step::E]);
        assert_eq!(order(0, 2).collect::<Vec<_>>(), [Step::E, Step::E]);
        assert_eq!(order(0, 0).count(), 0);
    }
}
