/** What a run reports: the objects that `train` yields in Node and prints with `--json`. */

interface OfSeed {
  /** The run's seed. */
  seed: number;
}

/** Training is about to begin. */
export interface StartEvent extends OfSeed {
  event: 'start';
  runDir: string;
  env: string;
  algorithm: string;
  /** Environment steps asked for. */
  steps: number;
  /** Version of libtorch; null where it is not used. */
  torch: string | null;
  /** Version of libmujoco; null where it is not used. */
  mujoco: string | null;
}

/** Where training stands, a few times a second; newer ones replace those not yet read. */
export interface ProgressEvent extends OfSeed {
  event: 'progress';
  step: number;
  steps: number;
  updates: number;
  /** Seconds since the start. */
  wall: number;
  /** Environment steps per second, recently. */
  stepsPerSecond: number;
  /** Gradient steps per second, recently. */
  updatesPerSecond: number;
}

/** A record of metrics; names and formulas are in `metrics.ts`. */
export interface MetricsEvent extends OfSeed {
  event: 'metrics';
  step: number;
  updates: number;
  /** Seconds since the start. */
  wall: number;
  m: Record<string, number>;
}

/** Returns of the deterministic policy, unscaled and undiscounted. */
export interface EvaluationEvent extends OfSeed {
  event: 'evaluation';
  step: number;
  episodes: number;
  returnMean: number;
  /** Standard deviation over these episodes (divisor n). */
  returnStd: number;
  returns: number[];
  lengths: number[];
  /** Seconds since the start. */
  wall: number;
}

/** A training episode ended. */
export interface EpisodeEvent extends OfSeed {
  event: 'episode';
  step: number;
  /** Unscaled. */
  return: number;
  length: number;
  /** Seconds since the start. */
  wall: number;
}

/** A checkpoint is complete on disk. */
export interface CheckpointEvent extends OfSeed {
  event: 'checkpoint';
  step: number;
  path: string;
}

/** Something went wrong that training survives. */
export interface WarningEvent extends OfSeed {
  event: 'warning';
  code: string;
  message: string;
}

/** Training failed. */
export interface ErrorEvent extends OfSeed {
  event: 'error';
  code: string;
  message: string;
  where?: string;
  expected?: string;
  got?: string;
  fix?: string;
  /** Exit code of the command line. */
  exit: number;
}

/** How a run ended; also its `summary.json`. */
export interface Summary extends OfSeed {
  event: 'summary';
  state: 'finished' | 'stopped' | 'failed';
  runDir: string;
  env: string;
  algorithm: string;
  /** Environment steps done. */
  steps: number;
  /** Gradient steps done. */
  updates: number;
  wallSeconds: number;
  /** Mean of the evaluations in the last 10 % of the steps done; null without one. */
  finalScore: number | null;
  /** The last evaluation. */
  evaluation: Omit<EvaluationEvent, 'event' | 'seed'> | null;
  /** Of a failed run. */
  code?: string;
  /** Of a failed run. */
  message?: string;
}

export type TrainEvent =
  | StartEvent
  | ProgressEvent
  | MetricsEvent
  | EvaluationEvent
  | EpisodeEvent
  | CheckpointEvent
  | WarningEvent
  | ErrorEvent
  | Summary;
