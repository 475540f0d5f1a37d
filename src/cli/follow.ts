/** Shows the events of runs as they come, and sets the exit code by how they ended. */
import { durationMilliseconds, type ResolvedConfig } from '../config/schema.js';
import type { TrainEvent } from '../logging/events.js';
import type { StopSignals } from '../training/signals.js';
import { describeError, describeWarning, note, print, printJson } from './output.js';
import { ProgressView } from './progress.js';

/** What a person asked to see. */
export interface Following {
  /** Events as JSON lines on standard output. */
  json: boolean | undefined;
  /** No progress. */
  quiet: boolean | undefined;
  /** Whether `--seeds` was given: one summary holds all. */
  several: boolean;
  /** One a run, with seeds of their own. */
  configs: readonly ResolvedConfig[];
}

/** The events of runs on a terminal. */
export class Follower {
  readonly #following: Following;
  readonly #configs: ReadonlyMap<number, ResolvedConfig>;
  readonly #view: ProgressView | undefined;
  readonly #exits: number[] = [];

  constructor(following: Following) {
    this.#following = following;
    this.#configs = new Map(following.configs.map((config) => [config.seed, config]));
    this.#view = following.quiet ? undefined : progressView(following);
  }

  show(event: TrainEvent): void {
    const { json, several } = this.#following;
    if (json && !isHidden(event, several)) printJson(event);
    const config = this.#configs.get(event.seed);
    if (config) this.#view?.show(event, config);
    // quiet is about progress
    const warning = describeWarning(event);
    if (!this.#view && warning !== undefined) note(warning);
    if (event.event !== 'error') return;
    this.#exits.push(event.exit);
    note(describeError(event));
  }

  /** Shows what something in a trainer wrote on its standard error. */
  say(line: string): void {
    if (this.#view) this.#view.say(line);
    else note(line);
  }

  /** @param finished Whether every run was trained to its last step. */
  conclude(finished: boolean, stop: StopSignals): void {
    if (this.#exits.length > 0) process.exitCode = Math.max(...this.#exits);
    else if (!finished) process.exitCode = stop.exitCode() ?? 1;
  }
}

/** Progress is for people; of several runs one summary holds all. */
function isHidden({ event }: TrainEvent, several: boolean): boolean {
  return event === 'progress' || (several && event === 'summary');
}

/** Evaluations and the end are results, unless JSON is; the rest is for people. */
function progressView({ configs, json, several }: Following): ProgressView {
  // a terminal of no size, as some recorders give, shows nothing
  const { isTTY, rows, columns } = process.stderr;
  const isTerminal = isTTY && rows > 0 && columns > 0 && process.env['CI'] === undefined;
  return new ProgressView({
    result: json ? note : print,
    note,
    terminal: isTerminal ? process.stderr : undefined,
    interval: durationMilliseconds(configs[0]?.logging.interval ?? '10s'),
    several,
  });
}
