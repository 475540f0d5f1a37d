/**
 * Gradient of the residual error by the table of action values, (26)-(31) and Theorem 4. That of any other approximator is
 * this one times the Jacobian of Q by w: {@link pullBack} of approximator.ts.
 *
 *   ∇ε = E[β ∇β]                                                                       (26)
 *
 *   T*          ∇β = γ E_{s′}[∇Q(s′, a*(s′))] − ∇Q                                     E.3
 *   T_{w,k}     ∇β = γ E_{w,k}[Q(h′) M_{w,k}[∇Q(h′)]/ε_k + ∇Q(h′)] − ∇Q                (31)
 *   T^{π_θ}     ∇β = γ E_π[∇Q(h′)] − ∇Q
 *   T^{π_w}     ∇β = γ E_w[(∇ log π_w) Q(h′)] + δ,   δ = γ E_w[∇Q(h′)] − ∇Q            (27)
 *
 * with E_w the mean over s′ ~ p(·|h), a′ ~ π_w(·|s′), and M_w[f] = f − E_{a~π_w}[f]. In the last, ∇ log π_w holds ∇ε again.
 * Solved for it, with 𝓔[f] = E[β E_w[Q(h′) M_w f(h′)]]:
 *
 *   ∇ε = (E[βδ] + (γ/ε) 𝓔[∇Q]) / (1 + γ 𝓔[Q]/ε²)                                      (30), corrected
 *   X  = E[β E_w[(∇ log π_w) Q]] = (ε 𝓔[∇Q] − E[βδ] 𝓔[Q]) / (ε² + γ 𝓔[Q])             Theorem 4, corrected
 *
 * Where the paper prints another thing, the printed form stands beside the corrected one. Gradients `[N]`.
 */

import { VirelError } from '../errors.js';
import { boltzmannPolicy, greedyPolicy } from './boltzmann.js';
import { bellmanResidual, implicitResidualError, type Target } from './residual.js';
import { expectedUnder, nextStateWeights, type TabularMdp } from './tabular-mdp.js';

/** Which reading of Theorem 4 the Boltzmann target's gradient follows; `neglect` is E.3's radical approach: X left out. */
export type Theorem4 = 'corrected' | 'printed' | 'neglect';

/**
 * ∇ε_w.
 *
 * @param actionValue Q_w, `[N]`.
 * @param theorem4 is read by the Boltzmann target alone.
 * @throws VirelError as the operator does; `GRADIENT_SINGULAR` where 1 + γ𝓔[Q]/ε² is 0: there ε_w is no function of w.
 */
export function residualErrorGradient(
  mdp: TabularMdp,
  actionValue: Float64Array,
  target: Target,
  theorem4: Theorem4 = 'corrected',
): Float64Array {
  if (target.kind !== 'boltzmann') {
    const residual = bellmanResidual(mdp, actionValue, target);
    return residualPullback(mdp, actionValue, target, residual.map(overPairs(mdp)));
  }
  const terms = boltzmannTerms(mdp, actionValue);
  switch (theorem4) {
    case 'corrected':
      return correctedGradient(mdp, terms);
    case 'printed':
      return printedGradient(mdp, terms);
    case 'neglect':
      return terms.residualTimesDelta;
  }
}

/** −E[β ∇Q], the direct method (F.3): the gradient with the target held. */
export function directGradient(
  mdp: TabularMdp,
  actionValue: Float64Array,
  target: Target,
): Float64Array {
  return bellmanResidual(mdp, actionValue, target).map((value) => -value / mdp.pairs);
}

/**
 * Σ_h c(h) ∇β(h) for weights c: with c = β/N it is (26), with c = bᵀζ/N the first term of F.1.
 *
 * @param weights c, `[N]`.
 * @throws VirelError `TARGET_IMPLICIT` for the Boltzmann target, whose ∇β needs Theorem 4.
 */
export function residualPullback(
  mdp: TabularMdp,
  actionValue: Float64Array,
  target: Target,
  weights: Float64Array,
): Float64Array {
  const nextWeights = nextStateWeights(mdp, weights);
  const slope = nextValueSlope(mdp, actionValue, target);
  return slope.map(
    (value, pair) =>
      mdp.discount * nextWeights[Math.floor(pair / mdp.actions)]! * value - weights[pair]!,
  );
}

/** ∂/∂Q(s, b) of the value that the target gives to s, `[N]`. */
function nextValueSlope(mdp: TabularMdp, actionValue: Float64Array, target: Target): Float64Array {
  switch (target.kind) {
    case 'optimal':
      return greedyPolicy(actionValue, mdp.actions);
    case 'variational':
      return target.policy;
    case 'annealed': {
      const policy = boltzmannPolicy(actionValue, target.floor, mdp.actions);
      const advantage = centred(actionValue, policy, mdp.actions);
      return policy.map((p, pair) => p * (1 + advantage[pair]! / target.floor));
    }
    case 'boltzmann':
      throw new VirelError('TARGET_IMPLICIT', 'the Boltzmann target has no explicit derivative', {
        fix: 'use residualErrorGradient, which solves Theorem 4',
      });
  }
}

/** M_π[f] = f − E_{a~π}[f]. */
export function centred(table: Float64Array, policy: Float64Array, actions: number): Float64Array {
  const averages = expectedUnder(policy, table, actions);
  return table.map((value, pair) => value - averages[Math.floor(pair / actions)]!);
}

/** ∇β as (31) is printed, γ and Q(h′) missing, in Σ_h c(h) ∇β(h). */
export function printedAnnealedPullback(
  mdp: TabularMdp,
  actionValue: Float64Array,
  floor: number,
  weights: Float64Array,
): Float64Array {
  const policy = boltzmannPolicy(actionValue, floor, mdp.actions);
  const nextWeights = nextStateWeights(mdp, weights);
  // E_{w,k}[M_{w,k} ∇Q] is zero: the mean of what is centred
  return policy.map((p, pair) => nextWeights[Math.floor(pair / mdp.actions)]! * p - weights[pair]!);
}

/** What Theorem 4 is made of. */
export interface BoltzmannTerms {
  /** ε_w. */
  temperature: number;
  /** π_w, `[N]`. */
  policy: Float64Array;
  /** β_w, `[N]`. */
  residual: Float64Array;
  /** 𝓔[Q]. */
  operatorOfValue: number;
  /** 𝓔[∇Q], `[N]`. */
  operatorOfGradient: Float64Array;
  /** E[βδ], `[N]`. */
  residualTimesDelta: Float64Array;
  /** E[β E_w[Q(h′)]], which the printed denominator has. */
  residualTimesNextValue: number;
}

/** All of them at Q_w. @throws VirelError `RESIDUAL_ZERO` where ε_w = 0, since π_w is then a limit. */
export function boltzmannTerms(mdp: TabularMdp, actionValue: Float64Array): BoltzmannTerms {
  const { actions, discount } = mdp;
  const temperature = implicitResidualError(mdp, actionValue);
  if (temperature === 0) {
    throw new VirelError(
      'RESIDUAL_ZERO',
      'the residual error is 0: no temperature to differentiate',
    );
  }
  const policy = boltzmannPolicy(actionValue, temperature, actions);
  const residual = bellmanResidual(mdp, actionValue, { kind: 'annealed', floor: temperature });
  const weights = residual.map(overPairs(mdp));

  // E[β p(s′|h)], so that E[β E_w[f(h′)]] is a sum over next pairs
  const nextWeights = nextStateWeights(mdp, weights);
  const reach = policy.map((p, pair) => nextWeights[Math.floor(pair / actions)]! * p);
  const advantage = centred(actionValue, policy, actions);
  return {
    temperature,
    policy,
    residual,
    operatorOfValue: dot(
      reach,
      advantage.map((value, pair) => actionValue[pair]! * value),
    ),
    operatorOfGradient: reach.map((value, pair) => value * advantage[pair]!),
    residualTimesDelta: reach.map((value, pair) => discount * value - weights[pair]!),
    residualTimesNextValue: dot(reach, actionValue),
  };
}

/** Where 1 + γ𝓔[Q]/ε² is smaller, a gradient has no digits left. */
const FOLD = 1e-12;

/** (30), corrected. */
function correctedGradient({ discount }: TabularMdp, terms: BoltzmannTerms): Float64Array {
  const { temperature, operatorOfValue, operatorOfGradient, residualTimesDelta } = terms;
  const denominator = 1 + (discount * operatorOfValue) / temperature ** 2;
  // a fold: ε_w turns back there, and rounding decides on which side
  if (Math.abs(denominator) < FOLD) {
    throw new VirelError('GRADIENT_SINGULAR', 'the residual error has a fold here: no gradient');
  }
  return residualTimesDelta.map(
    (value, pair) => (value + (discount / temperature) * operatorOfGradient[pair]!) / denominator,
  );
}

/** X of Theorem 4, corrected: E[β E_w[(∇ log π_w) Q]]. */
export function boltzmannScoreTerm({ discount }: TabularMdp, terms: BoltzmannTerms): Float64Array {
  const { temperature, operatorOfValue, operatorOfGradient, residualTimesDelta } = terms;
  return operatorOfGradient.map(
    (value, pair) =>
      (temperature * value - residualTimesDelta[pair]! * operatorOfValue) /
      (temperature ** 2 + discount * operatorOfValue),
  );
}

/** X of Theorem 4, as printed. */
export function printedBoltzmannScoreTerm(
  { discount }: TabularMdp,
  terms: BoltzmannTerms,
): Float64Array {
  const { temperature, operatorOfValue, operatorOfGradient, residualTimesDelta } = terms;
  const denominator = temperature ** 2 * (1 + discount * terms.residualTimesNextValue);
  return operatorOfGradient.map(
    (value, pair) =>
      (temperature * residualTimesDelta[pair]! * operatorOfValue + value) / denominator,
  );
}

/** (30), as printed: X without γ. */
function printedGradient(mdp: TabularMdp, terms: BoltzmannTerms): Float64Array {
  return printedBoltzmannScoreTerm(mdp, terms).map(
    (value, pair) => value + terms.residualTimesDelta[pair]!,
  );
}

/**
 * ∇ log π_w = M_w[∇Q]/ε − (∇ε) M_w[Q]/ε², from the proof of Theorem 4 after (29).
 *
 * @param gradient ∇ε_w, `[N]`.
 * @returns `[N, N]`: row h is the gradient of log π_w(h).
 */
export function boltzmannScores(
  { pairs, actions }: TabularMdp,
  actionValue: Float64Array,
  { temperature, policy }: Pick<BoltzmannTerms, 'temperature' | 'policy'>,
  gradient: Float64Array,
): Float64Array {
  const advantage = centred(actionValue, policy, actions);
  return Float64Array.from({ length: pairs * pairs }, (_, entry) => {
    const [pair, by] = [Math.floor(entry / pairs), entry % pairs];
    const sameState = Math.floor(pair / actions) === Math.floor(by / actions);
    const centredGradient = (pair === by ? 1 : 0) - (sameState ? policy[by]! : 0);
    return centredGradient / temperature - (gradient[by]! * advantage[pair]!) / temperature ** 2;
  });
}

/** Divides by N: from a sum over pairs to the mean E[·]. */
const overPairs =
  ({ pairs }: TabularMdp) =>
  (value: number) =>
    value / pairs;

/** Σ f g. */
export function dot(left: Float64Array, right: Float64Array): number {
  return left.reduce((sum, value, i) => sum + value * right[i]!, 0);
}
