/** What a run reports: the objects that `train` yields in Node and prints with `--json`. */

interface OfSeed {
  /** The run's seed. */
  seed: number;
}

/** Training is about to begin. */
export interface StartEvent extends OfSeed {
  event: 'start';
  /** The run's folder, absolute. */
  runDir: string;
  /** Task. */
  env: string;
  /** Its public name. */
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
  /** Environment steps done. */
  step: number;
  /** Environment steps asked for. */
  steps: number;
  /** Gradient steps done. */
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
  /** Environment steps done. */
  step: number;
  /** Gradient steps done. */
  updates: number;
  /** Seconds since the start. */
  wall: number;
  /** Values by name, as docs/metrics.md lists them. */
  m: Record<string, number>;
}

/** Returns of the deterministic policy, unscaled and undiscounted. */
export interface EvaluationEvent extends OfSeed {
  event: 'evaluation';
  /** Environment steps done. */
  step: number;
  /** Number of episodes. */
  episodes: number;
  /** Mean return. */
  returnMean: number;
  /** Standard deviation over these episodes (divisor n). */
  returnStd: number;
  /** Return per episode. */
  returns: number[];
  /** Environment steps per episode. */
  lengths: number[];
  /** Seconds since the start. */
  wall: number;
}

/** A training episode ended. */
export interface EpisodeEvent extends OfSeed {
  event: 'episode';
  /** Environment steps done when it ended. */
  step: number;
  /** Unscaled. */
  return: number;
  /** Its environment steps. */
  length: number;
  /** Seconds since the start. */
  wall: number;
}

/** The simulator left its range: those transitions were dropped and their environments reset. */
export interface UnstableEvent extends OfSeed {
  event: 'unstable';
  /** Environment steps done. */
  step: number;
  /** Such states since the last of these events. */
  states: number;
  /** Such states since the start. */
  total: number;
}

/** A checkpoint is complete on disk. */
export interface CheckpointEvent extends OfSeed {
  event: 'checkpoint';
  /** Environment steps done. */
  step: number;
  /** Its folder, absolute. */
  path: string;
}

/** Something went wrong that training survives. */
export interface WarningEvent extends OfSeed {
  event: 'warning';
  /** Stable name, such as `DISK_FULL`. */
  code: string;
  /** One line for a person. */
  message: string;
}

/** Training failed. */
export interface ErrorEvent extends OfSeed {
  event: 'error';
  /** Stable name of the failure. */
  code: string;
  /** One line for a person. */
  message: string;
  /** The option, file or argument at fault. */
  where?: string;
  /** What would have been accepted. */
  expected?: string;
  /** What was given. */
  got?: string;
  /** The command or change that mends it. */
  fix?: string;
  /** Exit code of the command line. */
  exit: number;
}

/** How a run ended; also its `summary.json`. */
export interface Summary extends OfSeed {
  event: 'summary';
  /** `stopped` runs can be resumed. */
  state: 'finished' | 'stopped' | 'failed';
  /** The run's folder, absolute. */
  runDir: string;
  /** Task. */
  env: string;
  /** Its public name. */
  algorithm: string;
  /** Environment steps done. */
  steps: number;
  /** Gradient steps done. */
  updates: number;
  /** Seconds since the start. */
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

/** What a run yields; `event` tells which it is. */
export type TrainEvent =
  | StartEvent
  | ProgressEvent
  | MetricsEvent
  | EvaluationEvent
  | EpisodeEvent
  | UnstableEvent
  | CheckpointEvent
  | WarningEvent
  | ErrorEvent
  | Summary;
