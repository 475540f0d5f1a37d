import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { VirelError } from '../errors.js';
import { libtorchVersion } from './libraries.js';
import { cudaRequirements, modelHashes, mujocoVersion, prunable, type Wheel } from './parts.js';
import type { Places, Variables } from './places.js';
import { lastLines, runProgram, stepFailed } from './run.js';

/** How the wheels are fetched. */
export interface FetchOptions {
  /** What to fetch. */
  wheels: readonly Wheel[];
  /** The Python whose pip is used. */
  python: string;
  env: Variables;
  /** A folder of wheels to take them from, without a network. */
  from?: string;
  /** No index: only what pip's own configuration (find-links) offers on this machine. */
  offline?: boolean;
  signal?: AbortSignal;
  onLine?: (line: string) => void;
}

/** The wheels of one fixed Python are asked for, so that the local Python's version does not matter. */
const tags = [
  ...['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--abi', 'none'],
  ...['2_28', '2_27', '2_25', '2_24', '2_17'].flatMap((glibc) => [
    '--platform',
    `manylinux_${glibc}_x86_64`,
  ]),
  ...['--platform', 'manylinux2014_x86_64'],
];

/**
 * The wheels that must be fetched: those of a part that is not there, or of which a file was lost. Wheels that
 * replace one part (torch and its CUDA runtime share a folder) come together.
 */
export function missingWheels(places: Places): Wheel[] {
  const { libtorch, mujoco, models } = places;
  const complete: Record<Wheel['replacedBy'], boolean> = {
    VIREL_LIBTORCH:
      libtorchVersion(libtorch) !== undefined &&
      hasFiles(join(libtorch, 'lib'), ['libtorch_cpu.so', 'libc10.so']) &&
      hasFiles(join(libtorch, '..', 'nvidia', 'cu13', 'include'), ['crt/host_config.h']),
    VIREL_MUJOCO_DIR: hasFiles(mujoco, [`libmujoco.so.${mujocoVersion}`]),
    VIREL_MODELS: hasFiles(models, Object.keys(modelHashes)),
  };
  return places.wheels.filter((wheel) => !complete[wheel.replacedBy]);
}

function hasFiles(directory: string, names: readonly string[]): boolean {
  return names.every((name) => existsSync(join(directory, name)));
}

/**
 * Fetches and unpacks the wheels into a folder beside the final one. pip keeps what it downloaded in its own
 * cache, so an interrupted fetch goes on from there.
 *
 * @returns the folder, for {@link prune} and {@link publishWheels}.
 * @throws VirelError `SETUP_HASH` for a file that is not the expected one, else `SETUP_FAILED`.
 */
export async function fetchWheels(places: Places, options: FetchOptions): Promise<string> {
  const partial = `${places.wheelDirectory}.partial-${process.pid}`;
  try {
    await fetchInto(partial, places, options);
    return partial;
  } catch (error) {
    // give the disk back; the downloads stay in pip's cache
    rmSync(partial, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

async function fetchInto(partial: string, places: Places, options: FetchOptions): Promise<void> {
  const temporary = join(partial, '.temporary');
  mkdirSync(temporary, { recursive: true, mode: 0o700 });

  // one known file per wheel, or nothing
  const requirements = join(partial, 'requirements.txt');
  writeFileSync(requirements, options.wheels.map(requirement).join(''));
  const strict = ['--require-hashes', '--no-deps', '-r', requirements];
  await pip(places, { target: partial, temporary, requirements: strict }, options);

  // NVIDIA's libraries, in the versions that torch pins; a folder of their own, since they share one package
  if (places.device === 'cuda' && options.wheels.some(({ name }) => name === 'torch')) {
    const extra = join(partial, '.cuda');
    await pip(places, { target: extra, temporary, requirements: cudaRequirements }, options);
    merge(join(extra, 'nvidia'), join(partial, 'nvidia'));
    rmSync(extra, { recursive: true, force: true });
  }
  rmSync(temporary, { recursive: true, force: true });
}

/** Removes what a machine without a GPU never loads: half of the torch wheel. */
export function prune(places: Places, directory: string): void {
  const libraries = join(directory, 'torch', 'lib');
  if (places.device === 'cuda' || !existsSync(libraries)) return;
  for (const name of readdirSync(libraries)) if (prunable.test(name)) rmSync(join(libraries, name));
}

/**
 * Gives what was fetched its final name; parts that were not fetched again stay. Each entry comes by a rename, in
 * the order of names: torch, by which the set-up is known to be whole, after the NVIDIA libraries that it loads.
 */
export function publishWheels(places: Places, directory: string): void {
  const final = places.wheelDirectory;
  if (!existsSync(final)) {
    renameSync(directory, final);
    return;
  }
  const replaced = join(directory, '.replaced');
  mkdirSync(replaced);
  for (const name of readdirSync(directory).sort()) {
    if (name === basename(replaced)) continue;
    if (existsSync(join(final, name))) renameSync(join(final, name), join(replaced, name));
    renameSync(join(directory, name), join(final, name));
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}

/** Removes the leftovers of interrupted set-ups; only for the holder of the lock. */
export function removePartialWheels(places: Places): void {
  const parent = dirname(places.wheelDirectory);
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent))
    if (name.includes('.partial-')) rmSync(join(parent, name), { recursive: true, force: true });
}

/** Bytes of wheel files that pip has downloaded so far into its temporary folder. */
export function downloadedBytes(places: Places): number {
  const temporary = join(`${places.wheelDirectory}.partial-${process.pid}`, '.temporary');
  try {
    return readdirSync(temporary, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.whl'))
      .reduce((sum, name) => sum + statSync(join(temporary, name)).size, 0);
  } catch {
    // pip moves and removes files while we look: the next look will tell
    return 0;
  }
}

function requirement(wheel: Wheel): string {
  return `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`;
}

interface Install {
  target: string;
  /** pip unpacks here: on the same disk as the target, whatever the size of /tmp. */
  temporary: string;
  requirements: readonly string[];
}

async function pip(
  places: Places,
  { target, temporary, requirements }: Install,
  options: FetchOptions,
): Promise<void> {
  // --target never touches the user's Python; the two settings below would refuse it for no reason
  const env = { ...options.env, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0', TMPDIR: temporary };
  const source = options.from
    ? ['--no-index', '--find-links', resolve(options.from)]
    : options.offline
      ? ['--no-index']
      : [];
  const args = [
    '-m',
    'pip',
    'install',
    '--disable-pip-version-check',
    '--no-input',
    '--progress-bar',
    'off',
  ];
  const result = await runProgram(
    options.python,
    [
      ...args,
      '--no-compile',
      '--only-binary=:all:',
      ...tags,
      '--target',
      target,
      ...source,
      ...requirements,
    ],
    { env, ...pick(options) },
  );
  if (result.status !== 0) throw explain(result.output, places, options);
}

function pick(options: FetchOptions) {
  const { signal, onLine } = options;
  return { ...(signal && { signal }), ...(onLine && { onLine }) };
}

/** Says in one message what pip said in many lines. */
function explain(output: string, places: Places, options: FetchOptions): VirelError {
  const where = options.from ?? places.wheelDirectory;
  const again = 'npx virel-native setup';
  if (/DO NOT MATCH THE HASHES|HashMismatch/.test(output)) {
    const name = output.match(/^\s+(\S+==\S+)? ?.*from /m)?.[1];
    return new VirelError('SETUP_HASH', `${name ?? 'a wheel'} is not the file it should be`, {
      where,
      expected: output.match(/Expected sha256 (\w+)/)?.[1] ?? 'the SHA-256 of the published wheel',
      got: output.match(/Got\s+(\w+)/)?.[1] ?? 'another file',
      fix: options.from ? again : `${options.python} -m pip cache purge && ${again}`,
    });
  }
  if (/No space left on device|Disk quota exceeded/.test(output))
    return stepFailed('the disk is full; free some space and go on', where, again);

  // pip found the package in other versions only, or did not find it at all
  const unmet = output.match(/satisfies the requirement (\S+).*\(from versions: (.*)\)/);
  const reached =
    !/NewConnectionError|ConnectTimeout|NameResolutionError|ProxyError|ReadTimeout|SSLError/.test(
      output,
    );
  if (unmet?.[2] !== undefined && unmet[2] !== 'none')
    return new VirelError('SETUP_FAILED', `no wheel of ${unmet[1]}, only of another version`, {
      where,
      expected: unmet[1] ?? '',
      got: unmet[2],
      fix: again,
    });
  if (!reached) return stepFailed('no network: pip cannot reach the package index', where, again);
  if (unmet) return notOffered(unmet[1] ?? '', where, options);
  return stepFailed('pip failed', where, again, lastLines(output, 6));
}

function notOffered(wanted: string, where: string, options: FetchOptions): VirelError {
  const fix = 'npx virel-native setup with a network, or with --from DIR and the wheels in DIR';
  const silent = options.from || options.offline;
  const message = silent ? `${wanted} is not on this machine` : `pip is offered no ${wanted}`;
  return stepFailed(message, where, fix);
}

/** Moves every file below `from` to the same place below `to`; what is there already stays. */
function merge(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, basename(entry.name))];
    if (!existsSync(target)) renameSync(source, target);
    else if (entry.isDirectory()) merge(source, target);
  }
}
