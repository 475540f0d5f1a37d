/** What a sweep's file gets wrong, as one error. */
import { isObject } from '../config/leaves.js';
import { show } from '../config/show.js';
import { VirelError } from '../errors.js';

/** A complaint about a part of the file. @param where The file and the part: `a.yaml: grid.algorithm`. */
export function wrong(
  code: 'CONFIG_TYPE' | 'CONFIG_RANGE' | 'CONFIG_CONFLICT',
  where: string,
  message: string,
  details: { expected?: string; got?: unknown; fix: string },
): VirelError {
  const { expected, got, fix } = details;
  return new VirelError(code, message, {
    where,
    ...(expected !== undefined && { expected }),
    ...('got' in details && { got: show(got) }),
    fix,
  });
}

/** Refuses what is no object with keys. @throws VirelError `CONFIG_TYPE`. */
export function requireKeys(
  value: unknown,
  where: string,
  { expected, fix }: { expected: string; fix: string },
): asserts value is Record<string, unknown> {
  if (isObject(value)) return;
  const message = `${where}: expected ${expected}, got ${show(value)}`;
  throw wrong('CONFIG_TYPE', where, message, { expected, got: value, fix });
}

/** Refuses a seed as something that is varied. @throws VirelError `CONFIG_CONFLICT`. */
export function refuseSeed(key: string, where: string): void {
  if (key !== 'seed' && key !== 'seeds') return;
  const message = `${where}.${key}: seeds are no setting`;
  throw wrong('CONFIG_CONFLICT', where, message, { fix: 'seeds: 0-4, beside it' });
}
