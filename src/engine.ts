/**
 * What the native learner and the TypeScript reference both offer: one gradient step on a given batch and
 * noise. Shape letters: B rows of a batch, O observation width, A action width, D draws of a row (`noiseDraws`).
 */

/** A minibatch of transitions, row-major. `terminated` is 1 where the task itself ended, else 0. */
export interface Batch<Vector extends Float32Array | Float64Array = Float32Array> {
  /** s, shape [B, O]. */
  observations: Vector;
  /** a in [-1, 1], shape [B, A]. */
  actions: Vector;
  /** r as stored; no scaling is applied here, shape [B]. */
  rewards: Vector;
  /** s', shape [B, O]. */
  nextObservations: Vector;
  /** d in {0, 1}, shape [B]; a time limit is not a termination. */
  terminated: Vector;
}

/** A named parameter: weights are `[out, in]`, row-major, as PyTorch's `Linear`. */
export interface Parameter<Vector extends Float32Array | Float64Array = Float32Array> {
  /** Sizes, the outermost first. */
  shape: number[];
  /** Values, row-major. */
  data: Vector;
}

/** Parameters by name, as in safetensors files (`policy.trunk.0.weight`, ..., `target.stateValue...`). */
export type Parameters<Vector extends Float32Array | Float64Array = Float32Array> = Record<
  string,
  Parameter<Vector>
>;

/** Loss values as minimised, regularisers included; only those of the networks that the algorithm has. */
export interface StepLosses {
  /** J_π. */
  policy: number;
  /** J_Q, summed over the action values; with the projected M-step L(w, ζ), which w descends. */
  actionValue: number;
  /** J_V. */
  stateValue?: number;
  /** −L(w, ζ) of the projected M-step, which ζ descends. */
  auxiliaryWeights?: number;
  /** J_T of a trained temperature. */
  temperature?: number;
  /** MPO's multipliers of the KL bound on the mean, summed over dimensions. */
  meanMultiplier?: number;
  /** MPO's multipliers of the KL bound on the covariance, summed over dimensions. */
  covarianceMultiplier?: number;
}

/** Losses and gradients of one step, all at the same parameters; nothing is stepped. */
export interface StepGradients<Vector extends Float32Array | Float64Array = Float32Array> {
  /** As minimised. */
  losses: StepLosses;
  /** By parameter name, in file order; no entry for targets and MPO's prior policy, which receive no gradient. */
  gradients: Record<string, Vector>;
  /** Factor of log pi in the policy loss. */
  temperature: number;
  /** Residual error that the temperature follows, in return²; absent where it follows none. */
  residualError?: number;
}

/** Choices of one step. */
export interface StepOptions {
  /** Temperature to use instead of the one in use; > 0 or 0. */
  temperature?: number;
}

/** The learner's own interface: the reference in float64, the addon in float32. */
export interface Learner<Vector extends Float32Array | Float64Array = Float32Array> {
  /** A copy of every parameter, targets included. */
  parameters(): Parameters<Vector>;
  /** Overwrites the named parameters; throws `PARAMETER_SHAPE` on an unknown name or wrong shape. */
  setParameters(parameters: Parameters<Float32Array | Float64Array>): void;
  /** One step's losses and gradients; `noise` is standard normal, shape [B, D, A]: the draws for s, then those for s'. */
  gradients(batch: Batch<Vector>, noise: Vector, options?: StepOptions): StepGradients<Vector>;
  /** The same, then every optimiser and the targets that are due are stepped. */
  update(batch: Batch<Vector>, noise: Vector, options?: StepOptions): StepLosses;
}
