/** The heartbeat in `status.json`: the sign of life of a run whose process may be on another machine. */
import { join } from 'node:path';
import * as z from 'zod';
import { readRunFile } from './files.js';

/** Milliseconds between heartbeats. */
export const HEARTBEAT = 10_000;
/** A process that missed so many is dead. */
export const MISSED = 5;

const beatSchema = z.looseObject({ heartbeat: z.iso.datetime() });

/** Milliseconds since the last heartbeat, by this machine's clock; undefined where there is none that can be read. */
export function heartbeatAge(runDir: string, now = Date.now()): number | undefined {
  try {
    const { heartbeat } = readRunFile(join(runDir, 'status.json'), beatSchema);
    return Math.max(0, now - Date.parse(heartbeat));
  } catch {
    return undefined;
  }
}

/** Whether a run that once had a heartbeat has missed five of them. */
export function isSilent(runDir: string): boolean {
  const age = heartbeatAge(runDir);
  return age !== undefined && age > MISSED * HEARTBEAT;
}
