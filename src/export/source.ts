/** What is exported: a policy of a run, read and checked, with what its run says of it. */
import { dirname } from 'node:path';
import { observationOrder } from '../environments/observation-order.js';
import { findPolicy, type PolicyConfig } from '../training/checkpoint.js';
import { loadRun, type Run } from '../training/load-run.js';
import { packageVersion } from '../training/manifest.js';
import { type Network, policyNetwork } from './network.js';
import { corrupt, readTensors } from './safetensors-file.js';

/** A policy to export. */
export interface Source {
  readonly run: Run;
  /** Folder of the parameters and of what describes them, `checkpoints/<step>/pretrained_model`. */
  readonly model: string;
  readonly config: PolicyConfig;
  readonly network: Network;
  /** How the checkpoint was chosen. */
  readonly step: Step;
}

/** Which checkpoint. */
export type Step = number | 'latest' | 'best';

/**
 * Reads a policy; its files must be those that the checkpoint was written with. What is given away is what was asked for: a
 * damaged newest checkpoint is refused, not passed over.
 *
 * @throws VirelError `RUN_NOT_FOUND`, `RUN_CORRUPT`, `CHECKPOINT_NONE`, `CHECKPOINT_CORRUPT`, `CHECKPOINT_FORMAT`, `PARAMETER_SHAPE`,
 *   `EXPORT_UNSUPPORTED`, `PERMISSION`, `IO`.
 */
export async function openSource(runDir: string, step: Step = 'latest'): Promise<Source> {
  const run = loadRun(runDir);
  const { file, config, passedOver } = await findPolicy(runDir, step);
  const [damaged] = passedOver;
  if (damaged !== undefined) throw corrupt(runDir, damaged);
  const model = dirname(file);
  const network = policyNetwork(config, readTensors(file).tensors);
  return { run, model, config, network, step };
}

/** Facts that every exported policy carries, each as text. */
export function factsOf({ run, config }: Source): Readonly<Record<string, string>> {
  const { versions } = run.manifest;
  const made = { torch: versions?.torch, mujoco: versions?.mujoco };
  const known = Object.entries(made).filter(([, version]) => typeof version === 'string');
  return {
    env: config.env,
    env_options: JSON.stringify(config.envOptions),
    algorithm: config.algorithm,
    step: String(config.step),
    seed: String(run.config.seed),
    observation: observationOrder(config.env, config.envOptions).join(', '),
    action_low: JSON.stringify(config.actionLow),
    action_high: JSON.stringify(config.actionHigh),
    'virel-native': packageVersion(),
    trained_with: config.package,
    ...(Object.fromEntries(known) as Record<string, string>),
  };
}
