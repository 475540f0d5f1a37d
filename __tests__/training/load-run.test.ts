/** `loadRun`: folders of runs that go on, ended, failed, or were left half written. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { metricsLine } from '../../src/logging/metrics-line.js';
import { findRuns } from '../../src/training/find-run.js';
import { loadRun } from '../../src/training/load-run.js';
import { train } from '../../src/training/train.js';
import { writeRun } from '../comparison/run-folders.js';
import { MemorySession } from './memory-session.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'virel-load-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The code of what a function throws, and its message. */
function refusal(action: () => unknown): { code: string; message: string } {
  try {
    action();
  } catch (error) {
    return error as { code: string; message: string };
  }
  return { code: 'none', message: '' };
}
const written = () => writeRun(folder, 'run', { returns: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] });

describe('loadRun', () => {
  it('gives what train wrote: config, manifest, summary, metrics, evaluations', async () => {
    const running = train(
      {
        runsDir: folder,
        env: 'Hopper-v5',
        steps: 400,
        evaluation: { every: 200, episodes: 2 },
        logging: { every: 100 },
      },
      { createSession: () => new MemorySession(), nativeFacts: () => undefined },
    );
    const events = [];
    for await (const event of running) events.push(event);
    const summary = await running.finished;

    const run = loadRun(summary.runDir);
    expect(run.dir).toBe(summary.runDir);
    expect(run.config).toMatchObject({ algorithm: 'virel', steps: 400, env: { id: 'Hopper-v5' } });
    expect(run.manifest).toMatchObject({ format: 1, env: 'Hopper-v5', module: null });
    expect(run.summary).toEqual(summary);
    expect(run.metrics()).toEqual(
      events.flatMap((event) => {
        if (event.event !== 'metrics') return [];
        const { event: _event, seed: _seed, ...record } = event;
        return [record];
      }),
    );
    // the evaluations of the session: the step, and one more
    expect(run.evaluations().map(({ wall: _wall, ...rest }) => rest)).toEqual(
      [200, 400].map((step) => ({
        step,
        episodes: 2,
        returnMean: step + 0.5,
        returnStd: 0.5,
        returnMin: step,
        returnMax: step + 1,
        lengthMean: 100,
      })),
    );
  });

  it('reads a run without a summary, without evaluations, and of another version', () => {
    const dir = writeRun(folder, 'run', { returns: [], ended: 'none' });
    appendFileSync(join(dir, 'config.yaml'), 'aKeyOfTomorrow: {deep: 1}\n');
    const run = loadRun(dir);
    expect('summary' in run).toBe(false);
    expect([run.metrics(), run.evaluations()]).toEqual([[], []]);
    rmSync(join(dir, 'eval.csv'));
    expect(run.evaluations()).toEqual([]);
  });

  it('finds the columns of eval.csv by their names', () => {
    const dir = written();
    const path = join(dir, 'eval.csv');
    const turned = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line, index) => `${index === 0 ? 'new' : 'x'},${line}`);
    const before = loadRun(dir).evaluations();
    writeFileSync(path, `${turned.join('\n')}\n`);
    expect(loadRun(dir).evaluations()).toEqual(before);
  });

  it.each(['metrics.jsonl', 'eval.csv'])('drops a torn end of %s, wherever it is torn', (file) => {
    const dir = written();
    const path = join(dir, file);
    const whole = readFileSync(path);
    const read = () => (file === 'eval.csv' ? loadRun(dir).evaluations() : loadRun(dir).metrics());
    const all: unknown[] = read();
    const heads = file === 'eval.csv' ? 1 : 0;
    fc.assert(
      fc.property(fc.nat(whole.length), (length) => {
        writeFileSync(path, whole);
        truncateSync(path, length);
        const lines = whole.subarray(0, length).filter((byte) => byte === 0x0a).length;
        expect(read()).toEqual(all.slice(0, Math.max(0, lines - heads)));
      }),
      { numRuns: 40 },
    );
  });

  it('names file and line of what is damaged in the middle', () => {
    const dir = written();
    const change = (file: string, from: string | RegExp, to: string) => {
      const path = join(dir, file);
      const text = readFileSync(path, 'latin1');
      const changed = text.replace(from, to);
      expect(changed).not.toBe(text);
      writeFileSync(path, changed, 'latin1');
    };
    change('metrics.jsonl', '"eval/mean_reward":3', '"eval/mean_reward":4');
    expect(refusal(() => loadRun(dir).metrics())).toMatchObject({
      code: 'RUN_CORRUPT',
      message: expect.stringMatching(
        /metrics\.jsonl, line 3: not a whole record of metrics with its CRC-32$/,
      ),
    });
    change('eval.csv', /\n300,2,/, '\n300,two,');
    expect(refusal(() => loadRun(dir).evaluations())).toMatchObject({
      code: 'RUN_CORRUPT',
      message: expect.stringMatching(/eval\.csv, line 4: episodes: no number$/),
    });
    change('eval.csv', /\n300,two,/, '\n300,');
    expect(refusal(() => loadRun(dir).evaluations()).message).toMatch(/line 4: expected 8 values/);
    change('eval.csv', /\n300,/, '\n3\xff0,');
    expect(refusal(() => loadRun(dir).evaluations()).message).toMatch(/line 4: not UTF-8$/);
    change('eval.csv', '3\xff0,', '300,2,');
    change('eval.csv', 'return_mean', 'mean_return');
    expect(refusal(() => loadRun(dir).evaluations()).message).toMatch(
      /line 1: no column return_mean/,
    );
  });

  it('reads NaN where a number was not finite', () => {
    const dir = written();
    const record = { step: 1100, updates: 1, wall: 1, m: { 'q/bias': Number.NaN } };
    appendFileSync(join(dir, 'metrics.jsonl'), `${metricsLine(record)}\n`);
    expect(loadRun(dir).metrics().at(-1)?.m).toEqual({ 'q/bias': Number.NaN });
  });

  it.each([
    ['run.json', '{"format":1', 'RUN_CORRUPT', /run\.json: not JSON/],
    ['run.json', '{"format":1}', 'RUN_CORRUPT', /run\.json: created: /],
    ['run.json', undefined, 'RUN_NOT_FOUND', /holds no run/],
    ['config.yaml', undefined, 'RUN_CORRUPT', /config\.yaml: missing/],
    ['config.yaml', 'a: [1', 'CONFIG_SYNTAX', /config\.yaml/],
    ['config.yaml', 'schema: 1\nalgorithm: "a\\nb"', 'RUN_CORRUPT', /config\.yaml: /],
    ['summary.json', '[]', 'RUN_CORRUPT', /summary\.json: content: /],
  ])('refuses a damaged %s (%s) as %s', (file, content, code, message) => {
    const dir = written();
    if (content === undefined) rmSync(join(dir, file));
    else writeFileSync(join(dir, file), content);
    const refused = refusal(() => loadRun(dir));
    expect(refused.code).toBe(code);
    expect(refused.message).toMatch(message);
  });

  it('says that a newer version wrote a run', () => {
    const dir = written();
    const path = join(dir, 'config.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('schema: 1', 'schema: 2'));
    expect(refusal(() => loadRun(dir))).toMatchObject({
      code: 'CONFIG_VERSION',
      message: expect.stringContaining('layout 2'),
    });
  });

  it('refuses a name that is not UTF-8 in words that help', () => {
    // what Node makes of such a name, on the command line or out of a folder's listing
    const name = join(folder, 'run-\ufffd');
    expect(existsSync(name)).toBe(false);
    expect(refusal(() => loadRun(name))).toMatchObject({
      code: 'RUN_NOT_FOUND',
      fix: 'rename the folder',
    });
    expect(refusal(() => findRuns([name], folder))).toMatchObject({ expected: 'a name in UTF-8' });
    expect(refusal(() => loadRun(''))).toMatchObject({ code: 'RUN_NOT_FOUND' });
  });
});

describe('findRuns', () => {
  it('takes a folder of runs for all of them, and each once', () => {
    const names = ['a/x', 'a/y', 'b/z'];
    const [x, y, z] = names.map((name) => writeRun(folder, name, { returns: [1] }));
    expect(findRuns([join(folder, 'a')], folder)).toEqual([x, y]);
    expect(findRuns(['b/z', join(folder, 'a/y'), folder], folder)).toEqual([z, y, x]);
    expect(refusal(() => findRuns(['a/'], folder)).code).toBe('RUN_AMBIGUOUS');
    expect(refusal(() => findRuns(['nothing'], folder)).code).toBe('RUN_NOT_FOUND');
  });
});
