#!/usr/bin/env node
// no static imports: until a listener stands, USR1 opens the debugger of Node
for (const [name, code] of [
  ['SIGUSR1', 138],
  ['SIGUSR2', 140],
]) {
  // whoever listens besides decides; before and after that nothing is at stake
  process.on(name, () => {
    if (process.listenerCount(name) === 1) process.exit(code);
  });
}

const { existsSync } = await import('node:fs');
const cli = new URL('../dist/cli/index.js', import.meta.url);
if (existsSync(cli)) {
  await keepCompiled();
  const [verb, ...words] = process.argv.slice(2);
  if ((verb === 'train' || verb === 'resume') && !words.includes('--help')) {
    const { startEarly } = await import('../dist/training/early-trainer.js');
    startEarly();
  }
  await import(cli.href);
} else {
  console.error(
    'error SETUP_FAILED: virel-native is not compiled: dist is missing\n' +
      '  expected: typescript, a development dependency, which npm install compiles with\n' +
      '  fix: npm install --include=dev',
  );
  process.exitCode = 3;
}

/**
 * Node 22.1 and later keep what they compile for the next command; a trainer finds the place by Node's own variable. It is the
 * user's own: Node's is one for all who share the machine.
 */
async function keepCompiled() {
  const { enableCompileCache } = await import('node:module');
  if (enableCompileCache === undefined) return;
  const { compiledPlace } = await import('../dist/setup/places.js');
  const { directory } = enableCompileCache(compiledPlace(process.env));
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE = directory;
}
