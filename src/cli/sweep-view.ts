/** What a person sees of a sweep that goes on: a line for every run that ends, and a live table of those that train. */
import { createLogUpdate } from 'log-update';
import type { VirelError } from '../errors.js';
import type { ProgressEvent, Summary, TrainEvent } from '../logging/events.js';
import type { SweepTask } from '../sweep/run.js';
import { errorEvent } from '../training/failure.js';
import {
  brief,
  clockTime,
  describeError,
  describeWarning,
  grouped,
  note,
  printJson,
} from './output.js';
import { joinParts, progressParts, wrapParts } from './progress-line.js';

/** Progress events behind the speed shown. */
const WINDOW = 25;
/** Milliseconds between drawings, and between lines where there is no terminal. */
const REDRAW = 500;
const LINE = 10_000;
/** Lines of a screen that the table leaves free. */
const MARGIN = 3;

interface Shown {
  recent: ProgressEvent[];
  evaluation: { step: number; mean: number } | undefined;
  m: Record<string, number>;
  saved: number | undefined;
}

/** How a sweep is shown. */
export interface SweepViewOptions {
  /** Runs as JSON lines on standard output. */
  readonly json: boolean;
  /** No progress. */
  readonly quiet: boolean;
  /** Where the line of a run that ended goes. */
  readonly results: (text: string) => void;
  /** How the whole sweep stands, for the last line of the table. */
  readonly stand: () => string;
}

/** Shows the runs of a sweep, and keeps the exit codes of those that failed. */
export class SweepView {
  /** Of every error. */
  readonly exits: number[] = [];
  readonly #options: SweepViewOptions;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  readonly #runs = new Map<string, Shown>();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(options: SweepViewOptions) {
    this.#options = options;
    const { isTTY, rows, columns } = process.stderr;
    const isTerminal = isTTY && rows > 0 && columns > 0 && process.env['CI'] === undefined;
    if (options.quiet) return;
    if (isTerminal) this.#live = createLogUpdate(process.stderr, { showCursor: true });
    const tick = () => (this.#live ? this.#draw() : note(options.stand()));
    this.#timer = setInterval(tick, isTerminal ? REDRAW : LINE);
  }

  show({ row }: SweepTask, event: TrainEvent): void {
    const run = this.#run(row.folder);
    switch (event.event) {
      case 'progress':
        run.recent.push(event);
        if (run.recent.length > WINDOW) run.recent.shift();
        break;
      case 'metrics':
        run.m = { ...run.m, ...event.m };
        break;
      case 'evaluation':
        run.evaluation = { step: event.step, mean: event.returnMean };
        break;
      case 'checkpoint':
        run.saved = event.step;
        break;
      case 'warning':
      case 'unstable':
        this.say(`${row.folder}: ${describeWarning(event)}`);
        break;
      case 'error':
        this.#error(row.folder, event);
        break;
      case 'summary':
        this.#ended(row.index, row.folder, event);
        break;
      default:
    }
  }

  /** Shows why a run was not begun. */
  refused({ row }: SweepTask, error: VirelError): void {
    this.#error(row.folder, errorEvent(error, Number(row.values['seed'])));
  }

  /** A run does no more. */
  over({ row }: SweepTask): void {
    this.#runs.delete(row.folder);
  }

  /** A line that stays, above the table. */
  say(text: string): void {
    this.#lasting(text, note);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#live?.clear();
  }

  #error(folder: string, event: Extract<TrainEvent, { event: 'error' }>): void {
    this.exits.push(event.exit);
    if (this.#options.json) printJson({ ...event, folder });
    this.#lasting(`${folder}: ${describeError(event)}`, note);
  }

  #ended(index: number, folder: string, { event: _event, ...summary }: Summary): void {
    this.#runs.delete(folder);
    if (this.#options.json) printJson({ event: 'run', index, folder, ...summary });
    const { state, steps, wallSeconds, finalScore } = summary;
    const word = { finished: 'done', stopped: 'stopped', failed: 'failed' }[state];
    const score = finalScore === null ? '' : `, final score ${brief(finalScore)}`;
    const text = `${word} ${folder}: ${grouped(steps)} steps in ${clockTime(wallSeconds)}${score}`;
    this.#lasting(text, this.#options.results);
  }

  #run(folder: string): Shown {
    let run = this.#runs.get(folder);
    if (run === undefined) {
      run = { recent: [], evaluation: undefined, m: {}, saved: undefined };
      this.#runs.set(folder, run);
    }
    return run;
  }

  #lasting(text: string, write: (text: string) => void): void {
    if (this.#options.quiet && write === this.#options.results) return;
    this.#live?.clear();
    write(text);
    this.#draw();
  }

  #draw(): void {
    if (this.#live === undefined) return;
    const { columns = 80, rows = 24 } = process.stderr;
    const begun = [...this.#runs].filter(([, { recent }]) => recent.length > 0);
    const lines = begun.map(([folder, run]) => {
      const text = joinParts([folder, ...progressParts(run)]);
      return text.length < columns ? text : wrapParts([folder, ...progressParts(run)], columns);
    });
    const most = Math.max(1, rows - MARGIN);
    this.#live([...lines.join('\n').split('\n').slice(0, most), this.#options.stand()].join('\n'));
  }
}
