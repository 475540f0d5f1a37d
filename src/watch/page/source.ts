/** Where the page has its data from: the server that sent it, files beside it, or itself. */
import type { ModelAsset, RunFacts, RunList, RunUpdate, Snapshot } from '../shared/wire.js';

/** The list of runs, with the one to show first. */
export type FirstList = RunList & { readonly first?: string };

/** What is said of the connection; `refused`: for want of the token, which no other try can mend. */
export type Contact = 'open' | 'lost' | 'refused';

/** Files by their names. */
export type Assets = ReadonlyMap<string, Uint8Array>;

/** A source of runs. */
export interface Source {
  /** Whether runs go on while they are shown. */
  readonly live: boolean;
  /** When its data was taken, if that was once. */
  taken(): Promise<string | undefined>;
  list(words: string, offset: number): Promise<FirstList>;
  facts(id: string): Promise<RunFacts>;
  /** Follows a run until the function that it returns is called. */
  follow(
    id: string,
    tell: (update: RunUpdate) => void,
    say: (contact: Contact, reason?: string) => void,
  ): () => void;
  /** The MJCF; undefined where the run has none. */
  model(id: string): Promise<string | undefined>;
  /** Files that the model needs beside itself, by the names that it calls them. */
  assets(id: string): Promise<Assets>;
  recording(id: string, recording: string): Promise<Uint8Array>;
  /** MuJoCo's WebAssembly. */
  wasm(): Promise<ArrayBuffer>;
}

/** A request that was answered otherwise than hoped for. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text.trim() || `status ${status}`);
    this.status = status;
  }
}

/** What a request that failed tells of the connection, with the server's own words where it gave an answer. */
export function contactAfter(error: unknown): [contact: Contact, reason?: string] {
  if (!(error instanceof Refused)) return ['lost'];
  return [error.status === 401 ? 'refused' : 'lost', error.message];
}

/** The token of the page's address. */
const tokenOf = () => new URLSearchParams(location.hash.slice(1)).get('t') ?? '';

async function ask(path: string, options: Pick<RequestInit, 'headers' | 'signal'> = {}) {
  const headers = { Authorization: `Bearer ${tokenOf()}`, ...options.headers };
  const response = await fetch(path, { ...options, headers });
  if (!response.ok) throw new Refused(response.status, await response.text());
  return response;
}

const wait = (milliseconds: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** The events of a stream: id and data. `EventSource` could not send the token as a header. */
async function* events(response: Response): AsyncGenerator<{ id: string; data: string }> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const [id, data] = [field('id'), field('data')];
      if (id !== undefined && data !== undefined) yield { id, data };
    }
  }
}

const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

/** Reads all files of a list. */
async function readAssets(
  list: readonly ModelAsset[],
  read: (file: string) => Promise<Uint8Array>,
): Promise<Assets> {
  return new Map(
    await Promise.all(list.map(async ({ name, file }) => [name, await read(file)] as const)),
  );
}

/** Milliseconds between attempts to come back: at first, and at most. */
const AGAIN = { first: 1000, most: 15_000 };

async function followStream(
  path: string,
  tell: (update: RunUpdate) => void,
  say: (contact: Contact, reason?: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let last: string | undefined;
  let pause = AGAIN.first;
  while (!signal.aborted) {
    // the server ended, or the machine slept, unless an answer says otherwise
    let now: ReturnType<typeof contactAfter> = ['lost'];
    try {
      const headers = last === undefined ? {} : { 'Last-Event-ID': last };
      const response = await ask(path, { headers, signal });
      say('open');
      for await (const { id, data } of events(response)) {
        // what a stream tells first is all there is, unless it goes on from where the last one ended
        tell({ ...(last === undefined && { reset: true }), ...JSON.parse(data) });
        last = id;
        pause = AGAIN.first;
      }
    } catch (error) {
      now = contactAfter(error);
    }
    if (signal.aborted) return;
    say(...now);
    if (now[0] === 'refused') return;
    await wait(pause, signal);
    pause = Math.min(2 * pause, AGAIN.most);
  }
}

const live: Source = {
  live: true,
  taken: async () => undefined,
  list: async (words, offset) =>
    (await ask(`/api/runs?${new URLSearchParams({ q: words, offset: String(offset) })}`)).json(),
  facts: async (id) => (await ask(`/api/runs/${id}`)).json(),
  follow: (id, tell, say) => {
    const stop = new AbortController();
    followStream(`/api/runs/${id}/updates`, tell, say, stop.signal).catch(() => say('lost'));
    return () => stop.abort();
  },
  model: async (id) => {
    try {
      return await (await ask(`/api/runs/${id}/model`)).text();
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined;
      throw error;
    }
  },
  assets: async (id) =>
    readAssets(await (await ask(`/api/runs/${id}/assets`)).json(), async (file) =>
      bytesOf(await ask(`/api/runs/${id}/assets/${file}`)),
    ),
  recording: async (id, recording) => bytesOf(await ask(`/api/runs/${id}/recordings/${recording}`)),
  wasm: async () => (await ask('/mujoco.wasm')).arrayBuffer(),
};

/** The files of a site without a server. */
interface Files {
  snapshot(): Promise<Snapshot>;
  model(): Promise<string | undefined>;
  asset(file: string): Promise<Uint8Array>;
  recording(id: string): Promise<Uint8Array>;
  wasm(): Promise<ArrayBuffer>;
}

/** One run, as it was when it was written down. */
const written = (files: Files): Source => ({
  live: false,
  taken: async () => (await files.snapshot()).taken,
  list: async () => {
    const { entry } = (await files.snapshot()).facts;
    return { runs: [entry], total: 1, searching: false, first: entry.id };
  },
  facts: async () => (await files.snapshot()).facts,
  follow: (_id, tell, say) => {
    files.snapshot().then(
      ({ update }) => tell({ ...update, reset: true }),
      (error: unknown) => say(...contactAfter(error)),
    );
    return () => {};
  },
  model: () => files.model(),
  // a site of an earlier version has none
  assets: async () => readAssets((await files.snapshot()).assets ?? [], files.asset),
  recording: (_id, recording) => files.recording(recording),
  wasm: () => files.wasm(),
});

const beside = async (path: string) => {
  const response = await fetch(path);
  if (!response.ok) throw new Refused(response.status, `${path} is missing`);
  return response;
};

const folder: Files = {
  snapshot: async () => (await beside('run.json')).json(),
  model: async () => (await beside('model.xml')).text().catch(() => undefined),
  asset: async (file) => bytesOf(await beside(file)),
  recording: async (id) => bytesOf(await beside(`${id}.qrec`)),
  wasm: async () => (await beside('mujoco.wasm')).arrayBuffer(),
};

/** What a page that is one file holds: binary content as base64, the WebAssembly compressed before. */
interface Inlined {
  readonly snapshot: Snapshot;
  readonly model: string | null;
  readonly assets: Readonly<Record<string, string>>;
  readonly recordings: Readonly<Record<string, string>>;
  readonly wasm: string;
}

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

function inlined({ snapshot, model, assets, recordings, wasm }: Inlined): Files {
  return {
    snapshot: async () => snapshot,
    model: async () => model ?? undefined,
    asset: async (file) => fromBase64(assets[file] ?? ''),
    recording: async (id) => fromBase64(recordings[id] ?? ''),
    wasm: () => {
      const stream = new Blob([fromBase64(wasm)]).stream();
      return new Response(stream.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
    },
  };
}

/** The source of this page. */
export function openSource(): Source {
  const kind = document.querySelector('meta[name=virel-site]')?.getAttribute('content');
  if (kind === 'folder') return written(folder);
  if (kind !== 'file') return live;
  const text = document.getElementById('virel-data')?.textContent ?? '{}';
  return written(inlined(JSON.parse(text)));
}
