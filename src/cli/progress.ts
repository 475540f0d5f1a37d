/** What a person sees of a training run: a header, one live line per run, a lasting line per evaluation. */

import { createLogUpdate } from 'log-update';
import { describeTemperature } from '../config/describe.js';
import type { ResolvedConfig } from '../config/schema.js';
import type { ProgressEvent, Summary, TrainEvent } from '../logging/events.js';
import { shellWord } from '../shell.js';
import { evaluationRange } from '../statistics/evaluation.js';
import { brief, clockTime, describeWarning, grouped, shortPath, visible } from './output.js';
import { joinParts, progressParts, wrapParts } from './progress-line.js';

/** Progress events behind the speed shown, a few seconds of them. */
const WINDOW = 25;

/** How progress is shown. */
export interface ProgressOptions {
  /** Where results go: evaluations and the end. */
  result(text: string): void;
  /** Where text for a person goes: header, progress, warnings. */
  note(text: string): void;
  /** A terminal that live lines are drawn on, if any. */
  terminal: NodeJS.WriteStream | undefined;
  /** Milliseconds between progress lines where there is no terminal. */
  interval: number;
  /** Several runs share the output. */
  several: boolean;
}

/** What is shown of one run. */
interface Shown {
  /** Empty before the first progress. */
  recent: ProgressEvent[];
  /** Milliseconds since the start of the run. */
  printedAt: number;
  evaluation: { step: number; mean: number } | undefined;
  m: Record<string, number>;
  saved: number | undefined;
}

/** `virel on HalfCheetah-v5, seed 0, ...` */
export function header(
  config: ResolvedConfig,
  event: Extract<TrainEvent, { event: 'start' }>,
): string[] {
  const { runtime, temperature, rewardScale } = config;
  const threads = `${runtime.threads} thread${runtime.threads === 1 ? '' : 's'}`;
  const libraries =
    event.torch && event.mujoco ? ` | torch ${event.torch}, MuJoCo ${event.mujoco}` : '';
  return [
    `${event.algorithm} on ${event.env}, seed ${event.seed}, ${grouped(event.steps)} steps | reward scale ${rewardScale}, temperature ${describeTemperature(temperature)} | preset ${config.preset}`,
    `run ${visible(shortPath(event.runDir))} | ${runtime.engine} on ${runtime.device}, ${threads}${libraries}`,
  ];
}

/** `done 1,000,000 steps in 36:40 | ...` */
function ending({ state, steps, wallSeconds, finalScore, runDir }: Summary): string {
  const score =
    finalScore === null ? '' : ` | final score (last 10% of evaluations) ${brief(finalScore)}`;
  const words = { finished: 'done', stopped: 'stopped after', failed: 'failed after' }[state];
  const verb = { finished: 'watch', stopped: 'resume', failed: undefined }[state];
  const next =
    verb === undefined
      ? ''
      : ` | next: npx virel-native ${verb} ${visible(shellWord(shortPath(runDir)))}`;
  return `${words} ${grouped(steps)} steps in ${clockTime(wallSeconds)}${score}${next}`;
}

/** Draws the progress of the runs of one command. */
export class ProgressView {
  readonly #options: ProgressOptions;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  readonly #runs = new Map<number, Shown>();

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#live = options.terminal && createLogUpdate(options.terminal, { showCursor: true });
  }

  /** Shows an event; `config` is the run's. */
  show(event: TrainEvent, config: ResolvedConfig): void {
    const run = this.#run(event.seed);
    switch (event.event) {
      case 'start':
        for (const line of header(config, event)) this.#lasting(line, this.#options.note);
        break;
      case 'progress':
        this.#progress(run, event);
        break;
      case 'metrics':
        run.m = { ...run.m, ...event.m };
        break;
      case 'evaluation':
        run.evaluation = { step: event.step, mean: event.returnMean };
        this.#lasting(this.#of(event.seed) + evaluationLine(event), this.#options.result);
        break;
      case 'checkpoint':
        run.saved = event.step;
        break;
      case 'warning':
      case 'unstable':
        this.#lasting(`${this.#of(event.seed)}${describeWarning(event)}`, this.#options.note);
        break;
      case 'summary':
        this.#runs.delete(event.seed);
        this.#lasting(this.#of(event.seed) + ending(event), this.#options.result);
        break;
      default:
    }
  }

  /** Shows a line that is no event. */
  say(line: string): void {
    this.#lasting(line, this.#options.note);
  }

  /** A line that stays, above the live ones. */
  #lasting(text: string, write: (text: string) => void): void {
    this.#live?.clear();
    write(text);
    this.#draw();
  }

  #run(seed: number): Shown {
    let run = this.#runs.get(seed);
    if (run === undefined) {
      run = { recent: [], printedAt: 0, evaluation: undefined, m: {}, saved: undefined };
      this.#runs.set(seed, run);
    }
    return run;
  }

  #of(seed: number): string {
    return this.#options.several ? `seed ${seed} ` : '';
  }

  #progress(run: Shown, event: ProgressEvent): void {
    run.recent.push(event);
    if (run.recent.length > WINDOW) run.recent.shift();
    if (this.#live) {
      this.#draw();
      return;
    }
    if (event.wall * 1000 - run.printedAt < this.#options.interval) return;
    run.printedAt = event.wall * 1000;
    this.#options.note(joinParts(this.#parts(event.seed, run)));
  }

  #parts(seed: number, run: Shown): string[] {
    const [first, ...rest] = progressParts(run);
    return [this.#of(seed) + first, ...rest];
  }

  #draw(): void {
    const columns = this.#options.terminal?.columns || 80;
    const begun = [...this.#runs].filter(([, { recent }]) => recent.length > 0);
    if (begun.length === 0) return;
    this.#live?.(begun.map(([seed, run]) => wrapParts(this.#parts(seed, run), columns)).join('\n'));
  }
}

function evaluationLine(event: Extract<TrainEvent, { event: 'evaluation' }>): string {
  const { step, returnMean, returnStd, episodes, wall } = event;
  const { returnMin, returnMax, lengthMean } = evaluationRange(event);
  const range = `min=${returnMin.toFixed(1)} max=${returnMax.toFixed(1)}`;
  return `eval step=${step} return=${returnMean.toFixed(1)} std=${returnStd.toFixed(1)} ${range} len=${lengthMean.toFixed(1)} n=${episodes} wall=${wall.toFixed(1)}s`;
}
