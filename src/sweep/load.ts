/** A sweep from the file that a person names: a description in YAML or JSON, or a plan that was written before. */
import { readFileSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { parseConfigFile } from '../config/parse.js';
import type { ResolvedConfig } from '../config/schema.js';
import { VirelError } from '../errors.js';
import { fileError } from '../training/files.js';
import { type PlanRow, planSweep, type Resolve, resolver, type SweepPlan } from './plan.js';
import { readPlan } from './plan-file.js';
import { readSweep } from './sweep-file.js';

/** A plan, and what gives its rows their configs. */
export interface LoadedSweep {
  readonly plan: SweepPlan;
  readonly resolve: Resolve;
}

/**
 * Loads a sweep and checks every setting of it.
 *
 * @throws VirelError `CLI_USAGE` where there is no such file; `CONFIG_*`, `ENV_*`, `ALGORITHM_UNKNOWN`, `RECIPE_UNSUPPORTED`
 *   of the description; `PLAN_HASH` of a plan.
 */
export async function loadSweep(path: string): Promise<LoadedSweep> {
  const bytes = read(path);
  if (extname(path) === '.jsonl') {
    const plan = readPlan(path);
    const resolve = await resolver(
      path,
      plan.rows.map(({ values }) => values),
    );
    const loaded = { plan, resolve };
    // written by another version, values may have become wrong
    for (const { row } of settingsOf(plan)) resolve(row);
    return loaded;
  }
  const name = basename(path, extname(path));
  return planSweep(readSweep(parseConfigFile(bytes, path), path), name, path);
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const refused = fileError(error, path);
    const reason = refused instanceof Error ? refused.message : String(refused);
    throw new VirelError('CLI_USAGE', `sweep ${reason}`, {
      where: 'sweep FILE',
      expected: 'a sweep in YAML or JSON, or a plan.jsonl',
      got: path,
      fix: 'npx virel-native sweep --help',
      cause: error,
    });
  }
}

/** A setting of a plan: its rows differ in their seed alone. */
export interface PlannedSetting {
  /** Of the setting, below the sweep's. */
  readonly folder: string;
  /** The first of its rows. */
  readonly row: PlanRow;
  readonly seeds: readonly number[];
}

/** The settings of a plan, in its order. */
export function settingsOf({ rows }: SweepPlan): PlannedSetting[] {
  const settings = new Map<string, { folder: string; row: PlanRow; seeds: number[] }>();
  for (const row of rows) {
    const folder = dirname(row.folder);
    const known = settings.get(folder);
    if (known === undefined)
      settings.set(folder, { folder, row, seeds: [Number(row.values['seed'])] });
    else known.seeds.push(Number(row.values['seed']));
  }
  return [...settings.values()];
}

/** Configs of rows; those of a setting share one, which has the seed of its first row. */
export function settingConfigs({ resolve }: LoadedSweep): (row: PlanRow) => ResolvedConfig {
  const known = new Map<string, ResolvedConfig>();
  return (row) => {
    const folder = dirname(row.folder);
    const config = known.get(folder) ?? resolve(row).config;
    known.set(folder, config);
    return config;
  };
}
