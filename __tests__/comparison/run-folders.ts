/** Run folders without training: what a run of these evaluations would have left. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type ConfigOptions, resolveConfig } from '../../src/config/resolve.js';
import type { Summary } from '../../src/logging/events.js';
import { Logger } from '../../src/logging/logger.js';
import { evaluationSink } from '../../src/logging/sinks/csv.js';
import { metricsSink } from '../../src/logging/sinks/jsonl.js';

/** A run to write. */
export interface FakeRun {
  /** Options of `train`; 1000 steps of virel on Hopper-v5 by default. */
  options?: ConfigOptions;
  /** Returns at the evaluations, from `every` steps on. */
  returns: readonly number[];
  /** Steps between evaluations; a tenth of the steps by default. */
  every?: number;
  /** `none`: the run goes on, or its process died. */
  ended?: Summary['state'] | 'none';
  /** Of a failed run. */
  code?: string;
  /** Over the fields of `run.json`. */
  manifest?: object;
}

/** Writes a run below `root`. @returns Its folder. */
export function writeRun(root: string, name: string, fake: FakeRun): string {
  const config = resolveConfig({
    env: 'Hopper-v5',
    algorithm: 'virel',
    steps: 1000,
    ...fake.options,
  });
  const { ended = 'finished', every = config.steps / 10, code, returns } = fake;
  const dir = join(root, name);
  mkdirSync(dir, { recursive: true });
  const { seed, algorithm } = config;
  const env = config.env.id;
  const manifest = { format: 1, created: '2026-11-25T12:00:00Z', env, algorithm, seed };
  const versions = { package: '0.1.0' };
  writeFileSync(join(dir, 'config.yaml'), stringify(config));
  writeFileSync(join(dir, 'run.json'), JSON.stringify({ ...manifest, versions, ...fake.manifest }));

  const logger = new Logger([evaluationSink, metricsSink], dir, {
    clock: () => 0,
    failed: (name, error) => {
      throw new Error(name, { cause: error });
    },
    lost: () => {},
  });
  logger.open();
  returns.forEach((value, index) => {
    const at = { seed, step: (index + 1) * every, wall: index + 1 };
    const updates = Math.max(0, at.step - 100);
    const evaluation = { episodes: 2, returnMean: value, returnStd: 1, lengths: [10, 30] };
    logger.write({ event: 'evaluation', ...at, ...evaluation, returns: [value - 1, value + 1] });
    logger.write({ event: 'metrics', ...at, updates, m: { 'eval/mean_reward': value } });
  });
  logger.close();
  if (ended === 'none') return dir;
  const steps = ended === 'finished' ? config.steps : returns.length * every;
  const summary = {
    event: 'summary',
    state: ended,
    steps,
    finalScore: null,
    ...(code && { code }),
  };
  writeFileSync(join(dir, 'summary.json'), JSON.stringify(summary));
  return dir;
}
