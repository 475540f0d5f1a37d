/** Parts of a config in words, for the header of a run. */
import type { ResolvedConfig } from './schema.js';

/** Where the temperature comes from, such as `0.004 x residual error`. */
export function describeTemperature(temperature: ResolvedConfig['temperature']): string {
  switch (temperature.kind) {
    case 'none':
      return 'none';
    case 'fixed':
      return String(temperature.temperature);
    case 'residual':
      return `${temperature.temperatureScale} x residual error`;
    case 'residualAuto':
      return '(1 - discount) / mean |r| x residual error';
    case 'tuned':
      return `tuned to entropy ${temperature.targetEntropy ?? 'minus the action size'}`;
    case 'dual':
      return `dual, bound ${temperature.klBound}`;
  }
}
