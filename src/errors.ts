/** How a command ends for each family of error codes (docs: `--help`, exit codes). */
export type ExitCode = 1 | 2 | 3;

const USAGE = new Set([
  'CONFIG_UNKNOWN_KEY',
  'CONFIG_TYPE',
  'CONFIG_RANGE',
  'CONFIG_CONFLICT',
  'CONFIG_SYNTAX',
  'CONFIG_VERSION',
  'CLI_USAGE',
  'ENV_UNKNOWN',
  'ENV_INVALID',
  'ENV_MISSING',
  'ALGORITHM_UNKNOWN',
  'RECIPE_UNSUPPORTED',
  'RUN_NOT_FOUND',
  'RUN_AMBIGUOUS',
  'RESUME_INEXACT',
  'RUN_INCOMPLETE',
  'RUNS_NOT_POOLABLE',
  'METRIC_UNKNOWN',
  'MODEL_INVALID',
  'MODEL_FINGERPRINT',
  'TASK_INVALID',
  'CLAIM_UNKNOWN',
  'DEMO_UNKNOWN',
  'POLICY_DETERMINISTIC',
  'EXPORT_UNSUPPORTED',
  'EXPORT_EXISTS',
  'RECORDING_UNSUPPORTED',
  'PLAN_HASH',
  'FIGURE_UNKNOWN',
]);

const TOOLING = new Set([
  'NATIVE_MISSING',
  'NATIVE_VERSION',
  'NATIVE_LOAD',
  'TOOL_MISSING',
  'TOOL_VERSION',
  'SETUP_FAILED',
  'SETUP_HASH',
  'MODEL_MISSING',
  'DEVICE_MISSING',
  'PLATFORM_UNSUPPORTED',
  'PAGE_MISSING',
]);

/** What a {@link VirelError} says beyond its message; every part is one line a person can read. */
export interface ErrorDetails {
  /** The option, file or argument at fault. */
  where?: string;
  /** What would have been accepted. */
  expected?: string;
  /** What was given. */
  got?: string;
  /** The command or change that mends it. */
  fix?: string;
  /** The error underneath, if any. */
  cause?: unknown;
}

/**
 * The one error type of the package. `code` is public API and never changes its meaning;
 * test with {@link isVirelError} or `error.code`, never with `instanceof` (realms differ under jest).
 */
export class VirelError extends Error {
  /** Always `VirelError`. */
  override readonly name = 'VirelError';
  /** What {@link isVirelError} asks for. */
  readonly isVirelError = true;
  /** Stable name of the failure, such as `CONFIG_RANGE`. */
  readonly code: string;
  /** The option, file or argument at fault. */
  readonly where: string | undefined;
  /** What would have been accepted. */
  readonly expected: string | undefined;
  /** What was given. */
  readonly got: string | undefined;
  /** The command or change that mends it. */
  readonly fix: string | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.where = details.where;
    this.expected = details.expected;
    this.got = details.got;
    this.fix = details.fix;
  }

  /** Process exit code of the command line for this error: 2 usage or config, 3 native part, else 1. */
  get exit(): ExitCode {
    if (USAGE.has(this.code)) return 2;
    return TOOLING.has(this.code) ? 3 : 1;
  }
}

/** Whether `error` is a {@link VirelError}, from whichever realm. */
export function isVirelError(error: unknown): error is VirelError {
  return typeof error === 'object' && error !== null && 'isVirelError' in error;
}
