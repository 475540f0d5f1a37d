/**
 * Writes what a peer's gradient step is checked with: steps of the project's own reference, in float64.
 *
 *     node benchmarks/peers/case.mjs FILE [--algorithm virel|beta] [--env HalfCheetah-v5] [--steps 3]
 *
 * The file holds the parameters at the start (the target network away from the online one), batch and noise of every step,
 * its losses and gradients, and the parameters after the last; of `beta` also the rows of every residual error, which is
 * found as the Q loss of a learner whose target network is its online one.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { reference, resolveConfig } from 'virel-native';

const BATCH = 128;
/** Fewer than in training, still several tiles. */
const RESIDUAL_ROWS = 1024;

/** Numbers from [0, 1) of a fixed seed (mulberry32). */
function stream(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const uniform = stream(6);
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
/** float32 values, so that an engine of that precision starts with the same. */
const draw = (length, one) => Float64Array.from({ length }, () => Math.fround(one()));

/** A batch of random transitions, one in ten of them terminal. */
function randomBatch(rows, observationSize, actionSize) {
  return {
    observations: draw(rows * observationSize, normal),
    actions: draw(rows * actionSize, () => Math.tanh(normal())),
    rewards: draw(rows, normal),
    nextObservations: draw(rows * observationSize, normal),
    terminated: draw(rows, () => (uniform() < 0.1 ? 1 : 0)),
  };
}

const encode = (data, shape) => ({
  shape,
  data: Buffer.from(Float64Array.from(data).buffer).toString('base64'),
});
const encodeParameters = (parameters) =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, data }]) => [name, encode(data, shape)]),
  );
const encodeGradients = (gradients, parameters) =>
  Object.fromEntries(
    Object.entries(gradients).map(([name, data]) => [name, encode(data, parameters[name].shape)]),
  );
const encodeBatch = (batch, rows) =>
  Object.fromEntries(
    Object.entries(batch).map(([name, data]) => [name, encode(data, [rows, data.length / rows])]),
  );

/** The networks of `parameters` under the names of their targets. */
const asTargets = (parameters) =>
  Object.fromEntries(
    Object.entries(parameters)
      .filter(([name]) => name.startsWith('stateValue.'))
      .map(([name, value]) => [`target.${name}`, value]),
  );

/**
 * The case of an algorithm on the shapes of a task.
 *
 * @param {{algorithm: 'virel' | 'beta', env: string, steps: number}} what
 */
export function makeCase({ algorithm, env, steps }) {
  const learner = reference.createLearner({ algorithm, env, seed: 0 });
  learner.setParameters(
    asTargets(reference.createLearner({ algorithm, env, seed: 1 }).parameters()),
  );
  const probe = reference.createLearner({ algorithm, env });
  const { temperature } = resolveConfig({ algorithm, env });
  const parameters = learner.parameters();
  const actionSize = parameters['policy.mean.bias'].data.length;
  const observationSize = parameters['policy.trunk.0.weight'].shape[1];

  /** Mean square of r + gamma (1 - d) V(s') - Q(s, a), all online. */
  function residualError(rows) {
    const now = learner.parameters();
    probe.setParameters({ ...now, ...asTargets(now) });
    const noise = new Float64Array(RESIDUAL_ROWS * actionSize);
    return probe.gradients(rows, noise).losses.actionValue;
  }

  const made = Array.from({ length: steps }, () => {
    const batch = randomBatch(BATCH, observationSize, actionSize);
    const noise = draw(BATCH * actionSize, normal);
    const own = { batch: encodeBatch(batch, BATCH), noise: encode(noise, [BATCH, actionSize]) };
    const options = {};
    if (algorithm === 'beta') {
      const rows = randomBatch(RESIDUAL_ROWS, observationSize, actionSize);
      own.residual = encodeBatch(rows, RESIDUAL_ROWS);
      options.temperature = temperature.temperatureScale * residualError(rows);
    }
    const { losses, gradients } = learner.gradients(batch, noise, options);
    learner.update(batch, noise, options);
    return { ...own, losses, gradients: encodeGradients(gradients, parameters) };
  });
  return {
    algorithm,
    env,
    parameters: encodeParameters(parameters),
    steps: made,
    after: encodeParameters(learner.parameters()),
  };
}

const { values, positionals } = parseArgs({
  options: {
    algorithm: { type: 'string', default: 'virel' },
    env: { type: 'string', default: 'HalfCheetah-v5' },
    steps: { type: 'string', default: '3' },
  },
  allowPositionals: true,
});
const [file] = positionals;
if (file === undefined) throw new Error('usage: case.mjs FILE [--algorithm virel] [--env ID]');
const { algorithm, env } = values;
writeFileSync(file, JSON.stringify(makeCase({ algorithm, env, steps: Number(values.steps) })));
