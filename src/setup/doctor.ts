import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { basename, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isVirelError, VirelError } from '../errors.js';
import { freeMegabytes } from './disk.js';
import { sha256 } from './hash.js';
import { checkLibraries, libmujocoVersion, libtorchVersion } from './libraries.js';
import { readManifest } from './manifest.js';
import { modelHashes, mujocoVersion } from './parts.js';
import { locate, type Places, type Variables } from './places.js';
import { proveAddon } from './prove.js';
import { checkPlatform, findProgram, findTool, glibcVersion, type ToolName } from './tools.js';

/** One thing that the native part stands on. */
export interface Part {
  /** What it is, such as `libtorch`. */
  name: string;
  /** Of the part; empty where it has none, or is not there. */
  version: string;
  /** Where it is; empty where it has no place. */
  path: string;
  /** `warn` does not hinder work today; `ok` is then still true. */
  status: 'ok' | 'warn' | 'fail';
  /** Whether it can be worked with. */
  ok: boolean;
  /** More to know: what a library needs, what differs. */
  note?: string;
  /** The one command that mends it. */
  fix?: string;
}

/** Every part, and whether the native part works as a whole. */
export interface Diagnosis {
  /** Whether every part is. */
  ok: boolean;
  /** In the order of the verb's output. */
  parts: Part[];
}

const set = 'npx virel-native setup';
const again = `${set} --force`;

/** Looks at every part, re-hashes libraries and models, and runs the addon in a child process. */
export async function examine(
  env: Variables = process.env,
  places = locate(env),
): Promise<Diagnosis> {
  const addon = await addonPart(places, env);
  // what only building needs is no fault while a built addon works
  const asNeeded = (part: Part): Part =>
    part.status === 'fail' && addon.ok ? { ...part, status: 'warn', ok: true } : part;
  const tools: ToolName[] = ['cargo', 'rustc', 'c++', 'python', 'pip'];
  const parts = [
    platformPart(),
    part('node', process.versions.node, process.execPath),
    npmPart(env),
    ...tools.map((name) => asNeeded(toolPart(name, env))),
    await libraryPart('libtorch', places, env),
    await libraryPart('mujoco', places, env),
    modelsPart(places),
    addon,
    cudaPart(places, env),
    processorPart(),
    part('threads', String(availableParallelism()), ''),
    memoryPart(),
    diskPart(places, addon.ok),
  ];
  return { ok: parts.every(({ ok }) => ok), parts };
}

/** A diagnosis in aligned lines. */
export function describeDiagnosis({ ok, parts }: Diagnosis): string {
  const width = Math.max(...parts.map(({ name }) => name.length));
  const lines = parts.flatMap(({ name, version, path, status, note, fix }) => [
    [status.padEnd(4), name.padEnd(width), version, path].filter(Boolean).join('  ').trimEnd(),
    ...(note ? [`      ${note}`] : []),
    ...(fix ? [`      fix: ${fix}`] : []),
  ]);
  return [...lines, ok ? 'all parts work' : 'something is wrong: see fail above'].join('\n');
}

function part(name: string, version: string, path: string, more: Partial<Part> = {}): Part {
  const status = more.status ?? 'ok';
  return { name, version, path, ...more, status, ok: status !== 'fail' };
}

/** A part that failed with an error of ours. */
function failed(name: string, path: string, error: unknown, version = ''): Part {
  if (!isVirelError(error)) throw error;
  return part(name, error.got ?? version, error.where ?? path, {
    status: 'fail',
    note: `${error.code}: ${error.message}`,
    fix: error.fix ?? set,
  });
}

function platformPart(): Part {
  try {
    checkPlatform();
    return part('platform', `${process.platform} ${process.arch}, glibc ${glibcVersion()}`, '');
  } catch (error) {
    return failed('platform', '', error);
  }
}

function npmPart(env: Variables): Part {
  const path = findProgram('npm', env);
  if (path === undefined)
    return part('npm', '', '', { status: 'warn', fix: 'install Node with npm' });
  const asked = spawnSync(path, ['--version'], { env: env as NodeJS.ProcessEnv, encoding: 'utf8' });
  return part('npm', asked.stdout.trim(), path);
}

function toolPart(name: ToolName, env: Variables): Part {
  const answer = findTool(name, env);
  return answer instanceof VirelError
    ? failed(name, '', answer)
    : part(name, answer.version, answer.path);
}

/** A library: there, of the right version, with the content that its wheel says, and what it loads. */
async function libraryPart(
  name: 'libtorch' | 'mujoco',
  places: Places,
  env: Variables,
): Promise<Part> {
  const directory = places[name];
  const isTorch = name === 'libtorch';
  const version = isTorch ? libtorchVersion(directory) : libmujocoVersion(directory);
  const files = isTorch
    ? ['libtorch_cpu.so', 'libc10.so'].map((file) => join(directory, 'lib', file))
    : [join(directory, `libmujoco.so.${mujocoVersion}`)];
  try {
    checkLibraries(places, env, undefined, [isTorch ? 'torch' : 'mujoco']);
  } catch (error) {
    return failed(name, directory, error, version);
  }
  const damaged = (await Promise.all(files.map((file) => differs(places, file)))).find(Boolean);
  if (damaged)
    return part(name, version ?? '', directory, { status: 'fail', note: damaged, fix: again });
  const needed = neededLibraries(files[0] ?? '', env);
  return part(name, version ?? '', directory, needed ? { note: `needs ${needed.join(' ')}` } : {});
}

/** Why a file of a wheel is not what pip unpacked, by the hash in the wheel's own record; else `undefined`. */
async function differs(places: Places, file: string): Promise<string | undefined> {
  if (!existsSync(file)) return `${basename(file)} is missing`;
  const name = relative(places.wheelDirectory, file);
  if (name.startsWith('..')) return undefined;
  const expected = recordedHash(places.wheelDirectory, name);
  if (expected === undefined) return undefined;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('base64url') === expected
    ? undefined
    : `${basename(file)} was changed since pip unpacked it`;
}

function recordedHash(directory: string, name: string): string | undefined {
  const records = readdirSync(directory).filter((entry) => entry.endsWith('.dist-info'));
  return records
    .flatMap((entry) => readFileSync(join(directory, entry, 'RECORD'), 'utf8').split('\n'))
    .find((line) => line.startsWith(`${name},sha256=`))
    ?.split(/,sha256=|,/)[1];
}

function modelsPart(places: Places): Part {
  const { models } = places;
  if (!existsSync(models))
    return part('models', '', models, {
      status: 'fail',
      note: 'MODEL_MISSING: no such folder',
      fix: set,
    });
  const other = Object.entries(modelHashes).filter(([name, expected]) => {
    const file = join(models, name);
    return !existsSync(file) || sha256(readFileSync(file)) !== expected;
  });
  const count = Object.keys(modelHashes).length;
  if (other.length === 0)
    return part('models', `gymnasium 1.4.0, ${count} files, SHA-256 ok`, models);
  return part('models', `${count - other.length} of ${count} files as in gymnasium 1.4.0`, models, {
    status: 'warn',
    note: `other or missing: ${other.map(([name]) => name).join(' ')}`,
    fix: again,
  });
}

async function addonPart(places: Places, env: Variables): Promise<Part> {
  const override = env['VIREL_NATIVE_ADDON'];
  const file = override ?? places.addon;
  try {
    if (override === undefined) checkBuilt(places);
    const versions = await proveAddon(file, places, env);
    const needed = neededLibraries(file, env);
    return part(
      'addon',
      versions.package,
      realpathSync(file),
      needed ? { note: `needs ${needed.join(' ')}` } : {},
    );
  } catch (error) {
    return failed('addon', file, error);
  }
}

/** The addon is there, for these sources, and is the file that was proved. */
function checkBuilt(places: Places): void {
  const manifest = existsSync(places.addon) ? readManifest(places.manifest) : undefined;
  if (manifest === undefined)
    throw new VirelError('NATIVE_MISSING', 'not built for these Rust sources', { fix: set });
  if (sha256(readFileSync(places.addon)) !== manifest.sha256)
    throw new VirelError('NATIVE_LOAD', 'the file was changed since it was proved', { fix: again });
}

/** The libraries that a shared object loads; `undefined` without readelf. */
export function neededLibraries(file: string, env: Variables): string[] | undefined {
  const readelf = findProgram('readelf', env);
  if (readelf === undefined || !existsSync(file)) return undefined;
  const { stdout } = spawnSync(readelf, ['-d', file], { encoding: 'utf8' });
  return [...stdout.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1] ?? '');
}

function cudaPart(places: Places, env: Variables): Part {
  const smi = findProgram('nvidia-smi', env);
  const ask = ['--query-gpu=name,driver_version', '--format=csv,noheader'];
  const asked = smi ? spawnSync(smi, ask, { encoding: 'utf8' }) : undefined;
  const gpu = asked?.status === 0 ? (asked.stdout.trim().split('\n')[0] ?? '') : 'no GPU';
  if (places.device === 'cuda')
    return part(
      'cuda',
      gpu,
      places.libtorch,
      gpu === 'no GPU' ? { status: 'warn', note: 'set up for cuda, but no driver answers' } : {},
    );
  return part(
    'cuda',
    gpu,
    '',
    gpu === 'no GPU' ? {} : { note: `not set up; to use it: ${set} --device cuda` },
  );
}

function processorPart(): Part {
  const info = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const flags = new Set(
    info
      .match(/^flags\s*:(.*)$/m)?.[1]
      ?.trim()
      .split(' '),
  );
  const capability = flags.has('avx512f')
    ? 'AVX-512'
    : flags.has('avx2') && flags.has('fma')
      ? 'AVX2'
      : 'no AVX2';
  const note =
    'same seed, threads, machine and build: bit-equal runs; another machine may round differently';
  return part('cpu', `${cpus()[0]?.model.trim() ?? 'unknown'}, ${capability}`, '', { note });
}

function memoryPart(): Part {
  const [free, total] = [freemem(), totalmem()].map((bytes) => (bytes / 1e9).toFixed(1));
  return part('memory', `${free} of ${total} GB free`, '');
}

function diskPart(places: Places, built: boolean): Part {
  const free = freeMegabytes(places.home);
  const text = `${(free / 1000).toFixed(1)} GB free`;
  if (built || free > 2500) return part('disk', text, places.home);
  return part('disk', text, places.home, {
    status: 'warn',
    note: 'set-up needs 2.5 GB',
    fix: 'VIREL_HOME=DIR on a larger disk',
  });
}
