/**
 * Which runs are repetitions of one another: groups of seeds on tasks, and the refusal to pool what was not measured alike.
 *
 * Runs of a group differ in their seed and in nothing else that could move a return; groups on one task differ in what is
 * compared (`by`) and in what belongs to it, but are evaluated alike. Keys that only one of two configs has, because another
 * version wrote it, are not compared.
 */
import { leavesOf } from '../config/leaves.js';
import { show } from '../config/show.js';
import { VirelError } from '../errors.js';
import type { Run } from '../training/load-run.js';

/** Runs that differ in their seed alone. */
export interface Group {
  /** Values of the keys that runs are grouped by, such as `beta`. */
  readonly name: string;
  /** By seed. */
  readonly runs: readonly Run[];
}

/** The groups on one task. */
export interface TaskGroups {
  /** Id with its suffix, such as `Hopper-v5`; `HalfCheetah-v4, v5` where both are the same task. */
  readonly task: string;
  /** In the order in which their first runs were given. */
  readonly groups: readonly Group[];
}

/** Tasks whose v4 and v5 are the same to the last bit (docs/environments.md). */
const SAME_IN_V4_AND_V5 = new Set(['HalfCheetah', 'Swimmer']);

/** Keys that do not move a return, or differ between repetitions by their nature; files are compared by their hashes. */
const FREE =
  /^(seed|steps|evaluation\.every|checkpoint|logging|runtime|env\.(id|modelDir|modelFile|taskFile|module))(\.|$)/;
/** Keys that say how a return is measured. */
const PROTOCOL = /^(preset|evaluation|env)(\.|$)/;

const familyOf = (id: string) => id.replace(/-v\d+$/, '');
const versionOf = (id: string) => id.slice(familyOf(id).length + 1);

/** Whether all versions of a task are the same, so that their runs may be pooled. */
export const isSameInAllVersions = (id: string): boolean => SAME_IN_V4_AND_V5.has(familyOf(id));

const taskOf = ({ config: { env } }: Run) =>
  isSameInAllVersions(env.id) ? familyOf(env.id) : env.id;

/** Items by a key, in the order in which keys first occur. */
function groupedBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** What a run was made of: its config, and the files that it names by their hashes. */
function settingsOf({ config, manifest }: Run): Map<string, unknown> {
  const settings = leavesOf(config);
  // which of the two counts
  if (config.evaluation.episodes !== null) settings.delete('evaluation.minSteps');
  if (manifest.model !== null) settings.set('model (SHA-256)', manifest.model.sha256);
  if (manifest.module !== null) settings.set('module (SHA-256)', manifest.module.sha256);
  return settings;
}

function refuse(a: Run, b: Run, message: string, fix: string): VirelError {
  return new VirelError('RUNS_NOT_POOLABLE', message, { where: `${a.dir} and ${b.dir}`, fix });
}

/** What makes runs comparable that differ in a key: one value for all, or two groups. */
const remedy = (path: string) =>
  /^(env|evaluation)\./.test(path)
    ? `train all of them with one: --set ${path}=VALUE`
    : `compare by it: --group algorithm,${path}`;

/** Refuses a run that differs from the first in a setting that matters. */
function requireAlike(
  [first, ...others]: readonly Run[],
  matters: (path: string) => boolean,
  what: string,
): void {
  if (first === undefined) return;
  const expected = settingsOf(first);
  for (const run of others) {
    for (const [path, got] of settingsOf(run)) {
      if (!expected.has(path) || !matters(path)) continue;
      const wanted = expected.get(path);
      if (show(wanted) === show(got)) continue;
      const message = `${what} differ in ${path}: ${show(wanted)} and ${show(got)}`;
      const only = 'give only runs with the same value';
      const fix = path.includes('SHA-256') ? only : `${only}, or ${remedy(path)}`;
      throw refuse(first, run, message, fix);
    }
  }
}

function requireOneVersion(runs: readonly Run[]): void {
  for (const same of groupedBy(runs, ({ config }) => familyOf(config.env.id)).values()) {
    const [first] = same;
    const other = same.find((run) => first !== undefined && taskOf(run) !== taskOf(first));
    if (first === undefined || other === undefined) continue;
    const [a, b] = [first.config.env.id, other.config.env.id];
    const message = `${a} and ${b} are different tasks, their returns are not comparable`;
    throw refuse(first, other, message, `compare the runs of ${a} and of ${b} apart`);
  }
}

function requireOwnSeeds({ name, runs }: Group): void {
  const [a, b] = [...groupedBy(runs, ({ config }) => String(config.seed)).values()].find(
    ({ length }) => length > 1,
  ) ?? [undefined, undefined];
  if (a === undefined || b === undefined) return;
  const message = `${name}: two runs of seed ${a.config.seed}, which are not independent`;
  throw refuse(a, b, message, 'give one of them');
}

/** `virel`, or `virel, targetUpdateRate 0.005`: an algorithm goes by its name, other values by their keys. */
function nameOf({ config }: Run, by: readonly string[]): string {
  const leaves = leavesOf(config);
  const parts = by.map((path) => {
    const value = leaves.get(path);
    const text = typeof value === 'string' ? value : show(value);
    return path === 'algorithm' || path === 'preset' ? text : `${path.split('.').at(-1)} ${text}`;
  });
  return parts.join(', ');
}

/** `HalfCheetah-v4, v5` of runs on one task. */
function labelOf([first, ...others]: readonly Run[]): string {
  const id = first?.config.env.id ?? '';
  const more = new Set(others.map(({ config }) => config.env.id).filter((other) => other !== id));
  return [id, ...[...more].map(versionOf)].join(', ');
}

function requireKeys(runs: readonly Run[], by: readonly string[]): void {
  const known = new Set(runs.flatMap(({ config }) => [...leavesOf(config).keys()]));
  const unknown = by.find((path) => !known.has(path) || path === 'seed');
  if (unknown === undefined) return;
  throw new VirelError('CONFIG_UNKNOWN_KEY', `group: no run has a key ${unknown} to group by`, {
    where: 'group',
    expected: 'keys of a config, such as algorithm or optim.targetUpdateRate',
    got: unknown,
    fix: '--group algorithm',
  });
}

/**
 * Groups runs by task and by what is compared.
 *
 * @param by Keys of the config, `['algorithm']` in most cases.
 * @throws VirelError `RUNS_NOT_POOLABLE`: v4 and v5 of a task that differ, two runs of a group with one seed or with other
 *   settings than the seed, groups that were evaluated differently or come of different presets. `CONFIG_UNKNOWN_KEY`.
 */
export function poolRuns(runs: readonly Run[], by: readonly string[]): TaskGroups[] {
  requireKeys(runs, by);
  requireOneVersion(runs);
  return [...groupedBy(runs, taskOf).values()].map((onTask) => {
    const task = labelOf(onTask);
    const groups = [...groupedBy(onTask, (run) => nameOf(run, by))].map(([name, same]) => {
      const seedOf = ({ config }: Run) => config.seed;
      return { name, runs: same.sort((a, b) => seedOf(a) - seedOf(b)) };
    });
    for (const group of groups) {
      requireOwnSeeds(group);
      requireAlike(group.runs, (path) => !FREE.test(path), `runs of ${group.name} on ${task}`);
    }
    const studied = new Set(by);
    const measured = (path: string) =>
      !FREE.test(path) && !studied.has(path) && (PROTOCOL.test(path) || path.includes('SHA-256'));
    requireAlike(onTask, measured, `runs on ${task}`);
    return { task, groups };
  });
}
