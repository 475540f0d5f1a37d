/** The policy's network as layers: tanh of an affine map of ReLU layers, then the task's bounds. */
import { VirelError } from '../errors.js';
import type { PolicyConfig } from '../training/checkpoint.js';
import type { Tensor } from './safetensors-file.js';

/** y = W x + b. */
export interface Layer {
  /** Such as `policy.trunk.0`. */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  /** W, [outputs, inputs], row-major. */
  readonly weight: Float32Array;
  /** b, [outputs]. */
  readonly bias: Float32Array;
}

/** μ_θ: hidden layers with ReLU, and the head of the mean without. */
export interface Network {
  readonly hidden: readonly Layer[];
  readonly mean: Layer;
}

function values(
  tensors: ReadonlyMap<string, Tensor>,
  name: string,
  shape: readonly number[],
): Float32Array {
  const tensor = tensors.get(name);
  if (tensor?.shape.join() === shape.join()) return tensor.data;
  const got = tensor === undefined ? 'no such tensor' : `shape [${tensor.shape.join(', ')}]`;
  const expected = `shape [${shape.join(', ')}]`;
  throw new VirelError('PARAMETER_SHAPE', `${name}: expected ${expected}, got ${got}`, {
    where: name,
    expected,
    got,
    fix: 'take another checkpoint: --step N',
  });
}

/**
 * The layers that `config.json` describes.
 *
 * @throws VirelError `PARAMETER_SHAPE` if a tensor is missing or has another shape; `EXPORT_UNSUPPORTED` for an activation
 *   of another version.
 */
export function policyNetwork(config: PolicyConfig, tensors: ReadonlyMap<string, Tensor>): Network {
  const { activation, observationSize, actionSize } = config;
  if (activation !== 'relu') {
    throw new VirelError('EXPORT_UNSUPPORTED', `policies with activation ${activation}`, {
      where: 'config.json',
      expected: 'relu',
      got: activation,
      fix: 'export with the version of virel-native that trained it',
    });
  }
  const layer = (name: string, inputs: number, outputs: number): Layer => ({
    name,
    inputs,
    outputs,
    weight: values(tensors, `${name}.weight`, [outputs, inputs]),
    bias: values(tensors, `${name}.bias`, [outputs]),
  });
  const widths = [observationSize, ...config.hidden];
  const hidden = config.hidden.map((outputs, index) =>
    layer(`policy.trunk.${index}`, widths[index] as number, outputs),
  );
  return { hidden, mean: layer('policy.mean', widths.at(-1) as number, actionSize) };
}
