import { VirelError } from '../errors.js';
import { mujocoVersion, torchVersion } from './parts.js';
import type { Places, Variables } from './places.js';
import { lastLines, runProgram } from './run.js';

/** What the addon says of itself. */
export interface Versions {
  package: string;
  torch: string;
  mujoco: string;
}

/** Loads the addon, sums a tensor and steps a pendulum: the whole native part, in a process that may die. */
const program = `
const [file, models] = process.argv.slice(1);
const addon = require(file);
const versions = addon.versions();
const environment = addon.Environment.create('InvertedPendulum-v5', models);
environment.reset(0);
const { observation } = environment.step(new Float64Array(environment.actionSize));
if (observation.length !== environment.observationSize || !observation.every(Number.isFinite))
  throw new Error('InvertedPendulum-v5 gave the observation ' + observation);
environment.dispose();
process.stdout.write('proved ' + JSON.stringify(versions));
`;

/**
 * Proves that the addon works on this machine, in a child process.
 *
 * @throws VirelError `NATIVE_LOAD` with what the loader said, `NATIVE_VERSION` if it holds other libraries.
 */
export async function proveAddon(
  file: string,
  places: Places,
  env: Variables,
  signal?: AbortSignal,
): Promise<Versions> {
  const { status, killedBy, output } = await runProgram(
    process.execPath,
    ['--input-type=commonjs', '-e', program, file, places.models],
    { env, ...(signal && { signal }) },
  );
  const fix = 'npx virel-native setup --force';
  const answer = output.match(/^proved (.*)$/m)?.[1];
  if (status !== 0 || answer === undefined) {
    const reason = killedBy
      ? `ended by ${killedBy}`
      : (output.match(/^\w*Error: (.*)$/m)?.[1] ?? lastLines(output, 3));
    throw new VirelError('NATIVE_LOAD', `the built addon does not work: ${reason}`, {
      where: file,
      fix,
    });
  }
  const versions = JSON.parse(answer) as Versions;
  for (const [name, expected, got] of [
    ['torch', torchVersion, versions.torch],
    ['MuJoCo', mujocoVersion, versions.mujoco],
  ] as const)
    if (got.split('+')[0] !== expected)
      throw new VirelError('NATIVE_VERSION', `the addon loads ${name} ${got}`, {
        where: file,
        expected,
        got,
        fix,
      });
  return versions;
}
