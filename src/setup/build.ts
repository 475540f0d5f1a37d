import type { VirelError } from '../errors.js';
import { cargoVariables } from './link.js';
import type { Places, Variables } from './places.js';
import { runProgram, stepFailed } from './run.js';

/**
 * The flags of every cargo command of this package. `--target` as napi's own build gives it and the whole
 * workspace at once: other flags would compile the libtorch wrapper a second time.
 */
export const cargoFlags = ['--release', '--locked', '--workspace', '--target', 'host-tuple'];

/** How the addon is built. */
export interface BuildOptions {
  cargo: string;
  env: Variables;
  offline?: boolean;
  signal?: AbortSignal;
  /** Told the crate being compiled. */
  onCrate?: (name: string) => void;
}

/**
 * Compiles the addon.
 *
 * @returns the shared library that cargo made.
 * @throws VirelError `SETUP_FAILED` with the first error of cargo or the compilers.
 */
export async function buildAddon(places: Places, options: BuildOptions): Promise<string> {
  const args = ['build', ...cargoFlags, '--target-dir', places.target];
  const machine = ['--message-format', 'json-render-diagnostics'];
  const env = { ...cargoVariables(options.env, places), CARGO_TERM_COLOR: 'never' };
  const compiling = new Set<string>();
  let library: string | undefined;
  const result = await runProgram(
    options.cargo,
    [...args, ...machine, ...(options.offline ? ['--offline'] : [])],
    {
      cwd: places.root,
      env,
      ...(options.signal && { signal: options.signal }),
      onLine: (line) => {
        const started = line.match(/^\s+Compiling (\S+)/)?.[1];
        if (started) compiling.add(started);
        const finished = finishedCrate(line);
        if (finished) compiling.delete(finished.name);
        library = finished?.library ?? library;
        // the longest running one is what the build waits for
        const [waitedFor] = compiling;
        if (waitedFor) options.onCrate?.(waitedFor);
      },
    },
  );
  if (result.status !== 0) throw explain(result.output, places);
  if (library === undefined)
    throw stepFailed(
      'cargo built no shared library',
      places.root,
      'npx virel-native setup --force',
    );
  return library;
}

/** A crate that cargo's JSON says is done, and its shared library if it is one; build scripts do not count. */
function finishedCrate(line: string): { name: string; library: string | undefined } | undefined {
  if (!line.startsWith('{"reason":"compiler-artifact"')) return undefined;
  const { package_id: id, target, filenames } = JSON.parse(line) as Artifact;
  if (target.kind.includes('custom-build')) return undefined;
  // registry+...#name@version, or path+.../folder#version where the folder has the crate's name
  const name = /#(?:(.+)@)?/.exec(id)?.[1] ?? target.name.replaceAll('_', '-');
  const isShared = target.kind.includes('cdylib');
  return { name, library: isShared ? filenames.find((file) => file.endsWith('.so')) : undefined };
}

interface Artifact {
  package_id: string;
  target: { name: string; kind: string[] };
  filenames: string[];
}

function explain(output: string, places: Places): VirelError {
  const again = 'npx virel-native setup';
  const text = output
    .split('\n')
    .filter((line) => !line.startsWith('{"reason"'))
    .join('\n');
  if (/No space left on device|Disk quota exceeded/.test(text))
    return stepFailed('the disk is full; free some space and go on', places.target, again);
  if (/signal: 9|SIGKILL|Killed signal terminated/.test(text))
    return stepFailed('the compiler ran out of memory', places.root, `CARGO_BUILD_JOBS=1 ${again}`);
  if (
    /Could not resolve host|download of .* failed|failed to download|network failure|--offline|Couldn't connect/i.test(
      text,
    )
  )
    return stepFailed('no network: cargo cannot fetch the crates', places.root, again);
  const first = text.search(/^error/m);
  const reason = (first < 0 ? text.slice(-1500) : text.slice(first))
    .split('\n')
    .slice(0, 12)
    .join('\n');
  return stepFailed('cargo build failed', places.root, again, reason.trimEnd());
}
