/** Reads what a run folder says of its evaluations. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The rows of an `eval.csv`: numbers by column, in the order of training. */
export function parseEvaluations(text) {
  const [header, ...rows] = text.trim().split('\n');
  const columns = header.split(',');
  return rows.map((row) => {
    const cells = row.split(',').map(Number);
    return Object.fromEntries(columns.map((column, index) => [column, cells[index]]));
  });
}

/** The evaluations of a run's folder. */
export const loadEvaluations = (directory) =>
  parseEvaluations(readFileSync(join(directory, 'eval.csv'), 'utf8'));
