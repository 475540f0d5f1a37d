/** What a run's manifest says of the native part it used. */
import { readFileSync } from 'node:fs';
import { sha256 } from '../setup/hash.js';
import { locate } from '../setup/places.js';
import { loadAddon, modelDirectory } from './addon.js';

/** The libraries under a session. */
export interface NativeFacts {
  /** Version of libtorch. */
  torch: string;
  /** Version of libmujoco; null where it is not used. */
  mujoco: string | null;
  /** SHA-256 of the addon file. */
  addon: string;
  /** Folder of the MuJoCo model files; undefined where they are not used. */
  modelDirectory: string | undefined;
}

/**
 * The native part in use.
 *
 * @throws VirelError `NATIVE_*`, `MODEL_MISSING`.
 */
export function nativeFacts(models: { modelDir: string | null } | 'without MuJoCo'): NativeFacts {
  const { torch, mujoco } = loadAddon().versions();
  const file = process.env['VIREL_NATIVE_ADDON'] || locate(process.env).addon;
  const addon = sha256(readFileSync(file));
  if (models === 'without MuJoCo') return { torch, mujoco: null, addon, modelDirectory: undefined };
  return { torch, mujoco, addon, modelDirectory: modelDirectory(models.modelDir ?? undefined) };
}
