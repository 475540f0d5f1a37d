/**
 * Multilayer perceptron: a trunk of ReLU layers, then linear heads side by side.
 *
 *   x_0 = input,  x_l = max(0, W_l x_{l−1} + b_l),  head_k = W_k x_L + b_k
 *
 * Shapes: input `[B, in]`, each x_l `[B, H_l]`, each head `[B, out_k]`. The derivative of max(0, z) at z = 0 is 0.
 */

import type { Network } from './layout.js';
import { addLinearGradient, linear, linearInputGradient, linearOf } from './linear.js';

/** What a forward pass leaves for its backward pass. */
export interface Pass {
  /** x_0 to x_L: the input, then the output of each trunk layer. */
  activations: Float64Array[];
  /** Before the ReLU of each trunk layer. */
  preActivations: Float64Array[];
  /** One per head. */
  outputs: Float64Array[];
}

/** The forward pass of `network` on `input`. */
export function forward(network: Network, input: Float64Array): Pass {
  const { layout, values } = network;

  // trunk
  const activations = [input];
  const preActivations: Float64Array[] = [];
  let activation = input;
  for (const layer of layout.trunk) {
    const preActivation = linear(linearOf(layer, values), activation);
    activation = relu(preActivation);
    preActivations.push(preActivation);
    activations.push(activation);
  }

  // heads
  const outputs = layout.heads.map((layer) => linear(linearOf(layer, values), activation));
  return { activations, preActivations, outputs };
}

/**
 * The gradient of a loss by the parameters, flat in the network's layout.
 *
 * @param headGradients the loss's gradient by each head, summed (not averaged) over the rows here.
 */
export function parameterGradient(
  network: Network,
  pass: Pass,
  headGradients: readonly Float64Array[],
): Float64Array {
  const { trunk, heads, length } = network.layout;
  const gradient = new Float64Array(length);
  const layerGradients = trunkGradients(network, pass, headGradients);
  trunk.forEach((layer, l) => {
    addLinearGradient(linearOf(layer, gradient), pass.activations[l]!, layerGradients[l]!);
  });
  heads.forEach((head, k) => {
    addLinearGradient(linearOf(head, gradient), pass.activations.at(-1)!, headGradients[k]!);
  });
  return gradient;
}

/** The gradient of a loss by the input, `[B, in]`; the parameters are constants. */
export function inputGradient(
  network: Network,
  pass: Pass,
  headGradients: readonly Float64Array[],
): Float64Array {
  const [first] = network.layout.trunk;
  if (first === undefined) return headsInputGradient(network, headGradients);
  const [gradient] = trunkGradients(network, pass, headGradients);
  return linearInputGradient(linearOf(first, network.values), gradient!);
}

/** The gradients by each trunk layer's pre-activation, first layer first. */
function trunkGradients(
  network: Network,
  pass: Pass,
  headGradients: readonly Float64Array[],
): Float64Array[] {
  const { layout, values } = network;
  const gradients: Float64Array[] = [];
  let activationGradient = headsInputGradient(network, headGradients);
  for (let l = layout.trunk.length - 1; l >= 0; l--) {
    const preActivation = pass.preActivations[l]!;
    const gradient = reluGradient(preActivation, activationGradient);
    gradients.unshift(gradient);
    activationGradient = linearInputGradient(linearOf(layout.trunk[l]!, values), gradient);
  }
  return gradients;
}

/** The gradient by what all heads read: the sum of theirs. */
function headsInputGradient(
  { layout, values }: Network,
  headGradients: readonly Float64Array[],
): Float64Array {
  const parts = layout.heads.map((head, k) =>
    linearInputGradient(linearOf(head, values), headGradients[k]!),
  );
  return parts.reduce((total, part) => total.map((value, i) => value + part[i]!));
}

/** max(0, z). Loops: `map` costs more than a layer's product here. */
function relu(preActivation: Float64Array): Float64Array {
  const activation = new Float64Array(preActivation.length);
  for (let i = 0; i < activation.length; i++) activation[i] = Math.max(preActivation[i]!, 0);
  return activation;
}

/** The gradient by z of a loss whose gradient by max(0, z) is given. */
function reluGradient(preActivation: Float64Array, gradient: Float64Array): Float64Array {
  const byPreActivation = new Float64Array(gradient.length);
  for (let i = 0; i < gradient.length; i++) {
    byPreActivation[i] = preActivation[i]! > 0 ? gradient[i]! : 0;
  }
  return byPreActivation;
}
