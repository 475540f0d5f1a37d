/**
 * The policy as an ONNX graph: `observation` [N, O] to `action` [N, A], float32, in the environment's units. Opset 17.
 *
 * action = min(max(centre + half * tanh(mean(observation)), low), high): squashed, scaled and clipped as the policy acts,
 * which graphs of a bare network leave to whoever runs them.
 */
import type { PolicyConfig } from '../training/checkpoint.js';
import { packageVersion } from '../training/manifest.js';
import type { Layer, Network } from './network.js';
import { constant, encodeModel, floats, integer, type Node } from './onnx-messages.js';
import { factsOf, type Source } from './source.js';

/** Operator set 17, and the layout of files that came with it. */
const [OPSET, IR] = [17, 8];

/** x W^T + b. */
function affine({ name }: Layer, input: string, output: string): Node {
  return {
    name,
    opType: 'Gemm',
    input: [input, `${name}.weight`, `${name}.bias`],
    output: [output],
    attribute: [integer('transB', 1)],
  };
}

function operator(opType: string, input: readonly string[], output: string): Node {
  return { name: output, opType, input, output: [output] };
}

/** The nodes in their order. */
function nodesOf({ hidden, mean }: Network): Node[] {
  const nodes: Node[] = [];
  let input = 'observation';
  for (const layer of hidden) {
    const output = `${layer.name}.relu`;
    nodes.push(affine(layer, input, layer.name), operator('Relu', [layer.name], output));
    input = output;
  }
  nodes.push(
    affine(mean, input, 'mean'),
    operator('Tanh', ['mean'], 'squashed'),
    operator('Mul', ['squashed', 'half'], 'scaled'),
    operator('Add', ['scaled', 'centre'], 'moved'),
    // rounding may leave the bounds by a bit
    operator('Max', ['moved', 'low'], 'bounded'),
    operator('Min', ['bounded', 'high'], 'action'),
  );
  return nodes;
}

function constantsOf({ hidden, mean }: Network, { actionLow, actionHigh }: PolicyConfig): object[] {
  const layers = [...hidden, mean].flatMap(({ name, inputs, outputs, weight, bias }) => [
    constant(`${name}.weight`, [outputs, inputs], weight),
    constant(`${name}.bias`, [outputs], bias),
  ]);
  const row = (name: string, of: (low: number, high: number) => number) => {
    const values = actionLow.map((low, index) => of(low, actionHigh[index] as number));
    return constant(name, [values.length], Float32Array.from(values));
  };
  return [
    ...layers,
    row('half', (low, high) => 0.5 * (high - low)),
    row('centre', (low, high) => 0.5 * (high + low)),
    row('low', (low) => low),
    row('high', (_, high) => high),
  ];
}

/** The bytes of `policy.onnx`. */
export function onnxModel(source: Source): Uint8Array {
  const { config, network } = source;
  const facts = factsOf(source);
  return encodeModel({
    irVersion: IR,
    producerName: 'virel-native',
    producerVersion: packageVersion(),
    docString: `Deterministic policy of ${config.algorithm} on ${config.env}, step ${config.step}`,
    opsetImport: [{ domain: '', version: OPSET }],
    metadataProps: Object.entries(facts).map(([key, value]) => ({ key, value })),
    graph: {
      name: 'policy',
      node: nodesOf(network),
      initializer: constantsOf(network, config),
      input: [floats('observation', ['N', config.observationSize], facts['observation'] as string)],
      output: [floats('action', ['N', config.actionSize], 'in the units of the environment')],
    },
  });
}
