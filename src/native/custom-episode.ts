/** Evaluation episodes of an environment written in TypeScript, by a session's policy or a saved one. */
import type { GuardedEnvironment } from '../environments/guarded.js';
import type { Random } from '../environments/random.js';
import type { Breath } from './breath.js';

/** `episodes` of them, or whole ones until more than `minSteps` steps. */
export type Protocol = { readonly episodes: number } | { readonly minSteps: number };

/** An episode, step by step. */
export interface EpisodeTrace {
  /** s, [O] each. */
  readonly observations: Float64Array[];
  /** a, [A] each, environment units. */
  readonly actions: Float64Array[];
  /** r, unscaled. */
  readonly rewards: number[];
  /** Whether the task itself ended it. */
  readonly terminated: boolean;
}

/** What an episode is made of. */
export interface EpisodeContext {
  readonly environment: GuardedEnvironment;
  readonly random: Random;
  /** s, [O], to a, [A], in environment units. */
  act(observation: Float64Array): Float64Array;
  /** Steps after which it is truncated. */
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
  readonly breath: Breath;
}

/** Whether these episodes fulfil the protocol. */
export function isEnough(protocol: Protocol, done: readonly EpisodeTrace[]): boolean {
  if ('episodes' in protocol) return done.length >= protocol.episodes;
  return done.reduce((steps, { rewards }) => steps + rewards.length, 0) > protocol.minSteps;
}

/** One episode from its reset to its end or limit; undefined when stopped. */
export async function runEpisode(context: EpisodeContext): Promise<EpisodeTrace | undefined> {
  const { environment, random, act, limit, signal, breath } = context;
  const [observations, actions]: [Float64Array[], Float64Array[]] = [[], []];
  const rewards: number[] = [];
  let observation = environment.reset(random);
  for (;;) {
    await breath.take();
    if (signal?.aborted) return undefined;
    const action = act(observation);
    observations.push(observation);
    // the environment may write into its own
    actions.push(action.slice());
    const step = environment.step(action, random);
    observation = step.observation;
    rewards.push(step.reward);
    const { terminated } = step;
    if (terminated || step.truncated || rewards.length >= limit) {
      return { observations, actions, rewards, terminated };
    }
  }
}
