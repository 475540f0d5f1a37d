// `npm run check`: every static check, each run even after another failed; the last line counts them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { compile, fail, prepareNative } from './native.mjs';
import { conclude, run } from './steps.mjs';

/** A folder of pictures that are all written by one command. */
const pictures = 'docs/images/theory';

/** Files that a command writes and the repository holds: [name, files, command]. */
const generated = [
  [
    'what is generated from native/',
    ['index.d.ts', 'src/environments/tasks.ts', 'src/environments/task-options.ts'],
    [process.execPath, 'scripts/build-native.mjs'],
  ],
  ['docs/metrics.md', ['docs/metrics.md'], [process.execPath, 'scripts/generate-metrics.mjs']],
  [
    'the JSON Schema of a config',
    ['schema/config.schema.json'],
    [process.execPath, 'scripts/generate-schema.mjs'],
  ],
  [
    pictures,
    readdirSync(pictures).map((name) => `${pictures}/${name}`),
    [process.execPath, 'scripts/generate-theory-images.mjs'],
  ],
];

/** TypeDoc lives in a package of its own, with the TypeScript that it can read. */
const apiDocs = ['run', '--silent', '--workspace', 'scripts/api-docs'];

try {
  await compile();
  const { cargo, cargoFlags, env } = await prepareNative();
  const tool = (path, ...args) => run(process.execPath, [`node_modules/${path}`, ...args]);
  const clippy = ['clippy', ...cargoFlags, '--all-targets', '--', '-D', 'warnings'];
  const steps = [
    ['format and lint', () => tool('@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '.')],
    ['types', () => tool('typescript/bin/tsc', '-p', 'tsconfig.json')],
    ['types of the page', () => tool('typescript/bin/tsc', '-p', 'src/watch/page/tsconfig.json')],
    ['rustfmt', () => run(cargo, ['fmt', '--all', '--check'])],
    ['clippy', () => run(cargo, clippy, { env })],
    ...generated.map(([name, ...given]) => [`${name} is fresh`, () => fresh(...given)]),
    ['documentation of the API', () => run('npm', [...apiDocs, 'check'])],
    ['package', () => tool('publint/src/cli.js', '--strict')],
    ['lock file', () => run(process.execPath, ['scripts/complete-lock.mjs', '--check'])],
  ];
  const results = [];
  for (const [name, step] of steps) {
    console.log(`\n# ${name}`);
    const { status } = await step();
    results.push({ name, passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1 });
  }
  console.log('');
  for (const { name, failed } of results) console.log(`${failed ? 'FAILED' : 'ok    '} ${name}`);
  conclude(results);
} catch (error) {
  fail(error);
}

/** Whether a generator writes what the repository holds; the files are left as they were. */
async function fresh(files, [command, ...args]) {
  const before = files.map((file) => readFileSync(file, 'utf8'));
  try {
    const { status } = await run(command, args);
    const stale = files.filter((file, index) => readFileSync(file, 'utf8') !== before[index]);
    if (stale.length > 0) console.error(`stale: ${stale.join(' ')}; run: node ${args.join(' ')}`);
    return { status: stale.length > 0 ? 1 : status };
  } finally {
    files.forEach((file, index) => {
      writeFileSync(file, before[index]);
    });
  }
}
