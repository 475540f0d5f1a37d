/**
 * How a value network f_w(x) changes with its parameters along a direction ζ of their shape, and that change's own
 * gradient, by hand (F.1):
 *
 *   j = ∇_w f · ζ                       forward: tangents of x_l beside the activations
 *   ∇_w Σ_b c_b j_b = Σ_b c_b (∇²_w f) ζ   backward through both, the Hessian-vector product
 *
 * A dot marks a tangent, W̊ and b̊ are ζ's slices (a layer of ζ):  ẋ_0 = 0,  ż_l = W̊ x_{l−1} + b̊ + W ẋ_{l−1},
 * ẋ_l = ẋ where z_l > 0. The second derivative of max(0, z) is 0, so that only products of two layers bend f.
 * Shapes as in the multilayer perceptron; one head.
 */

import type { Network } from './layout.js';
import { addLinearGradient, linear, linearInputGradient, linearOf } from './linear.js';
import type { Pass } from './multilayer-perceptron.js';

/** The tangents that {@link directionalDerivative} leaves for {@link directionalDerivativeGradient}. */
export interface TangentPass {
  /** ẋ_0 to ẋ_L. */
  activations: Float64Array[];
  /** j, `[B]`. */
  derivative: Float64Array;
}

/** j = ∇_w f · ζ for every row of `pass`. */
export function directionalDerivative(
  { layout, values }: Network,
  direction: Float64Array,
  pass: Pass,
): TangentPass {
  /** The tangent of W x + b. */
  const along = (l: number, tangent: Float64Array) => {
    const layer = layerOf(layout, l);
    const byParameters = linear(linearOf(layer, direction), pass.activations[l]!);
    const byInput = linear(withoutBias(linearOf(layer, values)), tangent);
    return byParameters.map((value, i) => value + byInput[i]!);
  };

  let tangent: Float64Array = new Float64Array(pass.activations[0]!.length);
  const activations = [tangent];
  for (let l = 0; l < layout.trunk.length; l++) {
    tangent = whereOn(pass.preActivations[l]!, along(l, tangent));
    activations.push(tangent);
  }
  return { activations, derivative: along(layout.trunk.length, tangent) };
}

/** ∇_w Σ_b c_b j_b, flat in the network's layout; `weights` is c, `[B]`, and ζ a constant. */
export function directionalDerivativeGradient(
  { layout, values }: Network,
  direction: Float64Array,
  pass: Pass,
  tangents: TangentPass,
  weights: Float64Array,
): Float64Array {
  const gradient = new Float64Array(layout.length);
  // gradients by ż and by z of the layer at hand; the head's output is j alone
  let byTangent = weights;
  let byValue: Float64Array = new Float64Array(weights.length);
  for (let l = layout.trunk.length; l >= 0; l--) {
    const layer = layerOf(layout, l);
    const into = linearOf(layer, gradient);
    addLinearGradient(into, pass.activations[l]!, byValue);
    // b does not act on ż
    addLinearGradient({ ...into, bias: into.bias.slice() }, tangents.activations[l]!, byTangent);
    if (l === 0) break;

    const own = linearOf(layer, values);
    const throughDirection = linearInputGradient(linearOf(layer, direction), byTangent);
    const throughValue = linearInputGradient(own, byValue);
    const byActivation = throughDirection.map((value, i) => value + throughValue[i]!);
    byTangent = whereOn(pass.preActivations[l - 1]!, linearInputGradient(own, byTangent));
    byValue = whereOn(pass.preActivations[l - 1]!, byActivation);
  }
  return gradient;
}

/** Trunk layers, then the one head. */
function layerOf({ trunk, heads }: Network['layout'], l: number) {
  return l < trunk.length ? trunk[l]! : heads[0]!;
}

function withoutBias(layer: ReturnType<typeof linearOf>) {
  return { ...layer, bias: new Float64Array(layer.outputs) };
}

/** `values` where the unit is on, else 0. */
function whereOn(preActivation: Float64Array, values: Float64Array): Float64Array {
  return values.map((value, i) => (preActivation[i]! > 0 ? value : 0));
}
