//! The learner on libtorch: batched operations on CPU or CUDA, f32 or f64, derivatives written out, no autograd.
//!
//! A step crosses to the device once, with its batch, noise and temperature, and reads nothing back; [`transfer`] alone
//! does, when the caller asks for numbers. Its operations and their constants are the same in every step: step counts,
//! moments and temperatures are on the device, always in the same place. So a GPU is given the second step of a kind as a
//! recording, which later ones replay ([`graph`], [`recordings`]). Matrix work is shared: each pass that both halves of a
//! step need is computed once ([`given`]). The halves are assembled from the recipe's parts in [`halves`]; the equations of
//! a part are in the file of its stem.
//!
//! Sizes are passed down rather than asked of tensors: `size`, `size2` and `numel` panic where libtorch throws.
//! Of such forms only `shallow_clone` and `device` remain, and `size` and `numel` where only the tensor knows: on one that exists they
//! read or copy a few words.

mod adam;
mod bellman;
mod boltzmann;
mod e_step;
mod given;
mod graph;
mod halves;
mod m_step;
mod network;
mod networks;
mod optimisers;
mod projected_residual;
mod queues;
mod recorder;
mod recordings;
mod residual;
mod tanh_gaussian;
mod target_update;
mod temperature;
mod transfer;

use tch::{Device, Kind, Tensor};

use self::e_step::PriorGap;
use self::given::Given;
use self::graph::Graph;
use self::halves::{EStep, MStep, Saw, differentiate, residual_of};
use self::m_step::Regression;
use self::networks::{Targets, Trained, expect_part};
use self::optimisers::Optimisers;
use self::queues::{Queue, Queues};
use self::recordings::{Latest, Recordings, Routine, Stage, Work};
use self::tanh_gaussian::{Gaussian, deterministic};
use self::temperature::{Duals, InUse, numbers};
use self::transfer::{Manifest, Placement, Report, Shipment, Upload, pairs};
pub use self::transfer::{Transfers, read, transfers};
use super::{Learner, LearnerConfig, Step, StepGradients, StepNorms, StepTerms, Temperature};
use super::{
    expect_act, expect_all, expect_batch, expect_config, expect_noise, expect_parameters, expect_positive,
    not_measured,
};
use crate::device::{use_threads, warm_up};
use crate::error::{Result, expect_len};
use crate::ledger::Ledger;
use crate::networks::layout::{Networks, Parameter, ParameterSpec};
use crate::recipe::{PolicyKind, PolicyObjective};
use crate::replay::batch::Batch;
use crate::replay::buffer::GatheredBatch;
use crate::replay::rows::Rows;

/// Networks, optimisers and targets on one device.
pub struct TensorLearner {
    config: LearnerConfig,
    layout: Networks,
    placement: Placement,
    trained: Trained,
    targets: Targets,
    /// Of the latest steps.
    gradients: Trained,
    optimisers: Optimisers,
    /// Room for rows of a replay buffer.
    gathered: GatheredBatch,
    /// Of a device that has queues.
    recordings: Recordings,
    /// What the latest M-step and E-step saw, on the device until [`Learner::terms`].
    latest_m_step: Option<Latest<MStep>>,
    latest_e_step: Option<Latest<EStep>>,
    /// What steps of before this learner was taken up saw, and its divergences at the prior's latest move.
    earlier: (StepTerms, StepNorms),
    earlier_divergences: Option<(f32, f32)>,
    /// π_θ and π_φ as the E-step before the prior's latest move saw them.
    gap_at_move: Option<PriorGap>,
    /// ε as it was last measured, a scalar, always in the same place.
    residual_error: Tensor,
    is_measured: bool,
    /// Where its work goes; the last to go, after all that was allocated there.
    queues: Queues,
}

impl TensorLearner {
    /// A learner with the `initial` values of every parameter of [`Networks::all`], on a device that `device::open` gave.
    ///
    /// `kind` is `Float` or, for tests of the mathematics, `Double`; numbers cross to the host as f32 either way.
    ///
    /// # Errors
    /// `RECIPE_UNSUPPORTED` for parts that do not fit each other, `CONFIG_RANGE` for a size or thread count that cannot
    /// be, `PARAMETER_SHAPE` for initial parameters that are missing, unknown or of another shape, `NOT_FINITE`,
    /// `NATIVE_EXCEPTION`.
    pub fn new(config: LearnerConfig, initial: &[Parameter], device: Device, kind: Kind) -> Result<Self> {
        expect_config(&config)?;
        let layout = Networks::new(&config.recipe, &config.sizes);
        expect_all(&layout, initial)?;
        warm_up()?;
        use_threads(config.threads)?;
        let queues = Queues::on(device)?;
        queues.enter()?;
        let placement = Placement { device, kind };
        let trained = Trained::zeros(&layout, placement)?;
        let mut learner = Self {
            placement,
            targets: Targets::zeros(&layout, placement)?,
            gradients: Trained::zeros(&layout, placement)?,
            optimisers: Optimisers::new(&trained, &config)?,
            trained,
            gathered: GatheredBatch::default(),
            recordings: Recordings::default(),
            latest_m_step: None,
            latest_e_step: None,
            earlier: <(StepTerms, StepNorms)>::default(),
            earlier_divergences: None,
            gap_at_move: None,
            residual_error: placement.zeros(&[])?,
            is_measured: false,
            layout,
            config,
            queues,
        };
        learner.set_parameters(initial)?;
        Ok(learner)
    }

    /// Comes before anything that touches a tensor: the calling thread may have worked for another learner.
    fn enter(&self) -> Result<Queue<'_>> {
        use_threads(self.config.threads)?;
        self.queues.enter()
    }

    /// Draws of a row's noise that some work takes, for s and for s′.
    fn draws(&self, work: Work) -> [usize; 2] {
        let (recipe, samples) = (&self.config.recipe, self.config.samples);
        let at_state = if work == Work::Measure { 0 } else { recipe.draws_at_state(samples) };
        [at_state, recipe.draws_at_next_state(samples)]
    }

    /// Checks what some work is given, and packs it.
    fn pack(
        &self,
        work: Work,
        batch: &Batch<'_>,
        noise: &[f32],
        temperature: Temperature,
    ) -> Result<Shipment> {
        let (sizes, draws) = (&self.config.sizes, self.draws(work));
        expect_batch(sizes, batch, noise, draws.iter().sum())?;
        match temperature {
            Temperature::OfResidual { .. } if !self.is_measured => return Err(not_measured()),
            Temperature::Given(number) if self.weighs_actions(work) => expect_positive(number)?,
            _ => {}
        }
        Ok(Shipment::new(batch, (noise, draws), numbers(temperature), sizes))
    }

    /// Whether T divides: a replay does not look at it.
    fn weighs_actions(&self, work: Work) -> bool {
        let is_e_half = matches!(work, Work::Step(step) if step.has_e());
        is_e_half && self.config.recipe.policy_objective == PolicyObjective::WeightedLikelihood
    }

    /// What has arrived on the device, for the halves.
    fn given(&self, arrived: &Tensor, manifest: &Manifest, temperature: Temperature) -> Result<Given<'_>> {
        let Upload { inputs, noise, numbers } = Upload::of(arrived, manifest)?;
        let measured = self.is_measured.then_some(&self.residual_error);
        let temperature = InUse::new(temperature, numbers, measured, self.trained.duals.as_ref())?;
        Ok(Given::new(&self.config, (&self.trained, &self.targets), (inputs, noise), temperature))
    }

    /// [`Self::given`] of what is packed and uploaded first.
    fn given_now(
        &self,
        work: Work,
        batch: &Batch<'_>,
        noise: &[f32],
        temperature: Temperature,
    ) -> Result<Given<'_>> {
        self.enter()?;
        let shipment = self.pack(work, batch, noise, temperature)?;
        self.given(&shipment.upload(self.placement)?, &shipment.manifest(), temperature)
    }

    /// Does some work, or has it done by its recording.
    fn perform(
        &mut self,
        work: Work,
        batch: &Batch<'_>,
        noise: &[f32],
        temperature: Temperature,
    ) -> Result<()> {
        self.enter()?;
        let shipment = self.pack(work, batch, noise, temperature)?;
        let (manifest, placement) = (shipment.manifest(), self.placement);
        let routine = Routine::new(work, batch.rows(), temperature);
        let stage = if self.queues.can_record() { self.recordings.stage(routine) } else { Stage::Directly };
        let index = match stage {
            Stage::Directly => {
                let saw = self.operate(work, &shipment.upload(placement)?, &manifest, temperature)?;
                self.latest_m_step = saw.m_step.map(Latest::Here).or(self.latest_m_step.take());
                self.latest_e_step = saw.e_step.map(Latest::Here).or(self.latest_e_step.take());
                return Ok(());
            }
            Stage::Record => {
                let arrived = shipment.upload(placement)?;
                let recorded = Graph::record(|| self.operate(work, &arrived, &manifest, temperature))?;
                self.recordings.keep(routine, arrived, recorded)
            }
            Stage::Replay(index) => index,
        };
        self.recordings.replay(&self.queues, index, &shipment, placement)?;
        let Saw { m_step, e_step } = self.recordings.saw(index);
        if m_step.is_some() {
            self.latest_m_step = Some(Latest::Recorded(index));
        }
        if e_step.is_some() {
            self.latest_e_step = Some(Latest::Recorded(index));
        }
        Ok(())
    }

    /// The operations of some work on what has arrived.
    fn operate(
        &mut self,
        work: Work,
        arrived: &Tensor,
        manifest: &Manifest,
        temperature: Temperature,
    ) -> Result<Saw> {
        let queue = self.queues.enter()?;
        let given = self.given(arrived, manifest, temperature)?;
        match work {
            Work::Measure => {
                let measured = residual_of(queue, &given)?;
                self.residual_error.f_copy_(&measured)?;
                Ok(Saw::default())
            }
            Work::Step(step) => {
                let gradients = &self.gradients;
                // counted once its gradients are found: a step that is refused is none
                let (saw, ()) = queue.with(
                    |queue| differentiate(queue, &given, step, gradients),
                    || self.optimisers.begin(step),
                )?;
                self.optimisers.step(queue, &mut self.trained, gradients, step)?;
                Ok(saw)
            }
        }
    }

    fn latest_m_step(&self) -> Option<&MStep> {
        match self.latest_m_step.as_ref()? {
            Latest::Here(m_step) => Some(m_step),
            Latest::Recorded(index) => self.recordings.saw(*index).m_step.as_ref(),
        }
    }

    fn latest_e_step(&self) -> Option<&EStep> {
        match self.latest_e_step.as_ref()? {
            Latest::Here(e_step) => Some(e_step),
            Latest::Recorded(index) => self.recordings.saw(*index).e_step.as_ref(),
        }
    }

    /// Names and views of every parameter, in the order of [`Networks::all`].
    fn named_parameters(&self) -> Result<Vec<(ParameterSpec, Tensor)>> {
        Ok(self.trained.named()?.into_iter().chain(self.targets.named()?).collect())
    }
}

impl Learner for TensorLearner {
    fn parameters(&self) -> Result<Vec<Parameter>> {
        self.enter()?;
        self.named_parameters()?.into_iter().map(to_host).collect()
    }

    fn set_parameters(&mut self, parameters: &[Parameter]) -> Result<()> {
        self.enter()?;
        expect_parameters(&self.layout, parameters)?;
        for (spec, mut view) in self.named_parameters()? {
            // the last of equal names wins, as when they are set one by one
            if let Some(given) = parameters.iter().rfind(|given| given.spec.name == spec.name) {
                let shape: Vec<i64> = spec.shape.iter().map(|&length| length as i64).collect();
                view.f_copy_(&self.placement.upload(&given.data, &shape)?)?;
            }
        }
        Ok(())
    }

    fn temperature(&mut self) -> Result<Option<f32>> {
        self.enter()?;
        let temperature = self.trained.duals.as_ref().map(Duals::temperature).transpose()?;
        temperature.as_ref().map(read).transpose()
    }

    fn residual_error(&mut self, batch: &Batch<'_>, noise: &[f32], temperature: Temperature) -> Result<f32> {
        let given = self.given_now(Work::Measure, batch, noise, temperature)?;
        read(&residual_of(self.enter()?, &given)?)
    }

    fn measure(&mut self, rows: &Rows<'_>, noise: &[f32], temperature: Temperature) -> Result<()> {
        let mut room = std::mem::take(&mut self.gathered);
        let measured = self.perform(Work::Measure, &rows.all(&mut room), noise, temperature);
        self.gathered = room;
        measured?;
        self.is_measured = true;
        Ok(())
    }

    fn gradients(
        &mut self,
        batch: &Batch<'_>,
        noise: &[f32],
        temperature: Temperature,
    ) -> Result<StepGradients> {
        // apart from those of the latest steps, which the norms are of
        let given = self.given_now(Work::Step(Step::Joint), batch, noise, temperature)?;
        let gradients = Trained::zeros(&self.layout, self.placement)?;
        let Saw { m_step, e_step } = differentiate(self.enter()?, &given, Step::Joint, &gradients)?;
        let mut report = Report::new();
        m_step.iter().try_for_each(|m_step| report_m_losses(m_step, &mut report))?;
        e_step.iter().try_for_each(|e_step| report_e_losses(e_step, &mut report))?;
        let mut terms = StepTerms::default();
        report.read_into(&mut terms)?;
        let gradients = gradients.named()?.into_iter().map(to_host).collect::<Result<_>>()?;
        Ok(StepGradients { losses: terms.losses, gradients })
    }

    fn step(&mut self, step: Step, batch: &Batch<'_>, noise: &[f32], temperature: Temperature) -> Result<()> {
        self.perform(Work::Step(step), batch, noise, temperature)?;
        self.optimisers.note(step);
        Ok(())
    }

    fn update_targets(&mut self, step: Step) -> Result<()> {
        self.enter()?;
        if step.has_e() {
            let gap = self.latest_e_step().and_then(|e_step| e_step.policy.weighted_likelihood());
            let is_recorded = matches!(self.latest_e_step, Some(Latest::Recorded(_)));
            let keep = |gap: &PriorGap| if is_recorded { gap.copy() } else { Ok(gap.shallow_clone()) };
            self.gap_at_move = gap.map(|fit| keep(&fit.gap)).transpose()?;
        }
        self.targets.follow(&self.trained, step, self.config.optimisers.target_update_rate)
    }

    fn terms(&mut self) -> Result<StepTerms> {
        self.enter()?;
        let mut report = Report::new();
        if let Some(m_step) = self.latest_m_step() {
            report_m_terms(m_step, &mut report)?;
        }
        if let Some(e_step) = self.latest_e_step() {
            report_e_terms(e_step, self.gap_at_move.as_ref(), &mut report)?;
        }
        let residual_error = self.is_measured.then(|| self.residual_error.shallow_clone());
        report.add_if(residual_error, |terms, value| terms.residual_error = Some(value));
        let mut terms = self.earlier.0.clone();
        if self.latest_m_step.is_some() {
            terms.action_value_losses.clear();
            terms.action_values.clear();
        }
        report.read_into(&mut terms)?;
        if let (None, Some((mean, covariance))) = (&self.gap_at_move, self.earlier_divergences) {
            (terms.kl_mean, terms.kl_covariance) = (Some(mean), Some(covariance));
        }
        Ok(terms)
    }

    fn norms(&mut self) -> Result<StepNorms> {
        self.enter()?;
        let (norms, earlier) = (self.optimisers.norms(&self.gradients)?, self.earlier.1);
        Ok(StepNorms {
            policy: norms.policy.or(earlier.policy),
            action_value: norms.action_value.or(earlier.action_value),
            state_value: norms.state_value.or(earlier.state_value),
        })
    }

    fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
        let mut seen = (self.terms()?, self.norms()?);
        let at_move = seen.0.kl_mean.zip(seen.0.kl_covariance);
        let divergences = if self.gap_at_move.is_some() { at_move } else { self.earlier_divergences };
        let (mut mean, mut covariance) = divergences.unzip();
        self.optimisers.state(ledger)?;
        ledger.optional("klMeanAtMove", &mut mean)?;
        ledger.optional("klCovarianceAtMove", &mut covariance)?;
        ledger.section("terms", |ledger| seen.0.state(ledger))?;
        ledger.section("norms", |ledger| seen.1.state(ledger))?;
        if ledger.is_reading() {
            (self.latest_m_step, self.latest_e_step, self.gap_at_move) = (None, None, None);
            self.is_measured = seen.0.residual_error.is_some();
            let measured = seen.0.residual_error.unwrap_or_default();
            self.residual_error.f_copy_(&self.placement.upload(&[measured], &[])?)?;
            (self.earlier, self.earlier_divergences) = (seen, mean.zip(covariance));
        }
        Ok(())
    }

    fn act(&mut self, observations: &[f32], noise: Option<&[f32]>, actions: &mut [f32]) -> Result<()> {
        let sizes = &self.config.sizes;
        let noise = expect_noise(self.config.recipe.policy, noise)?;
        let rows = expect_act(sizes, observations, noise, actions)? as i64;
        self.enter()?;
        let observations = self.placement.upload(observations, &[rows, sizes.observation as i64])?;
        let output = self.trained.policy.forward(&observations)?.output;
        let chosen = match noise {
            None => deterministic(&output, sizes.action)?,
            Some(noise) => {
                let noise = self.placement.upload(noise, &[rows, sizes.action as i64])?;
                Gaussian::new(&output, sizes.action)?.sample(&noise)?.action
            }
        };
        transfer::read_into(&chosen, actions)
    }

    fn action_value(&mut self, observations: &[f32], actions: &[f32], values: &mut [f32]) -> Result<()> {
        let sizes = &self.config.sizes;
        let rows = expect_act(sizes, observations, None, actions)?;
        expect_len("values", values.len(), rows)?;
        self.enter()?;
        let rows = rows as i64;
        let observations = self.placement.upload(observations, &[rows, sizes.observation as i64])?;
        let actions = self.placement.upload(actions, &[rows, sizes.action as i64])?;
        let network = expect_part(self.trained.action_values.first(), "an action value")?;
        transfer::read_into(&network.forward(&pairs(&observations, &actions)?)?.output, values)
    }

    fn policy(&mut self, observations: &[f32], mean: &mut [f32], log_std: &mut [f32]) -> Result<()> {
        let sizes = &self.config.sizes;
        let rows = expect_act(sizes, observations, None, mean)? as i64;
        expect_len("logStd", log_std.len(), mean.len())?;
        self.enter()?;
        let observations = self.placement.upload(observations, &[rows, sizes.observation as i64])?;
        let output = self.trained.policy.forward(&observations)?.output;
        match self.config.recipe.policy {
            PolicyKind::TanhGaussian => {
                let gaussian = Gaussian::new(&output, sizes.action)?;
                transfer::read_into(&gaussian.mean, mean)?;
                transfer::read_into(&gaussian.log_std, log_std)
            }
            PolicyKind::Deterministic => {
                log_std.fill(0.0);
                transfer::read_into(&output, mean)
            }
        }
    }
}

fn report_m_losses(m_step: &MStep, report: &mut Report<StepTerms>) -> Result<()> {
    let each = Tensor::f_stack(&m_step.action_value.losses()?, 0)?;
    report.add(each.f_sum(None)?, |terms, value| terms.losses.action_value = value);
    let state_value = m_step.state_value.as_ref().map(Regression::loss).transpose()?;
    report.add_if(state_value, |terms, value| terms.losses.state_value = Some(value));
    let auxiliary = m_step.action_value.auxiliary_loss()?;
    report.add_if(auxiliary, |terms, value| terms.losses.auxiliary_weights = Some(value));
    Ok(())
}

fn report_e_losses(e_step: &EStep, report: &mut Report<StepTerms>) -> Result<()> {
    report.add(e_step.policy_loss()?, |terms, value| terms.losses.policy = value);
    if let Some(losses) = &e_step.temperature {
        let temperature = losses.temperature.shallow_clone();
        report.add(temperature, |terms, value| terms.losses.temperature = Some(value));
        if let Some([mean, covariance]) = &losses.multipliers {
            report.add(mean.shallow_clone(), |terms, value| terms.losses.mean_multiplier = Some(value));
            let covariance = covariance.shallow_clone();
            report.add(covariance, |terms, value| terms.losses.covariance_multiplier = Some(value));
        }
    }
    Ok(())
}

fn report_m_terms(m_step: &MStep, report: &mut Report<StepTerms>) -> Result<()> {
    report_m_losses(m_step, report)?;
    for loss in m_step.action_value.losses()? {
        report.add(loss, |terms, value| terms.action_value_losses.push(value));
    }
    for prediction in m_step.action_value.predictions() {
        report.add(prediction.f_mean(None)?, |terms, value| terms.action_values.push(value));
    }
    let state_value = m_step.state_value.as_ref().map(|value| value.prediction.f_mean(None));
    report.add_if(state_value.transpose()?, |terms, value| terms.state_value = Some(value));
    Ok(())
}

fn report_e_terms(
    e_step: &EStep,
    gap_at_move: Option<&PriorGap>,
    report: &mut Report<StepTerms>,
) -> Result<()> {
    report_e_losses(e_step, report)?;
    let mean = |values: &Tensor| values.f_mean(None);
    report.add(mean(&e_step.policy.action().f_abs()?)?, |terms, value| terms.absolute_action = value);
    let log_density = e_step.policy.log_density()?.as_ref().map(mean).transpose()?;
    report.add_if(log_density, |terms, value| terms.log_density = Some(value));
    let log_std = e_step.log_std.as_ref().map(mean).transpose()?;
    report.add_if(log_std, |terms, value| terms.log_std = Some(value));
    let latest_gap = e_step.policy.weighted_likelihood().map(|fit| &fit.gap);
    if let Some(gap) = gap_at_move.or(latest_gap) {
        let divergences = gap.divergences()?;
        report.add(divergences.mean.f_sum(None)?, |terms, value| terms.kl_mean = Some(value));
        report.add(divergences.covariance.f_sum(None)?, |terms, value| terms.kl_covariance = Some(value));
    }
    Ok(())
}

fn to_host((spec, view): (ParameterSpec, Tensor)) -> Result<Parameter> {
    Ok(Parameter { data: transfer::read_all(&view, spec.len())?, spec })
}
