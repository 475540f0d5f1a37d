/** Short names of config keys: the options of `train` in Node, and in kebab case on the command line. */

/** Option in camel case, and the config path it sets. */
export const SHORT_NAMES = {
  engine: 'runtime.engine',
  device: 'runtime.device',
  threads: 'runtime.threads',
  evalEvery: 'evaluation.every',
  evalEpisodes: 'evaluation.episodes',
  checkpointEvery: 'checkpoint.every',
  logInterval: 'logging.interval',
} as const;

/** Values under their short names. */
export interface ShortOptions {
  /** Short for `runtime.engine`. */
  engine?: 'kernel' | 'tensor' | undefined;
  /** Short for `runtime.device`. */
  device?: string | undefined;
  /** Short for `runtime.threads`. */
  threads?: number | undefined;
  /** Short for `evaluation.every`. */
  evalEvery?: number | undefined;
  /** Short for `evaluation.episodes`. */
  evalEpisodes?: number | undefined;
  /** Short for `checkpoint.every`. */
  checkpointEvery?: number | string | undefined;
  /** Short for `logging.interval`. */
  logInterval?: string | undefined;
}
