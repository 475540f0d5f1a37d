/**
 * Incremental EM (F.2): partial EM with ε_k = floor · factor^k added to the residual error in use, k the stage. A stage
 * lasts `every` environment steps, and no plan reaches over its end.
 */

/** What the stages are made of. */
export interface Stages {
  /** ε_0, in squared scaled return. */
  readonly floor: number;
  /** What each stage leaves of it, in (0, 1). */
  readonly factor: number;
  /** Environment steps of a stage. */
  readonly every: number;
}

/** ε_k at an environment step: floor · factor^⌊step / every⌋. */
export function residualFloorAt({ floor, factor, every }: Stages, step: number): number {
  return floor * factor ** Math.floor(step / every);
}
