import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = join(root, 'bin/virel-native.js');

/** Compiles `src` to `dist` where it is missing or older; `npm test` has done so before. */
export function compile(): void {
  const newest = (folder: string) =>
    Math.max(
      ...readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.(ts|js)$/.test(file))
        .map((file) => statSync(join(root, folder, file)).mtimeMs),
    );
  const page = existsSync(join(root, 'dist/watch-page/page.js'));
  if (page && newest('dist') >= newest('src')) return;
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  for (const words of [[tsc, '-p', 'tsconfig.build.json'], ['scripts/build-page.mjs']]) {
    execFileSync(process.execPath, words, { cwd: root });
  }
}

/** Lets programs in a folder import the package, as if it were installed there; compiled first where that is due. */
export function install(folder: string): void {
  compile();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/virel-native'));
}

/** How a command ended. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A command in progress. */
export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves once standard output holds this text. */
  says(text: string): Promise<void>;
  /** Resolves once standard error holds this text. */
  notes(text: string): Promise<void>;
}

/**
 * Starts `virel-native WORDS` as a process of its own.
 *
 * @param detached In a process group of its own, which a signal reaches as a terminal's does.
 */
export function start(
  words: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
  detached = false,
): Running {
  const { NODE_OPTIONS: _jestOptions, CI: _ci, ...inherited } = process.env;
  const options = { cwd, env: { ...inherited, ...env }, detached };
  const child = spawn(process.execPath, [bin, ...words], options);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  const holds = (stream: typeof child.stdout, output: () => string, text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => output().includes(text) && resolve();
      stream.on('data', look);
      child.on('close', () =>
        reject(new Error(`ended without saying ${text}: ${stdout}${stderr}`)),
      );
      look();
    });
  const says = (text: string) => holds(child.stdout, () => stdout, text);
  const notes = (text: string) => holds(child.stderr, () => stderr, text);
  return { child, ended, says, notes };
}

/** Runs `virel-native WORDS` to its end. */
export const virel = (words: readonly string[], cwd: string, env?: NodeJS.ProcessEnv) =>
  start(words, cwd, env).ended;
