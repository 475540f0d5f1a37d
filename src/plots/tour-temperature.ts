/** Pictures of the tour about temperatures: what they are (section 1), and what cold ones do (5, 7). */

import * as Plot from '@observablehq/plot';
import { largestMagnitude, optimalActionValue } from '../theory/bellman.js';
import {
  boltzmannDensity,
  boltzmannExpectation,
  type Landscape,
} from '../theory/boltzmann-density.js';
import { mStep } from '../theory/m-step.js';
import { bellmanResidual, findRoot, normOf } from '../theory/residual.js';
import { TabularMdp } from '../theory/tabular-mdp.js';
import {
  chart,
  curve,
  dot,
  HELPING,
  label,
  type Point,
  pointFrom,
  powerOfTen,
  type Series,
} from './chart.js';
import { INK, OKABE_ITO, SERIES } from './colours.js';
import { drawFigure } from './figure.js';
import { ACTION_VALUE, decades, MDP, TEMPERATURE } from './tour-setting.js';

/** The 3x2 MDP with rewards that are 30 times as large: at its Q* there are several temperatures. */
export const RICH = new TabularMdp({
  states: MDP.states,
  actions: MDP.actions,
  discount: MDP.discount,
  transition: MDP.transition,
  reward: MDP.reward.map((reward) => 30 * reward),
});

/** F(ε)/ε: above 0 where the residual error of the policy at temperature ε is larger than ε. */
const relativeExcess = (mdp: TabularMdp, actionValue: Float64Array) => (floor: number) =>
  normOf(bellmanResidual(mdp, actionValue, { kind: 'annealed', floor })) / floor - 1;

/** Above this F(ε)/ε shows nothing more. */
const EXCESS_CEILING = 0.6;

/** Section 1: F(ε)/ε over ε, and its roots. */
export function residualRoots() {
  const excesses = {
    'Q of the example': relativeExcess(MDP, ACTION_VALUE),
    'Q* of rewards times 30': relativeExcess(RICH, optimalActionValue(RICH)),
  };
  const lines = Object.entries(excesses).map(([name, excess]): Series => {
    const points = decades(-0.5, 3.5, 40).map((x) => ({ x, y: excess(x) }));
    return { name, points: points.filter(({ y }) => y <= EXCESS_CEILING) };
  });
  const several = crossings(lines[1]?.points ?? []).map(([left, right]) =>
    findRoot(excesses['Q* of rewards times 30'], left, right),
  );
  return { lines, one: TEMPERATURE, several };
}

/** Between which points a line crosses zero. */
const crossings = (points: readonly Point[]) =>
  points.flatMap((point, index) => {
    const next = points[index + 1];
    return next !== undefined && point.y * next.y < 0 ? [[point.x, next.x] as const] : [];
  });

/** Draws section 1. @returns SVG. */
export function drawResidualRoots(): string {
  const { lines, one, several } = residualRoots();
  const [example, rich] = lines as [Series, Series];
  const [low, high] = several as [number, number];
  const [blue, red] = [OKABE_ITO.blue, OKABE_ITO.vermillion];
  const right = { textAnchor: 'start', dx: 10 } as const;
  const root = (x: number, fill: string, options: Plot.TextOptions) => [
    dot({ x, y: 0 }, fill),
    label({ x, y: 0 }, `ε = ${x.toPrecision(4)}`, {
      fill,
      dy: -12,
      fontWeight: 'bold',
      ...options,
    }),
  ];
  return drawFigure({
    description:
      'F(ε)/ε over ε: one root for the Q of the example, three for Q* where rewards are 30 times as large',
    plots: [
      chart({
        title: 'The temperature is a root of F: there is one at least, there may be several',
        upwards: 'F(ε)/ε = ½ mean β²/ε − 1, with β the residual under the policy of temperature ε',
        x: {
          type: 'log',
          ticks: [1, 10, 100, 1000],
          tickFormat: String,
          label: 'ε (return²)',
        },
        y: { domain: [-1, EXCESS_CEILING], ticks: [-1, -0.5, 0, 0.5], tickFormat: signed },
        marks: [
          Plot.ruleY([0], { stroke: INK }),
          curve(example, blue),
          curve(rich, red),
          label(pointFrom(example, 2.2), 'Q of the example: one root', {
            ...right,
            fill: blue,
            dy: -2,
          }),
          label(pointFrom(rich, 85), 'Q* where rewards are 30 times as large: three roots', {
            fill: red,
            dy: -38,
          }),
          label(pointFrom(rich, 0), '← the third, ε = 0: no residual', {
            fill: red,
            textAnchor: 'start',
            dy: -16,
          }),
          ...root(one, blue, right),
          ...root(low, red, { textAnchor: 'end', dx: -10 }),
          ...root(high, red, right),
        ],
      }),
    ],
  });
}

/** A number with the sign of mathematics, as Plot writes it elsewhere. */
const signed = (value: number) => String(value).replace('-', '−');

/** f = x − exp(x): a maximum at 0 with f″ = −1, and steeper on the right of it. */
export const SKEWED: Landscape = { f: (x) => x - Math.exp(x), maximum: 0, domain: [-16, 4] };
const SKEWED_CURVATURE = 1;

/** How far to draw a density to the left and to the right, in √ε: as far as it is visible. */
const VISIBLE = { left: -4.5, right: 4, step: 0.05 };
/** What of the axis is drawn. */
const SKEWED_DRAWN = [-3, 2] as const;

/** Section 5: the density at four temperatures, each with its mean. */
export const boltzmannDensities = () =>
  [1, 0.1, 0.01, 0.001].map((temperature) => {
    const height = (x: number) => boltzmannDensity(SKEWED, SKEWED_CURVATURE, temperature, x);
    const mean = boltzmannExpectation(SKEWED, SKEWED_CURVATURE, temperature, (x) => x);
    const points = Array.from(
      { length: (VISIBLE.right - VISIBLE.left) / VISIBLE.step + 1 },
      (_, step) => Math.sqrt(temperature) * (VISIBLE.left + step * VISIBLE.step),
    )
      .filter((x) => SKEWED_DRAWN[0] <= x && x <= SKEWED_DRAWN[1])
      .map((x) => ({ x, y: height(x) }));
    return { name: `ε = ${temperature}`, points, mean: { x: mean, y: height(mean) } };
  });

/** Where the name of a density stands: beside its right flank, at this share of its height. */
const FLANK = 0.5;

/** Draws section 5. @returns SVG. */
export function drawBoltzmannDensities(): string {
  const densities = boltzmannDensities();
  const peak = Math.max(...densities.flatMap(({ points }) => points.map(({ y }) => y)));
  const flank = ({ points }: Series) => {
    const highest = Math.max(...points.map(({ y }) => y));
    return points.find(({ x, y }) => x > SKEWED.maximum && y < FLANK * highest);
  };
  return drawFigure({
    description: 'Boltzmann densities of x − exp(x) at four temperatures gather at its maximum',
    plots: [
      chart({
        title: 'The colder, the closer the density gathers at the maximum of f(x) = x − exp(x)',
        upwards: 'density p(x) = exp(f(x)/ε)/Z, on a scale of square roots; dots: means',
        x: { domain: SKEWED_DRAWN, ticks: [-3, -2, -1, 0, 1, 2], tickFormat: signed, label: 'x' },
        y: {
          type: 'sqrt',
          domain: [0, peak],
          ticks: [0, 0.2, 1, 2, 4, 8, 12],
          tickFormat: String,
        },
        marks: [
          Plot.ruleX([SKEWED.maximum], HELPING),
          ...densities.flatMap((density, index) => {
            const stroke = SERIES[index] ?? INK;
            const beside = { fill: stroke, textAnchor: 'start', dx: 10, dy: -10 } as const;
            return [
              curve(density, stroke),
              dot(density.mean, stroke, { r: 4.5 }),
              label(flank(density) ?? density.mean, density.name, beside),
            ];
          }),
          label({ x: SKEWED.maximum, y: peak }, 'maximum x* = 0', {
            textAnchor: 'end',
            dx: -24,
            dy: 4,
          }),
        ],
      }),
    ],
  });
}

/** Section 7: how far the minimiser at ε_k is from Q*, and what that is bounded by. */
export function annealingDistances() {
  const optimum = optimalActionValue(MDP);
  const floors = decades(-2, 1, 20);
  const distance = (floor: number) => {
    const minimiser = mStep(MDP, optimum, { kind: 'annealed', floor });
    return largestMagnitude(minimiser.map((value, h) => value - (optimum[h] ?? Number.NaN)));
  };
  const bound = (floor: number) =>
    (MDP.discount * floor * Math.log(MDP.actions)) / (1 - MDP.discount);
  return Object.entries({ distance, bound }).map(
    ([name, of]): Series => ({ name, points: floors.map((x) => ({ x, y: of(x) })) }),
  );
}

/** Draws section 7. @returns SVG. */
export function drawAnnealing(): string {
  const [distance, bound] = annealingDistances() as [Series, Series];
  const [blue, red] = [OKABE_ITO.blue, OKABE_ITO.vermillion];
  return drawFigure({
    description:
      'How far the minimiser of the annealed residual is from the optimum over its temperature, below the bound',
    plots: [
      chart({
        title:
          'As the schedule cools, its minimiser comes to Q*: below the bound, and soon far below',
        upwards: 'distance, the largest |Q − Q*| over the pairs (return)',
        x: {
          type: 'log',
          ticks: [0.01, 0.1, 1, 10],
          tickFormat: String,
          label: 'temperature of the schedule, floor of the residual error',
        },
        y: { type: 'log', ticks: [1e-8, 1e-6, 1e-4, 1e-2, 1, 100], tickFormat: powerOfTen },
        marks: [
          curve(bound, red),
          curve(distance, blue),
          label(pointFrom(bound, 0.1), 'bound γ ε log A/(1 − γ)', { fill: red, dy: -22 }),
          label(pointFrom(distance, 0.03), 'minimiser of the annealed residual', {
            fill: blue,
            textAnchor: 'start',
            dx: 14,
            dy: 6,
          }),
        ],
      }),
    ],
  });
}
