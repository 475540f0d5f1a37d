// What CI runs on an empty clone: the README's test command word for word, then every static check.
import { conclude, lastCounts, run } from './steps.mjs';

const readmeTestCommand = 'npm install && npm test';

const results = [];
for (const command of [readmeTestCommand, 'npm run check']) {
  console.log(`$ ${command}`);
  const { status, stdout } = await run('sh', ['-c', command]);
  results.push(lastCounts(status, stdout));
}
conclude(results);
