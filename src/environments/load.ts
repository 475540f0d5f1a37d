/** An environment out of a module: its default export. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { VirelError } from '../errors.js';
import { sha256 } from '../setup/hash.js';
import { type CustomEnvironment, defineEnvironment, type EnvironmentDefinition } from './define.js';

/** A module of an environment, as a run records it. */
export interface ModuleFacts {
  /** Absolute path. */
  readonly module: string;
  /** SHA-256 of the file; what it imports is not in it. */
  readonly sha256: string;
}

/**
 * The facts of a module on disk.
 *
 * @throws VirelError `ENV_MISSING` if no such file can be read.
 */
export function moduleFacts(path: string): ModuleFacts {
  const module = resolve(path);
  try {
    return { module, sha256: sha256(readFileSync(module)) };
  } catch (cause) {
    const isFolder = statSync(module, { throwIfNoEntry: false })?.isDirectory();
    throw new VirelError(
      'ENV_MISSING',
      `env.module ${path}: ${isFolder ? 'a folder' : 'no such file'}`,
      {
        where: module,
        expected: 'a JavaScript module whose default export is an environment',
        got: path,
        fix: '--env-module FILE, relative to the working folder',
        cause,
      },
    );
  }
}

/**
 * Imports a module and checks its default export. Its code is run: load only what you trust.
 *
 * @param path Relative to the working folder, or absolute.
 * @throws VirelError `ENV_MISSING` if there is no such file, `ENV_FAILED` if importing it throws, `ENV_INVALID` if its
 *   default export is no environment.
 */
export async function loadEnvironment(path: string): Promise<CustomEnvironment> {
  const { module } = moduleFacts(path);
  const exported = await importModule(module, path);
  if (exported['default'] === undefined) {
    const names = Object.keys(exported).join(', ') || 'nothing';
    throw new VirelError('ENV_INVALID', `env.module ${path}: no default export`, {
      where: module,
      expected: 'export default defineEnvironment({ ... })',
      got: `exports ${names}`,
      fix: 'docs/custom-environments.md has a whole one',
    });
  }
  try {
    return defineEnvironment(exported['default'] as EnvironmentDefinition);
  } catch (cause) {
    const { message, expected, got, fix } = cause as VirelError;
    const details = { ...(expected && { expected }), ...(got && { got }), ...(fix && { fix }) };
    throw new VirelError('ENV_INVALID', `env.module ${path}: ${message}`, {
      where: module,
      ...details,
      cause,
    });
  }
}

async function importModule(file: string, path: string): Promise<Record<string, unknown>> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (cause) {
    const { code, message } = cause as { code?: unknown; message?: unknown };
    // a definition that is refused while the module runs says it best itself
    if (code === 'ENV_INVALID') throw cause;
    const isTypeScript = code === 'ERR_UNKNOWN_FILE_EXTENSION';
    throw new VirelError(
      'ENV_FAILED',
      `env.module ${path}: importing it failed: ${message ?? cause}`,
      {
        where: file,
        expected: 'a module that Node can import',
        fix: isTypeScript
          ? `compile it to JavaScript (npx tsc), or use Node 22.18 or later, which reads TypeScript`
          : `node ${path} shows the whole error`,
        cause,
      },
    );
  }
}
