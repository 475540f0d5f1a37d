/** The public API. Importing it loads nothing native. */
export { compareRuns } from './comparison/compare.js';
export type {
  CompareOptions,
  Comparison,
  ComparisonWarning,
  GroupComparison,
  JudgedRequirement,
  OverallComparison,
  TaskComparison,
} from './comparison/comparison.js';
export type {
  CentrePoint,
  CurveOptions,
  GroupCurve,
  LearningCurves,
  MeasuredPoint,
  RunCurve,
  TaskCurves,
} from './comparison/curves.js';
export type { Estimate, GroupEstimates } from './comparison/estimate.js';
export type { RunScore } from './comparison/measure.js';
export type { TaskScale } from './comparison/normalise.js';
export type { GroupProfile, Profile } from './comparison/profile.js';
export type { CurvePoint } from './comparison/resample.js';
export type { ShortOptions } from './config/options.js';
export { type ListedPreset, presets } from './config/presets/list.js';
export { type ConfigOptions, type Layer, resolveConfig } from './config/resolve.js';
export type { PartialConfig, ResolvedConfig } from './config/schema.js';
export type {
  Batch,
  Learner,
  Parameter,
  Parameters,
  StepGradients,
  StepLosses,
  StepOptions,
} from './engine.js';
export type { Choices, TaskSizes } from './environments/choices.js';
export {
  type CustomEnvironment,
  type CustomStep,
  type Dynamics,
  defineEnvironment,
  type EnvironmentDefinition,
  type EnvironmentFacts,
  type Movement,
} from './environments/define.js';
export { type ListedTask, listEnvironments } from './environments/list.js';
export { loadEnvironment, type ModuleFacts } from './environments/load.js';
export type { Random } from './environments/random.js';
export type { OptionValue, TaskOptions } from './environments/task-options.js';
export type { Task } from './environments/tasks.js';
export { type ErrorDetails, type ExitCode, isVirelError, VirelError } from './errors.js';
export {
  type Exported,
  type ExportFormat,
  type ExportOptions,
  exportRun,
} from './export/export-run.js';
export type { ExportedFile } from './export/place.js';
export type {
  CheckpointEvent,
  EpisodeEvent,
  ErrorEvent,
  EvaluationEvent,
  MetricsEvent,
  ProgressEvent,
  StartEvent,
  Summary,
  TrainEvent,
  UnstableEvent,
  WarningEvent,
} from './logging/events.js';
export { type MetricsFile, type MetricsRecord, readMetrics } from './logging/metrics-line.js';
export type { EvaluationRecord } from './logging/sinks/csv.js';
export { Environment, type EnvironmentOptions, type Step } from './native/environment.js';
export type { NativeFacts } from './native/facts.js';
export type { Policy, PolicyEvaluation } from './native/policy.js';
export {
  type EvaluateOptions,
  type Progress,
  type SavedState,
  Session,
} from './native/session.js';
export {
  type AutoresetMode,
  VectorEnvironment,
  type VectorEnvironmentOptions,
  type VectorStep,
} from './native/vector-environment.js';
export { type DrawnDemo, drawDemo, type Picture, writeDemo } from './plots/demo.js';
export { drawComparison, type PlotOptions, type PlottedRuns, plotRuns } from './plots/runs.js';
/** The float64 reference in TypeScript: the definition of a gradient step, and a learner made of it. */
export * as reference from './reference.js';
export type { Phase, Plan } from './schedule/em-schedule.js';
export type { ConvergePhase, UpdatePhase } from './schedule/plan.js';
export { doctor, type NativeSetup, type NativeSetupOptions, setup } from './setup/api.js';
export type { Diagnosis, Part } from './setup/doctor.js';
export type { Device } from './setup/parts.js';
export type { Interval } from './statistics/bootstrap.js';
export type { EvaluationResult } from './statistics/evaluation.js';
/** The paper's theory on finite MDPs, in closed form, and its claims. */
export * as theory from './theory/index.js';
export { type EvaluateRunOptions, evaluate } from './training/evaluate.js';
export type {
  ResumeControl,
  ResumedRun,
  TrainControl,
  TrainingRun,
} from './training/handle.js';
export { loadPolicy } from './training/load-policy.js';
export { loadRun, type Run } from './training/load-run.js';
export type { Continuation, RunManifest } from './training/manifest.js';
export type { RunConfig, RunStatus } from './training/run-directory.js';
export type { CreateSession, TrainingSession } from './training/session.js';
export { resume, train } from './training/train.js';
export { type Recorded, type RecordOptions, recordEpisode } from './watch/record.js';
export type { RecordingHeader } from './watch/shared/recording.js';
export { type SiteOptions, type WrittenSite, writeSite } from './watch/static-site.js';
export { type Watching, type WatchOptions, watch } from './watch/watch.js';
