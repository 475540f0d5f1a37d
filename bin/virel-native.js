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

// what Node 22 and later compile is kept for the next command, where Node keeps it; by the variable a trainer knows the place
const { enableCompileCache } = await import('node:module');
const kept = enableCompileCache?.().directory;
if (kept !== undefined) process.env.NODE_COMPILE_CACHE ??= kept;

const { existsSync } = await import('node:fs');
const cli = new URL('../dist/cli/index.js', import.meta.url);
if (existsSync(cli)) {
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
