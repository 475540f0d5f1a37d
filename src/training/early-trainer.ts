/** A trainer that is started before the command line is read: loading the native part takes longer than that. */
import { TrainerProcess } from './trainer-process.js';

let waiting: TrainerProcess | undefined;
const end = () => waiting?.kill();

/** Starts a trainer for {@link takeTrainer}. A command that turns out to need none ends it with this process. */
export function startEarly(): void {
  waiting = new TrainerProcess();
  waiting.keep(false);
  process.once('exit', end);
}

/** The trainer that waits, or a new one. */
export function takeTrainer(): TrainerProcess {
  const early = waiting;
  waiting = undefined;
  process.off('exit', end);
  if (early === undefined || early.isOver) return new TrainerProcess();
  early.keep(true);
  return early;
}
