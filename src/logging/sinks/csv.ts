/** `eval.csv`, and `episodes.csv` in the form of Stable-Baselines3's Monitor. */
import { join } from 'node:path';
import { evaluationRange } from '../../statistics/evaluation.js';
import type { Sink } from '../logger.js';
import { damaged, type Line, readLines } from '../read-lines.js';

/** An evaluation as `eval.csv` has it; returns are undiscounted and unscaled. */
export interface EvaluationRecord {
  /** Environment steps before it. */
  step: number;
  /** Number of episodes. */
  episodes: number;
  /** Mean return. */
  returnMean: number;
  /** Standard deviation over these episodes (divisor n). */
  returnStd: number;
  /** Smallest return. */
  returnMin: number;
  /** Largest return. */
  returnMax: number;
  /** Mean length of the episodes, in environment steps. */
  lengthMean: number;
  /** Seconds since the start of the run. */
  wall: number;
}

const EVALUATIONS = 'eval.csv';

/** The columns of `eval.csv`, in their order. */
const COLUMNS: readonly (readonly [name: string, key: keyof EvaluationRecord])[] = [
  ['step', 'step'],
  ['episodes', 'episodes'],
  ['return_mean', 'returnMean'],
  ['return_std', 'returnStd'],
  ['return_min', 'returnMin'],
  ['return_max', 'returnMax'],
  ['length_mean', 'lengthMean'],
  ['wall', 'wall'],
];

/** `eval.csv`: one line per evaluation; returns unscaled, `wall` in seconds since the start. */
export const evaluationSink: Sink = {
  name: EVALUATIONS,
  head: `${COLUMNS.map(([name]) => name).join(',')}\n`,
  encode: (event) => {
    if (event.event !== 'evaluation') return undefined;
    const record = { ...event, ...evaluationRange(event) };
    return `${COLUMNS.map(([, key]) => record[key]).join(',')}\n`;
  },
};

/**
 * Reads `eval.csv`, also while it is written. Columns are found by their names, so that another version may have more.
 *
 * @throws VirelError `RUN_CORRUPT` with the line: no number where one belongs, a column that is missing.
 */
export function readEvaluations(directory: string): EvaluationRecord[] {
  const [head, ...lines] = readLines(join(directory, EVALUATIONS));
  if (head === undefined) return [];
  const names = head.text.split(',');
  const missing = COLUMNS.find(([name]) => !names.includes(name));
  if (missing !== undefined) throw damaged(head.where, `no column ${missing[0]}`);
  return lines.map((line) => evaluationOf(line, names));
}

function evaluationOf({ where, text }: Line, names: readonly string[]): EvaluationRecord {
  const cells = text.split(',');
  if (cells.length !== names.length) {
    throw damaged(where, `expected ${names.length} values, got ${cells.length}`);
  }
  const entries = COLUMNS.map(([name, key]) => {
    const cell = cells[names.indexOf(name)] ?? '';
    const value = cell.trim() === '' ? Number.NaN : Number(cell);
    if (Number.isNaN(value) && cell !== 'NaN') throw damaged(where, `${name}: no number`);
    return [key, value] as const;
  });
  return Object.fromEntries(entries) as unknown as EvaluationRecord;
}

/**
 * `episodes.csv`: return, length and time of each training episode, in the format of Stable-Baselines3's Monitor
 * (stable_baselines3/common/monitor.py, ResultsWriter): a comment line of JSON, then the columns r, l, t.
 */
export function episodeSink(env: string, started: Date): Sink {
  const about = { t_start: started.getTime() / 1000, env_id: env };
  return {
    name: 'episodes.csv',
    head: `#${JSON.stringify(about)}\nr,l,t\n`,
    encode: (event) =>
      event.event === 'episode'
        ? `${[event.return, event.length, event.wall].join(',')}\n`
        : undefined,
  };
}
