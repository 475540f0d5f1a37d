/** The line that says where a run stands, and how it fits a terminal. */
import type { ProgressEvent } from '../logging/events.js';
import { brief, clockTime, grouped } from './output.js';

/** What is known of a run that trains. */
export interface Standing {
  /** The last progress events, a few seconds of them; at least one. */
  readonly recent: readonly ProgressEvent[];
  /** The last evaluation. */
  readonly evaluation: { readonly step: number; readonly mean: number } | undefined;
  /** The newest value of each metric. */
  readonly m: Readonly<Record<string, number>>;
  /** Step of the newest checkpoint. */
  readonly saved: number | undefined;
}

/** Environment steps and gradient steps per second: over some seconds, evaluations included. */
function speeds(recent: readonly ProgressEvent[]): { steps: number; updates: number } {
  const [oldest, newest] = [recent[0] as ProgressEvent, recent.at(-1) as ProgressEvent];
  const seconds = newest.wall - oldest.wall;
  // a first event only has its own speed
  if (seconds <= 0) return { steps: newest.stepsPerSecond, updates: newest.updatesPerSecond };
  const per = (from: number, to: number) => (to - from) / seconds;
  return {
    steps: per(oldest.step, newest.step),
    updates: per(oldest.updates, newest.updates),
  };
}

/** The return of the last evaluation; before the first, the mean of the training episodes. */
function returnPart({ evaluation, m }: Standing): string[] {
  if (evaluation)
    return [`return ${brief(evaluation.mean)} (at ${brief(evaluation.step / 1000)}k)`];
  const training = m['rollout/ep_rew_mean'];
  return training === undefined ? [] : [`training return ${brief(training)}`];
}

/** A name and the metric behind it, where the run has it. */
function labelled(m: Standing['m'], name: string, metric: string): string[] {
  const value = m[metric];
  return value === undefined ? [] : [`${name} ${brief(value)}`];
}

/** Where a run stands, in parts: steps, speed, time left, return, residual error, temperature and value, checkpoint. */
export function progressParts(standing: Standing): string[] {
  const { recent, m, saved } = standing;
  const { step, steps, updates } = recent.at(-1) as ProgressEvent;
  const speed = speeds(recent);
  const learner = [
    ...labelled(m, 'T', 'virel/temperature'),
    ...labelled(m, 'Q', 'losses/qf1_values'),
  ];
  return [
    `step ${grouped(step)}/${grouped(steps)} ${Math.floor((100 * step) / steps)}%`,
    speed.updates > 0 ? `${grouped(speed.updates)} upd/s` : `${grouped(speed.steps)} steps/s`,
    // before the first update the speed says nothing of the rest
    ...(updates > 0 && speed.steps > 0 ? [`ETA ${clockTime((steps - step) / speed.steps)}`] : []),
    ...returnPart(standing),
    ...labelled(m, 'residual', 'virel/residual_error_raw'),
    ...(learner.length > 0 ? [learner.join(' ')] : []),
    ...(saved === undefined ? [] : [`saved ${grouped(saved)}`]),
  ];
}

const BETWEEN = ' | ';

/** The parts on one line. */
export const joinParts = (parts: readonly string[]) => parts.join(BETWEEN);

/**
 * The parts on as many lines as they take: half a number would be another number, so that a part is cut only where it is
 * wider than the terminal. The last column stays free, since a full line would wrap and not be redrawn in place.
 */
export function wrapParts(parts: readonly string[], columns: number): string {
  const width = Math.max(1, columns - 1);
  const lines: string[] = [];
  for (const part of parts) {
    const joined = lines.length === 0 ? part : joinParts([lines.at(-1) as string, part]);
    if (lines.length > 0 && joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(part.slice(0, width));
  }
  return lines.join('\n');
}
