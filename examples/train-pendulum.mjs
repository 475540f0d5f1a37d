import { loadPolicy, train } from 'virel-native';
import pendulum from './pendulum.mjs';

const run = train({
  env: pendulum,
  algorithm: 'sac-twin',
  steps: 6000,
  network: { hidden: [64, 64] },
  optim: { policyLearningRate: 1e-3, actionValueLearningRate: 1e-3 },
  collect: { uniformSteps: 500, startUpdates: 500 },
  evaluation: { every: 1000, episodes: 10 },
});
for await (const event of run) {
  if (event.event === 'evaluation') console.log(event.step, event.returnMean);
}
const { runDir } = await run.finished;
const policy = await loadPolicy(runDir);
console.log('torque when it hangs at rest:', policy.act([-1, 0, 0])[0]);
