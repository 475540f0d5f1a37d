/** `train` and `resume`: what a program calls. Where the run is trained is decided here, and nowhere else. */
import { type ConfigOptions, resolveOptions } from '../config/resolve.js';
import { VirelError } from '../errors.js';
import { argumentType, fields } from '../native/boundary.js';
import { checkControl, checkFolder, checkResumeControl } from './control.js';
import { requireRun } from './find-run.js';
import type { ResumeControl, ResumedRun, TrainControl, TrainingRun } from './handle.js';
import { resumeInProcess, startTraining } from './in-process.js';
import { resumeSupervised, trainSupervised } from './supervised-run.js';

/**
 * Trains, in a process of its own: whatever ends that process is one error of this run.
 *
 * @param options Config keys, short names, `runDir`, `runsDir`; `env` may be an environment of `defineEnvironment`, with
 *   which the run is trained in this process; nothing at all is virel on HalfCheetah-v5.
 * @throws VirelError `ARGUMENT_TYPE`, `CONFIG_*`, `ENV_UNKNOWN`, `ENV_INVALID`, `ALGORITHM_UNKNOWN` at once; `finished` rejects with
 *   `PERMISSION`, `IO`, `RUN_LOCKED`, `NATIVE_*`, `DEVICE_MISSING`, `ABORTED` before training, `DIVERGED`, `SIM_UNSTABLE`,
 *   `ENV_FAILED`, `ENV_INVALID`, `ENV_SHARED`, `TRAINER_DIED`, `MUJOCO_FATAL` during it.
 */
export function train(options: ConfigOptions = {}, control: TrainControl = {}): TrainingRun {
  checkControl(control);
  const { resolution, environment } = resolveOptions(fields('options', options));
  checkFolder('runDir', options.runDir);
  checkFolder('runsDir', options.runsDir);
  const { runDir, runsDir } = options;
  const values = {
    'an environment of defineEnvironment': environment,
    createSession: control.createSession,
  };
  return isOwnProcess(control, values)
    ? trainSupervised({ resolution, place: { runDir, runsDir } }, control)
    : startTraining(resolution, { runDir, runsDir }, control, environment);
}

/**
 * Takes up a run where its newest whole checkpoint left it, in a process of its own. It goes on to the same bits as if it
 * had never been stopped.
 *
 * @param runDir The run's folder.
 * @throws VirelError `ARGUMENT_TYPE`, `RUN_NOT_FOUND`, `RUN_LOCKED`, `RUN_CORRUPT`, `CHECKPOINT_NONE`, `CHECKPOINT_FORMAT`,
 *   `RESUME_INEXACT`, `CONFIG_*`, `NATIVE_*`, `IO`, `PERMISSION`, `TRAINER_DIED`: nothing has been changed then. `finished`
 *   rejects as that of {@link train} does.
 */
export async function resume(runDir: string, control: ResumeControl = {}): Promise<ResumedRun> {
  if (typeof runDir !== 'string') throw argumentType('runDir', "a run's folder", runDir);
  checkResumeControl(control);
  requireRun(runDir);
  const { createSession } = control;
  return isOwnProcess(control, { createSession })
    ? resumeSupervised(runDir, control)
    : resumeInProcess(runDir, control);
}

/** Whether the run gets a process of its own; values of this one, by their names, keep it here. */
function isOwnProcess({ inProcess }: TrainControl, values: Record<string, unknown>): boolean {
  const kept = Object.keys(values).find((name) => values[name] !== undefined);
  if (kept === undefined) return inProcess !== true;
  if (inProcess !== false) return false;
  throw new VirelError(
    'CONFIG_CONFLICT',
    `inProcess: false, and ${kept}: a value of this process`,
    {
      where: 'option inProcess',
      expected: 'true, or left out',
      got: 'false',
      fix: 'leave inProcess out',
    },
  );
}
