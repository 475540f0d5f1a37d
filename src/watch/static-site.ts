/** The page of one run without a server: a folder for any web host, or one file to mail. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ExportedFile, placeFiles } from '../export/place.js';
import { pretty } from '../training/files.js';
import { requireRun } from '../training/find-run.js';
import { MODEL_LICENCE } from '../training/run-directory.js';
import { listAssets, readAsset } from './assets.js';
import { readInside } from './inside.js';
import { type PageFileName, readPageFile } from './page-files.js';
import { listRecordings, readRecording } from './recordings.js';
import { readFacts } from './run-facts.js';
import { POLICY } from './security.js';
import type { ModelAsset, RecordingEntry, Snapshot } from './shared/wire.js';
import { Updates } from './updates.js';

/** Bytes of recordings that go along, the newest first: one episode always, and what mail still takes. */
const MOST_RECORDED = 8 << 20;
/** Longest model that goes along, and as much again of the files that it needs. */
const MOST_MODEL = 16 << 20;

/** What to write. */
export interface SiteOptions {
  /** The folder. */
  readonly out: string;
  /** All in one `index.html`, instead of files beside each other. */
  readonly single?: boolean | undefined;
  /** Replaces the files of an earlier one. */
  readonly force?: boolean | undefined;
}

/** What of a run goes along. */
export interface Content {
  readonly snapshot: Snapshot;
  readonly model: Buffer | undefined;
  /** That of the model, where it was shipped. */
  readonly licence: Buffer | undefined;
  /** Files that the model needs, by the names of the snapshot's list. */
  readonly assets: ReadonlyMap<string, Buffer>;
  readonly recordings: ReadonlyMap<string, Buffer>;
  /** Recordings that were too many. */
  readonly left: number;
}

/** The newest recordings that fit. */
async function takeRecordings(
  runDir: string,
  listed: readonly RecordingEntry[],
): Promise<Map<string, Buffer>> {
  const taken = new Map<string, Buffer>();
  let room = MOST_RECORDED;
  for (const { id } of [...listed].reverse()) {
    const bytes = await readRecording(runDir, id);
    if (bytes === undefined) continue;
    room -= bytes.length;
    if (room < 0 && taken.size > 0) break;
    taken.set(id, bytes);
  }
  return taken;
}

/** The files that a model needs; none where they are too many to go along, so that the page says what it lacks. */
async function takeAssets(
  runDir: string,
  listed: readonly ModelAsset[],
): Promise<Map<string, Buffer>> {
  const taken = new Map<string, Buffer>();
  let room = MOST_MODEL;
  for (const { file } of listed) {
    const bytes = await readAsset(runDir, file);
    if (bytes === undefined || taken.has(file)) continue;
    room -= bytes.length;
    if (room < 0) return new Map();
    taken.set(file, bytes);
  }
  return taken;
}

/**
 * Reads what a site shows of a run. Nothing of the author's machine goes along: no path, no name of a host.
 *
 * @param choose Which of its recordings.
 */
export async function readContent(
  runDir: string,
  choose: (entry: RecordingEntry) => boolean = () => true,
): Promise<Content> {
  requireRun(runDir);
  const name = basename(runDir);
  const facts = await readFacts(runDir, name);
  const update = (await new Updates(runDir, name).next()) ?? {};
  const listed = (await listRecordings(runDir)).filter(choose);
  const recordings = await takeRecordings(runDir, listed);
  const shown = listed.filter(({ id }) => recordings.has(id));
  const needed = await listAssets(runDir);
  const assets = await takeAssets(runDir, needed);
  return {
    snapshot: {
      facts,
      update: { ...update, recordings: shown },
      assets: needed.filter(({ file }) => assets.has(file)),
      taken: new Date().toISOString(),
    },
    model: await readInside(runDir, MODEL, MOST_MODEL),
    licence: await readInside(runDir, MODEL_LICENCE, MOST_MODEL),
    assets,
    recordings,
    left: listed.length - shown.length,
  };
}

const textOf = (name: PageFileName) => readPageFile(name).bytes.toString('utf8');

/** The rules of the server, as a page without one states them. */
function policy(script: string, style: string, connect: string): string {
  return POLICY.replace("frame-ancestors 'none'; ", '')
    .replace("script-src 'self'", `script-src ${script}`)
    .replace("style-src 'self'", `style-src ${style}`)
    .replace("connect-src 'self'", `connect-src ${connect}`)
    .replace("img-src 'self' blob:", "img-src 'self' blob: data:");
}

/** The page with its rules, and where its data are. */
function pageWith(kind: 'folder' | 'file', rules: string): string {
  return textOf('index.html')
    .replace(
      '<meta name="virel-site" content="live">',
      `<meta name="virel-site" content="${kind}">`,
    )
    .replace('<title>', `<meta http-equiv="Content-Security-Policy" content="${rules}">\n<title>`);
}

/** Not every run has one; where this one has none, that of an earlier site goes. */
const MODEL = 'model.xml';
const COPIED = ['page.js', 'page.css', 'icon.svg', 'mujoco.wasm'] as const;

/** What the page is made of, and the model that goes with it, with their licences. */
const licences = ({ licence }: Content) =>
  textOf('licences.txt') + (licence === undefined ? '' : `\n\nmodel.xml: Gymnasium\n\n${licence}`);

type Files = ReadonlyMap<string, string | Buffer>;

/** The files of a site beside each other. */
function filesOf(content: Content): Files {
  const { snapshot, model, assets, recordings } = content;
  return new Map<string, string | Buffer>([
    ['index.html', pageWith('folder', policy("'self'", "'self'", "'self'"))],
    ...COPIED.map((name) => [name, readPageFile(name).bytes] as const),
    ['licences.txt', licences(content)],
    ['run.json', pretty(snapshot)],
    ...(model === undefined ? [] : [[MODEL, model] as const]),
    ...assets,
    ...[...recordings].map(([id, bytes]) => [`${id}.qrec`, bytes] as const),
  ]);
}

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** JSON that ends no element of a page, whatever names stand in it. */
const inElement = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c');

/** A page of one file: script, style, data, and MuJoCo's WebAssembly, compressed. */
export function singleFile(content: Content): string {
  const { snapshot, model, assets, recordings } = content;
  const [script, style] = [textOf('page.js'), textOf('page.css')];
  const base64 = (bytes: Buffer) => bytes.toString('base64');
  const encoded = (files: ReadonlyMap<string, Buffer>) =>
    Object.fromEntries([...files].map(([name, bytes]) => [name, base64(bytes)]));
  const data = inElement({
    snapshot,
    model: model?.toString('utf8') ?? null,
    assets: encoded(assets),
    recordings: encoded(recordings),
    wasm: base64(gzipSync(readPageFile('mujoco.wasm').bytes, { level: 9 })),
  });
  const icon = `data:image/svg+xml;base64,${base64(readPageFile('icon.svg').bytes)}`;
  // functions: a `$` in what is put in means nothing
  return pageWith('file', policy(hash(script), hash(style), "'none'"))
    .replace('href="icon.svg"', () => `href="${icon}"`)
    .replace('<link rel="stylesheet" href="page.css">', () => `<style>${style}</style>`)
    .replace(
      '<script type="module" src="page.js"></script>',
      () =>
        `<script type="application/json" id="virel-data">${data}</script>\n<script type="module">${script}</script>`,
    )
    .concat(`<!--\n${licences(content).replaceAll('--', '- -')}-->\n`);
}

/** What was written. */
export interface WrittenSite {
  /** In the order in which they were written. */
  readonly files: readonly ExportedFile[];
  /** Recordings that were too many to go along. */
  readonly left: number;
  /** What writers had left in the folder that were killed; it was removed. */
  readonly removed: readonly string[];
}

/**
 * Writes the page of a run as files, for a web host or a mail (docs/watching.md): how it stands now, with its newest recordings.
 *
 * @param runDir The run's folder; nothing in it is changed. {@link recordEpisode} before makes an episode to see.
 * @throws VirelError `RUN_NOT_FOUND`, `EXPORT_EXISTS`, `PAGE_MISSING`; `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`: the folder is
 *   then as it was.
 */
export async function writeSite(runDir: string, options: SiteOptions): Promise<WrittenSite> {
  readPageFile('page.js');
  const content = await readContent(runDir);
  const { single, out, force = false } = options;
  const made: Files = single ? new Map([['index.html', singleFile(content)]]) : filesOf(content);
  const names = single ? [...made.keys()] : [...new Set([...made.keys(), MODEL])];
  const place = { folder: out, names, force, flag: '--static' };
  const { files, removed } = await placeFiles(place, async (folder) => {
    for (const [name, bytes] of made) writeFileSync(join(folder, name), bytes);
  });
  return { files, left: content.left, removed };
}
