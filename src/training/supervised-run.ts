/** A run that is trained by a process of its own, as its caller holds it. */
import type { VirelError } from '../errors.js';
import type { ErrorEvent, Summary, TrainEvent } from '../logging/events.js';
import { ensureNative } from '../native/addon.js';
import { takeTrainer } from './early-trainer.js';
import { EventQueue } from './event-queue.js';
import { errorEvent, fromEvent, stoppedBefore, toVirelError } from './failure.js';
import {
  handleOf,
  type ResumeControl,
  type ResumedRun,
  type TrainControl,
  type TrainingRun,
} from './handle.js';
import { Heard } from './heard.js';
import type { PlannedRun } from './many.js';
import type { Order, TakenUp } from './messages.js';
import type { RunStatus } from './run-directory.js';
import { SaveOrders } from './save-requests.js';
import { endState, summarise } from './summary.js';
import { supervise } from './supervise.js';
import type { TrainerProcess } from './trainer-process.js';

/** Trains a run whose config is resolved. */
export function trainSupervised(run: PlannedRun, control: TrainControl): TrainingRun {
  const order = { train: run, argv: control.argv ?? [], obeysSignals: false };
  const started = new SupervisedRun(order, control);
  return handleOf(started, started.finished, started.events);
}

/**
 * Takes up a run.
 *
 * @throws VirelError why it cannot be taken up, or did not come so far.
 */
export async function resumeSupervised(
  runDir: string,
  control: ResumeControl,
): Promise<ResumedRun> {
  const { step, discardNewer, layers, allowInexact } = control;
  const options = { step, discardNewer, layers, allowInexact };
  const order = { resume: { runDir, options }, argv: control.argv ?? [], obeysSignals: false };
  const run = new SupervisedRun(order, control);
  return Object.assign(handleOf(run, run.finished, run.events), await run.takenUp);
}

/** One run, from its order to the end of its trainer. */
class SupervisedRun {
  readonly events = new EventQueue();
  readonly finished: Promise<Summary>;
  /** Where a run that goes on was taken up; rejects where that does not come about. */
  readonly takenUp: Promise<TakenUp>;
  folder: string | undefined;
  readonly #order: Order;
  readonly #control: TrainControl;
  readonly #heard = new Heard();
  readonly #saves = new SaveOrders();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #state: RunStatus['state'] = 'starting';
  /** As its event reports it. */
  #reported: ErrorEvent | undefined;
  /** As its trainer knows it. */
  #failure: VirelError | undefined;

  constructor(order: Order, control: TrainControl) {
    this.#order = order;
    this.#control = control;
    const { signal } = this.#stop;
    this.#signal = control.signal ? AbortSignal.any([control.signal, signal]) : signal;
    let isTakenUp: (run: TakenUp) => void = () => {};
    const first = new Promise<TakenUp>((resolve) => {
      isTakenUp = resolve;
    });
    this.finished = this.#run(isTakenUp).finally(() => {
      this.#saves.end();
      this.events.end();
    });
    // a run that ends first was never taken up, and says why
    this.takenUp = Promise.race([first, this.finished as Promise<never>]);
    // the error event tells a reader of events; who awaits gets the rejection
    for (const promise of [this.finished, this.takenUp]) promise.catch(() => {});
  }

  status(): RunStatus {
    const isStopping = this.#state === 'running' && this.#signal.aborted;
    const { steps } = this.#heard.outcome(undefined);
    return { state: isStopping ? 'stopping' : this.#state, step: steps };
  }

  stop(): void {
    this.#stop.abort();
  }

  save(): Promise<string> {
    return this.#saves.ask();
  }

  async #run(takenUp: (run: TakenUp) => void): Promise<Summary> {
    // the caller gets the run before its first event
    await Promise.resolve();
    const trainer = await this.#begin();
    this.#saves.begin((save) => trainer.send({ save }));
    const summary = await supervise(trainer, this.#order, {
      signal: this.#signal,
      atOnce: new AbortController().signal,
      emit: (event) => this.#hear(event),
      say: (line) => void process.stderr.write(`${line}\n`),
      signalled: () => {},
      takenUp: (run) => {
        this.#heard.beginAt(run.from.step);
        takenUp(run);
      },
      opened: (runDir) => {
        this.folder = runDir;
      },
      saved: (saved) => this.#saves.hear(saved),
      failed: (error) => {
        this.#failure = error;
      },
    });
    if (summary.state !== 'failed') return summary;
    throw this.#failure ?? fromEvent(this.#reported as ErrorEvent);
  }

  /** @throws VirelError `ABORTED`, or what set-up throws; a new run says so in its events. */
  async #begin(): Promise<TrainerProcess> {
    try {
      // a run that goes on has a folder to say in that it was stopped
      if (this.#signal.aborted && 'train' in this.#order) throw stoppedBefore();
      if (this.#control.setup) await ensureNative();
      return takeTrainer();
    } catch (cause) {
      const error = toVirelError(cause);
      if ('train' in this.#order) {
        const { resolution, place } = this.#order.train;
        const outcome = this.#heard.outcome(undefined);
        this.#hear(errorEvent(error, resolution.config.seed));
        this.#hear(summarise(resolution.config, place.runDir ?? '', 'failed', outcome, error));
      }
      throw error;
    }
  }

  #hear(event: TrainEvent): void {
    this.#heard.hear(event);
    if (event.event === 'start') this.#state = 'running';
    if (event.event === 'error') this.#reported = event;
    if (event.event === 'summary') this.#state = endState(event);
    this.events.push(event);
  }
}
