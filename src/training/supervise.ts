/** Has one run trained by a trainer process, whose death is one error of that run and of nothing else. */
import type { VirelError } from '../errors.js';
import type { Summary, TrainEvent } from '../logging/events.js';
import { fromPlain } from './failure.js';
import { Heard, summaryText } from './heard.js';
import type { Death } from './last-words.js';
import type { FromTrainer, Order, Saved, TakenUp } from './messages.js';
import type { TrainerProcess } from './trainer-process.js';

/** Seconds that a trainer has to come to a step boundary after a stop; writing a checkpoint does not count. */
const PATIENCE = 10;

/** What MuJoCo's handler of fatal errors writes before the process ends. */
const FATAL = /^error MUJOCO_FATAL: (.*)$/;

/** Who is told of a run, and who stops it. */
export interface Supervision {
  /** Stops the run at the next step boundary, saved. */
  readonly signal: AbortSignal;
  /** Given before this process ends at once: then the trainer does, too. */
  readonly atOnce: AbortSignal;
  /** Told every event. */
  emit(event: TrainEvent): void;
  /** Told every line that something in the trainer wrote on its standard error. */
  say(line: string): void;
  /** Told the exit code that a stop signal to the trainer itself asks for; the run is stopped by it. */
  signalled(exitCode: number): void;
  /** Told that a run was taken up, before its first event. */
  takenUp?(run: TakenUp): void;
  /** Told the run's folder, before its first event. */
  opened?(runDir: string): void;
  /** Told how a checkpoint came out that was asked for. */
  saved?(saved: Saved): void;
  /** Told why the run failed, as its trainer knows it, after its last event; a trainer that died tells nothing. */
  failed?(error: VirelError): void;
}

/**
 * Gives a trainer its order and follows it to its end, whatever that is.
 *
 * @returns How the run ended. Where its process died, an error, `TRAINER_DIED` or `MUJOCO_FATAL`, and a summary were told as
 *   events, and written to the run's folder.
 * @throws VirelError why a run cannot be taken up, as `resume` throws it; nothing has been changed then.
 */
export async function supervise(
  trainer: TrainerProcess,
  order: Order,
  control: Supervision,
): Promise<Summary> {
  const watch = new Watch(trainer, control);
  const before = summaryText('resume' in order ? order.resume.runDir : undefined);
  const [stop, kill] = [() => watch.stop(), () => trainer.kill()];
  control.signal.addEventListener('abort', stop);
  control.atOnce.addEventListener('abort', kill);
  try {
    trainer.send(order);
    if (control.signal.aborted) stop();
    const how = await trainer.follow(watch);
    const { refused, heard } = watch;
    if (refused !== undefined) throw fromPlain(refused);
    if (heard.summary !== undefined) return heard.summary;
    // loaded by none of the many runs that end otherwise
    const { lastWords } = await import('./last-words.js');
    for (const event of lastWords(order, heard, watch.death(how), before)) {
      heard.hear(event);
      control.emit(event);
    }
    return heard.summary as unknown as Summary;
  } finally {
    watch.end();
    // after its end nothing is left to be killed
    kill();
    control.signal.removeEventListener('abort', stop);
    control.atOnce.removeEventListener('abort', kill);
  }
}

/** What a supervisor knows of its trainer. */
class Watch {
  readonly heard = new Heard();
  refused: Extract<FromTrainer, { refused: unknown }>['refused'] | undefined;
  readonly #trainer: TrainerProcess;
  readonly #control: Supervision;
  readonly #patience: Patience;
  #isOverdue = false;
  /** Lines of MuJoCo's last message. */
  #mujoco: string[] | undefined;
  #lastLine: string | undefined;

  constructor(trainer: TrainerProcess, control: Supervision) {
    this.#trainer = trainer;
    this.#control = control;
    this.#patience = new Patience(() => {
      this.#isOverdue = true;
      trainer.kill();
    });
  }

  stop(): void {
    this.#trainer.send({ stop: true });
    this.#patience.begin();
  }

  message(message: FromTrainer): void {
    if ('event' in message) {
      this.heard.hear(message.event);
      this.#control.emit(message.event);
    } else if ('opened' in message) {
      this.heard.runDir = message.opened;
      this.#control.opened?.(message.opened);
    } else if ('saved' in message) this.#control.saved?.(message.saved);
    else if ('failed' in message) this.#control.failed?.(fromPlain(message.failed));
    else if ('takenUp' in message) this.#control.takenUp?.(message.takenUp);
    else if ('refused' in message) this.refused = message.refused;
    else if ('saving' in message) this.#patience.suspend(message.saving);
    else this.#control.signalled(message.signalled);
  }

  line(text: string): void {
    // it comes in lines, and nothing of the run comes behind it: told as the error of the run, not besides
    if (this.#mujoco !== undefined) this.#mujoco.push(text.trim());
    else {
      const reason = FATAL.exec(text)?.[1];
      if (reason !== undefined) this.#mujoco = [reason];
      else this.#say(text);
    }
  }

  #say(text: string): void {
    if (text.trim() !== '') this.#lastLine = text;
    this.#control.say(text);
  }

  death(how: string): Death {
    const overdue = this.#isOverdue ? PATIENCE : undefined;
    const [mujoco, ...rest] = this.#mujoco ?? [];
    const lastLine = mujoco === undefined ? this.#lastLine : rest.join('; ') || undefined;
    return { how, overdue, mujoco, lastLine };
  }

  end(): void {
    this.#patience.end();
  }
}

/** A time that runs out, except while it is suspended; afterwards it starts anew. */
class Patience {
  readonly #isOut: () => void;
  #hasBegun = false;
  #isSuspended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(isOut: () => void) {
    this.#isOut = isOut;
  }

  begin(): void {
    this.#hasBegun = true;
    this.#arm();
  }

  suspend(isSuspended: boolean): void {
    this.#isSuspended = isSuspended;
    this.#arm();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#hasBegun && !this.#isSuspended)
      this.#timer = setTimeout(this.#isOut, 1000 * PATIENCE);
  }
}
