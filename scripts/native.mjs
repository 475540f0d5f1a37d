// The native part for the scripts: compiled TypeScript, a finished set-up, and the environment of cargo.
import { existsSync } from 'node:fs';
import { run } from './steps.mjs';

const tsc = 'node_modules/typescript/bin/tsc';

/** Compiles `src` to `dist` and builds the page of `watch`; type errors do not stop it, `npm run check` counts them. */
export async function compile() {
  if (!existsSync(tsc)) throw new Error('dependencies are not installed\n  fix: npm install');
  await run(process.execPath, [tsc, '-p', 'tsconfig.build.json']);
  await run(process.execPath, ['scripts/build-page.mjs']);
}

/**
 * Sets the native part up if need be.
 * @returns cargo and its flags, and the environment in which it and the tests run.
 */
export async function prepareNative() {
  const { ensureNative } = await import('../dist/native/addon.js');
  const { cargoFlags } = await import('../dist/setup/build.js');
  const { cargoVariables } = await import('../dist/setup/link.js');
  const { locate } = await import('../dist/setup/places.js');
  const { requireTools } = await import('../dist/setup/tools.js');
  await ensureNative();
  const places = locate(process.env);
  const { cargo } = requireTools(['cargo'], process.env);
  const env = {
    ...cargoVariables(process.env, places),
    VIREL_MODELS: places.models,
    CARGO_TARGET_DIR: places.target,
  };
  return { cargo: cargo.path, cargoFlags, env, places };
}

/** Prints an error of ours as the command line does, and ends with its exit status. */
export function fail(error) {
  console.error(`error ${error.code ?? ''}: ${error.message}`);
  for (const key of ['where', 'expected', 'got', 'fix'])
    if (error[key]) console.error(`  ${key}: ${error[key]}`);
  if (!error.isVirelError) console.error(error.stack);
  console.log('0 passed, 1 failed');
  process.exitCode = error.exit ?? 1;
}
