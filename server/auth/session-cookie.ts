import type { Context } from 'hono';
import { setCookie } from 'hono/cookie';
import type { RequestOrigin } from './request-origin.js';

/** What a browser keeps for us: its session, and what it comes back with from a provider. */
type Kind = 'session' | 'begun';
const NAMES: Readonly<Record<Kind, string>> = { session: 'spillway_session', begun: 'spillway_begun' };
export const SESSION_COOKIE = NAMES.session;
/** Browsers let nobody set a cookie with these names but this host itself, over https; the first has to be for the whole host. */
const PREFIXES = ['__Host-', '__Secure-'];
const MAX_COOKIES = 10;

interface CookieOptions {
  readonly sameSite: 'Strict' | 'Lax';
  /** 0: the browser forgets it. */
  readonly maxAgeSeconds: number;
}

/** Sets it for this console alone, out of the reach of scripts. */
export function keepCookie(c: Context, kind: Kind, value: string, options: CookieOptions): void {
  const { isHttps, base }: RequestOrigin = c.get('origin');
  const prefix = isHttps ? PREFIXES[base === '' ? 0 : 1] : '';
  setCookie(c, `${prefix}${NAMES[kind]}`, value, {
    ...{ httpOnly: true, secure: isHttps, path: base === '' ? '/' : base },
    ...{ sameSite: options.sameSite, maxAge: options.maxAgeSeconds },
  });
}

/**
 * All cookies of that name: other ports and paths of this host may have left some, and a browser sends them too. Over https
 * those alone that no other host, nor a page without TLS, can have set.
 */
export function cookiesOf(c: Context, kind: Kind): readonly string[] {
  const { isHttps }: RequestOrigin = c.get('origin');
  const plain = isHttps ? [] : [NAMES[kind]];
  const wanted = new Set([...PREFIXES.map((prefix) => `${prefix}${NAMES[kind]}`), ...plain]);
  const pairs = (c.req.header('cookie') ?? '').split(/; */).map((pair) => pair.split('=', 2));
  return pairs
    .flatMap(([name = '', value]) => (wanted.has(name) && value !== undefined ? [value] : []))
    .slice(0, MAX_COOKIES);
}
