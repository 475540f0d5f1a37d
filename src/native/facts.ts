/** What a run's manifest says of the native part it used. */
import { readFileSync } from 'node:fs';
import type { ResolvedConfig } from '../config/schema.js';
import { sha256 } from '../setup/hash.js';
import { locate } from '../setup/places.js';
import { loadAddon, modelDirectory } from './addon.js';
import { gemmOf } from './gemm.js';

/** The libraries under a session. */
export interface NativeFacts {
  /** Version of libtorch. */
  torch: string;
  /** Version of libmujoco; null where it is not used. */
  mujoco: string | null;
  /** SHA-256 of the addon file. */
  addon: string;
  /** What the kernel engine computes its products with, which decides the last bits; null on the other engine. */
  gemm: string | null;
  /** Folder of the MuJoCo model files; undefined where they are not used. */
  modelDirectory: string | undefined;
}

/**
 * The native part in use.
 *
 * @throws VirelError `NATIVE_*`, `MODEL_MISSING`.
 */
export function nativeFacts(
  config: ResolvedConfig,
  models: { modelDir: string | null } | 'without MuJoCo',
): NativeFacts {
  const { torch, mujoco } = loadAddon().versions();
  const file = process.env['VIREL_NATIVE_ADDON'] || locate(process.env).addon;
  const addon = sha256(readFileSync(file));
  const gemm = gemmOf(config);
  if (models === 'without MuJoCo')
    return { torch, mujoco: null, addon, gemm, modelDirectory: undefined };
  return {
    torch,
    mujoco,
    addon,
    gemm,
    modelDirectory: modelDirectory(models.modelDir ?? undefined),
  };
}
