/** The other seeds of a run: what lies beside it and differs in nothing that moves a return. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { poolRuns } from '../comparison/pool.js';
import { loadRun, type Run } from '../training/load-run.js';

/** The run in a folder; undefined where there is none that can be read. */
function runIn(folder: string): Run | undefined {
  try {
    return existsSync(join(folder, 'run.json')) ? loadRun(folder) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether runs may be pooled: the same but for their seeds. */
function alike(runs: readonly Run[]): boolean {
  try {
    const [task, ...others] = poolRuns(runs, ['algorithm']);
    return others.length === 0 && task?.groups.length === 1;
  } catch {
    return false;
  }
}

/** The run and its other seeds, by seed; of two runs of one seed the first by name counts. */
export function allSeeds(run: Run): Run[] {
  const parent = dirname(run.dir);
  const found = [run];
  for (const name of readdirSync(parent).sort()) {
    const other = runIn(join(parent, name));
    if (other !== undefined && alike([...found, other])) found.push(other);
  }
  return found.sort((a, b) => a.config.seed - b.config.seed);
}
