/** `training_step.json`: what the loop of a run remembers beside its session, so that another process goes on with it. */
import { join } from 'node:path';
import * as z from 'zod';
import { readPlainFile } from '../logging/read-lines.js';

const count = z.int().min(0);

/** An evaluation as its event has it, without what every event of a run shares. */
const evaluationSchema = z.object({
  event: z.literal('evaluation'),
  seed: count,
  step: count,
  episodes: z.int().min(1),
  returnMean: z.number(),
  returnStd: z.number(),
  returns: z.array(z.number()),
  lengths: z.array(count),
  wall: z.number(),
});

export const loopStateSchema = z.object({
  format: z.literal(1),
  /** Environment steps and gradient steps done. */
  step: count,
  updates: count,
  unstableResets: count,
  /** Step up to which evaluations, records and checkpoints that were due are done. */
  settled: count,
  /** Whether all of a plan was run and only what is due at its end is not. */
  due: z.boolean(),
  /** Seconds of training so far. */
  wall: z.number().min(0),
  /** The last training episodes, for the means. */
  episodes: z.array(z.object({ return: z.number(), length: count })),
  evaluations: z.array(evaluationSchema),
  /** Bytes of the growing files that belong to these steps, by name. */
  files: z.record(z.string(), count),
});

/** Where a loop stands. */
export type LoopState = z.infer<typeof loopStateSchema>;

/** Where the loop stood at a checkpoint, by its folder; undefined where it does not say, or not in words of ours. */
export function readLoopState(checkpoint: string): LoopState | undefined {
  try {
    const path = join(checkpoint, 'training_state', 'training_step.json');
    return loopStateSchema.parse(JSON.parse(readPlainFile(path).toString()));
  } catch {
    return undefined;
  }
}
