import { describe, expect, it } from '@jest/globals';
import { brief, clockTime, grouped } from '../../src/cli/output.js';
import { ProgressView } from '../../src/cli/progress.js';
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
        m: { 'virel/residual_error_raw': 0.25 },
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
      'step 1,000/100,000 1% | 50 upd/s | ETA 16:30 | return 812.4 (at 0.5k) | residual 0.25',
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
