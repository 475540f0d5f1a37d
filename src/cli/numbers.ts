/** Flags that take a number: their text is read as a config's would be. */
import { parseScalar } from '../config/parse.js';
import { show } from '../config/show.js';
import { VirelError } from '../errors.js';

/** A whole number of a flag. @throws VirelError `CONFIG_TYPE`, `CONFIG_RANGE`. */
export function wholeNumber(flag: string, text: string, least: number): number {
  const value = parseScalar(text, flag);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  const code = typeof value === 'number' ? 'CONFIG_RANGE' : 'CONFIG_TYPE';
  const expected = `a whole number, at least ${least}`;
  throw new VirelError(code, `${flag}: expected ${expected}, got ${show(value)}`, {
    where: flag,
    expected,
    got: show(value),
    fix: `${flag} ${least}`,
  });
}
