#!/usr/bin/env node
import { existsSync } from 'node:fs';

const cli = new URL('../dist/cli/index.js', import.meta.url);
if (existsSync(cli)) {
  await import(cli.href);
} else {
  console.error('error NATIVE_MISSING: virel-native is not built\n  fix: npm install');
  process.exitCode = 3;
}
