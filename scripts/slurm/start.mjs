// `node scripts/slurm/start.mjs`: a Slurm of one node on this machine, until Ctrl-C. Another shell uses it with the line printed.
import { INSTALL, missingPrograms, startCluster } from './cluster.mjs';

const missing = missingPrograms();
if (missing.length > 0) {
  console.error(`not installed: ${missing.join(', ')}`);
  console.error(`  fix: ${INSTALL}`);
  process.exit(3);
}
const { env, stop } = await startCluster();
console.log(`export SLURM_CONF=${env.SLURM_CONF}`);
console.error('a node with partitions low and high; Ctrl-C ends it');
const alive = setInterval(() => {}, 1 << 30);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(name, async () => {
    clearInterval(alive);
    await stop();
  });
