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
export type { CurveOptions, LearningCurves } from './comparison/curves.js';
export type { Estimate } from './comparison/estimate.js';
export { type ConfigOptions, resolveConfig } from './config/resolve.js';
export type { ResolvedConfig } from './config/schema.js';
export type {
  Batch,
  Learner,
  Parameter,
  Parameters,
  StepGradients,
  StepOptions,
} from './engine.js';
export type { Choices } from './environments/choices.js';
export {
  type CustomEnvironment,
  type CustomStep,
  type Dynamics,
  defineEnvironment,
  type EnvironmentDefinition,
} from './environments/define.js';
export { type ListedTask, listEnvironments } from './environments/list.js';
export { loadEnvironment } from './environments/load.js';
export type { Random } from './environments/random.js';
export type { TaskOptions } from './environments/task-options.js';
export type { Task } from './environments/tasks.js';
export { isVirelError, VirelError } from './errors.js';
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
  WarningEvent,
} from './logging/events.js';
export { type MetricsFile, type MetricsRecord, readMetrics } from './logging/metrics-line.js';
export type { EvaluationRecord } from './logging/sinks/csv.js';
export { Environment, type EnvironmentOptions, type Step } from './native/environment.js';
export type { Policy } from './native/policy.js';
export { Session } from './native/session.js';
export { type DrawnDemo, drawDemo, type Picture, writeDemo } from './plots/demo.js';
export { drawComparison, type PlotOptions, type PlottedRuns, plotRuns } from './plots/runs.js';
export * as reference from './reference.js';
export type { Phase, Plan } from './schedule/em-schedule.js';
export * as theory from './theory/index.js';
export { loadPolicy } from './training/load-policy.js';
export { loadRun, type Run } from './training/load-run.js';
export type { RunManifest } from './training/manifest.js';
export type { RunConfig } from './training/run-directory.js';
export {
  type ResumeControl,
  type ResumedRun,
  resume,
  type TrainControl,
  type TrainingRun,
  train,
} from './training/train.js';
