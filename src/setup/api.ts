/** `setup` and `doctor` for programs; what they need is loaded when they are called. */
import type { Diagnosis } from './doctor.js';
import type { Device } from './parts.js';

/** What {@link setup} is asked to do. */
export interface NativeSetupOptions {
  /** `cuda` adds the GPU libraries; what was set up before by default, else `cpu`. */
  device?: Device | undefined;
  /** A folder of wheels to use instead of an index. */
  from?: string | undefined;
  /** Never touch the network. */
  offline?: boolean | undefined;
  /** Fetch and build again what is there already. */
  force?: boolean | undefined;
  /** Where lines of progress go; a live line on standard error by default. */
  log?: ((line: string) => void) | undefined;
}

/** What {@link setup} did. */
export interface NativeSetup {
  /** Whether anything had to be done. */
  readonly changed: boolean;
  /** How long it took. */
  readonly seconds: number;
  /** What it was set up for. */
  readonly device: Device;
  /** Version of libtorch. */
  readonly torch: string;
  /** Version of libmujoco. */
  readonly mujoco: string;
}

/**
 * Sets the native part up, as the verb does: libraries, compilation, proof. What is there is kept, and one that was
 * interrupted goes on. While it works, INT and TERM end the process, so that no compiler is left behind.
 *
 * @throws VirelError `PLATFORM_UNSUPPORTED`, `TOOL_MISSING`, `TOOL_VERSION`, `SETUP_FAILED`, `SETUP_HASH`,
 *   `NATIVE_VERSION`, `NATIVE_LOAD`.
 */
export async function setup(options: NativeSetupOptions = {}): Promise<NativeSetup> {
  const { setUp } = await import('./setup.js');
  const { lineReporter } = await import('./progress.js');
  const { device, from, offline, force, log } = options;
  const { manifest, changed, seconds } = await setUp({
    ...(device && { device }),
    ...(from && { from }),
    ...(offline && { offline }),
    ...(force && { force }),
    ...(log && { reporter: lineReporter(log) }),
  });
  const { torch, mujoco } = manifest;
  return { changed, seconds, device: manifest.device, torch, mujoco };
}

/** Looks at every part of the set-up, as the verb does: what is there, what is wrong, and what mends it. */
export async function doctor(): Promise<Diagnosis> {
  const { examine } = await import('./doctor.js');
  return examine();
}
