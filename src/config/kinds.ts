/** Sections that come in kinds: the keys of the kind that was chosen stay, those of the others go. */
import type { Algorithm } from '../algorithms/recipe.js';
import { VirelError } from '../errors.js';
import type { Values } from './resolve.js';
import { KINDS } from './schema.js';
import { show } from './show.js';

/**
 * Removes from `layers` the values that the presets hold for kinds that were not chosen.
 *
 * @param asked What the user asked for.
 * @throws VirelError `CONFIG_CONFLICT` where the user asked for a key that the chosen kind does not have.
 */
export function keepChosenKinds(layers: Values, asked: Values, algorithm: Algorithm): void {
  for (const [section, kinds] of KINDS) {
    const kind = layers.get(`${section}.kind`)?.value;
    const kept = kinds.get(kind as string);
    // no kind of this name: the schema says what there is
    if (kept === undefined) continue;
    const others = [...kinds.values()].flatMap((paths) => [...paths]);
    for (const path of others.filter((each) => !kept.has(each))) {
      const entry = asked.get(path);
      if (entry !== undefined) throw foreign(path, entry, section, String(kind), algorithm);
      layers.delete(path);
    }
  }
}

function foreign(
  path: string,
  { value, origin }: { value: unknown; origin: string },
  section: string,
  kind: string,
  algorithm: Algorithm,
): VirelError {
  const having = [...(KINDS.get(section) ?? [])].filter(([, paths]) => paths.has(path));
  // of temperatures, one that the algorithm runs with
  const fitting = having.find(
    ([name]) => section !== 'temperature' || algorithm.temperatures.some((each) => each === name),
  );
  const instead = fitting && `--set ${section}.kind=${fitting[0]}, or `;
  return new VirelError(
    'CONFIG_CONFLICT',
    `${path} ${show(value)} means nothing with ${section}.kind ${kind}`,
    {
      where: origin,
      expected: `${section}.kind ${having.map(([name]) => name).join(' or ')}`,
      got: `${section}.kind ${kind}`,
      fix: `${instead ?? ''}leave ${path} out`,
    },
  );
}
