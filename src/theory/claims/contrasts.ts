/** What sets VIREL apart from maximum-entropy RL; what changes of the reward do; the density of the algorithms (App. H). */

import { optimalActionValue } from '../bellman.js';
import { boltzmannPolicy } from '../boltzmann.js';
import { softmaxPolicy } from '../e-step.js';
import { evidenceLowerBound } from '../elbo.js';
import { drawsOf, TRAP, threeByTwo } from '../examples.js';
import { runExpectationMaximisation } from '../expectation-maximisation.js';
import {
  criticalTemperature,
  goodChoice,
  maximumEntropyTrap,
  softActionValue,
} from '../maximum-entropy.js';
import { bellmanResidual, implicitResidualError, residualError } from '../residual.js';
import {
  logTanhSlope,
  pathwiseGradient,
  scoreFunctionGradient,
  type TanhGaussian,
  tanhGaussianExpectation,
  tanhGaussianLogDensity,
} from '../tanh-gaussian.js';
import {
  difference,
  failures,
  GOLDEN_VALUE,
  type NumericClaim,
  SEEDS,
  WHY,
  withRewards,
  worst,
  worstOverSituations,
} from './claim.js';
import { gradientBy } from './independent/difference.js';
import {
  boltzmann,
  bound,
  flat,
  halfMeanSquare,
  implicitError,
  minus,
  nest,
  nestedMdp,
  optimalBackup,
  policyBackup,
  softmax,
} from './independent/nested.js';
import { simpson } from './independent/simpson.js';

/** ρ and k of the three examples; a miss is so bad that the good state has one action only. */
const TRAPS = [
  { payoff: 0.9, branches: 20 },
  { payoff: 0.5, branches: 5 },
  { payoff: 0.95, branches: 100 },
] as const;
const MISS = -1000;

/** Of k actions at the start, how many lead the good way. */
const goodWays = (branches: number) => Math.ceil(branches / 2);

/** p(good way) at a temperature where all actions of a way are worth the same, and the good ones are better by `lead`. */
function closedForm(branches: number, lead: number, temperature: number): number {
  const odds =
    (goodWays(branches) / (branches - goodWays(branches))) * Math.exp(lead / temperature);
  return odds / (1 + odds);
}

/** c at which the lead of the good way changes its sign, by halving. */
function flip(lead: (c: number) => number, start: number, end: number): number {
  let [low, high] = [start, end];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    if (lead(middle) > 0) low = middle;
    else high = middle;
  }
}

function trapError({ payoff, branches }: (typeof TRAPS)[number]): number {
  const { discount } = TRAP;
  const mdp = maximumEntropyTrap({ payoff, branches, miss: MISS, discount });
  const critical = (1 - payoff) / Math.log(branches);
  const softLead = (c: number) => discount * (1 - payoff - c * Math.log(branches));
  const choice = (values: Float64Array, t: number) =>
    goodChoice(boltzmannPolicy(values, t, branches), branches);

  // the theory's soft values: by how much the first action, a good one, is better than the last
  const found = flip(
    (c) => {
      const values = softActionValue(mdp, c);
      return (values[0] as number) - (values[branches - 1] as number);
    },
    critical / 2,
    2 * critical,
  );
  const around = [0.25, 0.5, 0.9, 1.1, 2, 4].map((factor) => factor * critical);
  const hard = optimalActionValue(mdp);
  const temperatures = [10, 1, 0.1, 0.01];
  const complete = runExpectationMaximisation(mdp, {
    target: 'variational',
    schedule: { kind: 'complete', mStep: 'solve' },
  });
  return worst([
    difference(found, critical),
    difference(criticalTemperature(payoff, branches), critical),
    difference(
      around.map((c) => choice(softActionValue(mdp, c), c)),
      around.map((c) => closedForm(branches, softLead(c), c)),
    ),
    difference(
      temperatures.map((t) => choice(hard, t)),
      temperatures.map((t) => closedForm(branches, discount * (1 - payoff), t)),
    ),
    failures((hard[0] as number) > (hard[branches - 1] as number)),
    difference(choice(complete.actionValue, 1e-4), 1),
    difference(goodChoice(complete.policy, branches), 1),
  ]);
}

/** Squashed Gaussians whose density vanishes at the ends of the action interval. */
const overGaussians = (measure: (gaussian: TanhGaussian) => number) =>
  worst(
    Array.from({ length: SEEDS }, (_, seed) => {
      const draw = drawsOf(seed);
      return measure({ mean: 2 * draw() - 1, deviation: 0.2 + 0.6 * draw() });
    }),
  );

/** A smooth function of an action, and its derivative. */
const g = (a: number) => a ** 2 + Math.sin(2 * a);
const slopeOfG = (a: number) => 2 * a + 2 * Math.cos(2 * a);
const standardNormal = (z: number) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

export const contrastClaims: readonly NumericClaim[] = [
  {
    id: 'merl-counterexample',
    statement:
      "Maximum-entropy RL prefers the worse way above c* = (1−ρ)/log k; VIREL's policy never does.",
    source: 'Section 3.3 and Figure 1, an equivalent MDP',
    tolerance: 1e-9,
    why: 'c* by bisection on soft values that were iterated to rounding; quotients of differences of 1e-2',
    measure: () => worst(TRAPS.map(trapError)),
    derivation: [
      'From the start one way leads to a state with one good action, worth 1, the other to a state with k actions worth ρ < 1 each. Soft values count actions: V(one) = 1, V(many) = ρ + c log k. So the soft policy prefers the second as soon as c log k > 1 − ρ. A larger reward for the objective, and the wrong action for the agent.',
      'VIREL uses hard values, 1 and ρ, at any residual error. Its policy may be open, but its mode is right, and complete EM makes it certain: the entropy vanishes with the residual.',
      "The figure's own rewards cannot be recovered; this MDP has the same structure. The check finds c* for three (ρ, k) where the lead of the good way in iterated soft values changes its sign, compares both curves with their closed forms, and runs complete EM.",
    ],
    uses: [
      'maximumEntropyTrap',
      'softActionValue',
      'criticalTemperature',
      'runExpectationMaximisation',
    ],
  },
  {
    id: 'tanh-gaussian-density',
    statement: 'The density of a = tanh(u), u Gaussian, integrates to 1 over the actions.',
    source: 'App. H, the policies of the algorithms',
    tolerance: 1e-8,
    why: 'quadrature by equal steps in a, where the density falls faster than any power at both ends',
    measure: () =>
      overGaussians((gaussian) => {
        const density = (a: number) =>
          Math.abs(a) === 1 ? 0 : Math.exp(tanhGaussianLogDensity(Math.atanh(a), gaussian));
        const points = [-5, -0.5, 0, 2];
        return worst([
          difference(simpson(density, -1, 1, 20_000), 1),
          difference(
            points.map((u) => Math.exp(logTanhSlope(u))),
            points.map((u) => 1 / Math.cosh(u) ** 2),
          ),
        ]);
      }),
    derivation: [
      'log π(a) = log N(u) − log(1 − tanh² u), u = artanh a: the change of variables. The second term is computed as 2 (log 2 − u − softplus(−2u)), finite for every u. A form with 1e-6 inside the logarithm, common in published code, is off by 2.9 at u = 9.',
    ],
    uses: ['tanhGaussianLogDensity', 'logTanhSlope'],
  },
  {
    id: 'reparameterised-and-score',
    statement: 'The reparametrised and the score gradient of E_π[f] are the same number.',
    source: 'App. H, after the objectives',
    tolerance: 1e-9,
    why: 'Gaussian quadratures by equal steps are exact to rounding; differences of one add 1e-10',
    measure: () =>
      overGaussians(({ mean, deviation }) => {
        const gaussian = { mean, deviation };
        const literal = (shift: number) =>
          simpson(
            (z) => standardNormal(z) * g(Math.tanh(mean + shift + deviation * z)),
            -12,
            12,
            3000,
          );
        const slope = gradientBy(([shift]) => literal(shift as number), [0])[0] as number;
        return worst([
          difference(tanhGaussianExpectation(g, gaussian), literal(0)),
          difference(pathwiseGradient(slopeOfG, gaussian), slope),
          difference(scoreFunctionGradient(g, gaussian), slope),
        ]);
      }),
    derivation: [
      'd/dμ ∫ π(a; μ) f(a) da = E[f ∇ log π] by the log-derivative trick, or E[f′(ã) ∂ã/∂μ] with ã = tanh(μ + σξ) and ξ fixed. One needs no derivative of f, the other has far less variance. J_π of Appendix H can be followed by either.',
      'The check takes both as exact averages of 100 Gaussians and compares them with a difference of E[f] by μ.',
    ],
    uses: ['pathwiseGradient', 'scoreFunctionGradient', 'tanhGaussianExpectation'],
  },
  {
    id: 'reward-shift',
    statement: 'r + k and Q + k/(1−γ) leave β, ε_w and π_w as they are; L grows by k/((1−γ) ε_w).',
    source: '(3), (4); used in D.3 to have Q > 0',
    tolerance: 1e-11,
    why: 'values shifted by up to 60 lose two digits of a residual of order 1',
    measure: () =>
      worstOverSituations(({ mdp, actionValue, logits, stateWeights }) => {
        const k = 3;
        const moved = withRewards(mdp, (reward) => reward + k);
        const shift = k / (1 - mdp.discount);
        const shifted = actionValue.map((value) => value + shift);
        const q = nest(actionValue, mdp.actions);
        const before = implicitError(nestedMdp(mdp), q);
        const after = implicitResidualError(moved, shifted);
        const policy = softmaxPolicy(logits, mdp.actions);
        const boundAfter = evidenceLowerBound({
          actionValue: shifted,
          temperature: before,
          policy,
          stateWeights,
        });
        const boundBefore = bound(q, before, softmax(nest(logits, mdp.actions)), stateWeights);
        const residual = minus(policyBackup(nestedMdp(mdp), q, boltzmann(q, before)), q);
        return worst([
          difference(after, before),
          difference(
            bellmanResidual(moved, shifted, { kind: 'annealed', floor: after }),
            flat(residual),
          ),
          difference(boltzmannPolicy(shifted, after, mdp.actions), flat(boltzmann(q, before))),
          difference(boundAfter, boundBefore + shift / before),
        ]);
      }),
    derivation: [
      'T^π (Q + c) = T^π Q + γc, and r + k adds k: with c = k/(1−γ) both sides of the residual grow by c. A softmax does not see a constant. Only the bound does.',
    ],
    uses: ['implicitResidualError', 'bellmanResidual', 'boltzmannPolicy', 'evidenceLowerBound'],
  },
  {
    id: 'reward-scale',
    statement: 'kr and kQ make ε k² times as large for T* and a fixed policy, but not for T^{π_w}.',
    source: 'Section 5 and App. I.1, reward scaling',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worst([
        worstOverSituations(({ mdp, actionValue, logits }) => {
          const k = 3;
          const scaled = withRewards(mdp, (reward) => k * reward);
          const values = actionValue.map((value) => k * value);
          const [nested, q] = [nestedMdp(mdp), nest(actionValue, mdp.actions)];
          const policy = softmax(nest(logits, mdp.actions));
          return worst([
            difference(
              residualError(scaled, values, { kind: 'optimal' }),
              k ** 2 * halfMeanSquare(minus(optimalBackup(nested, q), q)),
            ),
            difference(
              residualError(scaled, values, {
                kind: 'variational',
                policy: softmaxPolicy(logits, mdp.actions),
              }),
              k ** 2 * halfMeanSquare(minus(policyBackup(nested, q, policy), q)),
            ),
          ]);
        }),
        difference(goldenScaleRatio(), literalScaleRatio()),
        failures(Math.abs(literalScaleRatio() - 1) > 0.1),
      ]),
    derivation: [
      'The operators are linear in (r, Q) for a policy that stays; T*, too, scales. The residual grows by k, its square by k². ε has the units of return squared, Q those of return: a larger reward scale makes the temperature grow faster than the values.',
      'The Boltzmann policy of kQ at k²ε is another policy, k times as open. So the implicit ε of T^{π_w} does not scale: on the 3x2 MDP it is 0.8687 of k²ε at k = 3.',
    ],
    uses: ['residualError', 'implicitResidualError'],
  },
];

/** The same by definition. */
function literalScaleRatio(): number {
  const k = 3;
  const [nested, q] = [nestedMdp(threeByTwo()), nest(GOLDEN_VALUE, 2)];
  const times = (table: typeof q) => table.map((row) => row.map((value) => k * value));
  const scaled = { ...nested, reward: times(nested.reward) };
  return implicitError(scaled, times(q)) / (k ** 2 * implicitError(nested, q));
}

/** ε_w of the scaled 3x2 MDP over k² ε_w, k = 3. */
function goldenScaleRatio(): number {
  const k = 3;
  const mdp = threeByTwo();
  const scaled = withRewards(mdp, (reward) => k * reward);
  const before = implicitResidualError(mdp, GOLDEN_VALUE);
  return (
    implicitResidualError(
      scaled,
      GOLDEN_VALUE.map((value) => k * value),
    ) /
    (k ** 2 * before)
  );
}
