/** The law of stems: an equation has one name in every room. A stem without its twin fails, unless listed with a reason. */

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const rooms = {
  reference: stems('../../src/reference', '.ts'),
  rows: stems('../../native/engine/src/math', '.rs'),
  tensors: stems('../../native/engine/src/learner/tensor', '.rs'),
};

/** Files that have no twin, and why. */
const oneSided: Record<keyof typeof rooms, Record<string, string>> = {
  reference: {
    index: 'list of exports',
    inputs:
      'checks of arguments; the native ones are in the binding and in learner/expectations.rs',
    learner: 'the interface itself; learner.rs, one ring further out',
    random: 'stream of initial parameters; random.rs of the engine',
    'gradient-step': 'order of a step; each native learner has its own in kernel.rs and tensor.rs',
    'projected-residual': 'second derivatives, which the kernel learner and its rows lack',
  },
  rows: {
    real: 'the number types f32 and f64; TypeScript has one',
  },
  tensors: {
    given: 'passes that both halves of a step share; src/reference/agents/draws.ts',
    graph: 'CUDA graphs, no equation',
    halves: 'the parts of an M-step and an E-step put together; src/reference/agents',
    network: 'networks in tch operations; src/reference/networks',
    networks: 'the networks of a recipe; src/reference/networks',
    optimisers: 'their Adam states and SGD steps; adam.ts and gradient-step.ts',
    queues: 'what of a step a GPU does side by side, no equation',
    recorder: 'functions of recorder.cpp, no equation',
    recordings: 'which work of a GPU is a graph, no equation',
    transfer: 'host and device memory, no equation',
  },
};

/** Stems of the theory that no learner has, and why; and those of the learners that need no exact form. */
const theoryAlone: Record<string, string> = {
  index: 'list of exports',
  'action-posterior': 'the reading of App. B, no part of a step',
  approximator: 'functions of few parameters; networks in the reference',
  'boltzmann-density': 'limits over continuous actions (Theorem 1)',
  demos: 'runs that are drawn',
  elbo: 'the bound itself; learners follow its gradients',
  evidence: 'App. A',
  examples: 'small MDPs; src/environments has the tasks',
  'expectation-maximisation': 'exact EM; schedules of the learners in src/schedule',
  'maximum-entropy': 'the counter-example',
  quadrature: 'integrals; learners sample',
  'residual-gradient': 'Theorem 4 and (31): learners take the direct method',
  'tabular-mdp': 'the MDP',
  'target-set': 'Definition 2',
};
const learnersAlone: Record<string, string> = {
  index: 'list of exports',
  adam: 'an optimiser, not of the paper',
  'gradient-step': 'order of a sampled step',
  inputs: 'checks of arguments',
  learner: 'the interface itself',
  random: 'stream of initial parameters',
  'target-update': 'a device of networks',
  temperature: 'how a sampled residual becomes a temperature',
};

describe('stems of the theory', () => {
  const theory = stems('../../src/theory', '.ts');
  it.each([
    ['theory', theory, rooms.reference, theoryAlone],
    ['reference', rooms.reference, theory, learnersAlone],
  ] as const)('have twins, %s first, or a reason', (_, own, others, excused) => {
    const lonely = own.filter((stem) => !others.includes(stem));
    expect(lonely.filter((stem) => excused[stem] === undefined)).toEqual([]);
    const idle = Object.keys(excused).filter((stem) => stem !== 'index' && !lonely.includes(stem));
    expect(idle).toEqual([]);
  });
});

describe('stems', () => {
  it.each([
    ['rows', 'reference'],
    ['tensors', 'reference'],
    ['reference', 'rows'],
    ['reference', 'tensors'],
  ] as const)('of %s have twins in %s', (room, other) => {
    const lonely = rooms[room].filter((stem) => !rooms[other].includes(stem));
    expect(lonely.filter((stem) => oneSided[room][stem] === undefined)).toEqual([]);
  });

  it('are excused only where they are alone', () => {
    for (const room of ['reference', 'rows', 'tensors'] as const) {
      for (const stem of Object.keys(oneSided[room])) {
        expect(rooms[room]).toContain(stem);
        const others = Object.entries(rooms).filter(([name]) => name !== room);
        expect(others.every(([, list]) => list.includes(stem))).toBe(false);
      }
    }
  });
});

/** File names of a folder as kebab-case stems. */
function stems(folder: string, extension: string): string[] {
  return readdirSync(fileURLToPath(new URL(folder, import.meta.url)))
    .filter((file) => file.endsWith(extension))
    .map((file) => file.slice(0, -extension.length).replaceAll('_', '-'));
}
