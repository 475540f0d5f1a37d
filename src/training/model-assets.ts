/**
 * The files that the user's own MJCF names, meshes, height fields, textures and included models, kept in the run's folder beside
 * `model.xml`: `assets/<hash>.<ending>`, and `assets/index.json` with the names that the model calls them by. The page needs them to
 * draw the robot; training reads the user's. Files outside of the model's folder are left out: a model from elsewhere could name any.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, posix, sep } from 'node:path';
import { sha256 } from '../setup/hash.js';
import { makeFolders, pretty, writeWhole } from './files.js';

/** The folder in a run's. */
export const ASSETS = 'assets';
/** What names the files in it. */
export const ASSET_INDEX = 'index.json';
/** The name of a file in it. */
export const ASSET_FILE = /^[0-9a-f]{16}\.[a-z0-9]{1,8}$/;
/** Bytes of all of them: a page that had to load more would not open in reasonable time. */
export const MOST_ASSETS = 64 << 20;

const COMMENT = /<!--.*?-->/gs;
const ELEMENT = /<(compiler|include|mesh|hfield|skin|flexcomp|texture)\b([^>]*)>/g;
const ATTRIBUTE = /([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Elements that name files, or say where files are. */
function elementsOf(xml: string): Element[] {
  return [...xml.replace(COMMENT, '').matchAll(ELEMENT)].map(([, tag = '', words = '']) => ({
    tag,
    attributes: Object.fromEntries(
      [...words.matchAll(ATTRIBUTE)].map(([, key = '', double, single]) => [
        key,
        double ?? single ?? '',
      ]),
    ),
  }));
}

/** The bytes of a file below a folder; undefined where it cannot be read: whoever compiles the model says so. */
function bytesOf(folder: string, name: string): Buffer | undefined {
  try {
    const path = realpathSync(join(folder, name));
    const facts = statSync(path);
    const isOurs = path.startsWith(realpathSync(folder) + sep);
    const isWanted = isOurs && facts.isFile() && facts.size <= MOST_ASSETS;
    return isWanted ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** Attributes that name a file. */
const FILES = /^file(right|left|up|down|front|back)?$/;

const filesOf = ({ attributes }: Element) =>
  Object.entries(attributes).flatMap(([key, value]) => (FILES.test(key) ? [value] : []));

/** Elements of a model and of the models that it includes; names of these are from the folder of the first. */
function readIncluded(folder: string, xml: string, files: Map<string, Buffer>): Element[] {
  const elements = elementsOf(xml);
  const included = elements
    .filter(({ tag }) => tag === 'include')
    .flatMap(filesOf)
    .filter((name) => !files.has(name));
  const more = included.flatMap((name) => {
    const bytes = bytesOf(folder, name);
    if (bytes === undefined) return [];
    files.set(name, bytes);
    return readIncluded(folder, bytes.toString(), files);
  });
  return [...elements, ...more];
}

/** The files that a model names, by the names that MuJoCo looks for. */
export function namedFiles(modelFile: string): Map<string, Buffer> {
  const folder = dirname(modelFile);
  const files = new Map<string, Buffer>();
  const elements = readIncluded(folder, readFileSync(modelFile, 'utf8'), files);
  const settings: Record<string, string> = Object.assign(
    {},
    ...elements.filter(({ tag }) => tag === 'compiler').map(({ attributes }) => attributes),
  );
  const { assetdir = '', meshdir = assetdir, texturedir = assetdir, strippath } = settings;
  for (const element of elements) {
    if (element.tag === 'include' || element.tag === 'compiler') continue;
    const place = element.tag === 'texture' ? texturedir : meshdir;
    for (const named of filesOf(element)) {
      const name = posix.join(place, strippath === 'true' ? basename(named) : named);
      const bytes = posix.isAbsolute(name) ? undefined : bytesOf(folder, name);
      if (bytes !== undefined) files.set(name, bytes);
    }
  }
  return files;
}

const endingOf = (name: string) => /\.([a-z0-9]{1,8})$/i.exec(name)?.[1]?.toLowerCase() ?? 'bin';

/**
 * Copies the files that a model names into the run's folder; none where they are too large together.
 *
 * @param modelFile The user's MJCF, which was read before.
 * @throws VirelError `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`.
 */
export function copyAssets(modelFile: string, runDir: string): void {
  const files = namedFiles(modelFile);
  const size = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  if (files.size === 0 || size > MOST_ASSETS) return;
  const folder = join(runDir, ASSETS);
  makeFolders(folder);
  // the name is as MuJoCo looks for it, from the folder of the model: meshes/base.stl
  const assets = [...files].map(([name, bytes]) => {
    const file = `${sha256(bytes).slice(0, 16)}.${endingOf(name)}`;
    writeWhole(join(folder, file), bytes);
    return { name, file };
  });
  writeWhole(join(folder, ASSET_INDEX), pretty({ format: 1, assets }));
}
