import { defineEnvironment } from 'virel-native';

/** A pendulum to swing up and hold: gravity 10, mass 1 kg, length 1 m, 0.05 s a step. */
export default defineEnvironment({
  id: 'pendulum',
  observationSize: 3,
  actionSize: 1,
  actionLow: -2,
  actionHigh: 2,
  maxEpisodeSteps: 200,
  create() {
    let angle = 0; // from upright, radians
    let velocity = 0;
    const observe = () => [Math.cos(angle), Math.sin(angle), velocity];
    return {
      reset(random) {
        angle = random.uniform(-Math.PI, Math.PI);
        velocity = random.uniform(-1, 1);
        return observe();
      },
      step([torque]) {
        const off = Math.atan2(Math.sin(angle), Math.cos(angle));
        const reward = -(off ** 2 + 0.1 * velocity ** 2 + 0.001 * torque ** 2);
        velocity += (15 * Math.sin(angle) + 3 * torque) * 0.05;
        velocity = Math.max(-8, Math.min(8, velocity));
        angle += velocity * 0.05;
        return { observation: observe(), reward, terminated: false };
      },
    };
  },
});
