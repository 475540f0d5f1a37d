// A Slurm cluster of one node on this machine, in a folder of its own: nothing of it is in /etc, and nothing outlives it.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** What has to be there; Debian's packages slurmctld, slurmd, slurm-client and munge have it. */
export const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'scontrol', 'sinfo', 'squeue'];
/** How Debian and its kin get them. */
export const INSTALL =
  'apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge';
/** Daemons lie where an ordinary user's PATH does not look. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
/** Processors that the node says it has, whatever there are: tasks of tests are small. */
const CPUS = 5;
/** Milliseconds that a daemon has to answer. */
const PATIENCE = 30_000;

/** The programs of {@link PROGRAMS} that are not installed. */
export const missingPrograms = () => PROGRAMS.filter((program) => which(program) === undefined);

function which(program) {
  try {
    const options = { env: { ...process.env, PATH }, encoding: 'utf8' };
    return execFileSync('sh', ['-c', `command -v ${program}`], options).trim();
  } catch {
    return undefined;
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A port that nobody listens on. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** `slurm.conf`: one node, a partition `low` whose jobs those of `high` put back into the queue. */
function configuration(dir, user, [controller, daemon], { places }) {
  const host = hostname().split('.')[0];
  return [
    'ClusterName=virel',
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmUser=${user}`,
    `SlurmdUser=${user}`,
    `SlurmctldPort=${controller}`,
    `SlurmdPort=${daemon}`,
    'AuthType=auth/munge',
    // a job that is put back starts when its old credential has expired: 120 s otherwise
    `AuthInfo=socket=${dir}/munge.socket,cred_expire=5`,
    'CredType=cred/munge',
    'MpiDefault=none',
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'JobAcctGatherType=jobacct_gather/none',
    'AccountingStorageType=accounting_storage/none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_CPU_Memory',
    'SchedulerType=sched/backfill',
    'SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,sched_min_interval=0',
    'SlurmdParameters=config_overrides',
    'PreemptType=preempt/partition_prio',
    'PreemptMode=REQUEUE',
    'ReturnToService=2',
    'KillWait=30',
    'MinJobAge=60',
    `MaxArraySize=${places}`,
    `StateSaveLocation=${dir}/state`,
    `SlurmdSpoolDir=${dir}/spool`,
    `SlurmctldPidFile=${dir}/slurmctld.pid`,
    `SlurmdPidFile=${dir}/slurmd.pid`,
    `SlurmctldLogFile=${dir}/slurmctld.log`,
    `SlurmdLogFile=${dir}/slurmd.log`,
    `NodeName=one NodeHostname=${host} NodeAddr=127.0.0.1 CPUs=${CPUS} RealMemory=16000 State=UNKNOWN`,
    'PartitionName=low Nodes=one Default=YES MaxTime=INFINITE PriorityTier=1 PreemptMode=REQUEUE',
    'PartitionName=high Nodes=one MaxTime=INFINITE PriorityTier=2 PreemptMode=OFF',
    '',
  ].join('\n');
}

/** No control groups are used; versions before 23.11 want the name of a kind all the same. */
function cgroups() {
  const [, year, month] =
    /(\d+)\.(\d+)/.exec(answer('slurmd', ['-V'], { ...process.env, PATH })) ?? [];
  return Number(year) * 100 + Number(month) >= 2311 ? 'disabled' : 'cgroup/v1';
}

/** A daemon in the foreground, its own words in a file. */
function daemon(dir, program, args, env) {
  const log = openSync(join(dir, `${program}.out`), 'a');
  const child = spawn(program, args, { env, stdio: ['ignore', log, log] });
  child.on('error', () => {});
  return child;
}

/** Asks until the answer is yes. */
async function until(what, dir, isSo) {
  const end = Date.now() + PATIENCE;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`${what} after ${PATIENCE / 1000} s; logs: ${dir}`);
    await pause(200);
  }
}

function answer(program, args, env) {
  try {
    return execFileSync(program, args, {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}

/**
 * Starts a cluster and waits until its node is idle.
 *
 * @param {{places?: number}} options Places that a job array can have.
 * @returns {Promise<{dir: string, env: Record<string, string>, stop: () => Promise<void>}>} `env` is what its commands want.
 */
export async function startCluster({ places = 1001 } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'virel-slurm-'));
  chmodSync(dir, 0o755);
  for (const folder of ['state', 'spool']) mkdirSync(join(dir, folder));
  const ports = [await freePort(), await freePort()];
  writeFileSync(
    join(dir, 'slurm.conf'),
    configuration(dir, userInfo().username, ports, { places }),
  );
  writeFileSync(join(dir, 'cgroup.conf'), `CgroupPlugin=${cgroups()}\n`);
  writeFileSync(join(dir, 'munge.key'), randomBytes(1024), { mode: 0o400 });
  const env = { ...process.env, PATH, SLURM_CONF: join(dir, 'slurm.conf') };
  const daemons = [];
  const stop = async () => {
    // the steps of jobs are no children of ours: they end before the daemons do
    answer('scancel', ['--signal=KILL', '--full', `--user=${userInfo().username}`], env);
    answer('scancel', [`--user=${userInfo().username}`], env);
    await until(
      'jobs are still there',
      dir,
      () => answer('squeue', ['--noheader'], env) === '',
    ).catch((error) => console.error(error.message));
    for (const child of daemons.reverse()) await end(child);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const munge = ['key-file', 'socket', 'pid-file', 'log-file', 'seed-file'].map(
      (name) => `--${name}=${join(dir, `munge.${name.split('-')[0]}`)}`,
    );
    daemons.push(
      daemon(dir, 'munged', ['--foreground', '--force', '--num-threads=2', ...munge], env),
    );
    await until('munged does not answer', dir, () =>
      answer('munge', ['-n', `--socket=${join(dir, 'munge.socket')}`], env).startsWith('MUNGE:'),
    );
    daemons.push(daemon(dir, 'slurmctld', ['-D', '-i', '-f', env.SLURM_CONF], env));
    daemons.push(daemon(dir, 'slurmd', ['-D', '-N', 'one', '-f', env.SLURM_CONF], env));
    await until('the node is not idle', dir, () =>
      answer('sinfo', ['--noheader', '--partition=low', '--format=%T'], env).startsWith('idle'),
    );
  } catch (error) {
    const logs = ['munged.out', 'slurmctld.out', 'slurmctld.log', 'slurmd.out', 'slurmd.log'];
    for (const log of logs) console.error(`== ${log}\n${tail(join(dir, log))}`);
    await stop();
    throw error;
  }
  return { dir, env, stop };
}

/** Ends a daemon, and waits for it. */
function end(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
    return undefined;
  return new Promise((resolve) => {
    const hard = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.on('exit', () => {
      clearTimeout(hard);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

function tail(file) {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(-15).join('\n');
  } catch {
    return '';
  }
}
