import { Hono } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { SignInPage } from '../../views/sign-in.js';
import type { AccessLog } from '../auth/access-log.js';
import { SESSION_COOKIE, SESSION_MS, type Sessions } from '../auth/sessions.js';
import { readBody } from './bounded-body.js';
import { type Gate, type GateEnv, sessionCookies } from './gate.js';
import { assetUrl } from './pages/assets.js';
import { problemOf, problemResponse } from './problem.js';

const PLAIN_STYLES = ['tokens.css', 'base.css', 'plain-page.css'];

interface SignInDeps {
  readonly gate: Gate;
  readonly sessions: Sessions;
  readonly access: AccessLog;
}

/** /sign-in takes a token and gives a session cookie; /sign-out ends the session. */
export function signInRoutes({ gate, sessions, access }: SignInDeps): Hono<GateEnv> {
  const app = new Hono<GateEnv>();
  app.get('/sign-in', (c) => c.html(page(safePath(c.req.query('to')), null)));
  app.post('/sign-in', gate.checkOrigin, readBody(), async (c) => {
    const form = await c.req.parseBody();
    const to = safePath(typeof form.to === 'string' ? form.to : undefined);
    const token = typeof form.token === 'string' ? form.token.trim() : '';
    const admitted = gate.admit(c, token);
    if (admitted === 'wrong') return c.html(page(to, 'This token is not one of this console.'), 422);
    if (admitted === 'too-many') {
      const error =
        'This token is not one of this console, like many before it. A right one is taken at once.';
      return c.html(page(to, error), 429);
    }
    setCookie(c, SESSION_COOKIE, await sessions.begin(admitted), {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: SESSION_MS / 1000,
      secure: c.get('origin').isHttps,
    });
    const { name, role } = admitted;
    access.note({
      ...{ kind: 'sign-in', actor: { name, role, via: 'session' }, source: c.get('origin').address },
      text: `${name} (${role}) signed in`,
    });
    return c.redirect(to, 303);
  });
  app.post('/sign-out', gate.checkOrigin, async (c) => {
    // Each of them: one that another path left behind would go on opening the door.
    for (const cookie of sessionCookies(c)) {
      const session = await sessions.find([cookie]);
      if (!session) continue;
      const { name, role } = session.entry;
      await sessions.end(session.id);
      access.note({
        ...{ kind: 'sign-out', actor: { name, role, via: 'session' }, source: c.get('origin').address },
        text: `${name} (${role}) signed out`,
      });
    }
    deleteCookie(c, SESSION_COOKIE, { path: '/' });
    return c.redirect('/sign-in', 303);
  });
  // A person finds the reason where they sign in; the form itself may not have been readable.
  app.onError((error, c) => {
    const problem = problemOf(error);
    if (!problem) throw error;
    if (!(c.req.header('accept') ?? '').includes('text/html')) return problemResponse(c, problem);
    return c.html(
      page('/', `${problem.message.slice(0, 1).toUpperCase()}${problem.message.slice(1)}.`),
      problem.status,
    );
  });
  return app;
}

function page(to: string, error: string | null) {
  return <SignInPage styles={PLAIN_STYLES.map(assetUrl)} to={to} error={error} />;
}

/** Only a path of this console: never an address that somebody has put into the link. */
function safePath(to: string | undefined): string {
  return to !== undefined && /^\/(?![/\\])[^\s\\]*$/.test(to) ? to : '/';
}
