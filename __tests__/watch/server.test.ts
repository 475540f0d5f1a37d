/** What the server of `watch` gives, and what it refuses: the attacks on a page that runs on one's own machine. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RunIndex } from '../../src/watch/run-index.js';
import { servePage } from '../../src/watch/server.js';
import { decodeRecording } from '../../src/watch/shared/recording.js';
import type { RunFacts, RunList, RunUpdate } from '../../src/watch/shared/wire.js';
import { type Watching, watch } from '../../src/watch/watch.js';
import { compile } from '../cli/command.js';
import { addRecording, addStep, fakeRun } from './fake-runs.js';

const PATIENCE = 120_000;
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'virel-watch-')));
const runsDir = join(folder, 'runs');
let watching: Watching;
let dir = '';
let recording = '';
let token = '';
let run = '';

/** An answer, read to its end or for as long as it streams. */
interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
}

/** Asks as no browser would: any method, any header, the path as it is given. */
function ask(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port: watching.port, path, method, headers, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts),
          }),
        );
      },
    );
    asked.on('error', reject);
    asked.end(body === '' ? undefined : body);
  });
}

const mine = () => ({ Authorization: `Bearer ${token}` });
const own = (path: string, headers: Record<string, string> = {}) =>
  ask(path, { ...mine(), ...headers });
const json = async <T>(path: string) => JSON.parse((await own(path)).body.toString()) as T;

/** Bytes over a socket. @returns What came back until the other side hung up. */
function raw(text: string, patience = 10_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(watching.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (part) => {
      answer += part.toString();
    });
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(done, patience);
    socket.on('close', done);
    socket.on('error', done);
    socket.write(text);
  });
}
const statusesOf = (answer: string) =>
  [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));

/** Events of a stream until `enough`. */
function stream(
  headers: Record<string, string>,
  enough: (updates: RunUpdate[]) => boolean,
): Promise<{ updates: RunUpdate[]; last: string }> {
  return new Promise((resolve, reject) => {
    const path = `/api/runs/${run}/updates`;
    const options = { host: '127.0.0.1', port: watching.port, path, agent: false };
    const asked = request({ ...options, headers: { ...mine(), ...headers } }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => {
        text += part.toString();
        const blocks = text.split('\n\n').filter((block) => block.startsWith('id: '));
        const updates = blocks.slice(0, text.endsWith('\n\n') ? undefined : -1).map((block) => {
          const [id = '', data = ''] = block.split('\n');
          return { id: id.slice(4), update: JSON.parse(data.slice(6)) as RunUpdate };
        });
        if (!enough(updates.map(({ update }) => update))) return;
        asked.destroy();
        resolve({
          updates: updates.map(({ update }) => update),
          last: updates.at(-1)?.id ?? '',
        });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

beforeAll(async () => {
  compile();
  dir = fakeRun(runsDir, 'Hopper-v5/virel/seed-0');
  recording = addRecording(dir, 1000);
  watching = await watch({ run: dir, runsDir, host: '127.0.0.1', port: 0, record: false });
  token = watching.url.split('#t=')[1] as string;
  run = (await json<RunList & { first: string }>('/api/runs')).first;
}, PATIENCE);
afterAll(async () => {
  await watching.close();
  rmSync(folder, { recursive: true });
});

describe('the server gives', () => {
  it('an address on loopback with 128 bits of token in its fragment', () => {
    expect(watching.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#t=[\w-]{22}$/);
  });

  it.each([
    ['/', 'text/html; charset=utf-8'],
    ['/page.js', 'text/javascript; charset=utf-8'],
    ['/page.css', 'text/css; charset=utf-8'],
    ['/icon.svg', 'image/svg+xml'],
    ['/mujoco.wasm', 'application/wasm'],
  ])('%s, which is no secret, without the token, as %s', async (path, type) => {
    const { status, headers, body } = await ask(path);
    expect([status, headers['content-type'], body.length > 100]).toEqual([200, type, true]);
  });

  it('the list, the facts with the origin of each value, the model, a recording', async () => {
    const list = await json<RunList>('/api/runs?q=hopper');
    expect(list.runs).toMatchObject([
      { id: run, name: 'Hopper-v5/virel/seed-0', env: 'Hopper-v5', state: 'running', step: 2000 },
    ]);
    expect((await json<RunList>('/api/runs?q=humanoid')).total).toBe(0);
    const facts = await json<RunFacts>(`/api/runs/${run}`);
    expect(facts).toMatchObject({ steps: 4000, problems: [] });
    expect(facts.config).toContainEqual(['steps', '4000', '--steps']);
    expect(facts.config).toContainEqual(['seed', '0', 'a config file']);
    expect((await own(`/api/runs/${run}/model`)).body.toString()).toBe('<mujoco/>');
    const bytes = (await own(`/api/runs/${run}/recordings/${recording}`)).body;
    expect(decodeRecording(bytes)).toMatchObject({ frames: 2 });
  });

  it('nothing of the machine: no path, no host', async () => {
    for (const path of ['/api/runs', `/api/runs/${run}`]) {
      const text = (await own(path)).body.toString();
      expect([path, text.includes('SECRET'), text.includes(folder)]).toEqual([path, false, false]);
    }
  });

  it('updates as they come, and to one who comes back what it missed', async () => {
    const first = await stream({}, (updates) => updates.length > 0);
    expect(first.updates[0]?.metrics?.step).toEqual([1000, 2000]);
    addStep(dir, 3000);
    const next = await stream({ 'Last-Event-ID': first.last }, (updates) => updates.length > 0);
    expect(next.updates[0]?.metrics?.step).toEqual([3000]);
    const lost = await stream({ 'Last-Event-ID': "1-2'; --" }, (updates) => updates.length > 0);
    expect(lost.updates[0]?.metrics?.step).toEqual([1000, 2000, 3000]);
  });

  it('answers to HEAD without a body', async () => {
    const { status, headers, body } = await ask('/page.js', {}, 'HEAD');
    expect([status, Number(headers['content-length']) > 1000, body.length]).toEqual([200, true, 0]);
    expect((await ask(`/api/runs/${run}/updates`, mine(), 'HEAD')).status).toBe(200);
  });

  it('the whole file where a range is asked for', async () => {
    const { status, body } = await ask('/icon.svg', { Range: 'bytes=0-3' });
    expect([status, body.length > 4]).toEqual([200, true]);
  });
});

describe('watch in Node', () => {
  it('takes the newest run and the defaults of the verb, and closes twice', async () => {
    const page = await watch({ runsDir, record: false, host: undefined });
    expect([page.runDir, page.url.startsWith('http://127.0.0.1:')]).toEqual([dir, true]);
    await page.close();
    await page.close();
    await expect(fetch(page.url)).rejects.toThrow('fetch failed');
  });

  it.each([-1, 1.5, 65_536, Number.NaN, '80' as unknown as number])(
    'refuses the port %j',
    async (port) => {
      const refusal = { code: 'CONFIG_RANGE', where: 'port', exit: 2 };
      await expect(watch({ runsDir, port, record: false })).rejects.toMatchObject(refusal);
    },
  );

  it.each([
    ['', '""'],
    [null, 'null'],
    [80, '80'],
  ])('refuses the host %j, which would be every address', async (host, got) => {
    const refusal = { code: 'CLI_USAGE', where: 'host', got, fix: 'host 127.0.0.1', exit: 2 };
    await expect(watch({ runsDir, host: host as string, record: false })).rejects.toMatchObject({
      ...refusal,
      expected: expect.stringContaining('an address of this machine'),
    });
  });
});

describe('every answer, a refusal too,', () => {
  it.each(['/', '/api/runs', '/nothing'])(
    'to %s forbids what the page does not need',
    async (path) => {
      const { headers } = await ask(path);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      });
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/'unsafe-(eval|inline)'|\*|https?:/);
      expect(headers['set-cookie']).toBeUndefined();
      expect(headers['access-control-allow-origin']).toBeUndefined();
    },
  );
});

describe('the server refuses', () => {
  it.each([
    ['no token', () => ({})],
    ['a wrong token', () => ({ Authorization: `Bearer ${'A'.repeat(22)}` })],
    ['a part of it', () => ({ Authorization: `Bearer ${token.slice(0, -1)}` })],
    ['more than it', () => ({ Authorization: `Bearer ${token}A` })],
    ['an empty one', () => ({ Authorization: 'Bearer ' })],
    ['another scheme', () => ({ Authorization: `Basic ${token}` })],
    ['a cookie', () => ({ Cookie: `t=${token}` })],
  ] as const)('%s', async (_name, headers) => {
    for (const path of ['/api/runs', `/api/runs/${run}`, `/api/runs/${run}/updates`, '/nothing']) {
      expect([path, (await ask(path, headers())).status]).toEqual([path, 401]);
    }
    expect((await ask(`/api/runs?t=${token}`)).status).toBe(401);
  });

  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1',
    '127.0.0.1:1',
    '127.0.0.1.evil.example:PORT',
    'localhost.evil.example:PORT',
    'evil.example:PORT',
    '0.0.0.0:PORT',
    '192.168.0.7:PORT',
    'user@127.0.0.1:PORT',
  ])('the host %j (DNS rebinding), with the token too', async (host) => {
    const headers = { ...mine(), Host: host.replace('PORT', String(watching.port)) };
    for (const path of ['/', '/api/runs']) expect((await ask(path, headers)).status).toBe(403);
  });

  it('nothing of its own names', async () => {
    for (const name of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST']) {
      const headers = { ...mine(), Host: `${name}:${watching.port}` };
      expect([name, (await ask('/api/runs', headers)).status]).toEqual([name, 200]);
    }
  });

  it.each(['http://evil.example', 'null', 'http://localhost:1', 'https://127.0.0.1:PORT'])(
    'the origin %j, with any method',
    async (origin) => {
      const headers = { ...mine(), Origin: origin.replace('PORT', String(watching.port)) };
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
        expect((await ask('/api/runs', headers, method)).status).toBe(403);
      }
    },
  );

  it('what a browser says another site asked for; a link to the page is none of it', async () => {
    for (const site of ['cross-site', 'same-site']) {
      const headers = { ...mine(), 'Sec-Fetch-Site': site };
      expect((await ask('/api/runs', headers)).status).toBe(403);
      expect((await ask('/page.js', headers)).status).toBe(403);
      const link = { ...headers, 'Sec-Fetch-Mode': 'navigate' };
      expect((await ask('/', link)).status).toBe(200);
      expect((await ask('/api/runs', link)).status).toBe(403);
    }
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    '%s, whatever its headers override',
    async (method) => {
      const headers = { ...mine(), 'X-HTTP-Method-Override': 'GET', 'X-Method-Override': 'GET' };
      const { status, headers: got } = await ask('/api/runs', headers, method);
      expect([status, got['allow']]).toEqual([405, 'GET, HEAD']);
    },
  );

  it('a preflight, so that no other site may send the token', async () => {
    const headers = {
      Origin: 'http://evil.example',
      'Access-Control-Request-Method': 'GET',
      'Access-Control-Request-Headers': 'authorization',
    };
    const { status, headers: got } = await ask('/api/runs', headers, 'OPTIONS');
    expect([status, got['access-control-allow-headers']]).toEqual([403, undefined]);
  });

  it('paths out of the runs, encoded once, twice, with NUL or backslash', async () => {
    const up = [
      '../',
      '..%2f',
      '%2e%2e/',
      '%2e%2e%2f',
      '%252e%252e%252f',
      '..\\',
      '..%5c',
      './/../',
    ];
    const places = up.flatMap((part) => [
      `/${part.repeat(6)}etc/passwd`,
      `/api/runs/${part.repeat(6)}etc/passwd`,
      `/api/runs/${run}/recordings/${part.repeat(8)}etc/passwd`,
      `/api/runs/${run}/assets/${part.repeat(8)}etc/passwd`,
      `/api/runs/${run}/${part}run.json`,
    ]);
    const others = [
      `/api/runs/${run}/recordings/${recording}%00`,
      `/api/runs/${run}/recordings/${recording}.qrec`,
      `/api/runs/${run}/recordings/`,
      `/api/runs/${run}/assets/`,
      `/api/runs/${run}/assets/index.json`,
      `/api/runs/${'0'.repeat(16)}`,
      `/api/runs/${run.toUpperCase()}x`,
      '/package.json',
      '/page.js/',
      '/page.js%00',
      '//page.js',
      '/PAGE.JS',
      '/run.json',
      '/__proto__',
      '/constructor',
    ];
    for (const path of [...places, ...others]) {
      expect([path, (await own(path)).status]).toEqual([path, 404]);
    }
    expect(
      statusesOf(
        await raw(
          `GET http://evil.example/api/runs HTTP/1.1\r\nHost: 127.0.0.1:${watching.port}\r\nConnection: close\r\n\r\n`,
        ),
      ),
    ).toEqual([401]);
  });

  it('links out of a run, pipes, and folders as files', async () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'steps: 1\nsecret: SECRET\n');
    const hostile = fakeRun(folder, 'hostile');
    const own2 = await watch({
      run: hostile,
      runsDir: folder,
      host: '127.0.0.1',
      port: 0,
      record: false,
    });
    const headers = { Authorization: `Bearer ${own2.url.split('#t=')[1]}` };
    const base = `http://127.0.0.1:${own2.port}/api/runs`;
    const get = async (path: string) => (await fetch(`${base}${path}`, { headers })).status;
    try {
      const { first } = (await (await fetch(base, { headers })).json()) as { first: string };
      for (const name of ['model.xml', 'config.yaml', 'metrics.jsonl']) {
        unlinkSync(join(hostile, name));
        symlinkSync(secret, join(hostile, name));
      }
      mkdirSync(join(hostile, 'recordings'));
      symlinkSync(secret, join(hostile, 'recordings/000000000001-s0.qrec'));
      execFileSync('mkfifo', [join(hostile, 'recordings/000000000002-s0.qrec')]);
      mkdirSync(join(hostile, 'recordings/000000000003-s0.qrec'));
      mkdirSync(join(hostile, 'assets'));
      symlinkSync(secret, join(hostile, 'assets/0123456789abcdef.stl'));
      symlinkSync(secret, join(hostile, 'assets/index.json'));
      expect(await get(`/${first}/assets/0123456789abcdef.stl`)).toBe(404);
      expect(await (await fetch(`${base}/${first}/assets`, { headers })).json()).toEqual([]);
      expect(await get(`/${first}/model`)).toBe(404);
      for (const step of [1, 2, 3]) {
        expect(await get(`/${first}/recordings/00000000000${step}-s0`)).toBe(404);
      }
      const facts = (await (await fetch(`${base}/${first}`, { headers })).json()) as RunFacts;
      expect([facts.config, facts.problems]).toEqual([
        [],
        ['config.yaml is missing or cannot be read'],
      ]);
    } finally {
      await own2.close();
    }
  });

  it('addresses of more than 2 KB, headers of more than 8 KB, bodies, an empty host', async () => {
    expect((await own(`/api/runs?q=${'a'.repeat(2100)}`)).status).toBe(414);
    expect((await own('/api/runs', { 'X-Long': 'a'.repeat(9000) })).status).toBe(431);
    const body = { ...mine(), 'Content-Length': '4' };
    expect((await ask('/api/runs', body, 'GET', 'body')).status).toBe(413);
    const empty = await raw('GET / HTTP/1.1\r\nHost:\r\n\r\n');
    expect(statusesOf(empty)).toEqual([403]);
  });

  it('a second request smuggled in the body of the first', async () => {
    const host = `Host: 127.0.0.1:${watching.port}\r\nAuthorization: Bearer ${token}\r\n`;
    const second = `GET /api/runs HTTP/1.1\r\n${host}\r\n`;
    const both = `Content-Length: ${second.length}\r\nTransfer-Encoding: chunked\r\n`;
    expect(statusesOf(await raw(`GET / HTTP/1.1\r\n${host}${both}\r\n0\r\n\r\n${second}`))).toEqual(
      [400],
    );
    const length = `Content-Length: ${second.length}\r\n`;
    expect(statusesOf(await raw(`GET / HTTP/1.1\r\n${host}${length}\r\n${second}`))).toEqual([413]);
    const twice = 'Content-Length: 0\r\nContent-Length: 5\r\n';
    expect(statusesOf(await raw(`GET / HTTP/1.1\r\n${host}${twice}\r\n`))).toEqual([400]);
  });

  it('WebSockets, tunnels, other protocols, and what is no HTTP', async () => {
    const host = `Host: 127.0.0.1:${watching.port}\r\n`;
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n';
    expect(statusesOf(await raw(`GET / HTTP/1.1\r\n${host}${upgrade}\r\n`))).toEqual([400]);
    expect(statusesOf(await raw(`CONNECT evil.example:443 HTTP/1.1\r\n${host}\r\n`))).toEqual([
      405,
    ]);
    expect(statusesOf(await raw('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'))).toEqual([400]);
    expect(statusesOf(await raw(`GET / HTTP/1.1\r\n${host}Bad Header: x\r\n\r\n`))).toEqual([400]);
    expect(statusesOf(await raw('GET / HTTP/1.1\r\n\r\n'))).toEqual([400]);
  });

  it(
    'headers that take longer than 5 s',
    async () => {
      const began = performance.now();
      expect(statusesOf(await raw('GET / HTTP/1.1\r\nHost: ', 60_000))).toEqual([408]);
      expect(performance.now() - began).toBeGreaterThan(4000);
    },
    PATIENCE,
  );

  it(
    'a reader that does not read, in time, and serves others meanwhile',
    async () => {
      const site = {
        index: new RunIndex(runsDir, [dir]),
        first: undefined,
        note: () => undefined,
        streams: { open: 0 },
      };
      const server = await servePage(site, { host: '127.0.0.1', port: 0 }, 1000);
      try {
        const base = `http://127.0.0.1:${server.port}`;
        const socket = connect(server.port, '127.0.0.1');
        const gone = new Promise((resolve) => socket.on('close', resolve));
        socket.on('error', () => {});
        let read = 0;
        socket.on('data', (part) => {
          read += part.length;
        });
        // more than the buffers of both sides hold: the answer stands still
        socket.write(`GET /mujoco.wasm HTTP/1.1\r\nHost: ${new URL(base).host}\r\n\r\n`.repeat(3));
        socket.pause();
        const whole = (await (await fetch(`${base}/mujoco.wasm`)).arrayBuffer()).byteLength;
        await new Promise((resolve) => setTimeout(resolve, 4000));
        socket.resume();
        await gone;
        expect(read).toBeLessThan(3 * whole);
      } finally {
        await server.close();
      }
    },
    PATIENCE,
  );

  it(
    'a ninth stream, and serves on when one has gone',
    async () => {
      const opened = await Promise.all(
        Array.from({ length: 8 }, () => {
          const stop = new AbortController();
          const url = `http://127.0.0.1:${watching.port}/api/runs/${run}/updates`;
          return fetch(url, { headers: mine(), signal: stop.signal }).then(() => stop);
        }),
      );
      expect((await own(`/api/runs/${run}/updates`)).status).toBe(503);
      for (const stop of opened) stop.abort();
      let status = 503;
      for (let tries = 0; status === 503 && tries < 100; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        ({ status } = await ask(`/api/runs/${run}/updates`, mine(), 'HEAD'));
      }
      expect(status).toBe(200);
    },
    PATIENCE,
  );

  it('more than 32 connections at a time, and serves on afterwards', async () => {
    const sockets = Array.from({ length: 60 }, () => {
      const socket = connect(watching.port, '127.0.0.1');
      socket.on('error', () => {});
      return socket;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const gone = sockets.filter(
      (socket) => socket.closed || socket.destroyed || socket.readableEnded,
    );
    expect(gone.length).toBeGreaterThan(0);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await own('/api/runs')).status).toBe(200);
  });
});

describe('a folder of runs', () => {
  it('with hostile names is listed as it is, as JSON', async () => {
    const names = [
      '<img src=x onerror=alert(1)>',
      '"; drop',
      "'$(id)`id`",
      'a\nb\r\nSet-Cookie: x=1',
      '\u202egnp.exe',
      '..hidden',
      '%2e%2e',
      '</script><script>alert(1)</script>'.replaceAll('/', '\u2215'),
    ];
    const root = join(folder, 'names');
    for (const name of names) fakeRun(root, name);
    const own2 = await watch({
      run: join(root, names[0] as string),
      runsDir: root,
      host: '127.0.0.1',
      port: 0,
      record: false,
    });
    try {
      const headers = { Authorization: `Bearer ${own2.url.split('#t=')[1]}` };
      const url = `http://127.0.0.1:${own2.port}/api/runs`;
      let list: RunList;
      do list = (await (await fetch(url, { headers })).json()) as RunList;
      while (list.searching);
      expect(list.runs.map(({ name }) => name).sort()).toEqual([...names].sort());
    } finally {
      await own2.close();
    }
  });
});

describe('watch', () => {
  it('says that a port is in use, with the way out', async () => {
    const options = { run: dir, runsDir, host: '127.0.0.1', port: watching.port, record: false };
    await expect(watch(options)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      exit: 1,
      fix: expect.stringContaining('--port 0'),
    });
  });

  it('says that an address is not of this machine', async () => {
    const options = { run: dir, runsDir, host: '192.0.2.1', port: 0, record: false };
    await expect(watch(options)).rejects.toMatchObject({ code: 'CLI_USAGE', exit: 2 });
  });
});
