/** Every command of docs/guide/sweep.md for one machine, run as its reader would, in one folder. Those for a cluster: ../slurm. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile, virel } from '../cli/command.js';
import { commandsOf, sweepFiles, sweepPage } from './sweep-page.js';

const PATIENCE = 240_000;
const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const folder = mkdtempSync(join(tmpdir(), 'virel-sweeping-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [here, cluster] = sweepPage.split('## On a cluster') as [string, string];
/** What each command printed, in the order of the page. */
const printed: string[] = [];

beforeAll(async () => {
  compile();
  for (const [name, text] of sweepFiles) writeFileSync(join(folder, name), text);
  for (const words of commandsOf(here)) {
    const { code, stdout, stderr } = await virel(words, folder);
    expect([words, code, code === 0 ? '' : stderr]).toEqual([words, 0, '']);
    printed.push(stdout);
  }
}, PATIENCE);

/** The first column of a table of settings that the page or a command prints. */
const settings = (text: string) =>
  [...text.matchAll(/^ {2}(InvertedPendulum-v5\/\S+) /gm)].map(([, setting]) => setting);

describe('docs/guide/sweep.md', () => {
  it('has commands that do what it says of them', () => {
    const [plan, , status, search, , , , compared] = printed;
    const [planned, stood] = [...here.matchAll(/^```text\n(.*?)^```$/gms)].map(([, text]) => text);
    expect(printed).toHaveLength(8);
    expect(settings(plan as string)).toEqual(settings(planned as string));
    expect(plan).toContain('\n12 runs | ');
    expect(settings(status as string)).toEqual(settings(stood as string));
    expect(status).toMatch(/^done 12$/m);
    expect(stood).toMatch(/^done 12$/m);
    expect(search).toMatch(/^32 runs \| /m);
    expect(existsSync(join(folder, 'runs/pendulum/InvertedPendulum-v5'))).toBe(true);
    expect(compared).toContain('beta');
  });

  it('gives a plan the bits of the file that it was made of', () => {
    const run = 'InvertedPendulum-v5/beta/optim.targetUpdateRate=0.005/seed-2/eval.csv';
    const [fromFile, fromPlan] = ['sweep', 'pendulum'].map((name) => {
      const rows = readFileSync(join(folder, 'runs', name, run), 'utf8')
        .trimEnd()
        .split('\n');
      const clock = (rows[0] as string).split(',').findIndex((column) => /wall|time/.test(column));
      return rows.map((row) => row.split(',').toSpliced(clock, clock < 0 ? 0 : 1));
    });
    expect(fromFile?.length).toBeGreaterThan(1);
    expect(fromPlan).toEqual(fromFile);
  });

  it('shows the script that its command prints', async () => {
    const there = join(realpathSync(folder), 'elsewhere');
    mkdirSync(there);
    for (const [name, text] of sweepFiles) writeFileSync(join(there, name), text);
    const words = commandsOf(cluster).at(-1) as string[];
    const { code, stdout } = await virel(words, there);
    const shown = [...cluster.matchAll(/^```text\n(#!.*?)^```$/gms)][0]?.[1] as string;
    // the reader's folder, where the package is installed, and programs of another place
    const package_ = '/home/me/work/node_modules/virel-native';
    const expected = shown
      .replaceAll(package_, root)
      .replaceAll('/home/me/work', there)
      .replace('/usr/bin/node', process.execPath);
    const memory = /--mem=\d+M/;
    expect(shown).toMatch(memory);
    expect([code, stdout.replace(memory, '')]).toEqual([0, expected.replace(memory, '')]);
  });
});
