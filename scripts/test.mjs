// `npm test`: sets the native part up if need be, runs the Rust tests and jest, and adds their counts.
// `npm test -- PATTERN` runs jest alone, on the files that match.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, fail, prepareNative } from './native.mjs';
import { cargoCounts, conclude, jestCounts, run } from './steps.mjs';

const patterns = process.argv.slice(2);
try {
  await compile();
  const native = await prepareNative();
  const results = patterns.length === 0 ? [await cargoTest(native)] : [];
  results.push(await jest(patterns));
  conclude(results);
} catch (error) {
  fail(error);
}

async function cargoTest({ cargo, cargoFlags, env }) {
  const { status, stdout } = await run(cargo, ['test', ...cargoFlags, '--no-fail-fast'], { env });
  return cargoCounts(status, stdout);
}

async function jest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'virel-jest-'));
  const file = join(folder, 'report.json');
  const flags = '--experimental-vm-modules --disable-warning=ExperimentalWarning';
  const env = {
    ...process.env,
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
