import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import { type Config, isLoopback } from '../config.js';
import { Problem } from '../routes/problem.js';
import { type Actor, includesRole, type Role } from './role.js';
import { openSession, SESSION_COOKIE } from './session.js';
import { SignInTries } from './sign-in-tries.js';
import { holderOf } from './tokens.js';

/** What the gate leaves in the context for routes. */
export interface GateEnv {
  readonly Variables: { readonly actor: Actor };
}

export interface Gate {
  /** Who is asking; answers 401 (or leads to the sign-in page) where nobody is allowed to. */
  readonly identify: MiddlewareHandler<GateEnv>;
  /** Host names by which this console may be called: a page on another site must not reach it by its own name. */
  readonly checkHost: MiddlewareHandler;
  /** Changes by a browser must come from the console's own pages. */
  readonly checkOrigin: MiddlewareHandler<GateEnv>;
  readonly tries: SignInTries;
}

const LOCAL_ADMIN: Actor = { name: 'local', role: 'admin', via: 'local' };
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The doors of the console, built from its configuration. */
export function createGate(config: Config, secret: Buffer, now: () => number): Gate {
  const tries = new SignInTries();
  const allowedHosts = new Set(
    ['localhost', '127.0.0.1', '[::1]', bracketed(config.host), ...config.allowedHosts].map((host) =>
      host.toLowerCase(),
    ),
  );

  return {
    tries,
    checkHost: async (c, next) => {
      const host = hostName(c.req.header('host') ?? '');
      // Bound to every address, the console can't know its names; there a token is required anyway.
      const isAnyAddress = config.host === '0.0.0.0' || config.host === '::';
      if (!isAnyAddress && !allowedHosts.has(host)) {
        throw new Problem(
          421,
          'host-not-allowed',
          `the host name ${host.slice(0, 100)} is not one of this console: add it to allowedHosts`,
        );
      }
      await next();
    },
    identify: async (c, next) => {
      const actor = identify(c, config, secret, now(), tries);
      if (actor) {
        c.set('actor', actor);
        return next();
      }
      if (wantsPage(c)) return c.redirect(`/sign-in?to=${encodeURIComponent(pathOf(c))}`, 303);
      throw new Problem(401, 'unauthorized', 'give a token: Authorization: Bearer <token>', {
        'WWW-Authenticate': 'Bearer realm="spillway"',
      });
    },
    checkOrigin: async (c, next) => {
      if (SAFE_METHODS.has(c.req.method) || c.get('actor')?.via === 'token') return next();
      if (!isOwnOrigin(c)) {
        throw new Problem(
          403,
          'cross-site',
          'a change must come from the console’s own pages, or carry a bearer token',
        );
      }
      await next();
    },
  };
}

/** Lets only those in who have at least this role. */
export function requireRole(role: Role): MiddlewareHandler<GateEnv> {
  return async (c, next) => {
    const actor = c.get('actor');
    if (!includesRole(actor.role, role)) {
      throw new Problem(403, 'forbidden', `this needs the role ${role}, and ${actor.name} is ${actor.role}`);
    }
    await next();
  };
}

/** Address of the other end, for counting tries; "unknown" where there is none. */
export function sourceOf(c: Context): string {
  try {
    return getConnInfo(c).remote.address ?? 'unknown';
  } catch {
    // Not served over a socket (a test that calls the app directly).
    return 'unknown';
  }
}

function identify(
  c: Context,
  config: Config,
  secret: Buffer,
  nowMs: number,
  tries: SignInTries,
): Actor | null {
  const header = c.req.header('authorization');
  if (header !== undefined) return byToken(c, header, config, nowMs, tries);
  if (config.tokens.length === 0) return isLoopback(config.host) ? LOCAL_ADMIN : null;
  const cookie = getCookie(c, SESSION_COOKIE);
  const entry = cookie === undefined ? null : openSession(cookie, config.tokens, nowMs, secret);
  return entry ? { name: entry.name, role: entry.role, via: 'session' } : null;
}

function byToken(
  c: Context,
  header: string,
  config: Config,
  nowMs: number,
  tries: SignInTries,
): Actor | null {
  const source = sourceOf(c);
  if (tries.isBlocked(source, nowMs)) {
    throw new Problem(429, 'too-many-tries', 'too many wrong tokens from this address: wait a minute', {
      'Retry-After': '60',
    });
  }
  const token = /^Bearer +(\S+) *$/i.exec(header)?.[1];
  const entry = token === undefined ? null : holderOf(token, config.tokens);
  if (entry) {
    tries.noteRight(source);
    return { name: entry.name, role: entry.role, via: 'token' };
  }
  tries.noteWrong(source, nowMs);
  throw new Problem(401, 'unauthorized', 'this token is not one of this console', {
    'WWW-Authenticate': 'Bearer realm="spillway", error="invalid_token"',
  });
}

/**
 * Browsers send Sec-Fetch-Site and, with every change, Origin; another site can forge neither. A program that sends
 * neither is no browser, and so carries no one else's session.
 */
function isOwnOrigin(c: Context): boolean {
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const origin = c.req.header('origin');
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === c.req.header('host');
  } catch {
    // "null": a sandboxed frame or a file.
    return false;
  }
}

function wantsPage(c: Context): boolean {
  return (
    c.req.method === 'GET' &&
    !c.req.path.startsWith('/api/') &&
    (c.req.header('accept') ?? '').includes('text/html')
  );
}

function pathOf(c: Context): string {
  const url = new URL(c.req.url);
  return `${url.pathname}${url.search}`;
}

function hostName(header: string): string {
  return header.toLowerCase().replace(/:\d+$/, '');
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
