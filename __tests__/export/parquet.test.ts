/** Parquet files as another program reads them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { exportRun } from '../../src/export/export-run.js';
import { Environment } from '../../src/native/environment.js';
import { loadRun } from '../../src/training/load-run.js';
import { shortRun } from './runs.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-parquet-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The bytes alone: a Buffer may be a part of a larger block. */
const bytesOf = (out: string, name: string) =>
  Uint8Array.from(readFileSync(join(out, name))).buffer;
const rowsOf = (out: string, name: string) => parquetReadObjects({ file: bytesOf(out, name) });

/** A row of `replay.parquet`. */
interface Row {
  episode_id: number;
  observations: number[];
  actions: number[];
  rewards: number;
  terminations: boolean;
  truncations: boolean;
}

const run = async (name: string, options: object) => {
  const network = { hidden: [4] };
  const runDir = await shortRun(folder, name, { env: 'Hopper-v5', network, ...options });
  const out = join(folder, `${name}-export`);
  await exportRun(runDir, { format: 'parquet', out });
  return { runDir, out };
};

let one: { runDir: string; out: string };
beforeAll(async () => {
  one = await run('one', { steps: 700, rewardScale: 5, logging: { every: 100 } });
});

describe('metrics and evaluations', () => {
  it('are the numbers of the run, missing ones null', async () => {
    const { metrics, evaluations } = loadRun(one.runDir);
    const measured = metrics();
    const names = [...new Set(measured.flatMap(({ m }) => Object.keys(m)))];
    const expected = measured.map(({ step, updates, wall, m }) => ({
      step: BigInt(step),
      updates: BigInt(updates),
      wall,
      ...Object.fromEntries(names.map((name) => [name, m[name] ?? null])),
    }));
    expect(expected.length).toBeGreaterThan(5);
    expect(expected.some((record) => Object.values(record).some((value) => value === null))).toBe(
      true,
    );
    expect(await rowsOf(one.out, 'metrics.parquet')).toEqual(expected);
    const records = (await rowsOf(one.out, 'evaluations.parquet')) as Record<string, unknown>[];
    expect(records).toHaveLength(evaluations().length);
    expect(records.map(({ step, return_mean }) => [step, return_mean])).toEqual(
      evaluations().map(({ step, returnMean }) => [BigInt(step), returnMean]),
    );
  });

  it('say what they are of', () => {
    for (const name of ['metrics', 'evaluations', 'replay']) {
      const { key_value_metadata: facts } = parquetMetadata(bytesOf(one.out, `${name}.parquet`));
      expect(facts).toContainEqual({ key: 'env', value: 'Hopper-v5' });
      expect(facts).toContainEqual({ key: 'observation', value: expect.stringMatching(/^qpos/) });
    }
  });
});

/** Rows by episode. */
function episodesOf(rows: readonly Row[]): Row[][] {
  const ids = [...new Set(rows.map(({ episode_id }) => episode_id))];
  return ids.map((id) => rows.filter(({ episode_id }) => episode_id === id));
}

/** Lengths of the episodes that ended, and returns, as the run logged them. */
const logged = (runDir: string) =>
  readFileSync(join(runDir, 'episodes.csv'), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((line) => line.split(',').map(Number) as [number, number, number]);

describe('the replay buffer', () => {
  it('is the episodes of the run: lengths, unscaled returns, how they ended', async () => {
    const episodes = episodesOf((await rowsOf(one.out, 'replay.parquet')) as unknown as Row[]);
    const ends = logged(one.runDir);
    expect(ends.length).toBeGreaterThan(5);
    for (const [index, [reward, length]] of ends.entries()) {
      const rows = episodes[index] as Row[];
      expect(rows).toHaveLength(length + 1);
      const sum = rows.reduce((total, { rewards }) => total + rewards, 0);
      // float32 rewards
      expect(sum).toBeCloseTo(reward, 3);
      const last = rows.at(-2) as Row;
      expect(last.terminations).toBe(true);
      const flagged = rows.filter(({ terminations, truncations }) => terminations || truncations);
      expect(flagged).toHaveLength(1);
      // beyond the last step there is an observation alone
      expect(rows.at(-1)).toMatchObject({ actions: [0, 0, 0], rewards: 0, terminations: false });
    }
    const steps = episodes.reduce((total, rows) => total + rows.length - 1, 0);
    expect(steps).toBe(700);
  });

  it('holds actions in the units of the environment: they lead from one observation to the next', async () => {
    const { out } = await run('pusher', { env: 'Pusher-v5' });
    const rows = (await rowsOf(out, 'replay.parquet')) as unknown as Row[];
    const actions = rows.flatMap((row) => row.actions);
    expect(Math.max(...actions.map(Math.abs))).toBeGreaterThan(1);
    expect(Math.max(...actions.map(Math.abs))).toBeLessThanOrEqual(2);
    // the state of the arm is in its observation; puck and goal lie elsewhere, out of its way
    const environment = Environment.create('Pusher-v5');
    const [first, second] = rows as [Row, Row];
    environment.reset(0);
    const { qpos, qvel } = environment;
    qpos.set(first.observations.slice(0, 7));
    qvel.set(first.observations.slice(7, 14));
    environment.setState(qpos, qvel);
    const { observation } = environment.step(first.actions);
    environment.dispose();
    for (let i = 0; i < 14; i += 1) {
      expect(observation[i]).toBeCloseTo(second.observations[i] as number, 3);
    }
  });

  it('keeps apart environments that collect in turn', async () => {
    const { runDir, out } = await run('several', { collect: { environments: 3, resetEvery: 0 } });
    const episodes = episodesOf((await rowsOf(out, 'replay.parquet')) as unknown as Row[]);
    const lengths = episodes
      .filter((rows) => rows.some(({ terminations }) => terminations))
      .map((rows) => rows.length - 1);
    const expected = logged(runDir).map(([, length]) => length);
    expect(expected.length).toBeGreaterThan(3);
    expect(lengths).toEqual(expected);
  });

  it('says where a time limit cut', async () => {
    const { out } = await run('limit', { env: { id: 'HalfCheetah-v5', maxEpisodeSteps: 50 } });
    const rows = (await rowsOf(out, 'replay.parquet')) as unknown as Row[];
    expect(rows.filter(({ truncations }) => truncations)).toHaveLength(5);
    expect(rows.some(({ terminations }) => terminations)).toBe(false);
    expect(episodesOf(rows).map((each) => each.length)).toEqual(Array(6).fill(51));
  });
});
