/** Resolving from assignments. */
import { parseAssignment } from '../../src/config/parse.js';
import { type Resolution, resolveLayers } from '../../src/config/resolve.js';

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

/** The resolution of `--set` assignments. */
export function resolution(...assignments: readonly string[]): Resolution {
  const layers = assignments.map((each) => ({ origin: '--set', values: parseAssignment(each) }));
  return resolveLayers(layers, { cores: 8 });
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
