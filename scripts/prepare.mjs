// Compiles the TypeScript and builds the page of `watch`; must not fail before dependencies are there (npx links the
// checkout first).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const tsc = 'node_modules/typescript/bin/tsc';
const node = (...words) => spawnSync(process.execPath, words, { stdio: 'inherit' }).status ?? 1;
if (existsSync(tsc)) {
  process.exitCode = node(tsc, '-p', 'tsconfig.build.json');
  // training needs no page: one that cannot be built is said, here and by `watch`, and keeps nobody from training
  node('scripts/build-page.mjs');
}
