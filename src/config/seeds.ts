/** Seeds as a person writes them. */
import { VirelError } from '../errors.js';

/** More in one range are a slip of the finger. */
const MOST_SEEDS = 10_000;

/**
 * `0-4`, `0,2,5` or `3` as seeds, each once.
 *
 * @param where Named in errors: a flag, or a key of a file.
 * @throws VirelError `CONFIG_RANGE`.
 */
export function parseSeeds(text: string, where = '--seeds'): number[] {
  const refuse = (reason: string) =>
    new VirelError('CONFIG_RANGE', `${where} ${text || '""'}: ${reason}`, {
      where,
      expected: 'a range such as 0-4, or a list such as 0,2,5',
      got: text,
      fix: where.startsWith('--') ? `${where} 0-4` : 'seeds: 0-4',
    });
  const seeds = text.split(',').flatMap((part) => {
    const [, first, last = first] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(part) ?? [];
    if (first === undefined) throw refuse('not a list of seeds');
    const [from, to] = [Number(first), Number(last)];
    if (to < from) throw refuse(`${to} is before ${from}`);
    if (to - from >= MOST_SEEDS) throw refuse('more than 10,000 seeds');
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  if (new Set(seeds).size < seeds.length) throw refuse('a seed twice');
  return seeds;
}
