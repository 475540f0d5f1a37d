/** The flag `--jobs`. */
import { VirelError } from '../errors.js';

/** `--jobs` as a number; undefined without it. @throws VirelError `CONFIG_RANGE`. */
export function parseJobs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const jobs = Number(text);
  if (/^\d+$/.test(text) && jobs >= 1 && jobs <= 1024) return jobs;
  const message = `--jobs: expected a whole number from 1 to 1024, got ${text}`;
  throw new VirelError('CONFIG_RANGE', message, {
    where: '--jobs',
    expected: '1 to 1024',
    got: text,
    fix: '--jobs 2',
  });
}
