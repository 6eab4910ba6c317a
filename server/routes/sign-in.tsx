import { type Context, Hono } from 'hono';
import { SignInPage } from '../../views/sign-in.js';
import type { AccessLog } from '../auth/access-log.js';
import { cookiesOf, keepCookie } from '../auth/session-cookie.js';
import { SESSION_MS, type Session, type Sessions, type SignedIn } from '../auth/sessions.js';
import { readBody } from './bounded-body.js';
import type { Gate, GateEnv } from './gate.js';
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

  /** What the browser has of us opens nothing more, each of its cookies: one that another path left behind would go on. */
  const leave = async (c: Context<GateEnv>): Promise<readonly Session[]> => {
    const found = await Promise.all(cookiesOf(c, 'session').map((cookie) => sessions.find([cookie])));
    const own = found.filter((session) => session !== null);
    await sessions.end(own.map(({ id }) => id));
    return own;
  };

  /** Gives the browser a session with a new id. @returns false: they may not come in any more. */
  const enter = async (c: Context<GateEnv>, who: Omit<SignedIn, 'address'>): Promise<boolean> => {
    await leave(c);
    const cookie = await sessions.begin({ ...who, address: c.get('origin').address });
    const session = cookie === null ? null : await sessions.find([cookie]);
    if (cookie === null || session === null) return false;
    keepCookie(c, 'session', cookie, { sameSite: 'Strict', maxAgeSeconds: SESSION_MS / 1000 });
    const { name, role } = session.identity;
    access.note({
      ...{ kind: 'sign-in', actor: { ...session.identity, via: 'session' }, source: c.get('origin').address },
      text: `${name} (${role}) signed in`,
    });
    return true;
  };

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
    const { sha256, name } = admitted;
    if (!(await enter(c, { way: 'token', source: sha256, name, groups: [] })))
      return c.html(page(to, 'This token is not one of this console.'), 422);
    return c.redirect(to, 303);
  });
  app.post('/sign-out', gate.checkOrigin, async (c) => {
    for (const { identity } of await leave(c))
      access.note({
        ...{ kind: 'sign-out', actor: { ...identity, via: 'session' }, source: c.get('origin').address },
        text: `${identity.name} (${identity.role}) signed out`,
      });
    keepCookie(c, 'session', '', { sameSite: 'Strict', maxAgeSeconds: 0 });
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
