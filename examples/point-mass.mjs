// A custom environment whose best policy is known, so that a learned one can be held against it:
//   node examples/point-mass.mjs --steps 10000
import { parseArgs } from 'node:util';
import { defineEnvironment, evaluate, train } from 'virel-native';

const text = { type: 'string' };
const { values } = parseArgs({ options: { steps: text, algorithm: text } });
const [steps, dt, friction, effort] = [Number(values.steps ?? 10_000), 0.1, 0.1, 0.05];
const within = (limit, value) => Math.max(-limit, Math.min(limit, value));

/** A mass between walls, started at rest within 1 of the middle, that a force should bring there and hold. */
const pointMass = defineEnvironment({
  id: 'point-mass',
  observationSize: 2,
  actionSize: 1,
  maxEpisodeSteps: 100,
  create() {
    let [place, speed] = [0, 0];
    return {
      reset(random) {
        [place, speed] = [random.uniform(-1, 1), 0];
        return [place, speed];
      },
      step([force]) {
        const reward = -(place ** 2 + friction * speed ** 2 + effort * force ** 2);
        [place, speed] = [within(2, place + dt * speed), within(2, speed + dt * force)];
        return { observation: [place, speed], reward, terminated: false };
      },
    };
  },
});

const begin = Math.min(500, steps / 2);
const run = train({
  env: pointMass,
  algorithm: values.algorithm ?? 'sac-twin',
  steps,
  network: { hidden: [64, 64] },
  optim: { policyLearningRate: 1e-3, actionValueLearningRate: 1e-3 },
  collect: { uniformSteps: begin, startUpdates: begin },
  evaluation: { every: Math.ceil(steps / 10), episodes: 10 },
});
for await (const event of run)
  if (event.event === 'evaluation') console.log(event.step, event.returnMean.toFixed(2));
const { runDir } = await run.finished;
const learned = await evaluate(runDir, { environment: pointMass, episodes: 50, seed: 1 });

// without walls and bounds the best force is -k place - l speed, by the fixed point of Riccati's equation
let [a, b, c, k, l] = [0, 0, 0, 0, 0]; // the cost to go is a place^2 + 2 b place speed + c speed^2
for (let i = 0; i < 1000; i++) {
  const scale = effort + dt ** 2 * c;
  [k, l] = [(dt * b) / scale, (dt * (dt * b + c)) / scale];
  const last = friction + dt ** 2 * a + 2 * dt * b + c - scale * l ** 2;
  [a, b, c] = [1 + a - scale * k ** 2, dt * a + b - scale * k * l, last];
}
const returns = Array.from({ length: 50 }, (_, start) => {
  const { reset, step } = pointMass.create();
  let [observation, total] = [reset({ uniform: () => (start - 24.5) / 25 }), 0];
  for (let t = 0; t < pointMass.maxEpisodeSteps; t++) {
    const answer = step([within(1, -k * observation[0] - l * observation[1])]);
    [observation, total] = [answer.observation, total + answer.reward];
  }
  return total;
});
const regulator = returns.reduce((sum, value) => sum + value) / returns.length;
console.log(`learned ${learned.returnMean.toFixed(2)}, linear regulator ${regulator.toFixed(2)}`);
