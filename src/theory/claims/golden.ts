/** The 3x2 MDP in exact numbers, computed once by a program in another language. */

import { optimalActionValue, policyActionValue } from '../bellman.js';
import { type Bound, evidenceLowerBound, logPartition } from '../elbo.js';
import { threeByTwo } from '../examples.js';
import { residualError } from '../residual.js';
import {
  type BoltzmannTerms,
  boltzmannScoreTerm,
  boltzmannTerms,
  printedBoltzmannScoreTerm,
  residualErrorGradient,
} from '../residual-gradient.js';
import { type TabularMdp, uniform, uniformPolicy } from '../tabular-mdp.js';
import { difference, GOLDEN_VALUE, type NumericClaim, worst } from './claim.js';

interface Setting {
  mdp: TabularMdp;
  Q: Float64Array;
  terms: BoltzmannTerms;
  even: Float64Array;
  bound: Bound;
}

/** What is compared, and its number in __tests__/fixtures/theory/tabular.json (numpy), to twelve decimals. */
interface GoldenRow {
  name: string;
  got: (setting: Setting) => number | Float64Array;
  golden: readonly number[];
}

const ROWS: readonly GoldenRow[] = [
  {
    name: 'ε_w of T^{π_w}',
    got: ({ terms }) => terms.temperature,
    golden: [1.395284741982],
  },
  {
    name: 'π_w',
    got: ({ terms }) => terms.policy,
    golden: [
      0.328120169711, 0.671879830289, 0.37714366251, 0.62285633749, 0.796040597149, 0.203959402851,
    ],
  },
  {
    name: 'β_w',
    got: ({ terms }) => terms.residual,
    golden: [
      1.384887133718, -0.354722293365, 0.977736177563, 1.773463435424, -0.829246847934,
      3.148155920651,
    ],
  },
  {
    name: '𝓔[Q]',
    got: ({ terms }) => terms.operatorOfValue,
    golden: [0.411282306859],
  },
  {
    name: '𝓔[∇Q]',
    got: ({ terms }) => terms.operatorOfGradient,
    golden: [
      -0.052993435178, 0.052993435178, -0.03377073854, 0.03377073854, 0.176131239317,
      -0.176131239317,
    ],
  },
  {
    name: 'E[βδ]',
    got: ({ terms }) => terms.residualTimesDelta,
    golden: [
      -0.159828477595, 0.204475944191, -0.09324569935, -0.180449967333, 0.547262678119,
      -0.419885703465,
    ],
  },
  {
    name: 'X, corrected',
    got: ({ mdp, terms }) => boltzmannScoreTerm(mdp, terms),
    golden: [
      -0.003541821368, -0.004383479618, -0.003784889878, 0.052368173599, 0.008922749143,
      -0.031533233899,
    ],
  },
  {
    name: 'X, printed',
    got: ({ mdp, terms }) => printedBoltzmannScoreTerm(mdp, terms),
    golden: [
      -0.030142113151, 0.035478766333, -0.018179657436, -0.014534826982, 0.10210003991,
      -0.08687483703,
    ],
  },
  {
    name: '∇ε_w, corrected',
    got: ({ mdp, Q }) => residualErrorGradient(mdp, Q, { kind: 'boltzmann' }),
    golden: [
      -0.163016116827, 0.200530812535, -0.09665210024, -0.133318611094, 0.555293152347,
      -0.448265613974,
    ],
  },
  {
    name: '∇ε_w, printed (30)',
    got: ({ mdp, Q }) => residualErrorGradient(mdp, Q, { kind: 'boltzmann' }, 'printed'),
    golden: [
      -0.189970590747, 0.239954710524, -0.111425356786, -0.194984794316, 0.649362718029,
      -0.506760540495,
    ],
  },
  {
    name: '∇ε of T*',
    got: ({ mdp, Q }) => residualErrorGradient(mdp, Q, { kind: 'optimal' }),
    golden: [-0.279, 0.308365, -0.211, -0.0839825, 0.711434166667, -0.577333333333],
  },
  {
    name: 'ε of T*',
    got: ({ mdp, Q }) => residualError(mdp, Q, { kind: 'optimal' }),
    golden: [1.758886416667],
  },
  {
    name: 'ε_{w,k} at ε_k = 0.5',
    got: ({ mdp, Q }) => residualError(mdp, Q, { kind: 'annealed', floor: 0.5 }),
    golden: [2.164757889509],
  },
  {
    name: '∇ε_{w,k} at ε_k = 0.5',
    got: ({ mdp, Q }) => residualErrorGradient(mdp, Q, { kind: 'annealed', floor: 0.5 }),
    golden: [
      -0.28619007181, 0.323301269129, -0.201332159403, -0.093619408516, 0.736134035482,
      -0.601283776568,
    ],
  },
  {
    name: 'Q*',
    got: ({ mdp }) => optimalActionValue(mdp),
    golden: [
      15.298060270177, 15.497921718046, 14.978922757187, 16.714582611708, 14.549207655005,
      16.952719085556,
    ],
  },
  {
    name: 'Q of the uniform policy',
    got: ({ mdp, even }) => policyActionValue(mdp, even),
    golden: [
      8.817717756526, 8.430109099318, 8.099060684795, 9.493748554638, 7.863200745467,
      9.943454040892,
    ],
  },
  {
    name: 'L of the uniform policy',
    got: ({ even, bound }) => evidenceLowerBound({ ...bound, policy: even }),
    golden: [1.5531866864],
  },
  {
    name: 'L of π_w',
    got: ({ bound }) => evidenceLowerBound(bound),
    golden: [1.656466010805],
  },
  {
    name: 'ℓ',
    got: ({ bound }) => logPartition(bound),
    golden: [2.779678264605],
  },
];

function settingOf(): Setting {
  const mdp = threeByTwo();
  const terms = boltzmannTerms(mdp, GOLDEN_VALUE);
  const { temperature, policy } = terms;
  const bound = {
    actionValue: GOLDEN_VALUE,
    temperature,
    policy,
    stateWeights: uniform(mdp.states),
  };
  return { mdp, Q: GOLDEN_VALUE, terms, even: uniformPolicy(mdp), bound };
}

export const goldenClaims: readonly NumericClaim[] = [
  {
    id: 'golden-numbers',
    statement:
      'The exact numbers of the 3x2 MDP are those of an independent program in another language.',
    source: 'the tabular case of the project, 3 states, 2 actions, γ = 0.9',
    tolerance: 1e-11,
    why: 'the numbers are kept to twelve decimals',
    measure: () => {
      const setting = settingOf();
      return worst(ROWS.map(({ got, golden }) => difference(got(setting), golden)));
    },
    derivation: [
      'One small case in full: Q = [1 2 | 0.5 1.2 | 2.2 0.3]. A script in Python and numpy computed ε_w, π_w, β, the terms of Theorem 4, gradients as corrected and as printed, Q*, and bounds; it lies beside its numbers in __tests__/fixtures/theory.',
      'The tests of the room compare everything in that file, projected residuals and the two time scales included; this claim carries the numbers that the tour in docs/theory.md mentions.',
    ],
    uses: ['boltzmannTerms', 'residualErrorGradient', 'evidenceLowerBound'],
  },
];
