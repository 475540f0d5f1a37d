/** Several runs: one after the other in this process, or some at a time in processes of their own. */
import { fork } from 'node:child_process';
import type { Resolution } from '../config/resolve.js';
import type { Summary, TrainEvent } from '../logging/events.js';
import type { ToChild } from './child.js';
import { type RunPlace, startTraining } from './train.js';

/** A run to be trained. */
export interface PlannedRun {
  resolution: Resolution;
  place: RunPlace;
}

/** How runs are trained. */
export interface ManyControl {
  /** Runs at a time; 1 trains in this process. */
  jobs: number;
  signal: AbortSignal;
  argv: readonly string[];
  /** Told every event of every run. */
  emit(event: TrainEvent): void;
}

/** A summary of a run whose process ended without one. */
function died({ resolution: { config }, place }: PlannedRun, how: string): Summary {
  return {
    event: 'summary',
    state: 'failed',
    runDir: place.runDir ?? '',
    env: config.env.id,
    algorithm: config.algorithm,
    seed: config.seed,
    steps: 0,
    updates: 0,
    wallSeconds: 0,
    finalScore: null,
    evaluation: null,
    code: 'TRAINER_DIED',
    message: `the training process of seed ${config.seed} ended with ${how}`,
  };
}

/** Trains in this process. */
async function trainHere(
  { resolution, place }: PlannedRun,
  control: ManyControl,
): Promise<Summary> {
  let summary: Summary | undefined;
  const { signal, argv } = control;
  for await (const event of startTraining(resolution, place, { signal, argv })) {
    control.emit(event);
    if (event.event === 'summary') summary = event;
  }
  return summary as Summary;
}

/** Trains in a process of its own: a crash of native code ends that run only. */
function trainApart(run: PlannedRun, control: ManyControl): Promise<Summary> {
  const child = fork(new URL('./child.js', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const send = (message: ToChild) => {
    if (child.connected) child.send(message);
  };
  const stop = () => send({ stop: true });
  control.signal.addEventListener('abort', stop);
  send({ run: { ...run, argv: control.argv } });
  if (control.signal.aborted) stop();
  return new Promise((resolve) => {
    let summary: Summary | undefined;
    child.on('message', (message) => {
      const event = message as TrainEvent;
      control.emit(event);
      if (event.event === 'summary') summary = event;
    });
    // after the last message, unlike 'exit'
    child.on('close', (code, signal) => {
      control.signal.removeEventListener('abort', stop);
      if (summary === undefined) {
        summary = died(run, signal ?? `code ${code}`);
        const { seed, code: error = '', message = '' } = summary;
        control.emit({ event: 'error', seed, code: error, message, exit: 1 });
        control.emit(summary);
      }
      resolve(summary);
    });
  });
}

/** Trains all runs; those not begun when the stop comes are left out. Never rejects: a summary says how each ended. */
export async function trainMany(
  runs: readonly PlannedRun[],
  control: ManyControl,
): Promise<Summary[]> {
  const summaries: (Summary | undefined)[] = runs.map(() => undefined);
  let next = 0;
  const one = control.jobs === 1 ? trainHere : trainApart;
  async function worker(): Promise<void> {
    while (next < runs.length && !control.signal.aborted) {
      const index = next;
      next += 1;
      summaries[index] = await one(runs[index] as PlannedRun, control);
    }
  }
  await Promise.all(Array.from({ length: Math.min(control.jobs, runs.length) }, worker));
  return summaries.filter((summary) => summary !== undefined);
}
