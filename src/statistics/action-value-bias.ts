/** Q bias of an evaluation in TypeScript, as `session/bias.rs` of the native engine measures it. */

/** Share of a return that rewards beyond the end of a truncated episode may hold, at equal rewards. */
const MISSING = 0.01;

/** An episode; observations and actions [steps][O], [steps][A]. */
interface Episode {
  readonly observations: readonly Float64Array[];
  readonly actions: readonly Float64Array[];
  readonly rewards: readonly number[];
  readonly terminated: boolean;
}

/**
 * mean over states of Q_0(s, a) − Σ_t γᵗ · scale · r; undefined where no state can be judged: one of an episode that
 * the time limit cut counts only if γ to the power of the steps left is at most 1 %.
 *
 * @param critic Q_0(s, a), [n], of observations [n, O] and actions [n, A] in [−1, 1].
 * @param bounds Of the actions that the episodes hold.
 */
export function actionValueBias(
  critic: { actionValue(observations: Float32Array, actions: Float32Array): Float32Array },
  episodes: readonly Episode[],
  bounds: { readonly actionLow: readonly number[]; readonly actionHigh: readonly number[] },
  { discount, rewardScale }: { readonly discount: number; readonly rewardScale: number },
): number | undefined {
  const observations: number[] = [];
  const actions: number[] = [];
  const returns: number[] = [];
  for (const episode of episodes) {
    let [value, weight] = [0, 1];
    for (let t = episode.rewards.length - 1; t >= 0; t -= 1) {
      value = rewardScale * (episode.rewards[t] as number) + discount * value;
      weight *= discount;
      if (!episode.terminated && weight > MISSING) continue;
      observations.push(...(episode.observations[t] as Float64Array));
      actions.push(...toUnit(episode.actions[t] as Float64Array, bounds));
      returns.push(value);
    }
  }
  if (returns.length === 0) return undefined;
  const values = critic.actionValue(Float32Array.from(observations), Float32Array.from(actions));
  const total = returns.reduce((sum, value, index) => sum + (values[index] as number) - value, 0);
  return total / returns.length;
}

/** Environment units to [−1, 1]. */
function toUnit(
  action: Float64Array,
  { actionLow, actionHigh }: { actionLow: readonly number[]; actionHigh: readonly number[] },
): Float64Array {
  return action.map((value, index) => {
    const [low, high] = [actionLow[index] as number, actionHigh[index] as number];
    return (2 * (value - low)) / (high - low) - 1;
  });
}
