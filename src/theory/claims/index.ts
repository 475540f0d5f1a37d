/** Every claim of the paper in its order, and the one way in which they are checked. */

import { VirelError } from '../../errors.js';
import { actionPosteriorClaims } from './action-posterior.js';
import { annealedClaims } from './annealed.js';
import { boltzmannLimitClaims } from './boltzmann-limit.js';
import { type Claim, isNumeric } from './claim.js';
import { contrastClaims } from './contrasts.js';
import { describedClaims } from './described.js';
import { elboClaims } from './elbo.js';
import { evidenceClaims } from './evidence.js';
import { emClaims } from './expectation-maximisation.js';
import { goldenClaims } from './golden.js';
import { mpoClaims } from './mpo.js';
import { optimalityClaims } from './optimality.js';
import { projectedClaims } from './projected.js';
import { residualGradientClaims } from './residual-gradient.js';
import { stepClaims } from './steps.js';
import { targetSetClaims } from './target-set.js';

export { type Claim, type DescribedClaim, isNumeric, type NumericClaim } from './claim.js';

/** All of them, in the order of the appendix; what has no number last. */
export const CLAIMS: readonly Claim[] = [
  ...evidenceClaims,
  ...actionPosteriorClaims,
  ...targetSetClaims,
  ...elboClaims,
  ...boltzmannLimitClaims,
  ...optimalityClaims,
  ...stepClaims,
  ...residualGradientClaims,
  ...projectedClaims,
  ...annealedClaims,
  ...emClaims,
  ...mpoClaims,
  ...contrastClaims,
  ...goldenClaims,
  ...describedClaims,
];

/** How a claim came out. */
export interface Verdict {
  /** What was checked. */
  claim: Claim;
  /** `not-numeric` where there is no number. */
  status: 'passed' | 'failed' | 'not-numeric';
  /** Null where there is no number. */
  measured: number | null;
  /** The size of the error of the printed form, where the paper prints another. */
  printed: number | null;
}

/** A printed form counts as wrong where its error is so many times the tolerance. */
const CLEARLY = 1000;

/**
 * Measures a claim. It passes where the number is at most its tolerance; if the paper's print is said to be wrong, the
 * printed form must be off by a thousand tolerances, too.
 */
export function checkClaim(claim: Claim): Verdict {
  if (!isNumeric(claim)) return { claim, status: 'not-numeric', measured: null, printed: null };
  const measured = claim.measure();
  const printed = claim.printed === undefined ? null : claim.printed.measure();
  const holds = measured <= claim.tolerance;
  const printIsWrong = printed === null || printed > CLEARLY * claim.tolerance;
  return { claim, status: holds && printIsWrong ? 'passed' : 'failed', measured, printed };
}

/**
 * The claims of some names: of a whole id, or of all ids that begin with it, so that `theorem-5` is all its parts.
 *
 * @throws VirelError `CLAIM_UNKNOWN` for a name that is neither.
 */
export function selectClaims(names: readonly string[]): Claim[] {
  const named = (name: string) => (claim: Claim) =>
    claim.id === name || claim.id.startsWith(`${name}-`);
  for (const name of names) {
    if (!CLAIMS.some(named(name))) throw unknownClaim(name);
  }
  return CLAIMS.filter((claim) => names.some((name) => named(name)(claim)));
}

function unknownClaim(name: string): VirelError {
  const like = CLAIMS.map(({ id }) => id).filter((id) => id.split('-')[0] === name.split('-')[0]);
  return new VirelError('CLAIM_UNKNOWN', `no claim is named '${name}'`, {
    got: name,
    ...(like.length > 0 && { expected: like.join(', ') }),
    fix: 'virel-native verify lists them all',
  });
}
