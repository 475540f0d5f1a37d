/**
 * Every number that a run logs: its name, formula and unit. Names are CleanRL's and Stable-Baselines3's where they
 * have one, so that existing dashboards work. The axis of all is environment steps.
 */

/** A logged number. */
export interface Metric {
  readonly name: string;
  readonly formula: string;
  readonly unit: string;
  /** It measures time or memory, so that it differs between two equal runs. */
  readonly wallClock?: true;
}

/** Training episodes behind the `rollout/` means, as in Stable-Baselines3. */
export const ROLLOUT_EPISODES = 100;

export const METRICS: readonly Metric[] = [
  {
    name: 'charts/episodic_return',
    formula: 'sum of rewards of the last training episode, unscaled',
    unit: 'return',
  },
  { name: 'charts/episodic_length', formula: 'steps of the last training episode', unit: 'steps' },
  {
    name: 'rollout/ep_rew_mean',
    formula: 'mean of charts/episodic_return over the last 100 episodes',
    unit: 'return',
  },
  {
    name: 'rollout/ep_len_mean',
    formula: 'mean of charts/episodic_length over the last 100 episodes',
    unit: 'steps',
  },
  {
    name: 'charts/SPS',
    formula: 'environment steps since the start / time/wall',
    unit: '1/s',
    wallClock: true,
  },
  { name: 'time/fps', formula: 'charts/SPS under its other name', unit: '1/s', wallClock: true },
  {
    name: 'time/updates_per_second',
    formula: 'gradient steps / seconds, both since the last record',
    unit: '1/s',
    wallClock: true,
  },
  { name: 'time/wall', formula: 'time since the start', unit: 's', wallClock: true },
  {
    name: 'eval/mean_reward',
    formula: 'mean return of the evaluation episodes, action tanh(mean)',
    unit: 'return',
  },
  {
    name: 'eval/std_reward',
    formula: 'standard deviation of those returns (divisor n)',
    unit: 'return',
  },
  { name: 'eval/mean_ep_length', formula: 'mean length of the evaluation episodes', unit: 'steps' },
  {
    name: 'losses/qf1_loss',
    formula:
      'mStep.lossFactor x mean over the batch of (Q_1(s,a) - y_Q)^2; of mStep.kind projected, virel/projected_residual',
    unit: 'scaled return^2',
  },
  {
    name: 'losses/qf2_loss',
    formula: 'mStep.lossFactor x mean over the batch of (Q_2(s,a) - y_Q)^2, where there are two Q',
    unit: 'scaled return^2',
  },
  {
    name: 'losses/vf_loss',
    formula: 'mStep.lossFactor x mean over the batch of (V(s) - y_V)^2, where there is a V',
    unit: 'scaled return^2',
  },
  {
    name: 'losses/actor_loss',
    formula:
      'the policy loss as minimised, regularisers included: mean over the batch of T log pi(a~|s) - Q(s,a~) where policyGradient is reparameterised; `algorithms` has the others',
    unit: 'scaled return; nats where policyGradient is weightedLikelihood',
  },
  {
    name: 'losses/alpha_loss',
    formula:
      'the loss of a trained temperature: -log T (mean log pi(a~|s) + temperature.targetEntropy) of tuned, T klBound + T mean_s log mean_k exp(Q_target(s,a_k) / T) of dual',
    unit: 'nats of tuned, scaled return of dual',
  },
  { name: 'losses/qf1_values', formula: 'mean over the batch of Q_1(s,a)', unit: 'scaled return' },
  {
    name: 'losses/qf2_values',
    formula: 'mean over the batch of Q_2(s,a), where there are two Q',
    unit: 'scaled return',
  },
  { name: 'losses/vf_values', formula: 'mean over the batch of V(s)', unit: 'scaled return' },
  {
    name: 'losses/alpha',
    formula: "virel/temperature under CleanRL's name",
    unit: 'scaled return',
  },
  {
    name: 'virel/temperature',
    formula: 'T, the factor of log pi in the policy loss',
    unit: 'scaled return',
  },
  {
    name: 'virel/residual_error',
    formula:
      'the residual error in use: virel/residual_error_raw as last measured (schedule.residualEvery), half of it with residual.half; residual.warmupValue until the buffer holds more rows than residual.batch; plus schedule/residual_floor',
    unit: 'scaled return^2',
  },
  {
    name: 'virel/residual_error_raw',
    formula:
      "mean of (r + gamma (1-d) next - Q(s,a))^2 over fresh rows (residual.batch), and over the Q; next as the algorithm's own target has it, V(s') of virel, of the networks that residual.stateValue names, or Q(s',a~') of the online Q where mStep.kind is projected",
    unit: 'scaled return^2',
  },
  {
    name: 'virel/projected_residual',
    formula:
      "mean over the batch of beta j - j^2 / 2, beta = r + gamma (1-d) Q(s',a~') - Q(s,a), j = grad_w Q(s,a) . auxiliary weights; where mStep.kind is projected",
    unit: 'scaled return^2',
  },
  {
    name: 'schedule/m_steps',
    formula:
      'gradient steps of the last M-part that was run until it converged (schedule.kind complete)',
    unit: 'steps',
  },
  {
    name: 'schedule/e_steps',
    formula:
      'gradient steps of the last E-part that was run until it converged (schedule.kind complete)',
    unit: 'steps',
  },
  {
    name: 'schedule/m_reached',
    formula:
      'M-parts that came below schedule.tolerance within schedule.maxSteps / M-parts, since the start',
    unit: '1',
  },
  {
    name: 'schedule/e_reached',
    formula:
      'E-parts that came below schedule.tolerance within schedule.maxSteps / E-parts, since the start',
    unit: '1',
  },
  {
    name: 'schedule/residual_floor',
    formula:
      'schedule.floor x schedule.factor^floor(step / schedule.every), added to the residual error in use (schedule.kind incremental)',
    unit: 'scaled return^2',
  },
  {
    name: 'mpo/dual_temperature',
    formula: 'T, the trained dual variable, where temperature.kind is dual',
    unit: 'scaled return',
  },
  {
    name: 'mpo/kl_mean',
    formula:
      'sum over dimensions of the mean over the batch of (mu - mu_prior)^2 / (2 sigma_prior^2), just before the prior policy last moved',
    unit: 'nats',
  },
  {
    name: 'mpo/kl_cov',
    formula:
      'sum over dimensions of the mean over the batch of log(sigma / sigma_prior) + (sigma_prior^2 / sigma^2 - 1) / 2, just before the prior policy last moved',
    unit: 'nats',
  },
  { name: 'virel/m_step', formula: 'M-steps since the start', unit: 'steps' },
  { name: 'virel/e_step', formula: 'E-steps since the start', unit: 'steps' },
  { name: 'train/n_updates', formula: 'gradient steps since the start', unit: 'steps' },
  { name: 'policy/entropy', formula: 'mean over the batch of -log pi(a~|s)', unit: 'nats' },
  { name: 'policy/log_prob', formula: 'mean over the batch of log pi(a~|s)', unit: 'nats' },
  {
    name: 'policy/mean_abs_action',
    formula: 'mean over batch and dimensions of |a~|, a~ in [-1, 1]',
    unit: '1',
  },
  {
    name: 'policy/log_std',
    formula: 'mean over batch and dimensions of log sigma(s), after its clip',
    unit: '1',
  },
  {
    name: 'q/bias',
    formula:
      'mean over the states and actions of the evaluation episodes of Q_1(s,a) - the discounted return that followed, rewards scaled, none behind the end of an episode',
    unit: 'scaled return',
  },
  ...['policy', 'action_value', 'state_value'].flatMap((part): Metric[] => [
    {
      name: `gradients/${part}_norm`,
      formula: `2-norm of the last gradient of the loss by all parameters of the ${part.replace('_', ' ')}`,
      unit: 'loss per parameter',
    },
    {
      name: `updates/${part}_norm`,
      formula: `2-norm of the change that the last gradient step made to all parameters of the ${part.replace('_', ' ')}`,
      unit: 'parameter',
    },
  ]),
  { name: 'replay/size', formula: 'transitions that the replay buffer holds', unit: 'count' },
  {
    name: 'env/time_limit_rate',
    formula:
      'share of the last 100 training episodes that lasted until the time limit (env.maxEpisodeSteps)',
    unit: '1',
  },
  {
    name: 'env/unstable_resets',
    formula: 'unstable simulator states since the start',
    unit: 'count',
  },
  { name: 'system/rss_mb', formula: 'resident memory of the process', unit: 'MB', wallClock: true },
  {
    name: 'system/checkpoint_seconds',
    formula:
      'time that the newest checkpoint of the process took to write, rows of the replay buffer included',
    unit: 's',
    wallClock: true,
  },
];

const groupOf = ({ name }: Metric) => name.split('/')[0] as string;

/** The page of the metrics, `docs/metrics.md`. */
export function metricsPage(): string {
  const groups = [...new Set(METRICS.map(groupOf))].map((group) => {
    const lines = METRICS.filter((metric) => groupOf(metric) === group).map(
      ({ name, formula, unit, wallClock }) =>
        `- \`${name}\` [${unit}${wallClock ? '; differs between equal runs' : ''}]: ${formula}`,
    );
    return [`## ${group}`, '', ...lines, ''].join('\n');
  });
  return [
    '<!-- GENERATED by scripts/generate-metrics.mjs from src/logging/metrics.ts. Do not edit. -->',
    '',
    '# Metrics',
    '',
    'What a run logs: name [unit]: formula. The axis of all is environment steps; a metric that an algorithm does not',
    'have is left out. Returns are those of the task, "scaled" ones are times `rewardScale`; keys are those of the config.',
    'They are in `metrics.jsonl` and in the files for TensorBoard; [run-folder.md](run-folder.md) says how to read them.',
    '',
    ...groups,
  ].join('\n');
}
