/** Config layers that may name the module of an environment. */
import { askedModule } from '../config/custom.js';
import { type Layer, type Machine, type Resolution, resolveLayers } from '../config/resolve.js';
import type { CustomEnvironment } from '../environments/define.js';
import { loadEnvironment, moduleFacts } from '../environments/load.js';

/** Layers to configs, with the environment that they name. */
export interface Resolver {
  /** As {@link resolveLayers}; `more` stands over the layers that were asked for. */
  resolve(more?: readonly Layer[], machine?: Machine): Resolution;
}

/**
 * Imports the module that `env.module` names, if it names one; its path becomes absolute in the config.
 *
 * @throws VirelError `ENV_MISSING`, `ENV_FAILED`, `ENV_INVALID`.
 */
export async function prepareLayers(layers: readonly Layer[]): Promise<Resolver> {
  const asked = askedModule(layers);
  if (asked === undefined) {
    return { resolve: (more = [], machine) => resolveLayers([...layers, ...more], machine) };
  }
  const { path, origin } = asked;
  const environment: CustomEnvironment = await loadEnvironment(path);
  const { module } = moduleFacts(path);
  const absolute = { origin, values: { env: { module } } };
  return {
    resolve: (more = [], machine) =>
      resolveLayers([...layers, absolute, ...more], machine, environment),
  };
}
