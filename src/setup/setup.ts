import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isVirelError, VirelError } from '../errors.js';
import { buildAddon } from './build.js';
import { checkDisk, type Need } from './disk.js';
import { sha256 } from './hash.js';
import { untilSignal } from './interrupt.js';
import { checkLibraries } from './libraries.js';
import { linkLibraries } from './link.js';
import { takeLock } from './lock.js';
import { type Manifest, readManifest, writeManifest } from './manifest.js';
import { cargoMegabytes, type Device } from './parts.js';
import { locate, type Places, type Variables } from './places.js';
import { describePlan, type Plan, planSetup } from './plan.js';
import { minutes, type Reporter, streamReporter } from './progress.js';
import { proveAddon } from './prove.js';
import { checkPlatform, requireTools, type Tool, type ToolName } from './tools.js';
import {
  downloadedBytes,
  fetchWheels,
  prune,
  publishWheels,
  removePartialWheels,
} from './wheels.js';

/** What a set-up is asked to do. */
export interface SetupOptions {
  env?: Variables;
  /** Where everything goes; found from `env` and `device` unless given. */
  places?: Places;
  /** Default: what was set up before, else `cpu`. */
  device?: Device;
  /** A folder of wheels to use instead of an index. */
  from?: string;
  /** Never touch the network. */
  offline?: boolean;
  /** Fetch and build again what is there already. */
  force?: boolean;
  reporter?: Reporter;
  /** Free space at a path, MB. */
  free?: (path: string) => number;
}

/** What a set-up did. */
export interface SetupResult {
  manifest: Manifest;
  /** Whether anything had to be done. */
  changed: boolean;
  seconds: number;
}

const steps = ['check', 'wheels', 'prune', 'link', 'cargo build', 'prove'] as const;

/**
 * Sets the native part up: tools, wheels, links, cargo build, proof, manifest. What is there already is kept,
 * so that a second run does nothing and an interrupted one goes on. Asks no question.
 *
 * Ctrl-C and TERM end it cleanly: children are gone, the lock is given back, the process ends by that signal.
 *
 * @throws VirelError with exit code 3: `PLATFORM_UNSUPPORTED`, `TOOL_MISSING`, `TOOL_VERSION`, `SETUP_FAILED`,
 * `SETUP_HASH`, `NATIVE_VERSION`, `NATIVE_LOAD`.
 */
export async function setUp(options: SetupOptions = {}): Promise<SetupResult> {
  const env = options.env ?? process.env;
  const places = options.places ?? locate(env, undefined, options.device);
  const reporter = options.reporter ?? streamReporter();
  return untilSignal(reporter, async (signal) => {
    try {
      const release = await takeLock(places.lockFile, {
        onWait: (text) => reporter.line(text),
        signal,
      });
      try {
        return await runSteps(places, { ...options, env, reporter }, signal);
      } finally {
        release();
      }
    } catch (error) {
      throw isVirelError(error) || signal.aborted ? error : systemError(error, places);
    } finally {
      reporter.end();
    }
  });
}

/** Removes everything that set-up keeps in the cache of this user. */
export async function cleanCache(places: Places, reporter: Reporter): Promise<void> {
  const release = await takeLock(places.lockFile, { onWait: (text) => reporter.line(text) });
  for (const name of ['addons', 'compiled', 'links', 'wheels', 'target'])
    rmSync(join(places.home, name), { recursive: true, force: true });
  release();
}

interface Work extends SetupOptions {
  env: Variables;
  reporter: Reporter;
}

async function runSteps(places: Places, work: Work, signal: AbortSignal): Promise<SetupResult> {
  const started = Date.now();
  const plan = planSetup(places, work.force);
  const installed = plan.build ? undefined : readManifest(places.manifest);
  if (installed && plan.wheels.length === 0)
    return { manifest: installed, changed: false, seconds: 0 };
  for (const line of describePlan(places, plan, work.free)) work.reporter.line(line);

  const tools = await step(1, work, () => checkMachine(places, plan, work));
  if (plan.wheels.length > 0) {
    removePartialWheels(places);
    const fetched = await step(
      2,
      work,
      () => fetch(places, plan, work, tools, signal),
      () => fetchState(places, plan),
    );
    await step(3, work, () => prune(places, fetched));
    publishWheels(places, fetched);
  }
  const seconds = () => (Date.now() - started) / 1000;
  if (installed) return { manifest: installed, changed: true, seconds: seconds() };
  await step(4, work, () => {
    checkLibraries(places, work.env);
    linkLibraries(places);
  });
  let crate = '';
  const build = () =>
    buildAddon(places, {
      cargo: tools.cargo?.path ?? 'cargo',
      env: work.env,
      signal,
      ...(work.offline && { offline: true }),
      onCrate: (name) => {
        crate = name;
      },
    });
  const library = await step(5, work, build, () => crate);
  const manifest = await step(6, work, () => install(library, places, work, tools, signal));
  work.reporter.line(`  ready in ${minutes(seconds())} min; check: npx virel-native doctor`);
  return { manifest, changed: true, seconds: seconds() };
}

/** Runs one step under its heading, telling its state and time twice a second. */
async function step<Result>(
  number: number,
  { reporter }: Work,
  run: () => Result | Promise<Result>,
  state: () => string = () => '',
): Promise<Result> {
  const heading = `  [${number}/${steps.length}] ${steps[number - 1]}`;
  const started = Date.now();
  const tell = () =>
    [heading, state(), minutes((Date.now() - started) / 1000)].filter(Boolean).join('  ');
  reporter.now(heading);
  const timer = setInterval(() => reporter.now(tell()), 500);
  try {
    const result = await run();
    reporter.line(`${heading}  ${minutes((Date.now() - started) / 1000)}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}

type Tools = Partial<Record<ToolName, Tool>>;

function checkMachine(places: Places, plan: Plan, work: Work): Tools {
  checkPlatform();
  const building: ToolName[] = plan.build ? ['cargo', 'rustc', 'c++'] : [];
  const fetching: ToolName[] = plan.wheels.length > 0 ? ['python', 'pip'] : [];
  const tools: Tools = requireTools([...building, ...fetching], work.env);
  const needs: Need[] = [{ directory: places.home, megabytes: plan.disk }];
  if (plan.build && !existsSync(places.target))
    needs.push({ directory: places.target, megabytes: cargoMegabytes.target });
  checkDisk(needs, work.free);
  mkdirSync(places.home, { recursive: true, mode: 0o700 });
  return tools;
}

function fetch(
  places: Places,
  plan: Plan,
  work: Work,
  tools: Tools,
  signal: AbortSignal,
): Promise<string> {
  return fetchWheels(places, {
    wheels: plan.wheels,
    python: tools.python?.path ?? 'python3',
    env: work.env,
    signal,
    ...(work.from && { from: work.from }),
    ...(work.offline && { offline: true }),
  });
}

function fetchState(places: Places, plan: Plan): string {
  const megabytes = downloadedBytes(places) / 1e6;
  return megabytes < 1 ? '' : `${megabytes.toFixed(0)} of ${plan.download.toFixed(0)} MB`;
}

/** Proves the library under its final name, then writes the manifest: only now it counts. */
async function install(
  library: string,
  places: Places,
  work: Work,
  tools: Tools,
  signal: AbortSignal,
): Promise<Manifest> {
  rmSync(places.manifest, { force: true });
  mkdirSync(dirname(places.addon), { recursive: true, mode: 0o700 });
  // a new file in place of the old one: processes that loaded the old one keep it
  const temporary = `${places.addon}.${process.pid}`;
  copyFileSync(library, temporary);
  renameSync(temporary, places.addon);
  const versions = await proveAddon(places.addon, places, work.env, signal);
  const manifest: Manifest = {
    format: 1,
    package: versions.package,
    device: places.device,
    torch: versions.torch,
    mujoco: versions.mujoco,
    rustc: tools.rustc?.version ?? '',
    compiler: tools['c++']?.version ?? '',
    sources: places.sources,
    sha256: sha256(readFileSync(places.addon)),
    libtorch: places.libtorch,
    mujocoDirectory: places.mujoco,
    models: places.models,
    links: places.linkDirectory,
    wheels: places.wheels.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
    built: new Date().toISOString(),
  };
  writeManifest(places.manifest, manifest);
  return manifest;
}

/** An error of the file system, as set-up's own. */
function systemError(error: unknown, places: Places): VirelError {
  const { code, message, path } = error as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const denied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
  const problem = full
    ? 'the disk is full; free some space and go on'
    : denied
      ? 'the cache folder cannot be written'
      : message;
  return new VirelError('SETUP_FAILED', problem, {
    where: path ?? places.home,
    fix: full
      ? 'npx virel-native setup'
      : 'VIREL_HOME=DIR npx virel-native setup with a folder of yours',
    cause: error,
  });
}
