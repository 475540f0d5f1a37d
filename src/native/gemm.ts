/** Which matrix product the `kernel` engine computes with on this machine: measured once, kept, the same from then on. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import type { NativeCalibration } from '../../index.d.ts';
import { GEMMS, type ResolvedConfig } from '../config/schema.js';
import { writeJson } from '../setup/manifest.js';
import { locate, type Variables } from '../setup/places.js';
import { loadAddon } from './addon.js';

/** What computes a product. */
export type Gemm = (typeof GEMMS)[number];

/** What computes a config's products: its own word, or else the choice of this machine; null on the other engine. */
export function gemmOf({ runtime }: ResolvedConfig): Gemm | null {
  return runtime.engine === 'kernel' ? (runtime.gemm ?? machineGemm()) : null;
}

/**
 * How much faster another must be than our own, which gives the same bits on every processor. In a learner ours gains what this
 * measurement does not see: it finishes sums before they are stored, asks for what comes next ahead, and leaves zeros out. Crates that were
 * 0.91 and 0.93 times as fast here were 0.84 and 0.77 times as fast there (a Zen 3, a Xeon with AVX-512).
 */
const LEAD = 1.2;

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
 * the addon.
 *
 * @throws VirelError `NATIVE_*` where it has to measure without an addon.
 */
export function machineGemm(env: Variables = process.env): Gemm {
  chosen ??= keptGemm(keptFile(env), cpus()[0]?.model ?? 'unknown', () =>
    loadAddon(env).calibrate(SECONDS),
  );
  return chosen;
}

/** Operations a second of one core by the product in use, as measured once; undefined before that, or on another processor. */
export function keptSpeed(env: Variables = process.env): number | undefined {
  const kept = readKept(keptFile(env), cpus()[0]?.model ?? 'unknown');
  const gflops = kept?.gemms?.find(({ name }) => name === kept.chosen)?.gflops;
  return typeof gflops === 'number' && gflops > 0 ? gflops * 1e9 : undefined;
}

function keptFile(env: Variables): string {
  const override = env['VIREL_NATIVE_ADDON'];
  return join(override ? dirname(override) : locate(env).addonDirectory, 'gemm.json');
}

/**
 * What `file` holds for this processor, or else what is measured now and kept there. Where it cannot be kept, another
 * process would choose anew and might differ, so it is our own product then.
 */
export function keptGemm(file: string, cpu: string, measure: () => NativeCalibration): Gemm {
  const known = read(file, cpu);
  if (known !== undefined) return known;
  const calibration = measure();
  const made: Kept = { cpu, chosen: fastest(calibration), ...calibration };
  try {
    writeJson(file, made);
  } catch {
    return 'own';
  }
  // another process may have been the last to write: the file decides
  return read(file, cpu) ?? made.chosen;
}

const read = (file: string, cpu: string): Gemm | undefined =>
  GEMMS.find((name) => name === readKept(file, cpu)?.chosen);

/** What a file holds for this processor. */
function readKept(file: string, cpu: string): Partial<Kept> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Partial<Kept>;
    return kept.cpu === cpu ? kept : undefined;
  } catch {
    // damaged: measured again
    return undefined;
  }
}
