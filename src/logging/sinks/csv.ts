/** `eval.csv`, and `episodes.csv` in the form of Stable-Baselines3's Monitor. */
import { evaluationRange } from '../../statistics/evaluation.js';
import type { Sink } from '../logger.js';

const EVALUATION_COLUMNS =
  'step,episodes,return_mean,return_std,return_min,return_max,length_mean,wall';

/** `eval.csv`: one line per evaluation; returns unscaled, `wall` in seconds since the start. */
export const evaluationSink: Sink = {
  name: 'eval.csv',
  head: `${EVALUATION_COLUMNS}\n`,
  encode: (event) => {
    if (event.event !== 'evaluation') return undefined;
    const { step, episodes, returnMean, returnStd, wall } = event;
    const { returnMin, returnMax, lengthMean } = evaluationRange(event);
    const row = [step, episodes, returnMean, returnStd, returnMin, returnMax, lengthMean, wall];
    return `${row.join(',')}\n`;
  },
};

/**
 * `episodes.csv`: return, length and time of each training episode, in the format of Stable-Baselines3's Monitor
 * (stable_baselines3/common/monitor.py, ResultsWriter): a comment line of JSON, then the columns r, l, t.
 */
export function episodeSink(env: string, started: Date): Sink {
  const about = { t_start: started.getTime() / 1000, env_id: env };
  return {
    name: 'episodes.csv',
    head: `#${JSON.stringify(about)}\nr,l,t\n`,
    encode: (event) =>
      event.event === 'episode'
        ? `${[event.return, event.length, event.wall].join(',')}\n`
        : undefined,
  };
}
