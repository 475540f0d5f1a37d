import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { brief, clockTime, grouped } from '../../src/cli/output.js';
import { ProgressView } from '../../src/cli/progress.js';
import { progressParts, type Standing, wrapParts } from '../../src/cli/progress-line.js';
import { resolveConfig } from '../../src/config/resolve.js';
import type { TrainEvent } from '../../src/logging/events.js';

const config = resolveConfig();
const progress = (wall: number): TrainEvent => ({
  event: 'progress',
  seed: 0,
  step: wall * 100,
  steps: 100_000,
  updates: wall * 50,
  wall,
  stepsPerSecond: 100,
  updatesPerSecond: 50,
});

describe('progress without a terminal', () => {
  it('is one line per interval, with steps, speed, time left, return and residual error', () => {
    const [results, notes]: [string[], string[]] = [[], []];
    const view = new ProgressView({
      result: (text) => results.push(text),
      note: (text) => notes.push(text),
      terminal: undefined,
      interval: 10_000,
      several: false,
    });
    view.show(
      {
        event: 'metrics',
        seed: 0,
        step: 1,
        updates: 1,
        wall: 0,
        m: { 'virel/residual_error_raw': 0.25, 'virel/temperature': 0.0314 },
      },
      config,
    );
    view.show(
      {
        event: 'evaluation',
        seed: 0,
        step: 500,
        episodes: 2,
        returnMean: 812.44,
        returnStd: 1,
        returns: [811.44, 813.44],
        lengths: [9, 11],
        wall: 5,
      },
      config,
    );
    for (let wall = 1; wall <= 40; wall += 1) view.show(progress(wall), config);
    expect(results).toEqual([
      'eval step=500 return=812.4 std=1.0 min=811.4 max=813.4 len=10.0 n=2 wall=5.0s',
    ]);
    expect(notes).toHaveLength(4);
    expect(notes[0]).toBe(
      'step 1,000/100,000 1% | 50 upd/s | ETA 16:30 | return 812.4 (at 0.5k) | residual 0.25 | T 0.0314',
    );
  });

  it('names the seed where several share the output', () => {
    const [results, notes]: [string[], string[]] = [[], []];
    const view = new ProgressView({
      result: (text) => results.push(text),
      note: (text) => notes.push(text),
      terminal: undefined,
      interval: 0,
      several: true,
    });
    view.show(progress(1), config);
    expect(results).toEqual([]);
    expect(notes[0]).toMatch(/^seed 0 step 100\//);
  });
});

describe('the end of a run', () => {
  it.each([
    ['finished', 'done 2,000 steps', 'next: npx virel-native watch '],
    ['stopped', 'stopped after 2,000 steps', 'next: npx virel-native resume '],
    ['failed', 'failed after 2,000 steps', undefined],
  ] as const)('%s says how far it came, and the command for what follows', (state, said, next) => {
    const texts: string[] = [];
    const say = (text: string) => void texts.push(text);
    const view = { result: say, note: say, terminal: undefined, interval: 10_000, several: false };
    new ProgressView(view).show(
      {
        event: 'summary',
        state,
        runDir: '/somewhere/run',
        env: 'Hopper-v5',
        algorithm: 'virel',
        seed: 0,
        steps: 2000,
        updates: 1000,
        wallSeconds: 10,
        finalScore: 7,
        evaluation: null,
      },
      config,
    );
    const all = texts.join('\n');
    expect(all).toContain(said);
    if (next === undefined) expect(all).not.toContain('next:');
    else expect(all).toContain(next);
  });
});

describe('the parts of a progress line', () => {
  const standing: Standing = {
    recent: [progress(1), progress(2)].filter((event) => event.event === 'progress'),
    evaluation: undefined,
    m: {},
    saved: undefined,
  };

  it('are what is known: steps, speed and time left at first', () => {
    expect(progressParts(standing)).toEqual(['step 200/100,000 0%', '50 upd/s', 'ETA 16:38']);
  });

  it('have the return of training until there is an evaluation', () => {
    const m = { 'rollout/ep_rew_mean': 18.5 };
    expect(progressParts({ ...standing, m })).toContain('training return 18.5');
    const evaluation = { step: 120_000, mean: 812.4 };
    expect(progressParts({ ...standing, m, evaluation }).slice(3)).toEqual([
      'return 812.4 (at 120k)',
    ]);
  });

  it('have residual error, temperature, value and checkpoint', () => {
    const m = {
      'virel/residual_error_raw': 7.75,
      'virel/temperature': 0.031,
      'losses/qf1_values': 214.9,
    };
    expect(progressParts({ ...standing, m, saved: 118_400 }).slice(3)).toEqual([
      'residual 7.75',
      'T 0.031 Q 214.9',
      'saved 118,400',
    ]);
  });

  it('go on the next line of a terminal whole, and none is left out', () => {
    const part = fc.string({ minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), fc.integer({ min: 31 }), (parts, columns) => {
        const lines = wrapParts(parts, columns).split('\n');
        expect(lines.join(' | ')).toBe(parts.join(' | '));
        expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(columns);
      }),
    );
  });

  it('are cut where the terminal is narrower than a part', () => {
    expect(wrapParts(['step 1', 'T 2'], 4)).toBe('ste\nT 2');
    expect(wrapParts(['step 1'], 1)).toBe('s');
  });
});

describe('progress on a terminal', () => {
  it('shows the evaluation that just came, not the one before it', () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
    let drawn = '';
    terminal.on('data', (text) => {
      drawn += text;
    });
    const note = (text: string) => void terminal.write(`${text}\n`);
    const view = new ProgressView({
      result: note,
      note,
      terminal: terminal as unknown as NodeJS.WriteStream,
      interval: 10_000,
      several: false,
    });
    const evaluation = (step: number, returnMean: number): TrainEvent => ({
      event: 'evaluation',
      seed: 0,
      step,
      episodes: 1,
      returnMean,
      returnStd: 0,
      returns: [returnMean],
      lengths: [9],
      wall: 5,
    });
    view.show(evaluation(1000, 11), config);
    view.show(progress(20), config);
    view.show(evaluation(2000, 22), config);
    expect(drawn).toMatch(/eval step=2000[^\n]*\n[^\n]*return 22 \(at 2k\)\n[^\n]*$/);
  });
});

describe('numbers for people', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1234567, '1,234,567'],
  ])('%d is grouped as %s', (value, text) => expect(grouped(value)).toBe(text));

  it.each([
    [59.6, '01:00'],
    [2200, '36:40'],
    [3723, '1:02:03'],
    [-1, '00:00'],
  ])('%d s is %s', (seconds, text) => expect(clockTime(seconds)).toBe(text));

  it.each([
    [0, '0'],
    [0.0314159, '0.03142'],
    [0.00001234, '1.23e-5'],
    [214.93, '214.9'],
    [-12345.6, '-12346'],
  ])('%d is shortened to %s', (value, text) => expect(brief(value)).toBe(text));
});
