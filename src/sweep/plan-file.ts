/**
 * A plan on disk, `plan.jsonl`: a head with the number of rows and the SHA-256 of their text, then a row a line. A plan that
 * was cut short or edited is refused, since a part of a sweep would pass for the whole.
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { VirelError } from '../errors.js';
import { sha256 } from '../setup/hash.js';
import { fileError, writeWhole } from '../training/files.js';
import type { PlanRow, SweepPlan } from './plan.js';

const headSchema = z.object({
  v: z.literal(1),
  sweep: z.string().regex(/^[^\p{C}/\\]{1,200}$/u),
  rows: z.int().min(1),
  sha256: z.string(),
});
/** A folder below that of the sweep: no way up, nothing absolute. */
const FOLDER = /^(?!.*(?:^|\/)\.\.?(?:\/|$))[\w.=,+-]+(?:\/[\w.=,+-]+)*$/;
const rowSchema = z.object({
  index: z.int().min(0),
  folder: z.string().max(400).regex(FOLDER),
  values: z.record(z.string(), z.unknown()),
});

/** Writes a plan, whole or not at all. @throws VirelError `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`. */
export function writePlan(path: string, { name, rows }: SweepPlan): void {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const head = { v: 1, sweep: name, rows: rows.length, sha256: sha256(text) };
  writeWhole(path, `${JSON.stringify(head)}\n${text}`);
}

const ANEW = 'make it anew: npx virel-native sweep FILE --plan-only --out plan.jsonl';

/**
 * A plan as it was written.
 *
 * @param fix What mends one that is damaged.
 * @throws VirelError `PLAN_HASH` where it is damaged; `CLI_USAGE` where there is no such file; `PERMISSION`, `IO`.
 */
export function readPlan(path: string, fix = ANEW): SweepPlan {
  const damaged = (reason: string) =>
    new VirelError('PLAN_HASH', `${path} ${reason}`, {
      where: path,
      expected: 'a plan as it was written',
      fix,
    });
  const text = readText(path);
  const end = text.indexOf('\n') + 1;
  const head = headSchema.safeParse(json(text.slice(0, end)));
  if (!head.success) throw damaged('is no plan: its first line is not a head');
  const body = text.slice(end);
  const lines = body.split('\n').slice(0, -1);
  const { rows: expected, sweep: name } = head.data;
  if (lines.length < expected || !body.endsWith('\n'))
    throw damaged(`is cut short: ${lines.length} of ${expected} rows`);
  if (sha256(body) !== head.data.sha256) throw damaged('was changed: its rows fail their SHA-256');
  const rows = lines.map((line, index): PlanRow => {
    const row = rowSchema.safeParse(json(line));
    if (!row.success || row.data.index !== index) throw damaged(`has no row ${index}`);
    return row.data;
  });
  return { name, rows };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, path, 'give a plan of --plan-only --out plan.jsonl');
  }
}
