/** What can be asked for: a fixed table. Ids are looked up among the runs that are known, never joined to a path. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listAssets, readAsset } from './assets.js';
import { readInside } from './inside.js';
import { PAGE_FILES, type PageFileName, readPageFile } from './page-files.js';
import { readRecording } from './recordings.js';
import { readFacts } from './run-facts.js';
import type { RunIndex } from './run-index.js';
import { streamUpdates } from './stream.js';

/** What the answers are made from. */
export interface Site {
  readonly index: RunIndex;
  /** The run that the page shows first; undefined for the newest. */
  readonly first: string | undefined;
  /** Why there is no newer recording of a run. */
  note(dir: string): string | undefined;
  /** Counts streams in use. */
  readonly streams: { open: number };
}

/** A request that may be answered. */
export interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** What the pattern caught. */
  readonly parts: readonly string[];
}

/** An answer, or one that writes itself; undefined: there is no such thing. */
export type Answer = { readonly type: string; readonly body: Buffer | string } | 'written';

/** A way to ask. */
export interface Route {
  readonly pattern: RegExp;
  /** The page's own files are no secret; all about runs is. */
  readonly open?: true;
  answer(site: Site, asked: Asked): Promise<Answer | { readonly status: number } | undefined>;
}

const json = (value: unknown): Answer => ({
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
});

/** Longest model that is handed on. */
const MOST_MODEL = 16 << 20;
/** Streams at a time: a browser has six connections to a host, and a page uses one. */
const MOST_STREAMS = 8;
/** Entries of the list in one answer. */
const MOST_LISTED = 200;

/** A number of a query; what is none is `otherwise`. */
function within(text: string | null, otherwise: number, most: number): number {
  return /^\d{1,7}$/.test(text ?? '') ? Math.min(Number(text), most) : otherwise;
}

/** Runs an answer on the folder of the run that the address names. */
const ofRun =
  (answer: (dir: string, site: Site, asked: Asked) => ReturnType<Route['answer']>) =>
  async (site: Site, asked: Asked) => {
    const dir = site.index.folder(asked.parts[0] as string);
    return dir === undefined ? undefined : answer(dir, site, asked);
  };

const page: Route = {
  pattern: /^\/(index\.html|page\.js|page\.css|icon\.svg|mujoco\.wasm|licences\.txt)?$/,
  open: true,
  answer: async (_site, { parts: [name] }) => {
    const file = (name ?? 'index.html') as PageFileName;
    if (!Object.hasOwn(PAGE_FILES, file)) return undefined;
    const { type, bytes } = readPageFile(file);
    return { type, body: bytes };
  },
};

const list: Route = {
  pattern: /^\/api\/runs$/,
  answer: async ({ index, first }, { query }) => {
    const words = (query.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean).slice(0, 8);
    const offset = within(query.get('offset'), 0, 1e7);
    return json({ ...index.list(words, offset, MOST_LISTED), first });
  },
};

const facts: Route = {
  pattern: /^\/api\/runs\/([0-9a-f]{16})$/,
  answer: ofRun(async (dir, { index }) => json(await readFacts(dir, index.name(dir)))),
};

const updates: Route = {
  pattern: /^\/api\/runs\/([0-9a-f]{16})\/updates$/,
  answer: ofRun(async (dir, { index, note, streams }, { request, response }) => {
    if (streams.open >= MOST_STREAMS) return { status: 503 };
    const head = { 'Content-Type': 'text/event-stream; charset=utf-8' };
    response.writeHead(200, head);
    if (request.method === 'HEAD') {
      response.end();
      return 'written';
    }
    // a stream may be silent for long
    request.socket.setTimeout(0);
    const last = request.headers['last-event-id'];
    streams.open += 1;
    try {
      await streamUpdates(response, {
        dir,
        name: index.name(dir),
        last: typeof last === 'string' ? last : undefined,
        note: () => note(dir),
      });
    } finally {
      streams.open -= 1;
    }
    return 'written';
  }),
};

const model: Route = {
  pattern: /^\/api\/runs\/([0-9a-f]{16})\/model$/,
  answer: ofRun(async (dir) => {
    const body = await readInside(dir, 'model.xml', MOST_MODEL);
    return body && { type: 'text/plain; charset=utf-8', body };
  }),
};

const assets: Route = {
  pattern: /^\/api\/runs\/([0-9a-f]{16})\/assets$/,
  answer: ofRun(async (dir) => json(await listAssets(dir))),
};

const asset: Route = {
  pattern: /^\/api\/runs\/([0-9a-f]{16})\/assets\/([0-9a-z.]{1,32})$/,
  answer: ofRun(async (dir, _site, { parts: [, file = ''] }) => {
    const body = await readAsset(dir, file);
    return body && { type: 'application/octet-stream', body };
  }),
};

const recording: Route = {
  pattern: /^\/api\/runs\/([0-9a-f]{16})\/recordings\/([0-9a-z-]{1,64})$/,
  answer: ofRun(async (dir, _site, { parts: [, id = ''] }) => {
    const body = await readRecording(dir, id);
    return body && { type: 'application/octet-stream', body };
  }),
};

/** All of them. */
export const ROUTES: readonly Route[] = [
  page,
  list,
  facts,
  updates,
  model,
  assets,
  asset,
  recording,
];
