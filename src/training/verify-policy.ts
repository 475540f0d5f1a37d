/** Whether a policy on disk is the one that was written: its files against the manifest of their checkpoint. */
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { readPlainFile } from '../logging/read-lines.js';
import { sha256 } from '../setup/hash.js';
import { type CheckpointManifest, readCheckpointManifest } from './checkpoint-manifest.js';

const POLICY = 'pretrained_model/';
const NAMES = ['config.json', 'model.safetensors', 'train_config.json'];

/** Why a policy is not to be used; `format` where another version wrote its checkpoint. */
export interface Flaw {
  readonly reason: string;
  readonly format?: number;
}

/**
 * Checks the files that a policy is read from, those of `pretrained_model`; what only a resume needs may be damaged.
 *
 * @param folder Of a checkpoint. One of before there were manifests has nothing to be held against.
 * @returns What is wrong; undefined if nothing is.
 */
export function policyFlaw(folder: string): Flaw | undefined {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return { reason: `${folder} is no folder` };
  const unfit = NAMES.map((name) => join(folder, POLICY, name)).find((path) => !isPlain(path));
  if (unfit !== undefined) return { reason: `${unfit} is missing or no plain file` };
  if (!existsSync(join(folder, 'MANIFEST.json'))) return undefined;
  const read = readCheckpointManifest(folder);
  if ('reason' in read) return read;
  const files = Object.entries(read.manifest.files).filter(([name]) => name.startsWith(POLICY));
  for (const [name, facts] of files) {
    const why = fileFlaw(join(folder, name), facts);
    if (why !== undefined) return { reason: `${join(folder, name)} ${why}` };
  }
  return undefined;
}

const isPlain = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;

type Facts = CheckpointManifest['files'][string];

function fileFlaw(path: string, facts: Facts): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'is missing';
  if (!found.isFile()) return 'is no plain file';
  if (found.size !== facts.bytes) return `has ${found.size} bytes, not ${facts.bytes}`;
  return sha256(readPlainFile(path)) === facts.sha256 ? undefined : 'fails its SHA-256';
}
