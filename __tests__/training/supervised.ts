/** Runs of the command line as their supervisor and trainer, real processes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Running, start } from '../cli/command.js';

export const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

/** The events of `--json`; the last line may be half written. */
export const events = (stdout: string) =>
  stdout
    .slice(0, stdout.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Small networks, and everything due every few hundred steps. */
const SMALL = [
  ...['--env', 'InvertedPendulum-v5', '--algorithm', 'virel', '--seed', '3', '--threads', '1'],
  ...['--eval-every', '170', '--eval-episodes', '2', '--checkpoint-every', '60', '--keep', '2'],
  ...['--set', 'network.hidden=[16,16]', '--set', 'replay.batchSize=32'],
  ...['--set', 'collect.startUpdates=100', '--set', 'logging.every=110'],
];

/** A run of some seconds. */
export const words = (runDir: string, steps = 900) => [
  ...['train', ...SMALL, '--steps', String(steps), '--quiet', '--json', '--run-dir', runDir],
];

/** A run that does not end by itself. */
export const endless = (runDir: string) => words(runDir, 1_000_000_000);

/** The trainer's process id, once there is a checkpoint and updates go on. */
export async function trainerOf(running: Running, runDir: string): Promise<number> {
  await running.says('"event":"checkpoint"');
  await running.says('"event":"evaluation"');
  return json(join(runDir, 'status.json')).pid;
}

/** Whether a process is there; one that has ended and waits for its parent is not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}

/** Resolves when a condition holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A run's folder as its end left it. */
export const endOf = (runDir: string) => ({
  status: json(join(runDir, 'status.json')),
  summary: json(join(runDir, 'summary.json')),
  log: events(readFileSync(join(runDir, 'log.jsonl'), 'utf8')),
  isLocked: existsSync(join(runDir, 'run.lock')),
});

/** Runs a command to an end without an error. */
export async function succeed(command: readonly string[], cwd: string): Promise<void> {
  const { code, stderr } = await start(command, cwd).ended;
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
}
