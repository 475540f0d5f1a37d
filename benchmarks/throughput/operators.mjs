/**
 * How long the Bellman operators of the theory take on a large table: median of five applications, milliseconds.
 *
 *     npm run build && node benchmarks/throughput/operators.mjs [--states 1000] [--actions 20]
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { theory } from 'virel-native';
import { median } from '../../dist/bench/blocks.js';

const { values } = parseArgs({
  options: {
    states: { type: 'string', default: '1000' },
    actions: { type: 'string', default: '20' },
  },
});
const [states, actions] = [values.states, values.actions].map(Number);
const APPLICATIONS = 5;

// probabilities by a formula: drawing millions of them would take longer than all that is measured
const transition = new Float64Array(states * actions * states);
for (let pair = 0; pair < states * actions; pair++) {
  const row = transition.subarray(pair * states, (pair + 1) * states);
  row.forEach((_, next) => {
    row[next] = 1 + ((7 * pair + 13 * next) % 11);
  });
  const sum = row.reduce((total, weight) => total + weight, 0);
  row.forEach((weight, next) => {
    row[next] = weight / sum;
  });
}
const reward = Float64Array.from({ length: states * actions }, (_, pair) => Math.cos(pair));
const mdp = new theory.TabularMdp({ states, actions, discount: 0.99, transition, reward });
const actionValue = Float64Array.from({ length: states * actions }, (_, pair) => Math.sin(pair));
const policy = theory.uniformPolicy(mdp);

const OPERATORS = {
  'T* (optimal)': () => theory.optimalityOperator(mdp, actionValue),
  'T^pi (policy)': () => theory.policyEvaluationOperator(mdp, actionValue, policy),
  'T_{w,k} (annealed Boltzmann)': () => theory.annealedBoltzmannOperator(mdp, actionValue, 0.5),
  'T^{pi_w} (Boltzmann, its temperature solved for)': () =>
    theory.bellmanTarget(mdp, actionValue, { kind: 'boltzmann' }),
};

console.log(`${cpus()[0].model}, ${states} states by ${actions} actions`);
for (const [name, apply] of Object.entries(OPERATORS)) {
  apply();
  const times = Array.from({ length: APPLICATIONS }, () => {
    const started = performance.now();
    apply();
    return performance.now() - started;
  });
  console.log(`${name.padEnd(50)} ${median(times).toFixed(0).padStart(5)} ms`);
}
