/** What an export refuses, and that it leaves nothing behind then. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXPORT_FORMATS, type ExportFormat, exportRun } from '../../src/export/export-run.js';
import { readTensors } from '../../src/export/safetensors-file.js';
import { loadPolicy } from '../../src/training/load-policy.js';
import { train } from '../../src/training/train.js';
import { slope } from '../environments/support.js';
import { shortRun } from './runs.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const MODEL = 'checkpoints/000000000300/pretrained_model';
const SMALL = { network: { hidden: [4] } };
let run: string;

beforeAll(async () => {
  run = await shortRun(folder, 'run', { env: 'Hopper-v5', ...SMALL });
});

/** A copy of the run in which something is changed. */
function changed(name: string, change: (dir: string) => void): string {
  const dir = join(folder, name);
  cpSync(run, dir, { recursive: true });
  change(dir);
  return dir;
}

const code = (wanted: string) => expect.objectContaining({ code: wanted });
const onnx = (out: string) => ({ format: 'onnx' as const, out: join(folder, out) });

describe('exportRun', () => {
  it.each(EXPORT_FORMATS)(
    '%s: names, sizes, whole files, and the run as it was',
    async (format) => {
      const before = readdirSync(run, { recursive: true });
      const out = join(folder, 'all', format);
      const exported = await exportRun(run, { format, out });
      expect(exported).toMatchObject({ format, env: 'Hopper-v5', algorithm: 'virel', step: 300 });
      expect(exported.files.map(({ file }) => basename(file)).sort()).toEqual(
        readdirSync(out).sort(),
      );
      for (const { file, bytes } of exported.files) expect(readFileSync(file)).toHaveLength(bytes);
      expect(readdirSync(run, { recursive: true })).toEqual(before);
    },
  );

  it('copies the parameters to the byte; their metadata tell what they act in', async () => {
    const out = join(folder, 'all/safetensors');
    for (const name of ['model.safetensors', 'config.json']) {
      expect(readFileSync(join(out, name))).toEqual(readFileSync(join(run, MODEL, name)));
    }
    const { metadata, tensors } = readTensors(join(out, 'model.safetensors'));
    expect(JSON.parse(metadata['virel-native'] ?? '')).toEqual({
      env: 'Hopper-v5',
      algorithm: 'virel',
      step: 300,
      package: expect.any(String),
      torch: expect.any(String),
      mujoco: '3.17.0',
      observation: ['qpos[1:6]', 'clip(qvel[0:6], -10, 10)'],
    });
    expect(tensors.get('policy.trunk.0.weight')?.shape).toEqual([4, 11]);
  });

  it('takes the step that is asked for', async () => {
    const best = await exportRun(run, { ...onnx('best'), step: 'best' });
    expect(best.step).toBe(300);
    await expect(exportRun(run, { ...onnx('none'), step: 7 })).rejects.toEqual(
      code('CHECKPOINT_NONE'),
    );
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });

  it('never writes over what is there, unless told to', async () => {
    const out = join(folder, 'taken');
    mkdirSync(out);
    writeFileSync(join(out, 'policy.onnx'), 'mine');
    writeFileSync(join(out, 'other'), 'mine too');
    await expect(exportRun(run, onnx('taken'))).rejects.toEqual(code('EXPORT_EXISTS'));
    expect(readFileSync(join(out, 'policy.onnx'), 'utf8')).toBe('mine');
    await exportRun(run, { ...onnx('taken'), force: true });
    expect(readFileSync(join(out, 'policy.onnx'), 'utf8')).not.toBe('mine');
    // beside it there is room for another format
    await exportRun(run, { format: 'typescript', out });
    expect(readdirSync(out).sort()).toEqual(['other', 'policy.onnx', 'policy.ts']);
  });

  it('takes away what an earlier export left of its own names', async () => {
    const out = join(folder, 'stale');
    mkdirSync(out);
    writeFileSync(join(out, 'replay.parquet'), 'old');
    const without = await shortRun(folder, 'no-rows', {
      env: 'Hopper-v5',
      ...SMALL,
      checkpoint: { replay: false },
    });
    await exportRun(without, { format: 'parquet', out, force: true });
    expect(readdirSync(out).sort()).toEqual(['evaluations.parquet', 'metrics.parquet']);
  });

  it('does not replace a folder by a file', async () => {
    mkdirSync(join(folder, 'odd/policy.onnx'), { recursive: true });
    const forced = exportRun(run, { ...onnx('odd'), force: true });
    await expect(forced).rejects.toEqual(code('EXPORT_EXISTS'));
  });

  it('refuses a format that is none, and says what was meant', async () => {
    const odd = exportRun(run, { ...onnx('odd'), format: 'onx' as ExportFormat });
    await expect(odd).rejects.toMatchObject({ code: 'EXPORT_UNSUPPORTED', fix: /onnx/, exit: 2 });
  });

  it.each<[string, string, (dir: string) => void]>([
    [
      'CHECKPOINT_NONE',
      'no checkpoint',
      (dir) => rmSync(join(dir, 'checkpoints'), { recursive: true }),
    ],
    ['RUN_NOT_FOUND', 'no run', (dir) => rmSync(join(dir, 'run.json'))],
    ['RUN_CORRUPT', 'no config', (dir) => rmSync(join(dir, 'config.yaml'))],
    [
      'CHECKPOINT_CORRUPT',
      'a flipped bit',
      (dir) => {
        const path = join(dir, MODEL, 'model.safetensors');
        const bytes = readFileSync(path);
        bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
        writeFileSync(path, bytes);
      },
    ],
    [
      'CHECKPOINT_CORRUPT',
      'a manifest that is none',
      (dir) => writeFileSync(join(dir, 'checkpoints/000000000300/MANIFEST.json'), '{'),
    ],
    [
      'CHECKPOINT_CORRUPT',
      'a file cut short that no manifest lists',
      (dir) => {
        rmSync(join(dir, 'checkpoints/000000000300/MANIFEST.json'));
        writeFileSync(join(dir, MODEL, 'model.safetensors'), 'abc');
      },
    ],
    [
      'PARAMETER_SHAPE',
      'parameters of another network',
      (dir) => {
        rmSync(join(dir, 'checkpoints/000000000300/MANIFEST.json'));
        const path = join(dir, MODEL, 'config.json');
        writeFileSync(path, readFileSync(path, 'utf8').replace(/"hidden": \[\s+4/, '"hidden": [5'));
      },
    ],
    [
      'EXPORT_UNSUPPORTED',
      'an activation of another version',
      (dir) => {
        rmSync(join(dir, 'checkpoints/000000000300/MANIFEST.json'));
        const path = join(dir, MODEL, 'config.json');
        writeFileSync(path, readFileSync(path, 'utf8').replace('"relu"', '"gelu"'));
      },
    ],
  ])('%s for %s, in every format, with nothing left behind', async (wanted, name, change) => {
    const dir = changed(name, change);
    for (const format of EXPORT_FORMATS) {
      const out = join(folder, 'never', format);
      await expect(exportRun(dir, { format, out })).rejects.toEqual(code(wanted));
      expect(existsSync(out)).toBe(false);
    }
  });

  it('refuses rows that are damaged, with nothing left behind', async () => {
    const dir = changed('rows', (copy) => {
      const rows = join(copy, 'replay/rows-000000000000.safetensors');
      writeFileSync(rows, readFileSync(rows).subarray(0, -4));
    });
    const out = join(folder, 'rows-out');
    await expect(exportRun(dir, { format: 'parquet', out })).rejects.toEqual(
      code('CHECKPOINT_CORRUPT'),
    );
    expect(existsSync(out)).toBe(false);
  });

  it('names the folder that it may not write to', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(exportRun(run, onnx('file'))).rejects.toEqual(code('IO'));
    // root may write anywhere
    if (process.getuid?.() === 0) return;
    mkdirSync(join(folder, 'closed'));
    chmodSync(join(folder, 'closed'), 0o500);
    await expect(exportRun(run, onnx('closed/in'))).rejects.toEqual(code('PERMISSION'));
  });
});

describe('a policy of an environment in TypeScript', () => {
  it('goes along within its own bounds; a hub folder is refused', async () => {
    const runDir = join(folder, 'slope');
    const options = { steps: 200, collect: { startUpdates: 100 }, ...SMALL, runDir };
    await train({ env: slope, ...options, evaluation: { episodes: 1 } }).finished;
    const out = join(folder, 'slope-export');
    await exportRun(runDir, { format: 'typescript', out });
    expect(readFileSync(join(out, 'policy.ts'), 'utf8')).toContain(
      'actionHigh: readonly number[] = [5]',
    );
    for (const format of ['onnx', 'safetensors', 'parquet'] as const) {
      await exportRun(runDir, { format, out });
    }
    const policy = await loadPolicy(runDir);
    policy.dispose();
    const hub = exportRun(runDir, { format: 'hub', out: join(folder, 'slope-hub') });
    await expect(hub).rejects.toMatchObject({ code: 'EXPORT_UNSUPPORTED', fix: /onnx/ });
    expect(existsSync(join(folder, 'slope-hub'))).toBe(false);
  });
});
