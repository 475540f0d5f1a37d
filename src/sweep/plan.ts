/** The runs of a sweep: each with its values and a folder that they decide, checked as `train` would check them. */
import { createHash } from 'node:crypto';
import { nest } from '../config/parse.js';
import { type Layer, type Resolution, resolveLayers } from '../config/resolve.js';
import { show } from '../config/show.js';
import type { CustomEnvironment } from '../environments/define.js';
import { loadEnvironment } from '../environments/load.js';
import { VirelError } from '../errors.js';
import type { FlatValues, Setting, SweepDescription } from './sweep-file.js';

/** One run of a sweep. */
export interface PlanRow {
  /** Its place in the plan, from 0. */
  readonly index: number;
  /** Below the folder of the sweep; decided by the values alone, whatever else the sweep holds. */
  readonly folder: string;
  /** What it asks for beyond defaults and presets, by leaf path; its seed is among them. */
  readonly values: FlatValues;
}

/** The runs of a sweep. */
export interface SweepPlan {
  /** Its file's name without the ending. */
  readonly name: string;
  /** Seed by seed over all settings, so that what is there of an unfinished sweep can be compared. */
  readonly rows: readonly PlanRow[];
}

/** Gives a row its config. */
export type Resolve = (row: PlanRow) => Resolution;

/** A seed a core is the best use of a machine; with one thread a run's bits do not depend on the machine's cores either. */
const MACHINE = { cores: 1 };

/** Longest text of a setting in a folder's name. */
const MOST_LETTERS = 80;

/**
 * Plans every run of a sweep, and checks every setting.
 *
 * @param origin Where it comes from, for messages and for `config.origin.json`.
 * @throws VirelError as `train` would of a run; `CONFIG_CONFLICT` where two runs are the same.
 */
export async function planSweep(
  { settings, seeds }: SweepDescription,
  name: string,
  origin: string,
): Promise<{ plan: SweepPlan; resolve: Resolve }> {
  const [seed = 0] = seeds;
  const resolve = await resolver(
    origin,
    settings.map(({ values }) => values),
  );
  // seeds change nothing that could be wrong, so that one of each setting stands for all
  const folders = settings.map((setting) => {
    const values = { ...setting.values, seed };
    return settingFolder(setting, resolve({ index: 0, folder: '', values }));
  });
  refuseTwice(folders, origin);
  const rows = seeds.flatMap((each) =>
    settings.map(({ values }, index) => ({
      folder: `${folders[index]}/seed-${each}`,
      values: { ...values, seed: each },
    })),
  );
  return { plan: { name, rows: rows.map((row, index) => ({ index, ...row })) }, resolve };
}

/**
 * What resolves rows that name modules of environments only if those are loaded.
 *
 * @throws VirelError `ENV_MISSING`, `ENV_FAILED`, `ENV_INVALID`.
 */
export async function resolver(origin: string, settings: readonly FlatValues[]): Promise<Resolve> {
  const environments = new Map<string, CustomEnvironment>();
  for (const { 'env.module': module } of settings) {
    if (typeof module !== 'string' || module === '' || environments.has(module)) continue;
    environments.set(module, await loadEnvironment(module));
  }
  return ({ values }) =>
    resolveLayers(
      layersOf(values, origin),
      MACHINE,
      environments.get(String(values['env.module'])),
    );
}

const layersOf = (values: FlatValues, origin: string): Layer[] =>
  Object.entries(values).map(([path, value]) => ({ origin, values: nest(path, value) }));

/** Every character that is safe in a name, everywhere; others become `-`. */
const safe = (text: string) => text.replace(/[^\w.=,+-]/g, '-').replace(/^\.+/, '-');

const shortHash = (value: unknown) =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8);

/** `<env>/<algorithm>`, and a folder for what else the sweep varies. */
function settingFolder({ values, varied }: Setting, { config }: Resolution): string {
  const others = varied.filter((path) => path !== 'env.id' && path !== 'algorithm');
  const place = `${safe(config.env.id)}/${config.algorithm}`;
  if (others.length === 0) return place;
  const exact = others.map((path) => `${path}=${plainText(values[path])}`).join(',');
  const name = safe(exact);
  // what cannot stand in a name is told apart by a hash of the values
  const isExact = name === exact && name.length <= MOST_LETTERS;
  const told = others.map((path) => [path, values[path]]);
  return `${place}/${isExact ? name : `${name.slice(0, MOST_LETTERS)}-${shortHash(told)}`}`;
}

const plainText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

function refuseTwice(folders: readonly string[], origin: string): void {
  const first = new Map<string, number>();
  for (const [index, folder] of folders.entries()) {
    const other = first.get(folder);
    if (other !== undefined) {
      const message = `${origin}: settings ${other + 1} and ${index + 1} are the same, ${folder}`;
      const fix = 'give each setting once';
      throw new VirelError('CONFIG_CONFLICT', message, { where: origin, fix });
    }
    first.set(folder, index);
  }
}

/** The first value in which two rows differ, in words; undefined where they do not. */
export function difference(a: PlanRow, b: PlanRow): string | undefined {
  const keys = [...new Set([...Object.keys(a.values), ...Object.keys(b.values)])];
  const key = keys.find(
    (each) => JSON.stringify(a.values[each]) !== JSON.stringify(b.values[each]),
  );
  return key && `${key} ${show(a.values[key])} and ${show(b.values[key])}`;
}
