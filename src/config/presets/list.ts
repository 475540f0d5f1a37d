/** The presets as a person or a program chooses among them. */
import { PRESETS } from '../resolve.js';

/** A preset by its name. */
export interface ListedPreset {
  /** What `preset` takes. */
  readonly name: string;
  /** What it is, in one line. */
  readonly summary: string;
}

/** Every preset, the default first; `resolveConfig({ preset })` has the values. */
export function presets(): ListedPreset[] {
  return Object.entries(PRESETS).map(([name, { summary }]) => ({ name, summary }));
}
