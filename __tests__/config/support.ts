/** Resolving from assignments, on the tasks of the paper whether they ship or not. */
import { parseAssignment } from '../../src/config/parse.js';
import { type Resolution, resolveLayers } from '../../src/config/resolve.js';
import type { Task } from '../../src/environments/tasks.js';

/** Families of the paper's tasks. */
export const FAMILIES = [
  'HalfCheetah',
  'Hopper',
  'Walker2d',
  'Ant',
  'Humanoid',
  'HumanoidStandup',
  'Swimmer',
  'Reacher',
  'Pusher',
  'InvertedPendulum',
  'InvertedDoublePendulum',
] as const;

const shape = {
  observationSize: 11,
  actionSize: 3,
  actionLow: [-1, -1, -1],
  actionHigh: [1, 1, 1],
  timestep: 0.01,
  frameSkip: 5,
};
const limits: Partial<Record<string, number>> = { Reacher: 50, Pusher: 100 };

/** A task of each family, and the two of rllab; sizes are those of the Hopper. */
export const PAPER_TASKS: readonly Task[] = [
  ...FAMILIES.map((name) => ({
    ...shape,
    id: `${name}-v5`,
    maxEpisodeSteps: limits[name] ?? 1000,
  })),
  { ...shape, id: 'humanoid-rllab', maxEpisodeSteps: 1000 },
  { ...shape, id: 'swimmer-rllab', maxEpisodeSteps: 1000 },
];

/** The resolution of `--set` assignments. */
export function resolution(...assignments: readonly string[]): Resolution {
  const layers = assignments.map((each) => ({ origin: '--set', values: parseAssignment(each) }));
  return resolveLayers(layers, { cores: 8 }, PAPER_TASKS);
}

/** The resolved config of `--set` assignments. */
export const set = (...assignments: readonly string[]) => resolution(...assignments).config;

/** The error of an action that must fail. */
export function errorOf(action: () => unknown) {
  try {
    action();
  } catch (error) {
    return error as { code: string; message: string; where?: string; fix?: string };
  }
  throw new Error('nothing was thrown');
}

/** The value of a config at a dotted path. */
export const valueAt = (config: unknown, path: string) =>
  path
    .split('.')
    .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], config);
