/** Run folders as a trainer would have left them, made without one. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricsLine } from '../../src/logging/metrics-line.js';
import { encodeRecording } from '../../src/watch/shared/recording.js';

const json = (value: unknown) => `${JSON.stringify(value)}\n`;

/** What differs between runs. */
export interface FakeRun {
  readonly env?: string;
  readonly seed?: number;
  readonly created?: string;
  readonly state?: string;
}

/** Makes a run's folder. @returns Its path. */
export function fakeRun(folder: string, name: string, about: FakeRun = {}): string {
  const { env = 'Hopper-v5', seed = 0, created = '2026-11-26T00:00:00.000Z' } = about;
  const dir = join(folder, name);
  mkdirSync(dir, { recursive: true });
  const versions = { package: '0.1.0', torch: '2.13.0', mujoco: '3.17.0', node: '20.20.2' };
  const run = { format: 1, env, algorithm: 'virel', seed, created, versions, host: 'SECRET-HOST' };
  writeFileSync(join(dir, 'run.json'), json({ ...run, argv: ['/SECRET/PATH'] }));
  const heartbeat = new Date().toISOString();
  const status = { state: about.state ?? 'running', step: 2000, heartbeat };
  writeFileSync(join(dir, 'status.json'), json(status));
  writeFileSync(join(dir, 'config.yaml'), `steps: 4000\nseed: ${seed}\nenv: {id: ${env}}\n`);
  const origin = { steps: '--steps', seed: 'file /SECRET/PATH/a.yaml', 'env.id': '--env' };
  writeFileSync(join(dir, 'config.origin.json'), json(origin));
  writeFileSync(join(dir, 'model.xml'), '<mujoco/>');
  writeFileSync(
    join(dir, 'eval.csv'),
    'step,episodes,return_mean,return_std,return_min,return_max,length_mean,wall\n',
  );
  for (const step of [1000, 2000]) addStep(dir, step);
  return dir;
}

/** Adds a record to both logs. */
export function addStep(dir: string, step: number): void {
  const m = { 'virel/temperature': step / 1e6, 'policy/entropy': 3 };
  const line = metricsLine({ step, updates: step, wall: step / 100, m });
  appendFileSync(join(dir, 'metrics.jsonl'), `${line}\n`);
  appendFileSync(join(dir, 'eval.csv'), `${step},2,${step / 10},1,${step / 20},${step / 5},50,1\n`);
}

/** Adds a recording of two states. */
export function addRecording(dir: string, step: number): string {
  const id = `${String(step).padStart(12, '0')}-s0`;
  const header = {
    format: 1,
    env: 'Hopper-v5',
    algorithm: 'virel',
    step,
    seed: 0,
    model: null,
    mujoco: null,
    nq: 1,
    nu: 1,
    dt: 0.1,
    steps: 1,
    return: 2,
  } as const;
  const two = Float32Array.of(1, 2);
  mkdirSync(join(dir, 'recordings'), { recursive: true });
  const bytes = encodeRecording({ header, frames: 2, qpos: two, action: two, reward: two });
  writeFileSync(join(dir, 'recordings', `${id}.qrec`), bytes);
  return id;
}
