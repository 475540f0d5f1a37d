/** Text to plain values: config files (YAML core schema or JSON, never executable) and `--set` assignments. */
import { type Document, isAlias, isCollection, isNode, parseDocument, visit } from 'yaml';
import { VirelError } from '../errors.js';

/** Larger than any config by far; a bigger file is a mistake. */
const MOST_BYTES = 1 << 20;
/** Deeper than the schema by far. */
const MOST_DEPTH = 32;

/** A failure of syntax, with the line where it is known. */
function syntaxError(where: string, reason: string): VirelError {
  return new VirelError('CONFIG_SYNTAX', `${where}: ${reason}`, {
    where,
    expected: 'YAML without tags, anchors or aliases, or JSON',
    fix: 'npx virel-native config validate FILE',
  });
}

/** Refuses what a plain tree of values does not need: tags, anchors, aliases, depth. */
function refuseExtras(document: Document, where: string): void {
  visit(document, (_key, node, path) => {
    if (path.filter(isCollection).length >= MOST_DEPTH)
      throw syntaxError(where, `nested deeper than ${MOST_DEPTH}`);
    if (isAlias(node)) throw syntaxError(where, `alias *${node.source}`);
    if (!isNode(node)) return;
    if ('anchor' in node && node.anchor) throw syntaxError(where, `anchor &${node.anchor}`);
    if (node.tag !== undefined) throw syntaxError(where, `tag ${node.tag}`);
  });
}

/** One YAML document as plain values. */
function parseYaml(text: string, where: string): unknown {
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { schema: 'core', prettyErrors: true });
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem !== undefined) throw syntaxError(where, problem.message.split('\n')[0] ?? '');
    refuseExtras(document, where);
    return document.toJS();
  } catch (error) {
    // a nesting that overflows the parser's stack
    if (error instanceof RangeError) throw syntaxError(where, `nested deeper than ${MOST_DEPTH}`);
    throw error;
  }
}

/**
 * The values of a config file.
 *
 * @param bytes The file's content, UTF-8.
 * @param where Its name, for messages.
 * @throws VirelError `CONFIG_SYNTAX`.
 */
export function parseConfigFile(bytes: Uint8Array, where: string): unknown {
  if (bytes.length > MOST_BYTES) {
    throw syntaxError(where, `${bytes.length} bytes, at most ${MOST_BYTES} are read`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw syntaxError(where, 'not UTF-8');
  }
  // an empty file says nothing, which is allowed
  return parseYaml(text, where) ?? {};
}

/**
 * A value as written on the command line: a number, `true`, `null`, `[256, 256]`, or else the text itself.
 * `NaN` and `Infinity` become numbers, so that a range check names them.
 */
export function parseScalar(text: string, where: string): unknown {
  if (/^[-+]?(nan|inf|infinity)$/i.test(text)) {
    return /nan/i.test(text) ? Number.NaN : text.startsWith('-') ? -Infinity : Infinity;
  }
  if (text === '') return '';
  return parseYaml(text, where);
}

/**
 * `optim.targetUpdateRate=0.005` as the nested values `{optim: {targetUpdateRate: 0.005}}`.
 *
 * @throws VirelError `CONFIG_SYNTAX` if there is no `=` or no path.
 */
export function parseAssignment(assignment: string): unknown {
  const at = assignment.indexOf('=');
  if (at < 1) {
    throw new VirelError('CONFIG_SYNTAX', `--set ${assignment}: expected path.to.key=value`, {
      where: '--set',
      expected: 'path.to.key=value',
      got: assignment,
      fix: '--set optim.targetUpdateRate=0.005',
    });
  }
  const value = parseScalar(assignment.slice(at + 1), `--set ${assignment}`);
  return nest(assignment.slice(0, at).trim(), value);
}

/** A value under a dotted path: `nest('a.b', 1)` is `{a: {b: 1}}`; own keys only, `__proto__` included. */
export function nest(path: string, value: unknown): unknown {
  return path
    .split('.')
    .reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), value);
}
