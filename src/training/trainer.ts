/**
 * The trainer: the process that loads the native part and trains one run, of which it writes all files. The order comes in
 * by a message, what happens goes out by messages; the supervisor at the other end may die, and so may this process.
 */
import type { PlainError } from './failure.js';
import type { TrainingRun } from './handle.js';
import type { FromTrainer, Order, Saved, ToTrainer } from './messages.js';
import { exitOf, STOP_NAMES } from './signals.js';

/** The stop of the run; one that comes earlier waits until the run has a folder to be saved in. */
const stop = new AbortController();
let isStopped = false;
let hasFolder = false;
function halt(): void {
  isStopped = true;
  if (hasFolder) stop.abort();
}
let obeysSignals = true;
// a terminal signals the whole group, and the supervisor says the same by a message; a second signal is its to obey
for (const name of STOP_NAMES)
  process.on(name, () => {
    if (!obeysSignals) return;
    halt();
    void tell({ signalled: exitOf(name) });
  });
// without a supervisor nobody reads on: save and stop
process.on('disconnect', halt);
process.on('error', halt);
// what a library writes has no reader either then
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

// not before the listeners: until they stand, USR1 opens the debugger of Node
const ready = prepare();

/** The run that was ordered, once it has begun; undefined where it was refused. */
let hasBegun: (run: TrainingRun | undefined) => void;
const begun = new Promise<TrainingRun | undefined>((resolve) => {
  hasBegun = resolve;
});

process.on('message', (message: ToTrainer) => {
  if ('stop' in message) halt();
  else if ('save' in message) void save(message.save);
  else void carryOut(message);
});

/**
 * Loads what every run needs, while the supervisor still reads its command line. What is missing or wrong is not told here
 * but by the run: set-up may be about to bring it.
 */
async function prepare(): Promise<typeof import('./in-process.js')> {
  const [training, { loadAddon }] = await Promise.all([
    import('./in-process.js'),
    import('../native/addon.js'),
    import('../native/session.js'),
    import('../logging/sinks/tensorboard.js').catch(() => {}),
  ]);
  try {
    loadAddon();
  } catch {}
  return training;
}

/** Resolves when the message is on its way. A channel that breaks is a stop, never an error of training. */
function tell(message: FromTrainer): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) {
      resolve();
      return;
    }
    process.send(message, undefined, undefined, (error) => {
      if (error) halt();
      resolve();
    });
  });
}

async function carryOut(order: Order): Promise<void> {
  ({ obeysSignals } = order);
  const training = await ready;
  // nobody is left that a run would be begun for
  if (!process.connected) process.exit();
  const run = await begin(order, training);
  hasBegun(run);
  if (run !== undefined) await report(run);
  // an environment in TypeScript may have left a timer behind
  process.exit();
}

/** Tells what a run tells, and why it failed. */
async function report(run: TrainingRun): Promise<void> {
  // one at a time: those that a slow supervisor has not read yet wait where newer progress replaces older
  for await (const event of run) await tell({ event });
  try {
    await run.finished;
  } catch (error) {
    await tell({ failed: await plain(error) });
  }
}

/** Answers who asked for a checkpoint. A run that was refused answers nobody: its caller has no handle. */
async function save(number: number): Promise<void> {
  const run = await begun;
  if (run === undefined) return;
  let saved: Saved;
  try {
    saved = { save: number, path: await run.save() };
  } catch (error) {
    saved = { save: number, error: await plain(error) };
  }
  await tell({ saved });
}

/** An error as the channel carries it. */
async function plain(error: unknown): Promise<PlainError> {
  const { toPlain, toVirelError } = await import('./failure.js');
  return toPlain(toVirelError(error));
}

/** The run that was ordered; undefined where it was refused, which the supervisor has been told. */
async function begin(
  { argv, obeysSignals: _, ...order }: Order,
  training: Awaited<typeof ready>,
): Promise<TrainingRun | undefined> {
  const saving = (isSaving: boolean) => void tell({ saving: isSaving });
  const opened = (runDir: string) => {
    void tell({ opened: runDir });
    hasFolder = true;
    if (isStopped) stop.abort();
  };
  const control = { signal: stop.signal, argv, saving, opened };
  if ('train' in order) {
    const { resolution, place } = order.train;
    return training.startTraining(resolution, place, control);
  }
  const { runDir, options } = (order as { resume: { runDir: string; options: object } }).resume;
  try {
    const run = await training.resumeInProcess(runDir, { ...options, ...control });
    await tell({ takenUp: { config: run.config, from: run.from } });
    return run;
  } catch (error) {
    await tell({ refused: await plain(error) });
    return undefined;
  }
}
