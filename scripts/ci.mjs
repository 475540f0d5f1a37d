// What CI runs on an empty clone: the README's test command word for word, the tests on a cluster where Slurm is there or can be
// installed, then every static check.
import { readFileSync } from 'node:fs';
import { conclude, lastCounts, run, skippedIn } from './steps.mjs';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const readmeTestCommand = /^npm .*\bnpm test\b[^#\n]*/m.exec(readme)?.[0].trim();
if (readmeTestCommand === undefined) throw new Error('README.md names no test command');

const results = [];
const commands = [readmeTestCommand, 'npm run test:slurm -- --install', 'npm run check'];
for (const command of commands) {
  console.log(`$ ${command}`);
  const { status, stdout } = await run('sh', ['-c', command]);
  results.push({ ...lastCounts(status, stdout), skipped: skippedIn(stdout) });
}
conclude(results);
