// Runs jest as every script does: ES modules on, its report read back as counts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jestCounts, run } from './steps.mjs';

/** Counts of jest with these words on its command line. */
export async function jest(args, more = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'virel-jest-'));
  const file = join(folder, 'report.json');
  const flags = '--experimental-vm-modules --disable-warning=ExperimentalWarning';
  const env = {
    ...process.env,
    ...more,
    NODE_OPTIONS: [process.env.NODE_OPTIONS, flags].filter(Boolean).join(' '),
  };
  try {
    const command = ['node_modules/jest/bin/jest.js', '--json', `--outputFile=${file}`, ...args];
    const { status } = await run(process.execPath, command, { env });
    return jestCounts(status, report(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // jest ended before it could write one; its own message is above
    return undefined;
  }
}
