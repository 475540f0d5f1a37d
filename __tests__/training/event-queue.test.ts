import { describe, expect, it } from '@jest/globals';
import type { TrainEvent } from '../../src/logging/events.js';
import { EventQueue } from '../../src/training/event-queue.js';

const checkpoint = (step: number): TrainEvent => ({ event: 'checkpoint', seed: 0, step, path: '' });
const step = (event: TrainEvent) => ('step' in event ? event.step : undefined);

/** Steps of all further events. */
async function rest(queue: EventQueue) {
  const steps: (number | undefined)[] = [];
  for await (const event of queue) steps.push(step(event));
  return steps;
}

describe('a queue of events', () => {
  it('keeps for the next reader what one that leaves has not read', async () => {
    const queue = new EventQueue();
    for (const at of [1, 2, 3]) queue.push(checkpoint(at));
    for await (const event of queue) {
      expect(step(event)).toBe(1);
      break;
    }
    queue.push(checkpoint(4));
    queue.end();
    expect(await rest(queue)).toEqual([2, 3, 4]);
  });

  it('ends every reader that waits, and gives each event to one of them', async () => {
    const queue = new EventQueue();
    const both = [rest(queue), rest(queue)];
    await Promise.resolve();
    for (const at of [1, 2, 3]) queue.push(checkpoint(at));
    queue.end();
    expect((await Promise.all(both)).flat().sort()).toEqual([1, 2, 3]);
  });
});
