/** The raw points of learning curves as CSV, so that a picture can be drawn again with anything. */
import type { LearningCurves } from './curves.js';

const HEAD = ['task', 'group', 'seed', 'step', 'updates', 'wall', 'value', 'run'];

/** A cell that a comma, a quote or a line end does not break (RFC 4180). */
const cell = (value: string | number) =>
  typeof value === 'string' && /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;

/** One line for every measured value, unsmoothed: wall in seconds, value in the unit of the metric. */
export function curveData({ tasks }: LearningCurves): string {
  const rows = tasks.flatMap(({ task, groups }) =>
    groups.flatMap(({ name, runs }) =>
      runs.flatMap(({ seed, runDir, measured }) =>
        measured.map(({ step, updates, wall, value }) =>
          [task, name, seed, step, updates, wall, value, runDir].map(cell).join(','),
        ),
      ),
    ),
  );
  return `${[HEAD.join(','), ...rows].join('\n')}\n`;
}
