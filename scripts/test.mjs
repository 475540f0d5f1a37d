// `npm test`: sets the native part up if need be, runs the Rust tests and jest, and adds their counts.
// `npm test -- PATTERN` runs jest alone, on the files that match.
import { jest } from './jest.mjs';
import { compile, fail, prepareNative } from './native.mjs';
import { cargoCounts, conclude, run } from './steps.mjs';

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
