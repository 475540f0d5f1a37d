/** `eval.csv`, and `episodes.csv` in the form of Stable-Baselines3's Monitor. */
import { join } from 'node:path';
import { evaluationRange } from '../../statistics/evaluation.js';
import type { Sink } from '../logger.js';
import { openLines } from './lines.js';

/** Writes `eval.csv`: one line per evaluation. */
export function evaluationSink(directory: string): Sink {
  const name = 'eval.csv';
  const head = 'step,episodes,return_mean,return_std,return_min,return_max,length_mean,wall';
  const lines = openLines(join(directory, name), head);
  return {
    name,
    write: (event) => {
      if (event.event !== 'evaluation') return;
      const { step, episodes, returnMean, returnStd, wall } = event;
      const { returnMin, returnMax, lengthMean } = evaluationRange(event);
      lines.append(
        [step, episodes, returnMean, returnStd, returnMin, returnMax, lengthMean, wall].join(','),
      );
    },
    close: lines.close,
  };
}

/** Writes `episodes.csv`: return, length and time of each training episode. */
export function episodeSink(directory: string, env: string, started: Date): Sink {
  const name = 'episodes.csv';
  const lines = openLines(
    join(directory, name),
    `#${JSON.stringify({ t_start: started.getTime() / 1000, env_id: env })}\nr,l,t`,
  );
  return {
    name,
    write: (event) => {
      if (event.event === 'episode')
        lines.append([event.return, event.length, event.wall].join(','));
    },
    close: lines.close,
  };
}
