import {
  type CustomEnvironment,
  type Dynamics,
  defineEnvironment,
} from '../../src/environments/define.js';
import type { Random } from '../../src/environments/random.js';

/** A point on a line: pushed by the action, it is to reach 0. Ends beyond 2; the state is drawn at reset. */
export function pointMass(random: Random) {
  let position = random.uniform(-1, 1);
  const observe = () => [position, position ** 2];
  return {
    observe,
    step(action: Float64Array, noise: Random) {
      position += 0.1 * (action[0] as number) + 0.01 * noise.normal();
      const terminated = Math.abs(position) > 2;
      return { observation: observe(), reward: -(position ** 2), terminated };
    },
  };
}

/** What is said of {@link point} beside how it moves. */
export const facts = { id: 'point', observationSize: 2, actionSize: 1, maxEpisodeSteps: 20 };

/** {@link pointMass} with a state for every use. */
export const point: CustomEnvironment = defineEnvironment({
  ...facts,
  create() {
    let mass: ReturnType<typeof pointMass>;
    return {
      reset(random) {
        mass = pointMass(random);
        return mass.observe();
      },
      step: (action, random) => mass.step(action, random),
    };
  },
});

/** {@link pointMass} with one state for all uses. */
export function sharedPoint(): CustomEnvironment {
  let mass: ReturnType<typeof pointMass>;
  return defineEnvironment({
    id: 'shared-point',
    observationSize: 2,
    actionSize: 1,
    maxEpisodeSteps: 20,
    reset(random) {
      mass = pointMass(random);
      return mass.observe();
    },
    step: (action, random) => mass.step(action, random),
  });
}

/** {@link point}, but the n-th step of its life (from 1, of each use) answers something else. */
export function misbehaving(at: number, misbehave: () => unknown): CustomEnvironment {
  return defineEnvironment({
    ...facts,
    create() {
      const { reset, step } = (point.create as () => Dynamics)();
      let steps = 0;
      return {
        reset,
        step(action, random) {
          steps += 1;
          const answer = step(action, random);
          return steps === at
            ? ({ ...answer, ...(misbehave() as object) } as typeof answer)
            : answer;
        },
      };
    },
  });
}

/** Goes where the action says, whose bounds differ; no state of its own. */
export const slope: CustomEnvironment = defineEnvironment({
  id: 'slope',
  observationSize: 2,
  actionSize: 1,
  actionLow: -3,
  actionHigh: 5,
  maxEpisodeSteps: 20,
  reset: () => [0, 1],
  step: (action) => ({ observation: [action[0] as number, 1], reward: 1, terminated: false }),
});
