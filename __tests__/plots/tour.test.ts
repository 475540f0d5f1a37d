/** The pictures of docs/theory.md show what the functions of the theory say, and are where the text shows them. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { Point, Series } from '../../src/plots/chart.js';
import { drawDemo } from '../../src/plots/demo.js';
import { TOUR } from '../../src/plots/tour.js';
import { boundParts, eStepBounds, walkToOptimum } from '../../src/plots/tour-bound.js';
import {
  annealingDistances,
  boltzmannDensities,
  residualRoots,
} from '../../src/plots/tour-temperature.js';
import {
  gradientReadings,
  mpoProbabilities,
  twoTimescaleErrors,
} from '../../src/plots/tour-updates.js';
import * as theory from '../../src/theory/index.js';
import { dotsOf, expectWellFormed, linesOf, misplacement, PIXELS, textsOf } from './svg.js';

const folder = new URL('../../docs/images/theory/', import.meta.url);
const page = readFileSync(new URL('../../docs/theory.md', import.meta.url), 'utf8');

const svgs = new Map(TOUR.map(({ name, draw }) => [name, draw()]));
const svgOf = (name: string) => svgs.get(name) ?? '';

// what docs/theory.md says, not what the pictures import
const mdp = theory.threeByTwo();
const actionValue = Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3);
const temperature = theory.implicitResidualError(mdp, actionValue);
const stateWeights = theory.uniform(3);
const held = { actionValue, temperature, stateWeights };

/** Some ten roundings of numbers of order one. */
const ROUNDING = 1e-14;

const is = (value: number) => value;
const log = Math.log;

/** Expects lines of one chart where their numbers are, on scales that they share. */
function expectDrawn(
  svg: string,
  lines: readonly Series[],
  scale: { x: (x: number) => number; y: (y: number) => number },
): void {
  const drawn = lines.map(({ name }) => linesOf(svg).filter(({ title }) => title === name));
  for (const found of drawn) expect(found).toHaveLength(1);
  const of = (key: 'x' | 'y') => drawn.flatMap(([line]) => line?.[key] ?? []);
  const points = lines.flatMap((line) => line.points);
  expect(of('x')).toHaveLength(points.length);
  expect(
    misplacement(
      of('x'),
      points.map(({ x }) => scale.x(x)),
    ),
  ).toBeLessThanOrEqual(PIXELS);
  expect(
    misplacement(
      of('y'),
      points.map(({ y }) => scale.y(y)),
    ),
  ).toBeLessThanOrEqual(PIXELS);
}

/** Expects heights to be a function of their places, up to rounding. */
function expectFunction(points: readonly Point[], f: (x: number) => number): void {
  for (const { x, y } of points) {
    const expected = f(x);
    expect(Math.abs(y - expected)).toBeLessThanOrEqual(ROUNDING * (1 + Math.abs(expected)));
  }
}

const named = (lines: readonly Series[], name: string): readonly Point[] => {
  const found = lines.find((line) => line.name === name);
  if (found === undefined) throw new Error(`no line ${name}`);
  return found.points;
};

describe('the pictures of the tour', () => {
  it('are one for every section without a demo', () => {
    expect(TOUR.map(({ section }) => section)).toEqual([1, 2, 3, 4, 5, 6, 7, 9, 10]);
  });

  it.each(TOUR.map(({ name, section }) => [name, section] as const))(
    '%s is in section %i, before its claims, with words for those who cannot see it',
    (name, section) => {
      const [, text = ''] = page.split(new RegExp(`^## ${section}\\..*$`, 'm'));
      const [own = ''] = text.split(/^## /m);
      const picture = new RegExp(
        `^!\\[[^\\]]{20,}\\]\\(images/theory/${name}\\.svg\\)\\n\\n\\w`,
        'm',
      );
      expect(own).toMatch(picture);
      expect(own.search(picture)).toBeLessThan(own.search(/^Claims? /m));
    },
  );

  it('are, with those of the demos, all that their folder holds', async () => {
    const demos = await Promise.all(theory.DEMOS.map(({ name }) => drawDemo(name)));
    const names = [...demos.flatMap(({ pictures }) => pictures), ...TOUR].map(({ name }) => name);
    expect(readdirSync(folder).sort()).toEqual(names.map((name) => `${name}.svg`).sort());
  });

  it.each([...svgs])('%s is a well-formed SVG, small, with a title', (_, svg) => {
    expectWellFormed(svg);
    expect(svg.length).toBeLessThan(60_000);
    const [, height] = /viewBox="0 0 720 (\d+)"/.exec(svg) ?? [];
    expect(Number(height)).toBeGreaterThanOrEqual(300);
    expect(Number(height)).toBeLessThanOrEqual(360);
    const [, title = ''] = /font-weight="bold"[^>]*><text[^>]*>([^<]*)</.exec(svg) ?? [];
    expect(title.length).toBeGreaterThan(40);
    expect(svg).toMatch(/aria-label="[^"]{40,}"/);
  });
});

describe('section 1, roots of F', () => {
  const { lines, one, several } = residualRoots();
  const rich = new theory.TabularMdp({ ...mdp, reward: mdp.reward.map((reward) => 30 * reward) });
  const optimum = theory.optimalActionValue(rich);
  const excess = (of: theory.TabularMdp, values: Float64Array) => (floor: number) =>
    (theory.residualError(of, values, { kind: 'annealed', floor }) - 2 * floor) / floor;

  it('shows F(ε)/ε', () => {
    expectFunction(named(lines, 'Q of the example'), excess(mdp, actionValue));
    expectFunction(named(lines, 'Q* of rewards times 30'), excess(rich, optimum));
    expectDrawn(svgOf('residual-root'), lines, { x: log, y: is });
  });

  it('marks its roots: one, and several', () => {
    expect(one).toBe(temperature);
    expect(several).toHaveLength(2);
    for (const root of several) {
      expect(Math.abs(excess(rich, optimum)(root))).toBeLessThan(1e-12);
    }
    const texts = textsOf(svgOf('residual-root'));
    for (const root of [one, ...several]) expect(texts).toContain(`ε = ${root.toPrecision(4)}`);
    expect(texts).toContain('ε = 1.395');
  });
});

describe('section 2, parts of the bound', () => {
  const { bound, divergence, ceiling, best, stateDivergence } = boundParts();
  const policyAt = (factor: number) => theory.boltzmannPolicy(actionValue, factor * temperature, 2);

  it('shows the bound and what it is made of (5)', () => {
    expectFunction(bound.points, (x) =>
      theory.evidenceLowerBound({ ...held, policy: policyAt(x) }),
    );
    divergence.points.forEach(({ y }, index) => {
      const [low, high] = [bound.points[index]?.y ?? 0, ceiling.points[index]?.y ?? 0];
      expect(Math.abs(low + y - high)).toBeLessThan(ROUNDING);
    });
    expectDrawn(svgOf('bound'), [bound, ceiling], { x: log, y: is });
  });

  it('has its largest bound at the temperature of the values, where the divergence of the states is left', () => {
    expect(best).toEqual({ x: 1, y: theory.largestBound(held) });
    for (const { y } of bound.points) expect(y).toBeLessThanOrEqual(best.y + ROUNDING);
    const left = theory.decomposeBound({ ...held, policy: policyAt(1) }).divergence;
    expect(Math.abs(stateDivergence - left)).toBeLessThan(ROUNDING);
    const text = textsOf(svgOf('bound')).join('\n');
    for (const label of [best.y.toPrecision(4), left.toPrecision(2), 'KL(q ‖ p)', 'ℓ(w) − H(d)'])
      expect(text).toContain(label);
  });
});

describe('section 3, steps of the E-step', () => {
  const { lines, largest } = eStepBounds();

  it.each([0.25, 1, 4, 12])('shows the bound after steps of size %d', (size) => {
    let logits = new Float64Array(6);
    for (const { y } of named(lines, String(size))) {
      const policy = theory.softmaxPolicy(logits, 2);
      expect(y).toBe(theory.evidenceLowerBound({ ...held, policy }));
      const gradient = theory.eStepGradient(held, logits);
      logits = logits.map((logit, h) => logit + size * (gradient[h] ?? Number.NaN));
    }
    expect(textsOf(svgOf('e-step')).some((text) => text.startsWith(String(size)))).toBe(true);
  });

  it('shows them below the maximum, which steps that are too long do not reach', () => {
    expect(largest).toBe(theory.largestBound(held));
    expect(textsOf(svgOf('e-step'))).toContain(`maximum ${largest.toFixed(4)}`);
    expectDrawn(svgOf('e-step'), lines, { x: is, y: is });
    const missing = (size: string) => largest - (named(lines, size).at(-1)?.y ?? Number.NaN);
    expect(missing('4')).toBeLessThan(1e-9);
    expect(missing('12')).toBeGreaterThan(0.01);
  });
});

describe('section 4, the walk to the optimum', () => {
  const walk = walkToOptimum();
  const optimum = theory.optimalActionValue(mdp);
  const at = (distance: number) => {
    const values = [1, -1, 0.5, 0.3, -0.7, 0.2].map((d, h) => (optimum[h] ?? 0) + distance * d);
    const given = { actionValue: Float64Array.from(values), stateWeights };
    const error = theory.implicitResidualError(mdp, given.actionValue);
    const policy = theory.uniformPolicy(mdp);
    return { error, bound: theory.evidenceLowerBound({ ...given, temperature: error, policy }) };
  };

  it('shows ε and L, and their product', () => {
    expectFunction(walk.temperature.points, (x) => at(x).error);
    expectFunction(walk.bound.points, (x) => at(x).bound);
    expectFunction(walk.product.points, (x) => at(x).error * at(x).bound);
    const svg = svgOf('walk-to-optimum');
    expectDrawn(svg, [walk.temperature, walk.bound], { x: log, y: log });
    expectDrawn(svg, [walk.product], { x: log, y: is });
  });

  it('ends near the mean optimal value', () => {
    expect(walk.limit).toBe(theory.mean(optimum));
    expect(textsOf(svgOf('walk-to-optimum'))).toContain(`mean of Q*: ${walk.limit.toFixed(3)}`);
    const [nearest] = walk.product.points;
    expect(Math.abs((nearest?.y ?? Number.NaN) - walk.limit)).toBeLessThan(1e-4);
  });
});

describe('section 5, densities', () => {
  const densities = boltzmannDensities();
  const landscape = { f: (x: number) => x - Math.exp(x), maximum: 0, domain: [-16, 4] as const };

  it.each([1, 0.1, 0.01, 0.001])('shows p at ε = %d, and its mean', (epsilon) => {
    const name = `ε = ${epsilon}`;
    const height = (x: number) => theory.boltzmannDensity(landscape, 1, epsilon, x);
    expectFunction(named(densities, name), height);
    const { mean } = densities.find((density) => density.name === name) ?? {};
    const expected = theory.boltzmannExpectation(landscape, 1, epsilon, (x) => x);
    expect(mean).toEqual({ x: expected, y: height(expected) });
    expect(textsOf(svgOf('boltzmann-density'))).toContain(name);
  });

  it('shows all of a cold density, and of a warm one what is in the frame', () => {
    for (const { name, points } of densities) {
      const steps = points.slice(1).map(({ x, y }, i) => {
        const { x: left, y: before } = points[i] ?? { x, y };
        return ((x - left) * (y + before)) / 2;
      });
      const mass = steps.reduce((sum, step) => sum + step, 0);
      expect(Math.abs(1 - mass)).toBeLessThan(name === 'ε = 1' ? 0.06 : 1e-3);
    }
    expectDrawn(svgOf('boltzmann-density'), densities, { x: is, y: Math.sqrt });
  });
});

describe('section 6, readings of the gradient', () => {
  const { differences, ...readings } = gradientReadings();

  it.each(['corrected', 'printed', 'neglect'] as const)('shows the %s one', (theorem4) => {
    const gradient = theory.residualErrorGradient(
      mdp,
      actionValue,
      { kind: 'boltzmann' },
      theorem4,
    );
    expect(readings[theorem4].map(({ value }) => value)).toEqual([...gradient]);
    expect(textsOf(svgOf('residual-gradient'))).toContain(theorem4);
    const errors = readings[theorem4].map(({ error }) => error);
    if (theorem4 === 'corrected') expect(Math.max(...errors)).toBeLessThan(1e-8);
    else expect(Math.min(...errors)).toBeGreaterThan(1e-3);
  });

  it('shows each where its number is', () => {
    const dots = dotsOf(svgOf('residual-gradient'));
    const heights = (title: string) => dots.filter((dot) => dot.title === title).map(({ y }) => y);
    const kinds = ['corrected', 'printed', 'neglect'] as const;
    const drawn = kinds.map((kind) => heights(kind));
    for (const ys of drawn) expect(ys).toHaveLength(12);
    const above = [...heights('finite difference'), ...drawn.flatMap((ys) => ys.slice(0, 6))];
    const values = [differences, ...kinds.map((kind) => readings[kind])].flat();
    expect(
      misplacement(
        above,
        values.map(({ value }) => value),
      ),
    ).toBeLessThanOrEqual(PIXELS);
    const below = drawn.flatMap((ys) => ys.slice(6));
    const errors = kinds.flatMap((kind) => readings[kind]).map(({ error }) => error);
    const shown = errors.map((error) => Math.log(Math.max(error, 1e-8)));
    expect(misplacement(below, shown)).toBeLessThanOrEqual(PIXELS);
  });
});

describe('section 7, annealing', () => {
  const lines = annealingDistances();

  it('shows the distance of the minimiser below its bound', () => {
    const optimum = theory.optimalActionValue(mdp);
    const bound = (floor: number) => (0.9 * floor * Math.log(2)) / (1 - 0.9);
    expectFunction(named(lines, 'bound'), bound);
    expectFunction(named(lines, 'distance'), (floor) => {
      const values = theory.mStep(mdp, optimum, { kind: 'annealed', floor });
      return Math.max(...values.map((value, h) => Math.abs(value - (optimum[h] ?? 0))));
    });
    for (const { x, y } of named(lines, 'distance')) expect(y).toBeLessThan(bound(x));
    expectDrawn(svgOf('annealing'), lines, { x: log, y: log });
    expect(textsOf(svgOf('annealing'))).toContain('bound γ ε log A/(1 − γ)');
  });
});

describe('section 9, two time scales', () => {
  const lines = twoTimescaleErrors();

  it.each([4, 1, 0.1])('shows the error where ζ is %d times as fast', (ratio) => {
    const approximator = theory.tanhApproximator(3, 2);
    const target = { kind: 'variational', policy: theory.uniformPolicy(mdp) } as const;
    const sizes = { valueStep: 0.2, auxiliaryStep: 0.2 * ratio, radius: 100 };
    let state: theory.TwoTimescaleState = {
      parameters: Float64Array.of(0, 0, 1),
      weights: new Float64Array(3),
    };
    const points = named(lines, `ζ ${ratio} times as fast as w`);
    for (const [index, { x, y }] of points.slice(0, 11).entries()) {
      expect(x).toBe(40 * index);
      expect(y).toBe(theory.projectedResidualError(mdp, approximator, state.parameters, target));
      for (let update = 0; update < 40; update++)
        state = theory.twoTimescaleStep(mdp, approximator, state, target, sizes);
    }
    const end = points.at(-1);
    expect(end?.x).toBe(8000);
    if (ratio >= 1) expect(end?.y).toBeLessThan(1e-12);
    else {
      const stuck = `stuck at ${end?.y.toFixed(2)}`;
      expect(textsOf(svgOf('two-timescale')).join('\n')).toContain(stuck);
      expect(end?.y).toBeGreaterThan(1);
    }
  });

  it('shows them on one axis', () => {
    expectDrawn(svgOf('two-timescale'), lines, { x: is, y: log });
  });
});

describe('section 10, the E-step of MPO', () => {
  const lines = mpoProbabilities();
  const values = [1, 2, 0];
  const prior = [0.8, 0.1, 0.1];
  const policyAt = (epsilon: number) =>
    theory.eStep({
      actionValue: Float64Array.from(values),
      temperature: epsilon,
      stateWeights: theory.uniform(1),
      priorPolicy: Float64Array.from(prior),
    });

  it('shows the probability of every action', () => {
    values.forEach((value, action) => {
      const name = `Q = ${value}, prior ${prior[action]}`;
      expectFunction(named(lines, name), (epsilon) => policyAt(epsilon)[action] ?? Number.NaN);
      expect(textsOf(svgOf('mpo'))).toContain(name);
    });
    expectDrawn(svgOf('mpo'), lines, { x: log, y: is });
  });

  it('goes from greedy to the prior', () => {
    const ends = lines.map(({ points }) => [points[0]?.y, points.at(-1)?.y]);
    expect(ends.map(([cold = Number.NaN]) => Math.round(1e6 * cold) / 1e6)).toEqual([0, 1, 0]);
    ends.forEach(([, warm = Number.NaN], action) => {
      expect(Math.abs(warm - (prior[action] ?? 0))).toBeLessThan(0.01);
    });
  });
});
