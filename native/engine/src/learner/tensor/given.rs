//! What a gradient step is given, and the passes that its halves share: each is computed when it is first asked for,
//! and once.

use std::cell::OnceCell;

use tch::Tensor;

use super::bellman::{by_minimum, minimum, soft_value};
use super::network::{Network, Pass};
use super::networks::{Targets, Trained, expect_part};
use super::queues::Queue;
use super::tanh_gaussian::{Gaussian, Sample, deterministic};
use super::temperature::InUse;
use super::transfer::{Inputs, Noise, pairs, sampled_pairs};
use crate::error::Result;
use crate::learner::{Bootstrap, LearnerConfig};
use crate::recipe::{ActionValueTarget, PolicyCritic, PolicyKind, PolicyObjective};

/// Networks, batch, noise and temperature of one step, and passes at one set of parameters.
pub struct Given<'a> {
    pub config: &'a LearnerConfig,
    pub trained: &'a Trained,
    pub targets: &'a Targets,
    pub inputs: Inputs,
    pub noise: Noise,
    pub temperature: InUse,
    policy: Once<Pass>,
    distribution: Once<Gaussian>,
    sample: Once<Sample>,
    /// (s, ã).
    proposal: Once<Tensor>,
    /// Q_i(s, ã).
    proposed: Vec<Once<Pass>>,
    state_value: Once<Pass>,
}

impl<'a> Given<'a> {
    /// With nothing computed yet.
    pub fn new(
        config: &'a LearnerConfig,
        (trained, targets): (&'a Trained, &'a Targets),
        (inputs, noise): (Inputs, Noise),
        temperature: InUse,
    ) -> Self {
        Self {
            config,
            trained,
            targets,
            inputs,
            noise,
            temperature,
            policy: Once::default(),
            distribution: Once::default(),
            sample: Once::default(),
            proposal: Once::default(),
            proposed: trained.action_values.iter().map(|_| Once::default()).collect(),
            state_value: Once::default(),
        }
    }

    /// The output of π_θ at s.
    pub fn policy(&self) -> Result<&Pass> {
        self.policy.get_or(|| self.trained.policy.forward(&self.inputs.observations))
    }

    /// π_θ(·|s) of a Gaussian policy.
    pub fn distribution(&self) -> Result<&Gaussian> {
        self.distribution.get_or(|| Gaussian::new(&self.policy()?.output, self.config.sizes.action))
    }

    /// ã ~ π_θ(·|s), one for each s, of a Gaussian policy.
    pub fn sample(&self) -> Result<&Sample> {
        self.sample.get_or(|| self.distribution()?.sample(&self.noise.at_state.f_select(1, 0)?))
    }

    /// (s, ã), of either kind of policy.
    fn proposal(&self) -> Result<&Tensor> {
        self.proposal.get_or(|| {
            let action = match self.config.recipe.policy {
                PolicyKind::TanhGaussian => self.sample()?.action.shallow_clone(),
                PolicyKind::Deterministic => deterministic(&self.policy()?.output, self.config.sizes.action)?,
            };
            pairs(&self.inputs.observations, &action)
        })
    }

    /// V_φ(s).
    pub fn state_value(&self) -> Result<&Pass> {
        let network = expect_part(self.trained.state_value.as_ref(), "a state value")?;
        self.state_value.get_or(|| network.forward(&self.inputs.observations))
    }

    /// Q_i(s, ã) of the first `count` action values, with their networks.
    fn proposed(&self, queue: Queue<'_>, count: usize) -> Result<Vec<(&'a Network, &Pass)>> {
        let proposal = self.proposal()?;
        let passes = self.trained.action_values.iter().zip(&self.proposed).take(count).collect();
        queue.map(passes, &|_, (network, pass): (&'a Network, &Once<Pass>)| {
            Ok((network, pass.get_or(|| network.forward(proposal))?))
        })
    }

    /// Computes what a step with a V reads in both of its halves.
    pub fn share(&self, queue: Queue<'_>) -> Result<()> {
        if self.trained.state_value.is_none() {
            return Ok(());
        }
        // with π_θ(·|s) and ã
        self.proposed(queue, self.proposed.len())?;
        if self.config.recipe.policy_objective == PolicyObjective::Score {
            self.state_value()?;
        }
        Ok(())
    }

    /// min_i Q_i(s, ã), `[B, 1]`.
    pub fn least_proposed_value(&self, queue: Queue<'_>) -> Result<Tensor> {
        minimum(&outputs(&self.proposed(queue, self.proposed.len())?))
    }

    /// Number of action values that the policy's loss reads.
    fn critics(&self) -> usize {
        match self.config.recipe.policy_critic {
            PolicyCritic::First => 1,
            PolicyCritic::Minimum => self.proposed.len(),
        }
    }

    /// Q(s, ã) of the policy's loss, `[B, 1]`.
    pub fn policy_action_value(&self, queue: Queue<'_>) -> Result<Tensor> {
        minimum(&outputs(&self.proposed(queue, self.critics())?))
    }

    /// ∂/∂ã of −mean Q(s, ã), `[B, A]`; w gets nothing.
    pub fn by_action(&self, queue: Queue<'_>) -> Result<Tensor> {
        let passes = self.proposed(queue, self.critics())?;
        let by_outputs = by_minimum(&outputs(&passes), -1.0 / self.inputs.rows as f64)?;
        let parts = passes.into_iter().zip(&by_outputs).collect();
        let by_actions =
            queue.map(parts, &|_, ((network, pass), by_output): ((&Network, &Pass), &Tensor)| {
                network.backward_to_input(pass, by_output, self.config.sizes.observation as i64)
            })?;
        match by_actions.as_slice() {
            [one] => Ok(one.shallow_clone()),
            several => Ok(Tensor::f_stack(several, 0)?.f_sum_dim_intlist(0, false, None)?),
        }
    }

    /// The first Q of the trained or the target networks.
    fn first_action_value(&self, networks: Bootstrap) -> Result<&'a Network> {
        expect_part(self.action_value_networks(networks).first(), "an action value")
    }

    /// Q_i(s, a) of the trained networks.
    pub fn action_values(&self, queue: Queue<'_>) -> Result<Vec<Pass>> {
        let networks = self.trained.action_values.iter().collect();
        queue.map(networks, &|_, network: &Network| network.forward(&self.inputs.state_action))
    }

    fn action_value_networks(&self, networks: Bootstrap) -> &'a [Network] {
        match networks {
            Bootstrap::Online => &self.trained.action_values,
            Bootstrap::Target => &self.targets.action_values,
        }
    }

    /// The value of s′, `[B, 1]`, that y_Q reads, of the trained or the target networks. π_θ is the trained one and
    /// π_φ the prior either way: a Gaussian policy has no target, and the prior no trained twin that stands for it.
    pub fn next_value(&self, queue: Queue<'_>, networks: Bootstrap) -> Result<Tensor> {
        let online = networks == Bootstrap::Online;
        let next = &self.inputs.next_observations;
        match self.config.recipe.action_value_target {
            ActionValueTarget::StateValue => {
                let network = if online { &self.trained.state_value } else { &self.targets.state_value };
                Ok(expect_part(network.as_ref(), "a state value")?.forward(next)?.output)
            }
            ActionValueTarget::SoftActionValue => self.next_soft_value(queue, networks),
            ActionValueTarget::TargetPolicy => {
                let target = expect_part(self.targets.policy.as_ref(), "a target policy")?;
                let policy = if online { &self.trained.policy } else { target };
                let action = deterministic(&policy.forward(next)?.output, self.config.sizes.action)?;
                Ok(self.first_action_value(networks)?.forward(&pairs(next, &action)?)?.output)
            }
            ActionValueTarget::PriorPolicy => {
                let sample = self.prior(next)?.over_samples()?.sample(&self.noise.at_next_state)?;
                let network = self.first_action_value(networks)?;
                Ok(self.sampled_values(network, next, &sample)?.f_mean_dim(1, false, None)?)
            }
        }
    }

    /// ã′ ~ π_θ(·|s′) and its log π_θ, `[B, 1]`.
    fn next_sample(&self) -> Result<(Gaussian, Sample)> {
        let output = self.trained.policy.forward(&self.inputs.next_observations)?.output;
        let distribution = Gaussian::new(&output, self.config.sizes.action)?;
        let sample = distribution.sample(&self.noise.at_next_state.f_select(1, 0)?)?;
        Ok((distribution, sample))
    }

    /// min_i Q_i(s′, ã′) − T log π_θ(ã′|s′).
    fn next_soft_value(&self, queue: Queue<'_>, networks: Bootstrap) -> Result<Tensor> {
        let (distribution, sample) = self.next_sample()?;
        let state_action = pairs(&self.inputs.next_observations, &sample.action)?;
        let networks = self.action_value_networks(networks).iter().collect();
        let (values, log_density) = queue.with(
            |queue| queue.map(networks, &|_, network: &Network| Ok(network.forward(&state_action)?.output)),
            || distribution.log_density(&sample),
        )?;
        soft_value(&minimum(&values)?, &log_density, &self.temperature.value()?)
    }

    /// Q_w(s′, ã′) of the projected M-step's target, ã′ ~ π_θ.
    pub fn next_proposal(&self) -> Result<Pass> {
        let (_, sample) = self.next_sample()?;
        let state_action = pairs(&self.inputs.next_observations, &sample.action)?;
        self.first_action_value(Bootstrap::Online)?.forward(&state_action)
    }

    /// π_φ at some states, `[B, A]`.
    pub fn prior(&self, observations: &Tensor) -> Result<Gaussian> {
        let prior = expect_part(self.targets.policy.as_ref(), "a prior policy")?;
        Gaussian::new(&prior.forward(observations)?.output, self.config.sizes.action)
    }

    /// Q̄_0(s, a_k) of sampled actions, `[B, K, 1]`.
    pub fn target_values(&self, sample: &Sample) -> Result<Tensor> {
        let network = self.first_action_value(Bootstrap::Target)?;
        self.sampled_values(network, &self.inputs.observations, sample)
    }

    fn sampled_values(&self, network: &Network, observations: &Tensor, sample: &Sample) -> Result<Tensor> {
        let pairs = sampled_pairs(observations, &sample.action, self.config.samples)?;
        self.per_state(&network.forward(&pairs)?.output)
    }

    /// Q_0(s, ã_k) of sampled actions, `[B, K, 1]`, and ∂/∂ã_k of −mean Q_0(s, ã_k), `[B, K, A]`; w gets nothing.
    pub fn sampled_by_action(&self, sample: &Sample) -> Result<[Tensor; 2]> {
        let samples = self.config.samples;
        let network = self.first_action_value(Bootstrap::Online)?;
        let pass = network.forward(&sampled_pairs(&self.inputs.observations, &sample.action, samples)?)?;
        let by_output = pass.output.f_full_like(-1.0 / (self.inputs.rows * samples) as f64)?;
        let by_action = network.backward_to_input(&pass, &by_output, self.config.sizes.observation as i64)?;
        Ok([self.per_state(&pass.output)?, self.per_state(&by_action)?])
    }

    /// `[B·K, n]` as `[B, K, n]`.
    fn per_state(&self, values: &Tensor) -> Result<Tensor> {
        let shape = [self.inputs.rows as i64, self.config.samples as i64];
        Ok(values.f_unflatten(0, shape.as_slice())?)
    }
}

fn outputs(passes: &[(&Network, &Pass)]) -> Vec<Tensor> {
    passes.iter().map(|(_, pass)| pass.output.shallow_clone()).collect()
}

/// A value that is computed at most once; its computation may fail.
struct Once<T>(OnceCell<T>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(OnceCell::new())
    }
}

impl<T> Once<T> {
    fn get_or(&self, compute: impl FnOnce() -> Result<T>) -> Result<&T> {
        if let Some(value) = self.0.get() {
            return Ok(value);
        }
        let value = compute()?;
        Ok(self.0.get_or_init(|| value))
    }
}
