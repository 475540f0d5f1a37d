/**
 * EM and variational inference in general (App. A), of which VIREL is one case.
 *
 *   ℓ(x) = log Σ_h p(x, h)                                         log evidence (8)
 *        = L(q) + KL(q ‖ p(h|x)),  L(q) = Σ_h q(h) log(p(x, h)/q(h))   for every q (9)
 *
 * E-step: q ← p(h|x), which makes the bound tight. M-step: p ← argmax L. Neither lowers ℓ.
 * The smallest example is a mixture of coins: which coin fell is hidden, how often it showed heads is seen.
 */

/** ℓ(x) (8). @param joint p(x, h) for one x and every h, `[H]`, positive. */
export function logEvidence(joint: Float64Array): number {
  return Math.log(total(joint));
}

/** p(h|x), `[H]`. */
export function posterior(joint: Float64Array): Float64Array {
  const evidence = total(joint);
  return joint.map((value) => value / evidence);
}

/** L(q), the evidence lower bound of (9). @param guess q, `[H]`. */
export function jensenBound(joint: Float64Array, guess: Float64Array): number {
  return guess.reduce((sum, q, h) => sum + (q === 0 ? 0 : q * Math.log(joint[h]! / q)), 0);
}

/** A mixture of coins: the share of each and how probable its heads are, `[K]` both. */
export interface CoinMixture {
  /** How often each coin is drawn. */
  shares: Float64Array;
  /** How often each coin shows heads. */
  heads: Float64Array;
}

/** How many of `tosses` each of the observed coins showed heads. */
export interface CoinData {
  /** Of one drawn coin. */
  tosses: number;
  /** How many of them, for each drawn coin. */
  heads: readonly number[];
}

/** p(x, h) of one observation for every coin, `[K]`, the binomial coefficient left out. */
function coinJoint({ shares, heads }: CoinMixture, tosses: number, seen: number): Float64Array {
  return shares.map((share, coin) => {
    const p = heads[coin]!;
    return share * p ** seen * (1 - p) ** (tosses - seen);
  });
}

/** Σ_x ℓ(x). */
export function mixtureLogEvidence(mixture: CoinMixture, { tosses, heads }: CoinData): number {
  return heads.reduce((sum, seen) => sum + logEvidence(coinJoint(mixture, tosses, seen)), 0);
}

/** One E-step (posteriors of all observations) and one M-step (the weighted averages that maximise L). */
export function mixtureEmStep(mixture: CoinMixture, { tosses, heads }: CoinData): CoinMixture {
  const responsibilities = heads.map((seen) => posterior(coinJoint(mixture, tosses, seen)));
  const weight = mixture.shares.map((_, coin) =>
    responsibilities.reduce((sum, row) => sum + row[coin]!, 0),
  );
  return {
    shares: weight.map((value) => value / heads.length),
    heads: weight.map((value, coin) => {
      const seen = responsibilities.reduce((sum, row, i) => sum + row[coin]! * heads[i]!, 0);
      return seen / (tosses * value);
    }),
  };
}

function total(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
