#!/usr/bin/env node
import { existsSync } from 'node:fs';

const cli = new URL('../dist/cli/index.js', import.meta.url);
if (existsSync(cli)) {
  await import(cli.href);
} else {
  console.error(
    'error SETUP_FAILED: virel-native is not compiled: dist is missing\n' +
      '  expected: typescript, a development dependency, which npm install compiles with\n' +
      '  fix: npm install --include=dev',
  );
  process.exitCode = 3;
}
