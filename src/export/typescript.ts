/** The policy as one TypeScript file that imports nothing: weights as base64, `act` as loops. */
import type { Layer } from './network.js';
import { factsOf, type Source } from './source.js';

const base64 = (data: Float32Array) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

/** As text that is TypeScript; strings of a user's cannot end a comment or a literal. */
const literal = (value: unknown) => JSON.stringify(value);

function layerOf({ outputs, weight, bias }: Layer): string {
  return `  { outputs: ${outputs}, weight: decode('${base64(weight)}'), bias: decode('${base64(bias)}') },`;
}

const HEAD = `// Made by virel-native: a trained policy in one file. It imports nothing, and runs in browsers and in Node.

/** What the policy was trained in and by; \`observation\` names its values in their order. */
export const about: Readonly<Record<string, string>> = `;

const ACT = `
/** Base64 of float32 values, smallest byte first. */
function decode(text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const values = new Float32Array(bytes.length / 4);
  for (let i = 0; i < values.length; i += 1) values[i] = view.getFloat32(4 * i, true);
  return values;
}

/** y = W x + b, row by row. */
interface Layer {
  outputs: number;
  weight: Float32Array;
  bias: Float32Array;
}

function affine({ outputs, weight, bias }: Layer, input: Float32Array): Float32Array {
  const output = new Float32Array(outputs);
  for (let row = 0; row < outputs; row += 1) {
    let sum = bias[row]!;
    const start = row * input.length;
    for (let i = 0; i < input.length; i += 1) sum += weight[start + i]! * input[i]!;
    output[row] = sum;
  }
  return output;
}

/**
 * The deterministic action for one observation, in the units of the environment.
 *
 * @param observation observationSize finite numbers.
 * @returns actionSize numbers from actionLow to actionHigh.
 * @throws RangeError for another length, and for a value that is not finite.
 */
export function act(observation: ArrayLike<number>): Float32Array {
  let values: Float32Array = Float32Array.from(observation);
  if (values.length !== observationSize || !values.every(Number.isFinite)) {
    throw new RangeError(\`expected \${observationSize} finite values\`);
  }
  layers.forEach((layer, depth) => {
    values = affine(layer, values);
    if (depth < layers.length - 1) values = values.map((value) => Math.max(0, value));
  });
  return values.map((mean, i) => {
    const low = actionLow[i]!;
    const high = actionHigh[i]!;
    const action = low + 0.5 * (Math.fround(Math.tanh(mean)) + 1) * (high - low);
    return Math.min(Math.max(action, low), high);
  });
}
`;

/** The text of `policy.ts`. */
export function typescriptModule(source: Source): string {
  const { config, network } = source;
  const { observationSize, actionSize, actionLow, actionHigh } = config;
  const layers = [...network.hidden, network.mean].map(layerOf).join('\n');
  return `${HEAD}${literal(factsOf(source))};

export const observationSize = ${literal(observationSize)};
export const actionSize = ${literal(actionSize)};
/** Smallest and largest action per dimension. */
export const actionLow: readonly number[] = ${literal(actionLow)};
export const actionHigh: readonly number[] = ${literal(actionHigh)};
${ACT}
/** The hidden layers, then the head of the mean. */
const layers: readonly Layer[] = [
${layers}
];
`;
}
