import type { Context, MiddlewareHandler } from 'hono';
import type { AccessLog } from '../auth/access-log.js';
import { type Accounts, holderIdentity, type Identity } from '../auth/accounts.js';
import type { Openid } from '../auth/openid.js';
import { type ProxyIdentity, ProxyRefusal } from '../auth/proxy-identity.js';
import { hostAllowance, isOwnOrigin, type RequestOrigin, withoutBase } from '../auth/request-origin.js';
import { cookiesOf } from '../auth/session-cookie.js';
import type { Session, Sessions } from '../auth/sessions.js';
import { fingerprintOf, WrongTokens } from '../auth/wrong-tokens.js';
import { type Config, isLoopback, type TokenEntry } from '../config/config.js';
import { strongestRole } from '../model/grants.js';
import { type Actor, includesRole, type Role } from '../model/role.js';
import { isForPerson, Problem } from './problem.js';

/** What the gate leaves in the context for routes. */
export interface GateEnv {
  readonly Variables: {
    readonly origin: RequestOrigin;
    readonly actor: Actor;
    /** Id of the browser's session; null for those who came in otherwise. */
    readonly session: string | null;
    /** May they see nothing more? For what stays open. */
    readonly isOver: () => boolean;
  };
}

/** Who is asking, by the sign-in of the application that the console is part of; null: nobody who may. */
export type Authenticate = (request: Request) => Promise<Identity | null>;

/** Who was let in. */
interface Admitted {
  readonly actor: Actor;
  readonly session?: string;
  /** Absent: that is not known while something stays open. */
  readonly isOver?: () => boolean;
}

interface GateParts {
  readonly config: Pick<Config, 'host' | 'allowedHosts' | 'publicUrl' | 'basePath'>;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly openid: Openid | null;
  readonly proxied: ProxyIdentity | null;
  readonly access: AccessLog;
  readonly now: () => number;
  readonly authenticate: Authenticate | null;
}

export interface Gate {
  /** Who is asking; answers 401 (or leads to the sign-in page) where nobody is allowed to. */
  readonly identify: MiddlewareHandler<GateEnv>;
  /** Host names by which this console may be called: a page on another site must not reach it by its own name. */
  readonly checkHost: MiddlewareHandler<GateEnv>;
  /** Changes by a browser must come from the console's own pages. */
  readonly checkOrigin: MiddlewareHandler<GateEnv>;
  /** Who holds this token; what is wrong is counted and recorded. A right one is never refused, whoever else tried. */
  readonly admit: (c: Context<GateEnv>, token: string) => TokenEntry | 'wrong' | 'too-many';
}

const LOCAL_ADMIN: Actor = { name: 'local', role: 'admin', via: 'local' };
const STRANGER: Actor = { name: 'nobody', role: 'viewer', via: 'token' };
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const GIVE_TOKEN = 'give a token: Authorization: Bearer <token>';
const MAX_PATH_CHARS = 200;
const PROXY_CODES = { 401: 'unauthorized', 403: 'forbidden', 503: 'sign-in-unavailable' } as const;

/** The doors of the console, built from its configuration. */
export function createGate(parts: GateParts): Gate {
  const { config, accounts, sessions, openid, proxied, access, now, authenticate } = parts;
  const wrongTokens = new WrongTokens();
  const isAllowedHost = hostAllowance(config);

  const admit: Gate['admit'] = (c, token) => {
    const entry = accounts.holderOf(token);
    if (entry) return entry;
    const source = c.get('origin').address;
    const tried = wrongTokens.note(source, token, now());
    const fingerprint = fingerprintOf(token);
    const about = fingerprint === null ? '' : ` (SHA-256 ${fingerprint}…)`;
    const stranger = { source, actor: STRANGER };
    access.note({ ...stranger, kind: 'wrong-token', text: `A wrong token${about}` });
    if (tried === 'first-too-many')
      access.note({ ...stranger, kind: 'lock-out', text: `Too many wrong tokens${about}` });
    return tried === 'wrong' ? 'wrong' : 'too-many';
  };

  const identify = async (c: Context<GateEnv>): Promise<Admitted | null> => {
    // Another scheme is between the browser and a proxy before us, and says nothing about our tokens.
    const token = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (token !== undefined) {
      // A proxy that signs people in may send what it has from their provider.
      const isOfProxy = proxied !== null && c.get('origin').isProxied && fingerprintOf(token) === null;
      const admitted = isOfProxy ? accounts.holderOf(token) : admit(c, token);
      if (typeof admitted === 'string') throw wrongToken(admitted);
      if (admitted)
        return {
          actor: actorOf(holderIdentity(admitted), 'token'),
          isOver: () => !accounts.isHeld(admitted),
        };
    }
    if (authenticate) {
      const user = await authenticate(c.req.raw);
      return user && { actor: actorOf(user, 'host') };
    }
    if (accounts.areNone)
      return isLoopback(config.host) ? { actor: LOCAL_ADMIN, isOver: () => !accounts.areNone } : null;
    const byProxy = await proxied?.identify(c.req.raw.headers, c.get('origin'));
    if (byProxy) return { actor: actorOf(byProxy.identity, 'proxy'), isOver: byProxy.isOver };
    const cookies = cookiesOf(c, 'session');
    const session = await sessions.find(cookies);
    if (!session || !openid) return session && admittedBy(session, sessions);
    // What the provider says now may be less than what it said.
    const renewed = (await openid.check(session)) ? await sessions.find(cookies) : null;
    return renewed && admittedBy(renewed, sessions);
  };

  return {
    admit,
    checkHost: async (c, next) => {
      // Both: a page elsewhere can send the header of a proxy, but not another Host.
      const host = c.get('origin').hosts.find((one) => !isAllowedHost(one));
      if (host !== undefined) {
        throw new Problem(
          421,
          'host-not-allowed',
          `the host name ${host.slice(0, 100)} is not one of this console: add it to allowedHosts`,
        );
      }
      await next();
    },
    identify: async (c, next) => {
      const known = await identify(c).catch((error: unknown) => {
        if (!(error instanceof ProxyRefusal)) throw error;
        const { address: source } = c.get('origin');
        access.note({ kind: 'sign-in-refused', actor: STRANGER, source, text: error.message });
        throw new Problem(error.status, PROXY_CODES[error.status], error.message);
      });
      if (known) {
        c.set('actor', known.actor);
        c.set('session', known.session ?? null);
        c.set('isOver', known.isOver ?? (() => false));
        await next();
        return noteRefused(c, access);
      }
      if (authenticate)
        throw new Problem(401, 'unauthorized', 'sign in to the application that this console is part of');
      if (c.req.method === 'GET' && isForPerson(c))
        return c.redirect(`/sign-in?to=${encodeURIComponent(pathOf(c, config.basePath))}`, 303);
      const words = isForPerson(c) ? 'nothing was changed: the session is over' : GIVE_TOKEN;
      throw new Problem(401, 'unauthorized', words, {
        'WWW-Authenticate': 'Bearer realm="spillway"',
      });
    },
    checkOrigin: async (c, next) => {
      if (SAFE_METHODS.has(c.req.method) || c.get('actor')?.via === 'token') return next();
      if (!isOwnOrigin(c.req.raw.headers, c.get('origin'), config.publicUrl)) {
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

function admittedBy({ id, identity }: Session, sessions: Sessions): Admitted {
  return {
    actor: actorOf(identity, 'session'),
    session: id,
    isOver: () => sessions.isOver(id) || sessions.isDue(id),
  };
}

/** Somebody as routes know them. Where their role is bound, it is the most that they may do anywhere. */
function actorOf(identity: Identity, via: Actor['via']): Actor {
  return { ...identity, role: strongestRole(identity), via };
}

/** What an action refuses by itself is in the audit already; this is what never reached one. */
function noteRefused(c: Context<GateEnv>, access: AccessLog): void {
  if (SAFE_METHODS.has(c.req.method) || !(c.error instanceof Problem) || c.error.code !== 'forbidden') return;
  const actor = c.get('actor');
  const what = `${c.req.method} ${c.req.path.slice(0, MAX_PATH_CHARS)}`;
  access.note({
    ...{ kind: 'refused', actor, source: c.get('origin').address },
    text: `${what} was refused to ${actor.name}, who is ${actor.role}`,
  });
}

function wrongToken(tried: 'wrong' | 'too-many'): Problem {
  return tried === 'wrong'
    ? new Problem(401, 'unauthorized', 'this token is not one of this console', {
        'WWW-Authenticate': 'Bearer realm="spillway", error="invalid_token"',
      })
    : new Problem(
        429,
        'too-many-tries',
        'this token is not one of this console, and it or its address has been refused too often: wait a minute',
        { 'Retry-After': '60' },
      );
}

function pathOf(c: Context<GateEnv>, basePath: string): string {
  const { pathname, search } = new URL(c.req.url);
  return `${withoutBase(pathname, [c.get('origin').base, basePath])}${search}`;
}
