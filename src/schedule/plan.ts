/** What the EM schedule hands to the native side: iterations made of phases. */

/** Gradient steps of one iteration. */
export interface UpdatePhase {
  /** M-steps: action value and state value on their losses, then the target. */
  mSteps: number;
  /** E-steps: the policy on its loss. */
  eSteps: number;
}

/** Gradient steps on one part, the other held, until it changes by less than the tolerance. */
export interface ConvergePhase {
  /** `m`: action value and state value; `e`: the policy, on one batch. */
  part: 'm' | 'e';
  /**
   * `m`: relative change, from one step to the next, of the action value loss: J_Q, the residual error on the frozen
   * batch against frozen targets, or with the projected M-step its own loss L; `e`: mean KL divergence between successive
   * policies, nats.
   */
  tolerance: number;
  /** Gradient steps after which the part counts as done. */
  maxSteps: number;
}

/** Part of an iteration: environment steps, or gradient steps. */
export type Phase = { collect: number } | { update: UpdatePhase } | { converge: ConvergePhase };

/** Iterations for one call into native code. */
export interface Plan {
  /** Iterations, at least 1. */
  repeat: number;
  /** What each iteration does, in order. */
  phases: readonly Phase[];
  /** ε_k, added to the residual error in use, in squared scaled return; 0 without. */
  residualFloor?: number;
}

/** What one iteration is. */
export interface Iteration {
  /** Environment steps. */
  readonly envSteps: number;
  /** Its phases, in order. */
  readonly phases: readonly Phase[];
}
