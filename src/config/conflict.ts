import { VirelError } from '../errors.js';

/** Two keys that do not go together. */
export function conflict(
  message: string,
  fix: string,
  code: 'CONFIG_CONFLICT' | 'RECIPE_UNSUPPORTED' = 'CONFIG_CONFLICT',
): VirelError {
  return new VirelError(code, message, { fix });
}
