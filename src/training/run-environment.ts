/** The environment in TypeScript that a run was trained on, found again for its policy. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { CustomEnvironment } from '../environments/define.js';
import { loadEnvironment, type ModuleFacts, moduleFacts } from '../environments/load.js';
import { VirelError } from '../errors.js';

const recordedSchema = z.object({
  module: z.object({ module: z.string(), sha256: z.string() }).nullable(),
});

/** The module that `run.json` names; null where a program gave the environment, or the file says nothing. */
function recordedModule(runDir: string): ModuleFacts | null {
  try {
    const text = readFileSync(join(runDir, 'run.json'), 'utf8');
    return recordedSchema.parse(JSON.parse(text)).module;
  } catch {
    return null;
  }
}

/** An environment found again. */
export interface FoundEnvironment {
  environment: CustomEnvironment;
  /** The module whose text is another one than when the run was trained. */
  changed: string | undefined;
}

/**
 * Imports the environment of a run again.
 *
 * @param asked A module to use instead of the recorded one, such as one that was moved.
 * @throws VirelError `ENV_MISSING` where no module is recorded or it is gone, `ENV_FAILED`, `ENV_INVALID`.
 */
export async function findEnvironment(
  runDir: string,
  asked: string | undefined,
): Promise<FoundEnvironment> {
  const recorded = recordedModule(runDir);
  const path = asked ?? recorded?.module;
  if (path === undefined) {
    throw new VirelError(
      'ENV_MISSING',
      `${runDir} was trained on an environment that a program gave`,
      {
        where: runDir,
        expected: 'the module of the environment',
        fix: '--env-module FILE, or policy.evaluate({ environment, ... }) in the program',
      },
    );
  }
  let facts: ModuleFacts;
  try {
    facts = moduleFacts(path);
  } catch (cause) {
    if (asked !== undefined) throw cause;
    throw new VirelError('ENV_MISSING', `the environment of ${runDir} is gone: no file ${path}`, {
      where: join(runDir, 'run.json'),
      expected: 'the module that the run was trained on',
      got: `no file ${path}`,
      fix: '--env-module FILE, if it was moved',
      cause,
    });
  }
  const environment = await loadEnvironment(path);
  const changed = recorded !== null && recorded.sha256 !== facts.sha256 ? path : undefined;
  return { environment, changed };
}
