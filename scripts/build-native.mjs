// `npm run build:native`: generates index.d.ts from the doc comments and signatures of native/binding, and the tables
// of tasks from what the addon lists.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, fail, prepareNative } from './native.mjs';
import { run } from './steps.mjs';

try {
  await compile();
  const { env, places } = await prepareNative();
  const output = join(places.target, 'napi');
  const napi = ['build', '--release', '--platform', '--no-js', '--dts', 'index.d.ts'];
  const crate = [
    '--manifest-path',
    'native/binding/Cargo.toml',
    '--package-json-path',
    'package.json',
  ];
  const { status } = await run(
    process.execPath,
    [
      'node_modules/@napi-rs/cli/dist/cli.js',
      ...napi,
      ...crate,
      '--output-dir',
      output,
      '--',
      '--locked',
    ],
    { env },
  );
  if (status === 0) {
    copyFileSync(join(output, 'index.d.ts'), 'index.d.ts');
    await import('./generate-environments.mjs');
  }
  process.exitCode = status;
} catch (error) {
  fail(error);
}
