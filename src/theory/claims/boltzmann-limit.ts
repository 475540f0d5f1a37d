/** Appendix D.2: a Boltzmann density becomes a Dirac delta. */

import { boltzmannPolicy } from '../boltzmann.js';
import {
  boltzmannDensity,
  boltzmannExpectation,
  type Landscape,
  limitIntegrand,
  limitRate,
  type Peak,
  rescaledIntegrand,
} from '../boltzmann-density.js';
import { drawsOf } from '../examples.js';
import { difference, type NumericClaim, SEEDS, WHY, worst } from './claim.js';
import { simpson } from './independent/simpson.js';

/** A landscape on [−1, 1] with its derivatives at the maximum, and a smooth test function φ. */
interface Case {
  landscape: Landscape;
  peak: Peak;
  test: (x: number) => number;
}

/** f = −k y²/2 + c y³/6 − y⁴, y = x − m: c is small enough for one maximum. φ = cos(ax + b). */
function caseOf(seed: number): Case {
  const draw = drawsOf(seed);
  const maximum = -0.5 + draw();
  const curvature = 2 + 4 * draw();
  const third = -2 + 4 * draw();
  const [a, b] = [1 + 2 * draw(), draw()];
  const angle = a * maximum + b;
  return {
    landscape: {
      f: (x) => {
        const y = x - maximum;
        return 3 - (curvature * y ** 2) / 2 + (third * y ** 3) / 6 - y ** 4;
      },
      maximum,
      domain: [-1, 1],
    },
    peak: {
      curvature,
      third,
      testSlope: -a * Math.sin(angle),
      testCurvature: -(a ** 2) * Math.cos(angle),
    },
    test: (x) => Math.cos(a * x + b),
  };
}

const overCases = (measure: (given: Case, seed: number) => number, seeds = SEEDS) =>
  worst(Array.from({ length: seeds }, (_, seed) => measure(caseOf(seed), seed)));

/** E[φ] under exp(f/ε), literally, on the whole domain. */
function literalMean({ landscape, test }: Case, temperature: number, steps = 4000): number {
  const weight = (x: number) => Math.exp(landscape.f(x) / temperature);
  const total = simpson(weight, -1, 1, steps);
  return simpson((x) => test(x) * weight(x), -1, 1, steps) / total;
}

/** At this temperature exp(f/ε) still fits a float64 and the peak is well inside the domain. */
const MODERATE = 0.05;
const COLD = 1e-8;
const DISTANCES = [-2, -0.7, 0, 0.4, 1.5];

/** f = x − exp(x), with its maximum at 0, and φ = sin(x + ½). */
const LEANING: Case = {
  landscape: { f: (x) => x - Math.exp(x), maximum: 0, domain: [-1, 1] },
  peak: {
    curvature: 1,
    third: -1,
    testSlope: Math.cos(0.5),
    testCurvature: -Math.sin(0.5),
  },
  test: (x) => Math.sin(x + 0.5),
};

/** (E[φ] − φ(x*))/ε at ε = 1e-4, by equal steps over 16 deviations, against the theory's rate and its average. */
function rateError({ landscape, test, peak }: Case): number {
  const temperature = 1e-4;
  const { f, maximum } = landscape;
  const reach = 16 * Math.sqrt(temperature / peak.curvature);
  const weight = (x: number) => Math.exp((f(x) - f(maximum)) / temperature);
  const [low, high] = [maximum - reach, maximum + reach];
  const total = simpson(weight, low, high, 400);
  const mean = simpson((x) => (test(x) - test(maximum)) * weight(x), low, high, 400) / total;
  const average = boltzmannExpectation(landscape, peak.curvature, temperature, test);
  return worst([
    difference(mean / temperature, limitRate(peak)),
    difference(average, test(maximum) + mean),
  ]);
}

export const boltzmannLimitClaims: readonly NumericClaim[] = [
  {
    id: 'theorem-1',
    statement:
      'A Boltzmann density tends to a Dirac delta at the unique maximum, at a known rate in ε.',
    source: 'App. D.2, Theorem 1',
    tolerance: 1e-3,
    why: 'the rate is a limit: at ε = 1e-4 the next term of the expansion, of order ε times sixth derivatives, is left',
    measure: () => worst([overCases(rateError), rateError(LEANING)]),
    derivation: [
      'Let p_ε ∝ exp(f/ε) with a unique interior maximum x*, f twice smooth there. Then E[φ] → φ(x*) for every smooth φ: all the probability gathers at x*. This is what makes π_w greedy as the residual error vanishes.',
      "Laplace's method gives the rate, too, where f has a third derivative: (E[φ] − φ(x*))/ε → φ″/(2k) + φ′ f‴/(2k²) with k = −f″(x*). The first term is the spread of the density, the second its lean.",
      'The last printed lines drop the ½ of the exponent u² f″/2. It stands in numerator and denominator, so that the limit is the same.',
      'The check: 100 landscapes with a cubic term and f = x − exp(x), E[φ] by equal steps at ε = 1e-4, against the closed form and the quadrature of the theory.',
    ],
    uses: ['limitRate', 'boltzmannExpectation'],
  },
  {
    id: 'theorem-1-discrete',
    statement:
      'Over finitely many actions 1 − π(a*) falls like exp(−gap/ε), gap the lead of the best action.',
    source: 'App. D.2, Theorem 1, for discrete actions',
    tolerance: 1e-2,
    why: 'relative; at gap/ε ≥ 12 the next action, of twice the gap at least, adds e^−12 and the normaliser another',
    measure: () =>
      overCases((_, seed) => {
        const draw = drawsOf(seed);
        const gap = 0.2 + draw();
        const values = Float64Array.of(1, 1 - gap, 1 - gap * (2 + draw()));
        const ratios = [12, 16, 20].map((times) => {
          const policy = boltzmannPolicy(values, gap / times);
          return ((policy[1] as number) + (policy[2] as number)) / Math.exp(-times);
        });
        return worst(ratios.map((ratio) => Math.abs(ratio - 1)));
      }),
    derivation: [
      'A sum in the place of an integral: 1 − π(a*) is the sum of exp(−gap_b/ε) over the other actions, over a normaliser that tends to 1. The nearest rival decides. So the limit is reached exponentially fast where there are gaps, and only like ε where actions are continuous.',
    ],
    uses: ['boltzmannPolicy'],
  },
  {
    id: 'equation-12',
    statement: 'lim E_{p_ε}[φ] = φ(x*) for every smooth φ.',
    source: 'App. D.2, (12)',
    tolerance: 1e-7,
    why: 'at ε = 1e-8 what is left is ε times the rate of Theorem 1, some 1e-8',
    measure: () =>
      overCases(({ landscape, peak, test }) =>
        difference(
          boltzmannExpectation(landscape, peak.curvature, COLD, test),
          test(landscape.maximum),
        ),
      ),
    derivation: [
      'What "tends to a Dirac delta" means: averages of test functions tend to their value at x*. The theorem assumes a compact domain, a unique maximum and f twice smooth near it: then everything outside a ball around x* is exponentially small, and inside the ball φ hardly moves.',
      'The check computes the average by quadrature at ε = 1e-8 for 100 landscapes.',
    ],
    uses: ['boltzmannExpectation'],
  },
  {
    id: 'equation-13',
    statement: 'f and g = f − f(x*) have the same Boltzmann density.',
    source: 'App. D.2, (13)',
    tolerance: 1e-10,
    why: 'two quadratures of smooth densities, by different rules',
    measure: () =>
      overCases(({ landscape, peak }) => {
        const weight = (x: number) => Math.exp(landscape.f(x) / MODERATE);
        const total = simpson(weight, -1, 1, 4000);
        const at = [-0.6, -0.1, 0.3, 0.8];
        return difference(
          at.map((x) => boltzmannDensity(landscape, peak.curvature, MODERATE, x)),
          at.map((x) => weight(x) / total),
        );
      }),
    derivation: [
      'exp((g + f(x*))/ε) = exp(g/ε) exp(f(x*)/ε), and the constant cancels in the quotient. It is also why a computer may subtract the maximum before the exponential. One side does, the other takes exp(f/ε) as it is.',
    ],
    uses: ['boltzmannDensity'],
  },
  {
    id: 'equation-14',
    statement: 'E_{p_ε}[φ] is the quotient of the integrals of φ exp(g/ε) and exp(g/ε).',
    source: 'App. D.2, (14)',
    tolerance: 1e-10,
    why: 'two quadratures of smooth densities, by different rules',
    measure: () =>
      overCases((given) =>
        difference(
          boltzmannExpectation(given.landscape, given.peak.curvature, MODERATE, given.test),
          literalMean(given, MODERATE),
        ),
      ),
    derivation: [
      '(13) put into (12). Both integrals are over the same domain, so that the average is their quotient; neither needs the normaliser of p_ε.',
      'One side integrates with g by the rule of Gauss and Legendre, where the peak is, the other with f itself by equal steps over the whole domain.',
    ],
    uses: ['boltzmannExpectation'],
  },
  {
    id: 'equation-15',
    statement: 'The same average after the substitution u = (x* − x)/√ε.',
    source: 'App. D.2, (15)',
    tolerance: 1e-10,
    why: 'two quadratures of smooth densities, by different rules',
    measure: () =>
      overCases(({ landscape, peak, test }) => {
        const { maximum } = landscape;
        const root = Math.sqrt(MODERATE);
        const [low, high] = [(maximum - 1) / root, (maximum + 1) / root];
        const weight = (u: number) => rescaledIntegrand(landscape, MODERATE, u);
        const total = simpson(weight, low, high, 4000);
        const mean = simpson((u) => test(maximum - root * u) * weight(u), low, high, 4000) / total;
        return difference(boltzmannExpectation(landscape, peak.curvature, MODERATE, test), mean);
      }),
    derivation: [
      'The substitution stretches the peak to a width that does not depend on ε; its factor √ε cancels. Now the limit can be taken under the integral.',
    ],
    uses: ['boltzmannExpectation', 'rescaledIntegrand'],
  },
  {
    id: 'equation-16',
    statement: "The numerator's integrand tends to φ(x*) exp(u² f″(x*)/2), point by point.",
    source: 'App. D.2, (16)',
    tolerance: 1e-4,
    why: 'a limit with error of order √ε = 1e-5 times third derivatives',
    measure: () =>
      overCases(({ landscape, peak, test }) =>
        difference(
          DISTANCES.map((u) => {
            const x = landscape.maximum - 1e-5 * u;
            const g = landscape.f(x) - landscape.f(landscape.maximum);
            return test(x) * Math.exp(g / 1e-10);
          }),
          DISTANCES.map((u) => test(landscape.maximum) * limitIntegrand(peak.curvature, u)),
        ),
      ),
    derivation: [
      "By L'Hôpital twice in √ε, or Taylor's theorem: g(x* − √ε u)/ε = f″(x*) u²/2 + O(√ε). The check evaluates the integrand at ε = 1e-10 for five u and 100 landscapes.",
    ],
    uses: ['limitIntegrand'],
  },
  {
    id: 'equation-17',
    statement: "The denominator's integrand tends to exp(u² f″(x*)/2), point by point.",
    source: 'App. D.2, (17)',
    tolerance: 1e-4,
    why: 'a limit with error of order √ε = 1e-5 times third derivatives',
    measure: () =>
      overCases(({ landscape, peak }) =>
        difference(
          DISTANCES.map((u) => rescaledIntegrand(landscape, 1e-10, u)),
          // the same parabola by repeated factors instead of one exponent
          DISTANCES.map((u) => Math.exp(-peak.curvature / 2) ** (u * u)),
        ),
      ),
    derivation: [
      'As (16) with φ = 1: the peak of every smooth landscape looks like the same parabola from near enough, and exp of a parabola is a Gaussian of variance 1/k in u, that is ε/k in x.',
    ],
    uses: ['rescaledIntegrand'],
  },
  {
    id: 'equation-18',
    statement: "The numerator's integrand never exceeds the largest |φ|.",
    source: 'App. D.2, (18)',
    tolerance: 0,
    why: WHY.order,
    measure: () =>
      overCases(({ landscape, test }) => {
        const excess = [1, 0.1, 1e-3, 1e-6].flatMap((temperature) =>
          DISTANCES.map((u) => {
            const x = landscape.maximum - Math.sqrt(temperature) * u;
            // cos is at most 1
            return Math.abs(test(x)) * rescaledIntegrand(landscape, temperature, u) - 1;
          }),
        );
        return Math.max(0, ...excess);
      }),
    derivation: [
      'g is never positive, so that exp(g/ε) is at most 1. A bound that does not depend on ε is what dominated convergence asks for.',
    ],
    uses: ['rescaledIntegrand'],
  },
  {
    id: 'equation-19',
    statement: "The denominator's integrand never exceeds 1.",
    source: 'App. D.2, (19)',
    tolerance: 0,
    why: WHY.order,
    measure: () =>
      overCases(({ landscape }) => {
        const excess = [1, 0.1, 1e-3, 1e-6].flatMap((temperature) =>
          DISTANCES.map((u) => rescaledIntegrand(landscape, temperature, u) - 1),
        );
        return Math.max(0, ...excess);
      }),
    derivation: [
      'As (18) with φ = 1: g is at most 0, with equality at u = 0 alone, and so the exponential is at most 1.',
      'Together (16) to (19) are what the theorem of dominated convergence asks for: point by point limits, and bounds that do not depend on ε. The limit may go inside both integrals of (15), the Gaussian integrals cancel, and φ(x*) is left.',
    ],
    uses: ['rescaledIntegrand'],
  },
];
