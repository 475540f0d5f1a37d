/** A hub folder as a hub, a reader and whoever repeats the run find it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { parseConfigFile } from '../../src/config/parse.js';
import type { ConfigOptions } from '../../src/config/resolve.js';
import { exportRun } from '../../src/export/export-run.js';
import { loadRun } from '../../src/training/load-run.js';
import { train } from '../../src/training/train.js';
import { recordEpisode } from '../../src/watch/record.js';
import { compile } from '../cli/command.js';
import { shortRun } from './runs.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-hub-'));
afterAll(() => rmSync(folder, { recursive: true }));
const SMALL = { env: 'Hopper-v5', algorithm: 'beta', network: { hidden: [4] } };
const hub = join(folder, 'hub');
const text = (name: string, from = hub) => readFileSync(join(from, name), 'utf8');
let run: string;
let card: string;

beforeAll(async () => {
  run = await shortRun(folder, 'runs/seed-0', { ...SMALL, seed: 0 });
  await shortRun(folder, 'runs/seed-1', { ...SMALL, seed: 1 });
  await shortRun(folder, 'runs/other', { ...SMALL, seed: 2, discount: 0.9 });
  await shortRun(folder, 'runs/sac', { ...SMALL, seed: 3, algorithm: 'sac' });
  await exportRun(run, { format: 'hub', out: hub });
  card = text('README.md');
});

/** What stands between the lines of dashes. */
const frontMatter = (of: string) => parse(/^---\n(.*?)^---\n/ms.exec(of)?.[1] ?? '');
const section = (title: string) =>
  new RegExp(`^## ${title}\n(.*?)(?=^## |$(?![^]))`, 'ms').exec(card)?.[1] ?? '';

describe('a hub folder', () => {
  it('has the files that hubs and their tools look for', () => {
    const names = ['README.md', 'config.json', 'curve.png', 'model.safetensors', 'policy.onnx'];
    expect(readdirSync(hub).sort()).toEqual([...names, 'results.json', 'train_config.json']);
    expect(readFileSync(join(hub, 'curve.png')).subarray(1, 4).toString()).toBe('PNG');
  });

  it('holds a recorded episode of the step, and the page that shows it, where there is one', async () => {
    expect(readdirSync(hub)).not.toContain('replay.qrec');
    expect(card).not.toContain('## Watching');
    compile();
    const { file } = await recordEpisode(run, { seed: 0 });
    const shown = join(folder, 'shown');
    const { files } = await exportRun(run, { format: 'hub', out: shown });
    expect(files.map((each) => basename(each.file)).slice(-2)).toEqual([
      'replay.qrec',
      'index.html',
    ]);
    expect(readFileSync(join(shown, 'replay.qrec'))).toEqual(readFileSync(file));
    expect(text('index.html', shown)).toContain('"id":"000000000300-s0"');
    expect(text('index.html', shown)).not.toContain(folder);
    expect(text('README.md', shown)).toContain('## Watching');
    rmSync(join(run, 'recordings'), { recursive: true });
  }, 120_000);

  it('has front matter with library, tags and the measured return', () => {
    const [evaluation] = loadRun(run).evaluations().slice(-1);
    const value = `${evaluation?.returnMean.toFixed(2)} +/- ${evaluation?.returnStd.toFixed(2)}`;
    expect(frontMatter(card)).toEqual({
      library_name: 'virel-native',
      pipeline_tag: 'reinforcement-learning',
      tags: [
        'reinforcement-learning',
        'deep-reinforcement-learning',
        'mujoco',
        'Hopper-v5',
        'beta',
      ],
      'model-index': [
        {
          name: 'beta',
          results: [
            {
              task: { type: 'reinforcement-learning', name: 'reinforcement-learning' },
              dataset: { name: 'Hopper-v5', type: 'Hopper-v5' },
              metrics: [
                {
                  type: 'mean_reward',
                  name: 'mean_reward',
                  value,
                  args: { episodes: 1, seeds: 1, step: 300 },
                  verified: false,
                },
              ],
            },
          ],
        },
      ],
    });
    expect(section('Evaluation')).toContain(`**${value}**`);
  });

  it('tells how it was measured, every seed of the config, and what was changed', () => {
    expect(section('Evaluation')).toContain('1 episode of at most 999 steps');
    const rows = [...section('All seeds').matchAll(/^\| (\d)( \(this one\))? \|/gm)];
    expect(rows.map(([, seed, mine]) => [seed, mine !== undefined])).toEqual([
      ['0', true],
      ['1', false],
    ]);
    expect(section('Deviations')).toContain('| `network.hidden` | `[4]` | ');
    expect(section('Deviations')).not.toContain('seed');
    expect(section('Task')).toContain('11 observations, 3 actions');
    expect(section('Reproducing it')).toMatch(/\| MuJoCo \| 3\.17\.0 \|/);
    expect(card).toContain('Loading executes no code');
    expect(section('Limits')).toContain('simulation');
  });

  it('names no folder of its author', () => {
    for (const name of readdirSync(hub))
      expect([name, text(name).includes(folder)]).toEqual([name, false]);
  });

  it('has the results as numbers', () => {
    const results = JSON.parse(text('results.json'));
    const [evaluation] = loadRun(run).evaluations().slice(-1);
    expect(results).toMatchObject({
      env_id: 'Hopper-v5',
      mean_reward: evaluation?.returnMean,
      std_reward: evaluation?.returnStd,
      is_deterministic: true,
      n_eval_episodes: 1,
      step: 300,
    });
    expect(results.seeds.map(({ seed }: { seed: number }) => seed)).toEqual([0, 1]);
    expect(results.evaluations).toEqual(loadRun(run).evaluations());
  });

  it('holds the config that repeats the run, to the byte of its parameters', async () => {
    expect(section('Reproducing it')).toContain(
      'npx virel-native train --config train_config.json',
    );
    const path = join(hub, 'train_config.json');
    const again = parseConfigFile(readFileSync(path), path) as ConfigOptions;
    await train({ ...again, runDir: join(folder, 'again') }, { inProcess: true }).finished;
    expect(
      readFileSync(
        join(folder, 'again/checkpoints/000000000300/pretrained_model/model.safetensors'),
      ).equals(readFileSync(join(hub, 'model.safetensors'))),
    ).toBe(true);
  });

  it('says of the best checkpoint that it was chosen, and of a single seed that it is one', async () => {
    const alone = await shortRun(folder, 'alone/run', { ...SMALL });
    const out = join(folder, 'best');
    await exportRun(alone, { format: 'hub', out, step: 'best' });
    expect(text('README.md', out)).toContain('the best of 1 evaluations: expect less of another.');
    expect(text('README.md', out)).toContain('It is one seed');
  });

  it('claims no result for a step that was not evaluated', async () => {
    const bare = await shortRun(folder, 'bare/run', { ...SMALL });
    const out = join(folder, 'bare-hub');
    const evaluations = join(bare, 'eval.csv');
    writeFileSync(evaluations, `${text('eval.csv', bare).split('\n')[0]}\n`);
    await exportRun(bare, { format: 'hub', out });
    const bareCard = text('README.md', out);
    expect(frontMatter(bareCard)).not.toHaveProperty('model-index');
    expect(bareCard).toContain('Step 300 was not evaluated.');
    expect(bareCard).toContain('there is no curve');
    expect(readdirSync(out)).not.toContain('curve.png');
    expect(JSON.parse(text('results.json', out)).mean_reward).toBeNull();
  });

  it('says which options of the task were turned', async () => {
    const env = { id: 'Hopper-v5', healthyReward: 2 };
    const turned = await shortRun(folder, 'turned/run', { ...SMALL, env } as ConfigOptions);
    const out = join(folder, 'turned-hub');
    await exportRun(turned, { format: 'hub', out });
    expect(text('README.md', out)).toContain('task `Hopper-v5`, with `healthyReward` 2:');
  });
});
