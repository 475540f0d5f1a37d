/** Checks of the names that decide which blocks of a preset apply: preset, algorithm, task. */
import { ALGORITHMS } from '../algorithms/index.js';
import type { Algorithm } from '../algorithms/recipe.js';
import type { Task } from '../environments/tasks.js';
import { VirelError } from '../errors.js';
import { nearest } from './nearest.js';
import { ALGORITHM_NAMES, PRESET_NAMES } from './schema.js';
import { show } from './show.js';

interface Choice {
  readonly value: unknown;
  readonly origin: string;
}

/** At most 80 characters of a name, for a message. */
const brief = (name: string) => name.slice(0, 80);

function expectText(key: string, choice: Choice): string {
  if (typeof choice.value === 'string') return choice.value;
  throw new VirelError('CONFIG_TYPE', `${key}: expected a string, got ${show(choice.value)}`, {
    where: choice.origin,
    expected: 'a string',
    got: show(choice.value),
    fix: 'npx virel-native config show',
  });
}

/** The preset of this name, or `CONFIG_RANGE`. */
export function checkPreset(choice: Choice): (typeof PRESET_NAMES)[number] {
  const name = expectText('preset', choice);
  const known = PRESET_NAMES.find((each) => each === name);
  if (known !== undefined) return known;
  const near = nearest(name, PRESET_NAMES);
  throw new VirelError('CONFIG_RANGE', `no preset ${brief(name)}`, {
    where: choice.origin,
    expected: `one of ${PRESET_NAMES.join(', ')}`,
    got: brief(name),
    fix: near === undefined ? 'npx virel-native config presets' : `did you mean ${near}?`,
  });
}

/** The algorithm of this name, or `ALGORITHM_UNKNOWN`. */
export function checkAlgorithm(choice: Choice): Algorithm {
  const name = expectText('algorithm', choice);
  const known = ALGORITHMS.find((each) => each.name === name);
  if (known !== undefined) return known;
  const near = nearest(name, ALGORITHM_NAMES);
  throw new VirelError('ALGORITHM_UNKNOWN', `no algorithm ${brief(name) || '""'}`, {
    where: choice.origin,
    expected: ALGORITHM_NAMES.join(', '),
    got: brief(name),
    fix: near === undefined ? 'npx virel-native algorithms' : `did you mean ${near}?`,
  });
}

/** Tasks of the paper that ran on an older simulator: their ids are well known and not ours. */
const OLD_PHYSICS = /^(.+)-v[0-3]$/;

/** The task of this id, or `ENV_UNKNOWN`. */
export function findTask(choice: Choice, tasks: readonly Task[]): Task {
  const id = expectText('env.id', choice);
  const found = tasks.find((task) => task.id === id);
  if (found !== undefined) return found;
  const ids = tasks.map((task) => task.id);
  const family = OLD_PHYSICS.exec(id)?.[1];
  const details = { where: choice.origin, expected: ids.join(', '), got: brief(id) };
  if (family !== undefined && ids.includes(`${family}-v4`)) {
    throw new VirelError('ENV_UNKNOWN', `${id} (old mujoco-py physics) is not provided`, {
      ...details,
      fix: `${family}-v4 is closest to it, ${family}-v5 is for new work`,
    });
  }
  const near = nearest(id, ids);
  throw new VirelError('ENV_UNKNOWN', `no task ${brief(id) || '""'}`, {
    ...details,
    fix:
      near === undefined ? 'npx virel-native envs' : `did you mean ${near}? npx virel-native envs`,
  });
}
