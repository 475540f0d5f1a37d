import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { VirelError } from '../errors.js';

/** What the addon was built from and for; written last, so its presence means a whole set-up. */
const schema = z.object({
  format: z.literal(1),
  /** Version of this package. */
  package: z.string(),
  device: z.enum(['cpu', 'cuda']),
  torch: z.string(),
  mujoco: z.string(),
  rustc: z.string(),
  compiler: z.string(),
  /** Hash of the Rust sources. */
  sources: z.string(),
  /** SHA-256 of the addon file. */
  sha256: z.string(),
  /** Absolute paths of the libraries the addon was linked with; it looks for them nowhere else. */
  libtorch: z.string(),
  mujocoDirectory: z.string(),
  models: z.string(),
  links: z.string(),
  wheels: z.array(z.object({ name: z.string(), version: z.string(), sha256: z.string() })),
  /** UTC, ISO 8601. */
  built: z.string(),
});
export type Manifest = z.infer<typeof schema>;

/** Reads a manifest; `undefined` if there is none. Throws `NATIVE_LOAD` if it is not one of ours. */
export function readManifest(file: string): Manifest | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw damaged(file, error);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(file, error);
  }
}

/** Writes a manifest so that a reader sees all of it or nothing. */
export const writeManifest = (file: string, manifest: Manifest) => writeJson(file, manifest);

/** Writes a JSON file as a whole, and its folder where there is none. */
export function writeJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { flush: true });
  renameSync(temporary, file);
}

function damaged(file: string, cause: unknown): VirelError {
  return new VirelError('NATIVE_LOAD', 'the manifest of the native part cannot be read', {
    where: file,
    fix: 'npx virel-native setup --force',
    cause,
  });
}
