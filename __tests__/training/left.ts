/** What runs leave in their folders, for comparison. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listCheckpoints } from '../../src/training/checkpoint.js';
import { untimedMetrics, untimedRows } from '../support/untimed.js';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Rows of all files of the replay buffer, one behind the other, without what each file says of itself. */
function rows(runDir: string): string {
  const replay = join(runDir, 'replay');
  const parts = readdirSync(replay)
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(replay, name));
      return bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
    });
  return sha256(Buffer.concat(parts));
}

/** Everything that a run left which no clock decides, by name. */
export function left(runDir: string): Record<string, unknown> {
  const newest = join(runDir, 'checkpoints', listCheckpoints(runDir).at(-1) as string);
  const model = readFileSync(join(newest, 'pretrained_model', 'model.safetensors'));
  const state = join(newest, 'training_state');
  const tensors = readdirSync(state).filter((name) => name.endsWith('.safetensors'));
  return {
    model: sha256(model),
    ...Object.fromEntries(tensors.map((name) => [name, sha256(readFileSync(join(state, name)))])),
    rows: rows(runDir),
    metrics: untimedMetrics(join(runDir, 'metrics.jsonl')),
    evaluations: untimedRows(join(runDir, 'eval.csv')),
    episodes: untimedRows(join(runDir, 'episodes.csv')),
  };
}
