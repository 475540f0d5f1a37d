/** What is said of a run whose trainer died, to its reader and in its folder, by the supervisor that is left. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VirelError } from '../errors.js';
import type { Summary, TrainEvent } from '../logging/events.js';
import { Logger } from '../logging/logger.js';
import { logSink } from '../logging/sinks/jsonl.js';
import { shellWord } from '../shell.js';
import { listCheckpoints } from './checkpoint.js';
import { errorEvent } from './failure.js';
import { pretty, writeWhole } from './files.js';
import { type Heard, summaryText } from './heard.js';
import { readLoopState } from './loop-state.js';
import type { Order } from './messages.js';
import { readRunConfig, reopenRunDirectory } from './run-directory.js';
import { type SummarisedConfig, summarise } from './summary.js';

/** How a trainer died. */
export interface Death {
  /** `SIGABRT`, `exit code 1`, or why it could not be started. */
  readonly how: string;
  /** It was ended because it did not stop; the seconds it had. */
  readonly overdue: number | undefined;
  /** MuJoCo's reason, where that ended it. */
  readonly mujoco: string | undefined;
  /** The last line on its standard error, or what MuJoCo said behind its reason. */
  readonly lastLine: string | undefined;
}

/**
 * The end of a run whose trainer died without one: events, and the same in its folder.
 *
 * @param before The text of `summary.json` before the trainer had its order.
 * @returns An error and a summary, or the summary that the trainer wrote as its last deed.
 */
export function lastWords(
  order: Order,
  heard: Heard,
  death: Death,
  before: string | undefined,
): readonly TrainEvent[] {
  const runDir = heard.runDir ?? folderOf(order);
  const written = summaryText(runDir);
  if (written !== undefined && written !== before) return toldBy(JSON.parse(written) as Summary);
  const name = runDir === undefined ? undefined : listCheckpoints(runDir).at(-1);
  const checkpoint = name && join(runDir as string, 'checkpoints', name);
  const outcome = heard.outcome(checkpoint === undefined ? undefined : readLoopState(checkpoint));
  const config = configOf(order);
  const error = explain(death, { order, config, runDir, steps: outcome.steps, name });
  const summary = summarise(config, runDir ?? '', 'failed', outcome, error);
  const words = [errorEvent(error, config.seed), summary];
  // a run that was not taken up yet is as it was
  if (heard.runDir !== undefined && written === undefined) writeEnd(heard.runDir, words, summary);
  return words;
}

/** The last events of a run that wrote its end and had no time to tell it. */
function toldBy(summary: Summary): readonly TrainEvent[] {
  const { state, seed, code = 'PANIC', message = code } = summary;
  if (state !== 'failed') return [summary];
  return [errorEvent(new VirelError(code, message), seed), summary];
}

/** The folder of the run, as far as the order says. */
function folderOf(order: Order): string | undefined {
  return 'resume' in order ? order.resume.runDir : undefined;
}

function configOf(order: Order): SummarisedConfig {
  return 'train' in order ? order.train.resolution.config : readRunConfig(order.resume.runDir);
}

interface Run {
  readonly order: Order;
  readonly config: SummarisedConfig;
  readonly runDir: string | undefined;
  readonly steps: number;
  /** The newest checkpoint. */
  readonly name: string | undefined;
}

/** `MUJOCO_FATAL` or `TRAINER_DIED`, with what is left and the command that goes on. */
function explain(death: Death, { order, config, runDir, steps, name }: Run): VirelError {
  const { mujoco, lastLine } = death;
  const { algorithm, env, seed } = config;
  const kept =
    name === undefined ? 'there is no checkpoint yet' : `checkpoint ${Number(name)} stands`;
  const message = `${algorithm}, ${env.id}, seed ${seed}: ${describe(death)} near step ${steps}; ${kept}`;
  const isOurs = 'resume' in order || order.train.resolution.config.env.module === null;
  const goesOn = runDir !== undefined && name !== undefined && isOurs;
  return new VirelError(mujoco === undefined ? 'TRAINER_DIED' : 'MUJOCO_FATAL', message, {
    ...(runDir !== undefined && { where: runDir }),
    ...(lastLine !== undefined && { got: lastLine }),
    fix: goesOn ? `npx virel-native resume ${shellWord(runDir)}` : anew(mujoco),
  });
}

const anew = (mujoco: string | undefined) =>
  mujoco === undefined ? 'train into a new run' : 'mend the model, and train into a new run';

function describe({ how, overdue, mujoco }: Death): string {
  if (mujoco !== undefined) return `MuJoCo ended the trainer process: "${mujoco}",`;
  if (overdue !== undefined)
    return `the trainer process did not stop within ${overdue} s and was ended`;
  // what the system does when memory runs out, and hardly anyone else
  const reason = how === 'SIGKILL' ? ', perhaps for want of memory,' : '';
  return `the trainer process ended with ${how}${reason}`;
}

/** Writes how a run ended whose process cannot any more, `summary.json` last, and gives its lock back. */
function writeEnd(runDir: string, words: readonly TrainEvent[], summary: Summary): void {
  try {
    const directory = reopenRunDirectory(runDir);
    try {
      appendToLog(runDir, words);
      directory.writeStatus({ state: 'failed', step: summary.steps, code: summary.code ?? '' });
      writeWhole(join(runDir, 'summary.json'), pretty(summary));
    } finally {
      directory.release();
    }
  } catch {
    // the disk may be what ended the process; the events still say how
  }
}

/** Appends to `log.jsonl`, behind its last whole line. */
function appendToLog(runDir: string, events: readonly TrainEvent[]): void {
  const sink = logSink(() => new Date());
  const path = join(runDir, sink.name);
  const size = existsSync(path) ? readFileSync(path).lastIndexOf('\n') + 1 : 0;
  const nobody = () => {};
  const control = { sizes: { [sink.name]: size }, clock: () => 0, failed: nobody, lost: nobody };
  const logger = new Logger([sink], runDir, control);
  for (const event of events) logger.write(event);
  logger.close();
}
