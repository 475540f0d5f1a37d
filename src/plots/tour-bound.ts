/** Pictures of the tour about the bound: what it is made of (section 2), its E-step (3), the walk to the optimum (4). */

import * as Plot from '@observablehq/plot';
import { optimalActionValue } from '../theory/bellman.js';
import { boltzmannPolicy } from '../theory/boltzmann.js';
import { eStepGradient, softmaxPolicy } from '../theory/e-step.js';
import {
  decomposeBound,
  decomposeDivergence,
  evidenceLowerBound,
  largestBound,
} from '../theory/elbo.js';
import { implicitResidualError } from '../theory/residual.js';
import { mean, uniformPolicy } from '../theory/tabular-mdp.js';
import { chart, curve, dot, HELPING, label, pointFrom, powerOfTen, type Series } from './chart.js';
import { INK, OKABE_ITO, SERIES } from './colours.js';
import { drawFigure } from './figure.js';
import { ACTION_VALUE, decades, MDP, STATE_WEIGHTS, TEMPERATURE } from './tour-setting.js';

/** What sections 2 and 3 hold. */
const HELD = {
  actionValue: ACTION_VALUE,
  temperature: TEMPERATURE,
  stateWeights: STATE_WEIGHTS,
};

/** Section 2: the bound and its parts over policies, by how many times ε_w their temperature is. */
export function boundParts() {
  const policies = decades(Math.log10(0.05), Math.log10(20), 50).map((factor) => {
    const policy = boltzmannPolicy(ACTION_VALUE, factor * TEMPERATURE, MDP.actions);
    const bound = { ...HELD, policy };
    const { logPartition, divergence, stateEntropy } = decomposeBound(bound);
    const value = evidenceLowerBound(bound);
    return { x: factor, bound: value, divergence, ceiling: logPartition - stateEntropy };
  });
  const best = boltzmannPolicy(ACTION_VALUE, TEMPERATURE, MDP.actions);
  const lineOf = (name: string, key: 'bound' | 'divergence' | 'ceiling'): Series => ({
    name,
    points: policies.map((each) => ({ x: each.x, y: each[key] })),
  });
  return {
    bound: lineOf('L', 'bound'),
    divergence: lineOf('KL', 'divergence'),
    ceiling: lineOf('ceiling', 'ceiling'),
    best: { x: 1, y: largestBound(HELD) },
    stateDivergence: decomposeDivergence({ ...HELD, policy: best }).states,
  };
}

/** Draws section 2. @returns SVG. */
export function drawBoundParts(): string {
  const { bound, divergence, ceiling, best, stateDivergence } = boundParts();
  const gap = divergence.points.map(({ x, y }, i) => ({ x, y, from: bound.points[i]?.y ?? 0 }));
  const blue = OKABE_ITO.blue;
  const coldest = bound.points[0]?.y ?? Number.NaN;
  return drawFigure({
    description:
      'The bound L over policies from greedy to uniform: largest at the temperature of the Boltzmann policy, always below ' +
      'the log partition less the entropy of the states by the divergence of q from p',
    plots: [
      chart({
        title: 'At fixed values the bound is largest at their Boltzmann policy π',
        upwards: 'nats',
        x: {
          type: 'log',
          ticks: [0.1, 1, 10],
          tickFormat: (value: number) => `${value} ε`,
          label: 'greedy ←   temperature of the policy   → uniform',
        },
        y: { domain: [1.25, 1.72], ticks: [1.3, 1.4, 1.5, 1.6, 1.7], tickFormat: String },
        marks: [
          Plot.areaY(gap, {
            x: 'x',
            y1: 'from',
            y2: ({ y, from }: (typeof gap)[number]) => from + y,
            fill: OKABE_ITO.sky,
            fillOpacity: 0.25,
          }),
          curve(ceiling, INK, { strokeWidth: 1.5, strokeDasharray: '5,4' }),
          curve(bound, blue),
          dot(best, blue),
          label(pointFrom(ceiling, 8), 'ℓ(w) − H(d)', { dy: -12 }),
          label(pointFrom(bound, 0.22), 'L', { fill: blue, fontWeight: 'bold', dx: 16, dy: 8 }),
          label({ x: 0.12, y: (best.y + coldest) / 2 }, 'KL(q ‖ p)', { stroke: 'none' }),
          label(best, `largest, ${best.y.toPrecision(4)}: at π`, { fill: blue, dy: 22 }),
          label(best, `the KL that is left, ${stateDivergence.toPrecision(2)},`, {
            dx: 24,
            dy: 52,
          }),
          label(best, 'is that of the states: no policy changes it', { dx: 24, dy: 70 }),
        ],
      }),
    ],
  });
}

/** Sizes of the steps of section 3: short ones, that of the text, a long one, and one that is too long. */
const STEP_SIZES = [0.25, 1, 4, 12] as const;
const STEPS = 20;

/** Section 3: the bound over gradient steps from a uniform policy, by step size, and its maximum. */
export function eStepBounds() {
  const boundOf = (logits: Float64Array) =>
    evidenceLowerBound({ ...HELD, policy: softmaxPolicy(logits, MDP.actions) });
  const lines = STEP_SIZES.map((size): Series => {
    let logits: Float64Array = new Float64Array(MDP.pairs);
    const points = [{ x: 0, y: boundOf(logits) }];
    for (let x = 1; x <= STEPS; x++) {
      const gradient = eStepGradient(HELD, logits);
      logits = logits.map((value, h) => value + size * (gradient[h] ?? Number.NaN));
      points.push({ x, y: boundOf(logits) });
    }
    return { name: String(size), points };
  });
  return { lines, largest: largestBound(HELD) };
}

/** From where, to which side and in what words the lines of section 3 are named. */
const STEP_NAMES = [
  { from: 3, dx: 24, dy: 10, words: '' },
  { from: 2, dx: -12, dy: -8, words: '' },
  { from: 1, dx: 6, dy: -14, words: '' },
  { from: 11, dx: 0, dy: 16, words: ': too long' },
] as const;

/** Draws section 3. @returns SVG. */
export function drawEStepBounds(): string {
  const { lines, largest } = eStepBounds();
  return drawFigure({
    description:
      'The bound over gradient steps of the E-step, by the size of the steps: they climb to its maximum, unless too long',
    plots: [
      chart({
        title: 'Gradient steps of the E-step climb to the maximum of the bound, unless too long',
        upwards: 'L (nats), a line for each size of steps',
        x: { ticks: [0, 4, 8, 12, 16, 20], label: 'steps from the uniform policy' },
        y: { domain: [1.53, 1.67], ticks: [1.54, 1.58, 1.62, 1.66] },
        marks: [
          Plot.ruleY([largest], HELPING),
          label({ x: STEPS, y: largest }, `maximum ${largest.toFixed(4)}`, {
            textAnchor: 'end',
            dy: -12,
          }),
          ...lines.flatMap((line, index) => stepLine(line, index)),
        ],
      }),
    ],
  });
}

/** A line with a dot at every step, and its name. */
function stepLine(line: Series, index: number): Plot.Markish[] {
  const fill = SERIES[index] ?? INK;
  const { from, words, ...aside } = STEP_NAMES[index] ?? { from: 0, words: '' };
  return [
    curve(line, fill, { strokeWidth: 2 }),
    Plot.dot(line.points, { x: 'x', y: 'y', r: 3, fill }),
    label(pointFrom(line, from), `${line.name}${words}`, { fill, fontWeight: 'bold', ...aside }),
  ];
}

/** D of section 4. */
const DIRECTION = [1, -1, 0.5, 0.3, -0.7, 0.2];

/** Section 4: ε, L and their product at Q* + tD, by t. */
export function walkToOptimum() {
  const optimum = optimalActionValue(MDP);
  const walk = decades(-4, 0, 20).map((distance) => {
    const actionValue = optimum.map((value, h) => value + distance * (DIRECTION[h] ?? Number.NaN));
    const temperature = implicitResidualError(MDP, actionValue);
    const held = { policy: uniformPolicy(MDP), stateWeights: STATE_WEIGHTS };
    const bound = evidenceLowerBound({ actionValue, temperature, ...held });
    return { distance, temperature, bound };
  });
  type Place = (typeof walk)[number];
  const lineOf = (name: string, height: (place: Place) => number): Series => ({
    name,
    points: walk.map((place) => ({ x: place.distance, y: height(place) })),
  });
  return {
    temperature: lineOf('ε', ({ temperature }) => temperature),
    bound: lineOf('L', ({ bound }) => bound),
    product: lineOf('ε·L', ({ temperature, bound }) => temperature * bound),
    limit: mean(optimum),
  };
}

/** Draws section 4. @returns SVG. */
export function drawWalkToOptimum(): string {
  const { temperature, bound, product, limit } = walkToOptimum();
  const [blue, red, green] = [OKABE_ITO.blue, OKABE_ITO.vermillion, OKABE_ITO.green];
  const along = {
    type: 'log',
    reverse: true,
    ticks: [1, 0.1, 0.01, 0.001, 0.0001],
    tickFormat: String,
  } as const;
  return drawFigure({
    description:
      'On a straight way to the optimum the temperature falls, the bound grows, and their product tends to the mean optimal value',
    plots: [
      chart({
        title: 'On the way to Q* the bound grows without limit, and ε·L tends to the mean of Q*',
        upwards: 'ε (return²) and L (nats)',
        height: 210,
        marginBottom: 6,
        x: { ...along, axis: null },
        y: { type: 'log', ticks: [1e-8, 1e-4, 1, 1e4, 1e8], tickFormat: powerOfTen },
        marks: [
          curve(temperature, red),
          curve(bound, blue),
          label(pointFrom(bound, 0.003), 'L, as 1/t²', { fill: blue, dx: -24, dy: -14 }),
          label(pointFrom(temperature, 0.003), 'ε, as t²', { fill: red, dx: -24, dy: 14 }),
        ],
      }),
      chart({
        upwards: 'ε·L (return)',
        height: 150,
        x: { ...along, label: 'distance t from the optimum, Q = Q* + tD' },
        y: { domain: [15.6, 15.9], ticks: [15.6, 15.7, 15.8, 15.9], tickFormat: String },
        marks: [
          Plot.ruleY([limit], HELPING),
          curve(product, green),
          label({ x: 0.0001, y: limit }, `mean of Q*: ${limit.toFixed(3)}`, {
            textAnchor: 'end',
            dy: -12,
          }),
        ],
      }),
    ],
  });
}
