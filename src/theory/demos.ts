/**
 * EM on the named MDPs: every schedule with every target, as the pictures and the docs show it; numbers only.
 *
 * All constants are the same for every MDP, so that the pictures can be compared:
 *
 * - a run ends at a residual error of 1e-9, far below every gap between action values of these MDPs, so that the temperature
 *   is next to none, and far above rounding;
 * - a partial M-step takes Q half of the way to its target, ten E-steps follow it: about half as fast as complete backups, with
 *   a policy that visibly lags behind its optimum. The gradients are means over pairs and states, hence the factors N and S;
 * - an E-step of 2·S keeps the ascent monotone up to a temperature of 2, which none of these runs reaches: the bound
 *   curves by at most half the temperature over S in a state's logits;
 * - ε_k starts at 1 and is halved at every iteration, our choice (the paper leaves F.2 for later work).
 */

import { VirelError } from '../errors.js';
import { optimalActionValue } from './bellman.js';
import { boltzmannPolicy } from './boltzmann.js';
import { NAMED_MDPS, type NamedMdp, TRAP } from './examples.js';
import {
  type EmOptions,
  type EmTrace,
  runExpectationMaximisation,
  type Schedule,
} from './expectation-maximisation.js';
import {
  criticalTemperature,
  goodChoice,
  maximumEntropyTrap,
  softActionValue,
} from './maximum-entropy.js';
import type { Target } from './residual.js';
import type { TabularMdp } from './tabular-mdp.js';

/** How a demo calls its schedules. */
export type DemoScheduleName = 'complete, solve' | 'complete, backup' | 'partial' | 'incremental';

/** A schedule with a name; partial steps are scaled to the size of the MDP. */
export interface DemoSchedule {
  /** Its name. */
  name: DemoScheduleName;
  /** What a half of it does, in a few words. */
  summary: string;
  /** The schedule on an MDP. */
  of: (mdp: TabularMdp) => Schedule;
}

/** The schedules of every demo. */
export const DEMO_SCHEDULES: readonly DemoSchedule[] = [
  {
    name: 'complete, solve',
    summary: 'no residual left (39)',
    of: () => ({ kind: 'complete', mStep: 'solve' }),
  },
  {
    name: 'complete, backup',
    summary: 'Q ← TQ (41)',
    of: () => ({ kind: 'complete', mStep: 'backup' }),
  },
  {
    name: 'partial',
    summary: 'gradient steps of Q and π',
    of: ({ pairs, states }) => ({
      kind: 'partial',
      mSteps: 1,
      eSteps: 10,
      valueStep: pairs / 2,
      policyStep: 2 * states,
      gradient: 'direct',
    }),
  },
  {
    name: 'incremental',
    summary: 'Q ← TQ, floor halved (F.2)',
    of: () => ({ kind: 'incremental' }),
  },
];

/** The targets of every demo. */
export const DEMO_TARGETS: readonly Target['kind'][] = [
  'optimal',
  'boltzmann',
  'annealed',
  'variational',
];

/** What all runs share; none comes near the last number, three-by-two takes the most with 216 partial iterations. */
const COMMON = {
  annealing: { start: 1, factor: 0.5, every: 1 },
  tolerance: 1e-9,
  iterations: 1000,
} as const;

/** EM with one schedule and one target. */
export interface DemoTrace {
  /** Its name. */
  schedule: DemoScheduleName;
  /** All that `runExpectationMaximisation` was asked, the target with it. */
  options: EmOptions;
  /** What EM did. */
  trace: EmTrace;
}

/** How probable the good way is at the start of the trap. */
export interface SweepPoint {
  /** c of maximum-entropy RL and ε of VIREL, in units of return. */
  temperature: number;
  /** Of the soft policy ∝ exp(Q_soft/c). */
  maximumEntropy: number;
  /** Of π_w ∝ exp(Q/ε) at the optimal values: they are hard, whatever the temperature. */
  virel: number;
}

/** The trap over temperatures. */
export interface TrapSweep {
  /** By temperature, rising; c* is one of them. */
  points: SweepPoint[];
  /** c*, above which the soft policy prefers the wrong way. */
  critical: number;
  /** How probable the good way is where complete EM ends, at ε = 0. */
  complete: number;
}

/** What a demo found. */
export interface DemoResult {
  /** Of the MDP. */
  name: string;
  /** What the MDP is, in one line. */
  summary: string;
  /** By schedule, then by target. */
  traces: DemoTrace[];
  /** Of the counter-example alone. */
  sweep: TrapSweep | null;
}

/** A demo: a named MDP and what is done with it. */
export interface Demo extends Pick<NamedMdp, 'name' | 'summary'> {
  /** Runs EM in every schedule and target. */
  run: () => DemoResult;
}

/** One for every named MDP. */
export const DEMOS: readonly Demo[] = NAMED_MDPS.map(({ name, summary, make }) => ({
  name,
  summary,
  run: () => {
    const traces = traceAll(make());
    const sweep = name === 'merl-counterexample' ? sweepTrap() : null;
    return { name, summary, traces, sweep };
  },
}));

/** Runs a demo. @throws VirelError `DEMO_UNKNOWN`, with the names there are. */
export function runDemo(name: string): DemoResult {
  const demo = DEMOS.find((each) => each.name === name);
  if (demo !== undefined) return demo.run();
  const names = DEMOS.map((each) => each.name).join(', ');
  throw new VirelError('DEMO_UNKNOWN', `demo: expected one of ${names}, got ${name}`, {
    where: 'demo',
    expected: names,
    got: name,
  });
}

function traceAll(mdp: TabularMdp): DemoTrace[] {
  return DEMO_SCHEDULES.flatMap(({ name, of }) =>
    DEMO_TARGETS.map((target) => {
      const options = { ...COMMON, schedule: of(mdp), target };
      return { schedule: name, options, trace: runExpectationMaximisation(mdp, options) };
    }),
  );
}

/** From where both policies are all but certain to where both are all but fair, by powers of ten. */
const SWEEP = { from: -3, to: 1, perDecade: 24 } as const;

/** The trap of {@link TRAP} over temperatures evenly spaced in their logarithm, and at c*. */
export function sweepTrap(): TrapSweep {
  const mdp = maximumEntropyTrap(TRAP);
  const critical = criticalTemperature(TRAP.payoff, TRAP.branches);
  const { from, to, perDecade } = SWEEP;
  const even = Array.from(
    { length: (to - from) * perDecade + 1 },
    (_, step) => 10 ** (from + step / perDecade),
  );
  const temperatures = [...even, critical].sort((one, other) => one - other);
  const end = runExpectationMaximisation(mdp, {
    schedule: { kind: 'complete', mStep: 'solve' },
    target: 'variational',
  });
  return {
    points: temperatures.map((temperature) => sweepPoint(mdp, temperature)),
    critical,
    complete: goodChoice(end.policy, TRAP.branches),
  };
}

function sweepPoint(mdp: TabularMdp, temperature: number): SweepPoint {
  const choiceOf = (actionValue: Float64Array) =>
    goodChoice(boltzmannPolicy(actionValue, temperature, mdp.actions), TRAP.branches);
  return {
    temperature,
    maximumEntropy: choiceOf(softActionValue(mdp, temperature)),
    virel: choiceOf(optimalActionValue(mdp)),
  };
}
