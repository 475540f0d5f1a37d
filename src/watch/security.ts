/** Who may ask, and what an answer forbids: the page of one user on one machine, whatever else their browser shows. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** 128 bits; stands in the fragment of the page's address, which a browser sends to nobody. */
export const makeToken = () => randomBytes(16).toString('base64url');

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Compares digests: the time taken says nothing of where two tokens differ, nor of their lengths. */
const isSame = (given: string, token: string) => timingSafeEqual(digest(given), digest(token));

/** Nothing is executed but the page's own file and WebAssembly; nothing is loaded from, or sent to, any other place. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob:",
  'media-src blob:',
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Headers of every answer, refusals included. */
export const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
};

/** Whether an address is of this machine only. */
export const isLoopback = (host: string) => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

/** The name in a `Host` header, without its port; undefined where it is none. */
function nameOf(host: string): { name: string; port: number } | undefined {
  const [, name, port] = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/i.exec(host) ?? [];
  if (name === undefined) return undefined;
  return { name: name.toLowerCase().replace(/^\[|\]$/g, ''), port: Number(port ?? 80) };
}

/**
 * Whether the address in a request is ours. A name of somebody else's that leads to this machine (DNS rebinding) is not;
 * an address in numbers leads nowhere else, so that beyond loopback any is taken.
 */
function isOurs(host: string, bound: { readonly host: string; readonly port: number }): boolean {
  const asked = nameOf(host);
  if (asked === undefined || asked.port !== bound.port) return false;
  if (isLoopback(asked.name)) return true;
  if (isLoopback(bound.host)) return false;
  return isIP(asked.name) !== 0 || [bound.host, hostname().toLowerCase()].includes(asked.name);
}

/** Where a server listens, and its secret. */
export interface Guard {
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

/** Why a request is refused. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

/** Longest address of a request. */
const MOST_URL = 2048;

const header = (request: IncomingMessage, name: string) => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join() : value;
};

/** Judges a request by all but its token. */
export function refuseForeign(request: IncomingMessage, guard: Guard): Refusal | undefined {
  const host = header(request, 'host') ?? '';
  if (!isOurs(host, guard)) return { status: 403, reason: 'not an address of this page' };
  const origin = header(request, 'origin');
  if (origin !== undefined && origin !== `http://${host}`) {
    return { status: 403, reason: 'asked by another site' };
  }
  if (/^(cross-site|same-site)$/.test(header(request, 'sec-fetch-site') ?? '')) {
    // a link or bookmark to the page may come from anywhere, what it holds may not
    const isPage = header(request, 'sec-fetch-mode') === 'navigate' && request.url === '/';
    if (!isPage) return { status: 403, reason: 'asked by another site' };
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, reason: 'this page only reads' };
  }
  if ((request.url ?? '').length > MOST_URL) return { status: 414, reason: 'address too long' };
  const length = header(request, 'content-length');
  if (header(request, 'transfer-encoding') !== undefined || (length ?? '0') !== '0') {
    return { status: 413, reason: 'a request has no body here' };
  }
  return undefined;
}

/** Whether a request bears the token. A header, not a cookie: a browser sends cookies to every port of a host. */
export function hasToken(request: IncomingMessage, { token }: Guard): boolean {
  const [, given] = /^Bearer ([\w-]{1,64})$/.exec(header(request, 'authorization') ?? '') ?? [];
  return given !== undefined && isSame(given, token);
}
