/**
 * Temperature T of the E-step. `virel` holds it fixed: T = 1 in the authors' code, reward scaling takes its place (A5).
 */

import { VirelError } from '../errors.js';

/** A constant temperature, in units of return per nat. */
export interface FixedTemperature {
  kind: 'fixed';
  temperature: number;
}

/**
 * T of one step: `given` where the caller has one, else the source's.
 *
 * @throws VirelError `NOT_FINITE` for NaN or an infinity, `CONFIG_RANGE` below 0. T = 0 is J_π without entropy.
 */
export function temperatureInUse(source: FixedTemperature, given?: number): number {
  const temperature = given ?? source.temperature;
  if (!Number.isFinite(temperature)) {
    throw new VirelError(
      'NOT_FINITE',
      `temperature: expected a finite number, got ${temperature}; leave it out to use the config's`,
      { where: 'temperature', expected: 'a finite number', got: String(temperature) },
    );
  }
  if (temperature < 0) {
    throw new VirelError(
      'CONFIG_RANGE',
      `temperature: expected a number of at least 0, got ${temperature}`,
      { where: 'temperature', expected: 'a number of at least 0', got: String(temperature) },
    );
  }
  return temperature;
}
