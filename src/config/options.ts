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
  engine?: 'kernel' | 'tensor' | undefined;
  device?: string | undefined;
  threads?: number | undefined;
  evalEvery?: number | undefined;
  evalEpisodes?: number | undefined;
  checkpointEvery?: number | string | undefined;
  logInterval?: string | undefined;
}
