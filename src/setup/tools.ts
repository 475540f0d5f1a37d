import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { VirelError } from '../errors.js';
import { oldest } from './parts.js';
import type { Variables } from './places.js';

/** A program that is there and new enough. */
export interface Tool {
  path: string;
  version: string;
}

/** A tool that set-up uses. */
export type ToolName = 'cargo' | 'rustc' | 'c++' | 'python' | 'pip';

/** How a tool answers: found, or the error that tells what to do. */
export type Answer = Tool | VirelError;

const setUp = 'npx virel-native setup';

/** Finds a program on PATH, or in one of `more` folders; a path is taken as it is. */
export function findProgram(name: string, env: Variables, more: string[] = []): string | undefined {
  if (name.includes('/')) return isProgram(name) ? name : undefined;
  const folders = [...(env['PATH'] ?? '').split(delimiter).filter(Boolean), ...more];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

/** Looks for one tool and asks its version. */
export function findTool(name: ToolName, env: Variables): Answer {
  switch (name) {
    case 'cargo':
    case 'rustc':
      return findRust(name, env);
    case 'c++':
      return findCompiler(env);
    case 'python':
      return findPython(env);
    case 'pip':
      return findPip(env);
  }
}

/**
 * The tools asked for.
 *
 * @throws VirelError `TOOL_MISSING` or `TOOL_VERSION`; several troubles come in one error, with one command.
 */
export function requireTools<Name extends ToolName>(
  names: readonly Name[],
  env: Variables,
): Record<Name, Tool> {
  const answers = names.map((name) => [name, findTool(name, env)] as const);
  const troubles = answers
    .map(([, answer]) => answer)
    .filter((answer) => answer instanceof VirelError);
  const [first] = troubles;
  if (first) {
    // one command mends them all: each fix once, then set-up again
    const fixes = new Set(troubles.map((trouble) => trouble.fix ?? '').filter(Boolean));
    throw new VirelError(first.code, troubles.map((trouble) => trouble.message).join('; '), {
      ...(first.expected && { expected: troubles.map((trouble) => trouble.expected).join('; ') }),
      ...(first.got && { got: first.got }),
      fix: [...fixes, setUp].join(' && '),
    });
  }
  return Object.fromEntries(answers) as Record<Name, Tool>;
}

/** Refuses a machine that the wheels do not run on: `PLATFORM_UNSUPPORTED`. */
export function checkPlatform(): void {
  const got = `${process.platform} ${process.arch}`;
  const expected = `Linux x64 with glibc ${oldest.glibc} or newer`;
  const glibc = glibcVersion();
  if (got === 'linux x64' && glibc !== undefined && !isOlder(glibc, oldest.glibc)) return;
  throw new VirelError('PLATFORM_UNSUPPORTED', 'the native part does not run on this machine', {
    expected,
    got: glibc === undefined ? `${got} without glibc` : `${got} with glibc ${glibc}`,
    fix: 'use such a machine or container; config, envs and the TypeScript reference work here',
  });
}

/** The C library's version; `undefined` if it is not glibc. */
export function glibcVersion(): string | undefined {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime;
}

/** Whether dotted version `version` is older than `limit`. */
export function isOlder(version: string, limit: string): boolean {
  const [got, wanted] = [version, limit].map((text) =>
    text.split('.').map((part) => Number.parseInt(part, 10)),
  );
  for (const [index, part] of (wanted ?? []).entries()) {
    const difference = (got?.[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function findRust(name: 'cargo' | 'rustc', env: Variables): Answer {
  // a fresh rustup is not on the PATH of shells that are already open
  const home = env['HOME'] || homedir();
  const path = findProgram(name, env, [join(env['CARGO_HOME'] || join(home, '.cargo'), 'bin')]);
  const rustup =
    "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y && . ~/.cargo/env";
  if (path === undefined) return missing(name, `Rust ${short(oldest.rust)} or newer`, rustup);
  const version = ask(path, ['--version'], env, /\b(\d+\.\d+\.\d+)/);
  if (version === undefined)
    return missing(`a working ${name}`, `Rust ${short(oldest.rust)}`, 'rustup default stable');
  if (!isOlder(version, oldest.rust)) return { path, version };
  const fix = findProgram('rustup', env) ? 'rustup update stable' : rustup;
  return tooOld(name, version, oldest.rust, fix);
}

function findCompiler(env: Variables): Answer {
  const install = installCommand(env, { apt: 'g++', dnf: 'gcc-c++' });
  const names = [env['CXX'], 'c++', 'g++', 'clang++'].filter((name) => name !== undefined);
  const path = names.map((name) => findProgram(name, env)).find((found) => found !== undefined);
  if (path === undefined) return missing('a C++ compiler', `${oldest.cplusplus} compiler`, install);

  // the headers of libtorch need C++17: compile a line of it
  const arguments_ = ['-std=c++17', '-x', 'c++', '-fsyntax-only', '-'];
  const source = '#include <optional>\nstd::optional<int> answer() { return {}; }\n';
  const compiled = spawnSync(path, arguments_, { input: source, env: env as NodeJS.ProcessEnv });
  const version = ask(path, ['--version'], env, /^(.*)$/m) ?? 'unknown';
  if (compiled.status === 0) return { path, version };
  return new VirelError('TOOL_VERSION', `${path} does not compile C++17`, {
    expected: `a ${oldest.cplusplus} compiler`,
    got: version,
    fix: install,
  });
}

function findPython(env: Variables): Answer {
  const install = installCommand(env, { apt: 'python3', dnf: 'python3' });
  const path = findProgram('python3', env) ?? findProgram('python', env);
  if (path === undefined)
    return missing('python3', `Python ${short(oldest.python)} or newer`, install);
  const version = ask(path, ['--version'], env, /Python (\d+\.\d+\.\d+)/);
  if (version === undefined)
    return missing('a working python3', `Python ${short(oldest.python)}`, install);
  return isOlder(version, oldest.python)
    ? tooOld('python3', version, oldest.python, install)
    : { path, version };
}

/** pip is a module of the Python found: it is run as `python3 -m pip`. */
function findPip(env: Variables): Answer {
  const python = findPython(env);
  if (python instanceof VirelError) return python;
  const version = ask(python.path, ['-m', 'pip', '--version'], env, /^pip (\S+)/m);
  if (version !== undefined) return { path: python.path, version };
  return missing(
    'pip',
    `pip for ${python.path}`,
    installCommand(env, { apt: 'python3-pip', dnf: 'python3-pip' }),
  );
}

function missing(name: string, expected: string, fix: string): VirelError {
  return new VirelError('TOOL_MISSING', `${name} not found`, { expected, fix });
}

function tooOld(name: string, got: string, limit: string, fix: string): VirelError {
  const message = `${name} ${got}, ${short(limit)} or newer needed`;
  return new VirelError('TOOL_VERSION', message, { expected: short(limit), got, fix });
}

/** `1.95.0` as `1.95`. */
function short(version: string): string {
  return version.replace(/\.0$/, '');
}

/** The command of this machine's package manager. */
function installCommand(env: Variables, names: { apt: string; dnf: string }): string {
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  if (findProgram('dnf', env)) return `${sudo}dnf install -y ${names.dnf}`;
  return `${sudo}apt-get update && ${sudo}apt-get install -y ${names.apt}`;
}

function ask(path: string, args: string[], env: Variables, pattern: RegExp): string | undefined {
  const asked = spawnSync(path, args, { env: env as NodeJS.ProcessEnv, encoding: 'utf8' });
  return asked.status === 0 ? `${asked.stdout}${asked.stderr}`.match(pattern)?.[1] : undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
