/** The server of `watch`: loopback, read-only, one page (docs/watching.md says what it refuses). */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { VirelError } from '../errors.js';
import { ROUTES, type Site } from './routes.js';
import {
  type Guard,
  HEADERS,
  hasToken,
  makeToken,
  type Refusal,
  refuseForeign,
} from './security.js';

/** Where to listen. */
export interface Listening {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** A server that listens. */
export interface PageServer {
  /** Address of the page, with the token in its fragment. */
  readonly url: string;
  readonly port: number;
  /** Ends it with every connection. */
  close(): Promise<void>;
}

const MOST_PORT = 65_535;

/** @param where What says it: a flag, or an option in Node. @throws VirelError `CONFIG_RANGE` for what is no port. */
export function checkPort(port: number, where: string): void {
  if (Number.isInteger(port) && port >= 0 && port <= MOST_PORT) return;
  throw new VirelError('CONFIG_RANGE', `${where}: expected 0 to ${MOST_PORT}, got ${port}`, {
    where,
    expected: `0 to ${MOST_PORT}; 0 takes one that is free`,
    got: String(port),
    fix: `${where} 0`,
  });
}

/**
 * Refuses what names no address: with an empty one a server would listen on all of them.
 *
 * @param where What says it: a flag, or an option in Node. @throws VirelError `CLI_USAGE`.
 */
export function checkHost(host: unknown, where: string): void {
  if (typeof host === 'string' && host !== '') return;
  const got = typeof host === 'string' ? '""' : String(host);
  throw new VirelError('CLI_USAGE', `${where}: expected an address to listen to, got ${got}`, {
    where,
    expected: 'an address of this machine; 127.0.0.1 is reached from nowhere else',
    got,
    fix: `${where} 127.0.0.1`,
  });
}

const LIMITS = { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 10_000 };
const MOST_SOCKETS = 32;
/** Milliseconds that an answer may stand still because its reader does; Node looks twice, so that it may be up to twice as long. */
const STILL = 30_000;

const REASONS: Readonly<Record<number, string>> = {
  401: 'the token is missing or wrong: open the address that watch printed',
  404: 'no such thing',
  500: 'this could not be read',
  503: 'too many pages are open',
};

function refuse(response: ServerResponse, { status, reason }: Refusal): void {
  const more = status === 405 ? { Allow: 'GET, HEAD' } : {};
  response.writeHead(status, {
    ...HEADERS,
    ...more,
    'Content-Type': 'text/plain; charset=utf-8',
    // what follows a request that was refused is not read as another one
    ...(status !== 404 && { Connection: 'close' }),
  });
  response.end(response.req.method === 'HEAD' ? undefined : `${reason}\n`);
}

const refuseWith = (response: ServerResponse, status: number) =>
  refuse(response, { status, reason: REASONS[status] ?? 'refused' });

/** Answers one request. */
async function answer(
  site: Site,
  guard: Guard,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const foreign = refuseForeign(request, guard);
  if (foreign !== undefined) return refuse(response, foreign);
  // the address as it came: what is encoded in it matches no route
  const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s);
  const route = ROUTES.find(({ pattern }) => pattern.test(path));
  if (route?.open !== true && !hasToken(request, guard)) return refuseWith(response, 401);
  if (route === undefined) return refuseWith(response, 404);
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  const [, ...parts] = route.pattern.exec(path) ?? [];
  const asked = { request, response, query: new URLSearchParams(search), parts };
  const made = await route.answer(site, asked);
  if (made === 'written') return;
  if (made === undefined) return refuseWith(response, 404);
  if ('status' in made) return refuseWith(response, made.status);
  const length = Buffer.byteLength(made.body);
  response.writeHead(200, { 'Content-Type': made.type, 'Content-Length': length });
  response.end(request.method === 'HEAD' ? undefined : made.body);
}

/** What goes wrong while answering is one refusal, never the end of the server. */
function answerSafely(
  site: Site,
  guard: Guard,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.on('error', () => response.destroy());
  answer(site, guard, request, response).catch(() => {
    if (response.headersSent) response.destroy();
    else refuseWith(response, 500);
  });
}

/** Ends a connection that asks for another protocol. */
const hangUp = (socket: { end(text: string): unknown; destroy(): unknown }, status: string) => {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
};

/** Node's own words for a request that is none. */
const BROKEN: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function listen(server: Server, { host, port }: Listening): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(refusedPort(error, host, port)));
    server.listen({ host, port, exclusive: true }, () =>
      resolve((server.address() as AddressInfo).port),
    );
  });
}

function refusedPort(error: NodeJS.ErrnoException, host: string, port: number): unknown {
  const at = `${host}:${port}`;
  const details = { where: at, cause: error };
  if (error.code === 'EADDRINUSE') {
    const fix = '--port 0 takes one that is free';
    return new VirelError('PORT_IN_USE', `port ${port} is in use`, { ...details, fix });
  }
  if (error.code === 'EACCES') {
    const fix = '--port 0, or one from 1024 on';
    return new VirelError('PERMISSION', `${at} may not be listened to`, { ...details, fix });
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    const fix = '--host 127.0.0.1';
    return new VirelError('CLI_USAGE', `${host} is no address of this machine`, {
      ...details,
      fix,
    });
  }
  return new VirelError('IO', `${at}: ${error.message}`, { ...details, fix: '--port 0' });
}

/** In an address, IPv6 stands in brackets. */
const inUrl = (host: string) => (host.includes(':') ? `[${host}]` : host);

/**
 * Serves the page.
 *
 * @param still Milliseconds that an answer may stand still.
 * @throws VirelError `PORT_IN_USE`, `PERMISSION`, `CLI_USAGE` for an address that is not of this machine, `IO`.
 */
export async function servePage(site: Site, where: Listening, still = STILL): Promise<PageServer> {
  const token = makeToken();
  const guard = { host: where.host.toLowerCase(), port: 0, token };
  const server = createServer(LIMITS, (request, response) =>
    answerSafely(site, guard, request, response),
  );
  server.maxConnections = MOST_SOCKETS;
  server.keepAliveTimeout = 5000;
  server.setTimeout(still, (socket: Socket) => socket.destroy());
  server.on('upgrade', (_request, socket) => hangUp(socket, '400 Bad Request'));
  server.on('connect', (_request, socket) => hangUp(socket, '405 Method Not Allowed'));
  server.on('checkContinue', (request, response) => answerSafely(site, guard, request, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else hangUp(socket, BROKEN[error.code ?? ''] ?? '400 Bad Request');
  });
  guard.port = await listen(server, where);
  server.on('error', () => {});
  const shown = where.host === '0.0.0.0' || where.host === '::' ? '127.0.0.1' : where.host;
  return {
    url: `http://${inUrl(shown)}:${guard.port}/#t=${token}`,
    port: guard.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
