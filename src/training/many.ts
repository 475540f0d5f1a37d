/** Several runs: one after the other in this process, or some at a time in processes of their own. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Resolution } from '../config/resolve.js';
import { VirelError } from '../errors.js';
import type { EvaluationEvent, Summary, TrainEvent } from '../logging/events.js';
import type { ToChild } from './child.js';
import { pretty, writeWhole } from './files.js';
import { reopenRunDirectory } from './run-directory.js';
import { summarise } from './summary.js';
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

/** What a run has said so far. */
class Heard {
  summary: Summary | undefined;
  #runDir: string | undefined;
  #outcome = { steps: 0, updates: 0, wallSeconds: 0 };
  readonly #evaluations: EvaluationEvent[] = [];

  hear(event: TrainEvent): void {
    if (event.event === 'summary') this.summary = event;
    if (event.event === 'start') this.#runDir = event.runDir;
    if (event.event === 'evaluation') this.#evaluations.push(event);
    if ('step' in event) this.#outcome.steps = Math.max(this.#outcome.steps, event.step);
    if ('updates' in event) this.#outcome.updates = event.updates;
    if ('wall' in event) this.#outcome.wallSeconds = event.wall;
  }

  /** The summary of a run whose process ended without one, which is also written to its folder. */
  died({ config }: Resolution, place: RunPlace, how: string): { summary: Summary; exit: number } {
    const message = `the training process of seed ${config.seed} ended with ${how}`;
    const error = new VirelError('TRAINER_DIED', message);
    const outcome = { ...this.#outcome, evaluations: this.#evaluations };
    const runDir = this.#runDir ?? place.runDir ?? '';
    const summary = summarise(config, runDir, 'failed', outcome, error);
    if (this.#runDir !== undefined) writeEnd(this.#runDir, summary);
    return { summary, exit: error.exit };
  }
}

/** Writes how a run ended whose process cannot any more, and removes its lock. */
function writeEnd(runDir: string, summary: Summary): void {
  try {
    const directory = reopenRunDirectory(runDir);
    try {
      directory.writeStatus({ state: 'failed', step: summary.steps, code: summary.code ?? '' });
      writeWhole(join(runDir, 'summary.json'), pretty(summary));
    } finally {
      directory.release();
    }
  } catch {
    // the disk may be what ended the process; the events still say how
  }
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
    const heard = new Heard();
    let failure: string | undefined;
    child.on('message', (message) => {
      const event = message as TrainEvent;
      heard.hear(event);
      control.emit(event);
    });
    const end = (how: string) => {
      control.signal.removeEventListener('abort', stop);
      if (heard.summary !== undefined) return resolve(heard.summary);
      const { summary, exit } = heard.died(run.resolution, run.place, failure ?? how);
      const { seed, code = '', message = '' } = summary;
      control.emit({ event: 'error', seed, code, message, exit });
      control.emit(summary);
      resolve(summary);
    };
    // a process that cannot be started has no end; a message that cannot be sent is followed by one
    child.on('error', (error) => {
      failure ??= error.message;
      if (child.pid === undefined) end(error.message);
    });
    // after the last message, unlike 'exit'
    child.on('close', (code, signal) => end(signal ?? `code ${code}`));
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
