/** Config layers that may name the module of an environment. */
import { askedModule } from '../config/custom.js';
import { type Layer, type Machine, type Resolution, resolveLayers } from '../config/resolve.js';
import { loadEnvironment } from '../environments/load.js';

/** Layers to configs, with the environment that they name. */
export interface Resolver {
  /** As {@link resolveLayers}; `more` stands over the layers that were asked for. */
  resolve(more?: readonly Layer[], machine?: Machine): Resolution;
}

/**
 * Imports the module that `env.module` names, if it names one.
 *
 * @throws VirelError `ENV_MISSING`, `ENV_FAILED`, `ENV_INVALID`.
 */
export async function prepareLayers(layers: readonly Layer[]): Promise<Resolver> {
  const module = askedModule(layers);
  const environment = module === undefined ? undefined : await loadEnvironment(module);
  return {
    resolve: (more = [], machine) => resolveLayers([...layers, ...more], machine, environment),
  };
}
