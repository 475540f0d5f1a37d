import { createLogUpdate } from 'log-update';

/** How set-up tells what it does. */
export interface Reporter {
  /** A line that stays. */
  line(text: string): void;
  /** What is going on now: redrawn on a terminal, an occasional line elsewhere. */
  now(text: string): void;
  /** Ends a live line. */
  end(): void;
}

/** Plain lines are at least this far apart, so that a log of a long build stays short. */
const plainIntervalMs = 15_000;

/** Reports to a stream: one live line on a terminal, else plain lines. */
export function streamReporter(stream: NodeJS.WriteStream = process.stderr): Reporter {
  if (!stream.isTTY) return lineReporter((text) => void stream.write(`${text}\n`));
  const live = createLogUpdate(stream);
  return {
    line: (text) => {
      live.clear();
      stream.write(`${text}\n`);
    },
    now: (text) => live(text.slice(0, (stream.columns || 80) - 1)),
    end: () => live.clear(),
  };
}

/** Reports whole lines to `write`, thinned by time. */
export function lineReporter(
  write: (line: string) => void,
  clock: () => number = Date.now,
): Reporter {
  let last = clock();
  return {
    line: (text) => {
      last = clock();
      write(text);
    },
    now: (text) => {
      if (clock() - last < plainIntervalMs) return;
      last = clock();
      write(text);
    },
    end: () => {},
  };
}

/** `72` seconds as `01:12`. */
export function minutes(seconds: number): string {
  const whole = Math.round(seconds);
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}
