import { Hono } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { SignInPage } from '../../views/sign-in.js';
import { type Gate, type GateEnv, sourceOf } from '../auth/gate.js';
import { SESSION_COOKIE, SESSION_MS, sealSession } from '../auth/session.js';
import { holderOf } from '../auth/tokens.js';
import type { TokenEntry } from '../config.js';
import { readBody } from './bounded-body.js';
import { assetUrl } from './pages/assets.js';
import { problemOf, problemResponse } from './problem.js';

const PLAIN_STYLES = ['tokens.css', 'base.css', 'plain-page.css'];

export interface SignInDeps {
  readonly tokens: readonly TokenEntry[];
  readonly secret: Buffer;
  readonly gate: Gate;
  readonly now: () => number;
}

/** /sign-in takes a token and gives a session cookie; /sign-out takes it away. */
export function signInRoutes(deps: SignInDeps): Hono<GateEnv> {
  const app = new Hono<GateEnv>();
  app.get('/sign-in', (c) =>
    c.html(<SignInPage styles={PLAIN_STYLES.map(assetUrl)} to={safePath(c.req.query('to'))} error={null} />),
  );
  app.post('/sign-in', deps.gate.checkOrigin, readBody(), async (c) => {
    const form = await c.req.parseBody();
    const to = safePath(typeof form.to === 'string' ? form.to : undefined);
    const source = sourceOf(c);
    const nowMs = deps.now();
    if (deps.gate.tries.isBlocked(source, nowMs)) {
      return c.html(
        <SignInPage
          styles={PLAIN_STYLES.map(assetUrl)}
          to={to}
          error="Too many wrong tokens from this address: wait a minute."
        />,
        429,
      );
    }
    const entry = typeof form.token === 'string' ? holderOf(form.token.trim(), deps.tokens) : null;
    if (!entry) {
      deps.gate.tries.noteWrong(source, nowMs);
      return c.html(
        <SignInPage
          styles={PLAIN_STYLES.map(assetUrl)}
          to={to}
          error="This token is not one of this console."
        />,
        422,
      );
    }
    deps.gate.tries.noteRight(source);
    const holder = deps.tokens.find((token) => token.sha256 === entry.sha256);
    if (holder) {
      setCookie(c, SESSION_COOKIE, sealSession(holder, nowMs, deps.secret), {
        httpOnly: true,
        sameSite: 'Strict',
        path: '/',
        maxAge: SESSION_MS / 1000,
        secure: isHttps(c.req.header('x-forwarded-proto'), c.req.url),
      });
    }
    return c.redirect(to, 303);
  });
  app.post('/sign-out', deps.gate.checkOrigin, (c) => {
    deleteCookie(c, SESSION_COOKIE, { path: '/' });
    return c.redirect('/sign-in', 303);
  });
  // A person finds the reason where they sign in; the form itself may not have been readable.
  app.onError((error, c) => {
    const problem = problemOf(error);
    if (!problem) throw error;
    if (!(c.req.header('accept') ?? '').includes('text/html')) return problemResponse(c, problem);
    const reason = `${problem.message.slice(0, 1).toUpperCase()}${problem.message.slice(1)}.`;
    return c.html(<SignInPage styles={PLAIN_STYLES.map(assetUrl)} to="/" error={reason} />, problem.status);
  });
  return app;
}

/** Only a path of this console: never an address that somebody has put into the link. */
function safePath(to: string | undefined): string {
  return to !== undefined && /^\/(?![/\\])[^\s\\]*$/.test(to) ? to : '/';
}

/** Behind a proxy that ends TLS the browser speaks https though this process does not. */
function isHttps(forwarded: string | undefined, url: string): boolean {
  return forwarded === 'https' || url.startsWith('https:');
}
