/** `--require`: a statement on a comparison that a script can fail on, such as `P(beta>sac)>0.5`. */
import { nearest } from '../config/nearest.js';
import { VirelError } from '../errors.js';
import {
  interquartileMean,
  meanOfTasks,
  probabilityOfImprovement,
  type Scores,
} from '../statistics/aggregates.js';
import type { JudgedRequirement } from './comparison.js';
import type { NamedScores } from './estimate.js';

const COMPARE = {
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
} as const;

/** A statement, taken apart. */
export interface Requirement {
  readonly text: string;
  /** `P(x > y)`, or the IQM or the mean of x. */
  readonly quantity:
    | { readonly kind: 'P'; readonly x: string; readonly y: string }
    | { readonly kind: 'IQM' | 'mean'; readonly x: string };
  readonly operator: keyof typeof COMPARE;
  readonly bound: number;
}

const STATEMENT = /^\s*(P|IQM|mean)\s*\(([^()]+)\)\s*(>=|<=|>|<)\s*(\S+)\s*$/;

function refuse(text: string, reason: string, fix?: string): VirelError {
  return new VirelError('CLI_USAGE', `require ${text}: ${reason}`, {
    where: 'require',
    expected: 'P(A>B), IQM(A) or mean(A), then >, >=, < or <=, then a number',
    got: text,
    fix: fix ?? "--require 'P(beta>sac)>0.5'",
  });
}

/**
 * Reads a statement.
 *
 * @param names Of the groups that are compared.
 * @throws VirelError `CLI_USAGE` if it is no statement, or names a group that is not there.
 */
export function parseRequirement(text: string, names: readonly string[]): Requirement {
  const [, kind, inner = '', operator = '', number = ''] = STATEMENT.exec(text) ?? [];
  if (kind === undefined) throw refuse(text, 'not a statement');
  const bound = Number(number);
  if (!Number.isFinite(bound)) throw refuse(text, `${number} is no number`);
  const named = inner.split('>').map((part) => part.trim());
  if (named.length !== (kind === 'P' ? 2 : 1)) throw refuse(text, `${kind}(${inner})`);
  const [x = '', y = ''] = named;
  for (const name of named) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    const known = `groups: ${names.join('; ')}`;
    throw refuse(text, `no group ${name || '""'}`, near ? `did you mean ${near}? ${known}` : known);
  }
  const quantity = kind === 'P' ? ({ kind, x, y } as const) : { kind: kind as 'IQM' | 'mean', x };
  return { text, quantity, operator: operator as keyof typeof COMPARE, bound };
}

/**
 * Judges a statement by its point estimate; NaN satisfies none.
 *
 * @param groups Those with runs on every task.
 * @param commonScale Whether the scores of all tasks may be averaged.
 * @throws VirelError `CLI_USAGE` if the statement is of a group without runs on some task, or needs a common scale.
 */
export function judge(
  { text, quantity, operator, bound }: Requirement,
  groups: readonly NamedScores[],
  commonScale: boolean,
): JudgedRequirement {
  const scoresOf = (name: string): Scores => {
    const found = groups.find((each) => each.name === name);
    if (found !== undefined) return found.scores;
    throw refuse(text, `${name} has no runs on some of the tasks`, 'compare one task at a time');
  };
  if (quantity.kind !== 'P' && !commonScale) {
    const fix = '--normalise reference, or compare one task at a time';
    throw refuse(text, 'the scores of several tasks have no common scale', fix);
  }
  const value = quantityOf(quantity, scoresOf);
  return { requirement: text, value, passed: COMPARE[operator](value, bound) };
}

function quantityOf(quantity: Requirement['quantity'], scoresOf: (name: string) => Scores): number {
  const x = scoresOf(quantity.x);
  switch (quantity.kind) {
    case 'P':
      return probabilityOfImprovement(x, scoresOf(quantity.y));
    case 'IQM':
      return interquartileMean(x);
    case 'mean':
      return meanOfTasks(x);
  }
}
