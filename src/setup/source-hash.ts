import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What the addon is compiled from; tests and benches of the crates do not enter it. */
const files = ['Cargo.toml', 'Cargo.lock'];
const folder = 'native';
const skipped = new Set(['tests', 'benches', 'examples', 'target', 'node_modules']);

/**
 * SHA-256 over names and contents of the Rust sources under `root`, 16 hexadecimal digits: the name of the
 * addon in the cache, so that an equal clone finds it built and a changed one builds its own.
 */
export function sourceHash(root: string): string {
  const hash = createHash('sha256');
  for (const file of [...files.map((name) => join(root, name)), ...sources(join(root, folder))]) {
    const content = readFileSync(file);
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Every file below `directory`, in an order that does not depend on the file system. */
function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isFile()) return [join(directory, entry.name)];
      return entry.isDirectory() && !skipped.has(entry.name)
        ? sources(join(directory, entry.name))
        : [];
    });
}
