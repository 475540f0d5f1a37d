/** What a run's manifest says of the native part it used. */
import { readFileSync } from 'node:fs';
import { sha256 } from '../setup/hash.js';
import { locate } from '../setup/places.js';
import { loadAddon, modelDirectory } from './addon.js';

/** The libraries under a session. */
export interface NativeFacts {
  /** Version of libtorch. */
  torch: string;
  /** Version of libmujoco. */
  mujoco: string;
  /** SHA-256 of the addon file. */
  addon: string;
  /** Folder of the MuJoCo model files. */
  modelDirectory: string;
}

/**
 * The native part in use.
 *
 * @throws VirelError `NATIVE_*`, `MODEL_MISSING`.
 */
export function nativeFacts(modelDir: string | null): NativeFacts {
  const { torch, mujoco } = loadAddon().versions();
  const file = process.env['VIREL_NATIVE_ADDON'] || locate(process.env).addon;
  const addon = sha256(readFileSync(file));
  return { torch, mujoco, addon, modelDirectory: modelDirectory(modelDir ?? undefined) };
}
