// `npm run test:slurm`: the tests of `__tests__/slurm` on a Slurm of one node that is started for them. Where Slurm is not
// installed they are skipped; with `-- --install` it is installed first, by root on a system with apt-get. Other words are jest's
// own, such as `-t 'time limit'`.
import { jest } from '../jest.mjs';
import { compile, fail, prepareNative } from '../native.mjs';
import { conclude, run } from '../steps.mjs';
import { INSTALL, missingPrograms, startCluster } from './cluster.mjs';

/** Places of a job array: so few that a sweep of four runs takes two arrays. */
const PLACES = 3;

const words = process.argv.slice(2);
if (words.includes('--install')) await install();
const missing = missingPrograms();
if (missing.length > 0) {
  const reason = `not installed: ${missing.join(', ')} (fix: ${INSTALL})`;
  console.error(`\nSKIPPED: the tests on a cluster; ${reason}\n`);
  conclude([{ passed: 0, failed: 0, skipped: [`slurm: every test on a cluster: ${reason}`] }]);
} else await test(words.filter((word) => word !== '--install'));

async function test(more) {
  try {
    await compile();
    await prepareNative();
    const cluster = await startCluster({ places: PLACES });
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.once(name, () => void cluster.stop().then(() => process.exit(1)));
    const config = ['--rootDir', '.', '--testPathIgnorePatterns', '/node_modules/'];
    try {
      const args = [...config, '--runInBand', '--forceExit', '__tests__/slurm/', ...more];
      conclude([await jest(args, cluster.env)]);
    } finally {
      await cluster.stop();
    }
  } catch (error) {
    fail(error);
  }
}

/** Tries to install what is missing; what came of it is seen afterwards. */
async function install() {
  if (missingPrograms().length === 0 || process.getuid?.() !== 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  console.log(`$ ${INSTALL}`);
  await run('sh', ['-c', `apt-get update -qq && ${INSTALL} -qq`], { env });
}
