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
    formula: 'mean over the batch of (Q(s,a) - y_Q)^2',
    unit: 'scaled return^2',
  },
  {
    name: 'losses/vf_loss',
    formula: 'mean over the batch of (V(s) - y_V)^2',
    unit: 'scaled return^2',
  },
  {
    name: 'losses/actor_loss',
    formula: 'mean over the batch of T log pi(a~|s) - Q(s,a~), plus the regularisers',
    unit: 'scaled return',
  },
  { name: 'losses/qf1_values', formula: 'mean over the batch of Q(s,a)', unit: 'scaled return' },
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
    name: 'virel/residual_error_raw',
    formula: "mean of (r + gamma (1-d) V(s') - Q(s,a))^2 over fresh rows (residual.batch)",
    unit: 'scaled return^2',
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
    name: 'env/unstable_resets',
    formula: 'unstable simulator states since the start',
    unit: 'count',
  },
  { name: 'system/rss_mb', formula: 'resident memory of the process', unit: 'MB', wallClock: true },
];
