/** Which matrix product the `kernel` engine computes with on this machine: measured once, kept, the same from then on. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import type { NativeCalibration } from '../../index.d.ts';
import type { ResolvedConfig } from '../config/schema.js';
import { writeJson } from '../setup/manifest.js';
import { locate, type Variables } from '../setup/places.js';
import { type Addon, loadAddon } from './addon.js';

/** Every candidate, ours first. */
export const GEMMS = ['own', 'gemm', 'matrixmultiply'] as const;
export type Gemm = (typeof GEMMS)[number];

/** What computes a config's products: its own word, or else the choice of this machine; null on the other engine. */
export function gemmOf({ runtime }: ResolvedConfig): Gemm | null {
  return runtime.engine === 'kernel' ? (runtime.gemm ?? machineGemm()) : null;
}

/** How much faster another must be than our own, which gives the same bits on every processor. */
const LEAD = 1.05;

/** Seconds for each candidate: some hundred blocks, of which the best counts. */
const SECONDS = 0.05;

/** The candidate to use. */
export function fastest({ gemms }: Pick<NativeCalibration, 'gemms'>): Gemm {
  const speed = (name: Gemm) => gemms.find((each) => each.name === name)?.gflops ?? 0;
  const best = GEMMS.reduce((one, other) => (speed(other) > speed(one) ? other : one));
  return speed(best) > LEAD * speed('own') ? best : 'own';
}

/** What is kept: the choice and what it was made by. */
interface Kept extends NativeCalibration {
  cpu: string;
  chosen: Gemm;
}

let chosen: Gemm | undefined;

/**
 * The choice of this machine. The first call on a processor measures for a fifth of a second and keeps the result beside
 * the addon; where it cannot be kept, another process would choose anew and might differ, so it is our own product then.
 */
export function machineGemm(env: Variables = process.env): Gemm {
  chosen ??= keptChoice(env);
  return chosen;
}

function keptChoice(env: Variables): Gemm {
  const override = env['VIREL_NATIVE_ADDON'];
  const folder = override ? dirname(override) : locate(env).addonDirectory;
  const file = join(folder, 'gemm.json');
  const cpu = cpus()[0]?.model ?? 'unknown';
  return read(file, cpu) ?? keep(file, cpu, loadAddon(env));
}

function read(file: string, cpu: string): Gemm | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Partial<Kept>;
    return kept.cpu === cpu ? GEMMS.find((name) => name === kept.chosen) : undefined;
  } catch {
    // damaged: measured again
    return undefined;
  }
}

function keep(file: string, cpu: string, addon: Addon): Gemm {
  const calibration = addon.calibrate(SECONDS);
  const made: Kept = { cpu, chosen: fastest(calibration), ...calibration };
  try {
    writeJson(file, made);
  } catch {
    return 'own';
  }
  // another process may have been first: the file decides
  return read(file, cpu) ?? made.chosen;
}
