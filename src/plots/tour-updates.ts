/** Pictures of the tour about updates: the implicit gradient (section 6), two time scales (9), MPO's E-step (10). */

import * as Plot from '@observablehq/plot';
import { tanhApproximator } from '../theory/approximator.js';
import { eStep } from '../theory/e-step.js';
import {
  projectedResidualError,
  type TwoTimescaleState,
  twoTimescaleStep,
} from '../theory/projected-residual.js';
import { implicitResidualError } from '../theory/residual.js';
import { residualErrorGradient, type Theorem4 } from '../theory/residual-gradient.js';
import { uniform, uniformPolicy } from '../theory/tabular-mdp.js';
import {
  above,
  chart,
  curve,
  HELPING,
  label,
  pointFrom,
  powerOfTen,
  type Series,
} from './chart.js';
import { INK, OKABE_ITO } from './colours.js';
import { drawFigure } from './figure.js';
import { ACTION_VALUE, decades, MDP } from './tour-setting.js';

/** Of section 6: small against the values, large against rounding. */
const DIFFERENCE = 1e-5;
/** What is closer than this agrees: a finite difference is no more exact. */
const AGREES = 1e-8;

/** What section 6 compares, and how it is drawn, beside one another around the finite difference. */
const READINGS = [
  { theorem4: 'corrected', fill: OKABE_ITO.blue, symbol: 'circle', aside: 0, at: 325 },
  { theorem4: 'printed', fill: OKABE_ITO.vermillion, symbol: 'triangle', aside: 15, at: 425 },
  { theorem4: 'neglect', fill: OKABE_ITO.green, symbol: 'square', aside: -15, at: 510 },
] as const;
/** A finite difference, around what agrees with it. */
const RING = { r: 8, stroke: INK, strokeWidth: 1.5 } as const;

/** A component of the gradient. */
interface Component {
  /** `(s, a)`. */
  pair: string;
  value: number;
  /** How far it is from the finite difference. */
  error: number;
}

/** Section 6: ∇ε by finite differences, and by the three formulas. */
export function gradientReadings() {
  const moved = (h: number, by: number) =>
    implicitResidualError(MDP, ACTION_VALUE.with(h, (ACTION_VALUE[h] ?? Number.NaN) + by));
  const differences = ACTION_VALUE.map(
    (_, h) => (moved(h, DIFFERENCE) - moved(h, -DIFFERENCE)) / (2 * DIFFERENCE),
  );
  const components = (gradient: Float64Array): Component[] =>
    Array.from(gradient, (value, h) => ({
      pair: `(${Math.floor(h / MDP.actions)}, ${h % MDP.actions})`,
      value,
      error: Math.abs(value - (differences[h] ?? Number.NaN)),
    }));
  const reading = (theorem4: Theorem4) =>
    components(residualErrorGradient(MDP, ACTION_VALUE, { kind: 'boltzmann' }, theorem4));
  return {
    differences: components(differences),
    corrected: reading('corrected'),
    printed: reading('printed'),
    neglect: reading('neglect'),
  };
}

/** Draws section 6. @returns SVG. */
export function drawGradientReadings(): string {
  const { differences, ...readings } = gradientReadings();
  const x = {
    type: 'point',
    padding: 0.5,
    domain: differences.map(({ pair }) => pair),
  } as const;
  const dots = (y: 'value' | 'error') =>
    READINGS.map(({ theorem4, fill, symbol, aside }) =>
      Plot.dot(readings[theorem4], {
        x: 'pair',
        y: (component: Component) => Math.max(component[y], y === 'error' ? AGREES : -Infinity),
        fill,
        symbol,
        r: 4.5,
        dx: aside,
        title: () => theorem4,
      }),
    );
  return drawFigure({
    description:
      'The gradient of the residual error by finite differences and by three formulas: only the corrected one agrees',
    plots: [
      chart({
        title: 'Finite differences decide: of three gradients only the corrected one agrees',
        upwards: '∂ε/∂Q(s, a)',
        height: 200,
        marginBottom: 6,
        x: { ...x, axis: null },
        y: { ticks: [-0.4, 0, 0.4], domain: [-0.6, 0.75] },
        marks: [
          Plot.ruleY([0], { stroke: INK }),
          ...keys(),
          ...dots('value'),
          Plot.dot(differences, {
            x: 'pair',
            y: 'value',
            ...RING,
            title: () => 'finite difference',
          }),
        ],
      }),
      chart({
        upwards: 'how far each is from the finite difference',
        height: 160,
        x: { ...x, label: 'pair (s, a)' },
        y: {
          type: 'log',
          domain: [AGREES, 1],
          ticks: [AGREES, 1e-6, 1e-4, 1e-2, 1],
          tickFormat: (value: number) => `${value <= AGREES ? '≤ ' : ''}${powerOfTen(value)}`,
        },
        marks: dots('error'),
      }),
    ],
  });
}

/** What the signs mean, over the frame, from the right of the quantity that is drawn upwards. */
const keys = (): Plot.Markish[] =>
  [
    { name: 'finite difference', at: 180, sign: RING },
    ...READINGS.map(({ theorem4, at, fill, symbol }) => ({
      name: theorem4,
      at,
      sign: { fill, symbol, r: 4.5 },
    })),
  ].flatMap(({ name, at, sign }) => [
    Plot.dot([name], { frameAnchor: 'top-left', dx: at, dy: -12, ...sign }),
    above([name], { frameAnchor: 'top-left', dx: at + 14 }),
  ]);

/** Section 9: how many times as fast as w the auxiliary weights ζ move. */
const SPEEDS = [4, 1, 0.1] as const;
const UPDATES = 8000;
/** Points of a line are so many updates apart. */
const APART = 40;
/** Below this section 9 calls it converged. */
const CONVERGED = 1e-12;

/** Section 9: ε_P over expected updates. */
export function twoTimescaleErrors(): Series[] {
  const approximator = tanhApproximator(MDP.states, MDP.actions);
  const target = { kind: 'variational', policy: uniformPolicy(MDP) } as const;
  return SPEEDS.map((ratio) => {
    const sizes = { valueStep: 0.2, auxiliaryStep: 0.2 * ratio, radius: 100 };
    let state: TwoTimescaleState = {
      parameters: Float64Array.of(0, 0, 1),
      weights: new Float64Array(3),
    };
    const points = [];
    for (let x = 0; x <= UPDATES; x++) {
      if (x % APART === 0) {
        const y = projectedResidualError(MDP, approximator, state.parameters, target);
        points.push({ x, y });
      }
      state = twoTimescaleStep(MDP, approximator, state, target, sizes);
    }
    return { name: `ζ ${ratio} times as fast as w`, points };
  });
}

/** Draws section 9. @returns SVG. */
export function drawTwoTimescale(): string {
  const [fast, equal, slow] = twoTimescaleErrors() as [Series, Series, Series];
  const [blue, red] = [OKABE_ITO.blue, OKABE_ITO.vermillion];
  const stuck = pointFrom(slow, UPDATES).y.toFixed(2);
  return drawFigure({
    description:
      'The projected residual error over expected updates: it vanishes where the auxiliary weights are as fast as w or faster, ' +
      'and is stuck where they are slower',
    plots: [
      chart({
        title:
          'The projected residual vanishes, unless the auxiliary weights ζ are the slower ones',
        upwards: 'projected residual error (return²)',
        x: { ticks: [0, 2000, 4000, 6000, 8000], label: 'expected updates' },
        y: {
          type: 'log',
          domain: [1e-15, 10],
          ticks: [1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1],
          tickFormat: powerOfTen,
        },
        marks: [
          Plot.ruleY([CONVERGED], HELPING),
          label({ x: 0, y: CONVERGED }, 'below: converged', {
            textAnchor: 'start',
            dx: 8,
            dy: 12,
          }),
          curve(fast, OKABE_ITO.sky, { strokeWidth: 7 }),
          curve(equal, blue),
          curve(slow, red),
          label(pointFrom(equal, 2800), 'ζ 4 times as fast as w (wide), or as fast (narrow)', {
            fill: blue,
            textAnchor: 'start',
            dx: 14,
            dy: -8,
          }),
          label(pointFrom(slow, 6000), `ζ 10 times slower than w: stuck at ${stuck}`, {
            fill: red,
            dy: 16,
          }),
        ],
      }),
    ],
  });
}

/** Of section 10: one state, three actions. */
const ONE_STATE = {
  actionValue: Float64Array.of(1, 2, 0),
  priorPolicy: Float64Array.of(0.8, 0.1, 0.1),
  stateWeights: uniform(1),
};

/** Section 10: the probabilities of the E-step over its temperature, one line an action. */
export function mpoProbabilities(): Series[] {
  const policies = decades(-1.5, 2, 40).map((temperature) => ({
    temperature,
    policy: eStep({ ...ONE_STATE, temperature }),
  }));
  return Array.from(ONE_STATE.actionValue, (value, action) => ({
    name: `Q = ${value}, prior ${ONE_STATE.priorPolicy[action]}`,
    points: policies.map(({ temperature, policy }) => ({
      x: temperature,
      y: policy[action] ?? Number.NaN,
    })),
  }));
}

/** Draws section 10. @returns SVG. */
export function drawMpoProbabilities(): string {
  const [middle, best, worst] = mpoProbabilities() as [Series, Series, Series];
  const { blue, vermillion, green } = OKABE_ITO;
  const named = (line: Series, fill: string, from: number, dy: number) =>
    label(pointFrom(line, from), line.name, { fill, dy, textAnchor: 'start' });
  return drawFigure({
    description:
      'The probabilities of three actions over the temperature, from greedy to the prior policy',
    plots: [
      chart({
        title: 'The E-step of MPO: greedy where it is cold, the prior policy where it is warm',
        upwards: 'probability of an action',
        x: {
          type: 'log',
          ticks: [0.1, 1, 10, 100],
          tickFormat: String,
          label: 'greedy ←   temperature (return)   → prior',
        },
        y: { domain: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1], tickFormat: String },
        marks: [
          curve(middle, blue),
          curve(best, vermillion),
          curve(worst, green),
          named(middle, blue, 4, -14),
          named(best, vermillion, 0.05, 16),
          named(worst, green, 12, 16),
        ],
      }),
    ],
  });
}
