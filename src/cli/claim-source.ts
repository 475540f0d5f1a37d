/** The code that checks a claim, as it is written: from the sources that the package ships. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../src/theory/claims', import.meta.url));

/** A piece of source and where it stands. */
export interface ClaimSource {
  /** `src/theory/claims/FILE`, as in the repository. */
  file: string;
  /** The measurement and the functions of the same file that it uses. */
  code: string;
}

/** Undefined where the sources are not there. */
export function sourceOf(id: string): ClaimSource | undefined {
  if (!existsSync(FOLDER)) return undefined;
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    const measure = measureOf(text, id);
    if (measure === undefined) continue;
    const helpers = helpersOf(text, measure);
    return { file: `src/theory/claims/${file}`, code: [...helpers, measure].join('\n\n') };
  }
  return undefined;
}

/** The `measure` of an entry: the formatter puts its end on a line of the same depth. */
function measureOf(text: string, id: string): string | undefined {
  const start = text.indexOf(`    id: '${id}',\n`);
  if (start < 0) return undefined;
  const [, measure] =
    /^ {4}(measure: [\s\S]*?),\n {4}(?:printed|derivation):/m.exec(text.slice(start)) ?? [];
  return measure?.replaceAll(/^ {4}/gm, '');
}

const DEFINITION = /^(?:export )?(?:function|const|interface|type) (\w+)/;

/** Top-level functions and constants of a file by name, each with the comment above it. */
function definitionsOf(text: string): Map<string, string> {
  const lines = text.split('\n');
  const definitions = new Map<string, string>();
  lines.forEach((line, start) => {
    const [, name] = DEFINITION.exec(line) ?? [];
    if (name === undefined) return;
    // the formatter ends a definition on its first line, or on the next that is not indented and opens nothing
    const isWhole = line.endsWith(';');
    const end = lines.findIndex((each, i) => i > start && /^\S/.test(each) && !/[{[(]$/.test(each));
    definitions.set(
      name,
      lines.slice(commentAbove(lines, start), (isWhole ? start : end) + 1).join('\n'),
    );
  });
  return definitions;
}

/** Where the comment that ends above a line begins; the line itself without one. */
function commentAbove(lines: readonly string[], line: number): number {
  if (!lines[line - 1]?.endsWith('*/')) return line;
  return lines.findLastIndex((text, i) => i < line && text.startsWith('/**'));
}

/** What a piece of code uses of its file, and what that uses, in the order of the file. */
function helpersOf(text: string, code: string): string[] {
  const definitions = definitionsOf(text);
  const used = new Set<string>();
  const visit = (piece: string) => {
    for (const [name, definition] of definitions) {
      if (used.has(name) || name.endsWith('Claims')) continue;
      if (!new RegExp(`\\b${name}\\b`).test(piece)) continue;
      used.add(name);
      visit(definition);
    }
  };
  visit(code);
  return [...definitions].filter(([name]) => used.has(name)).map(([, definition]) => definition);
}
