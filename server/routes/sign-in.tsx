import { type Context, Hono } from 'hono';
import { SignInPage, SignOutPage } from '../../views/sign-in.js';
import { cookiesOf, keepCookie } from '../auth/session-cookie.js';
import { SECRET, SESSION_MS, type Session, type SignedIn } from '../auth/sessions.js';
import { BEGUN_MS, CALLBACK, SignInFailed } from '../auth/sign-in-failed.js';
import type { Actor } from '../model/role.js';
import type { AppDeps } from './app-deps.js';
import { readBody } from './bounded-body.js';
import type { Gate, GateEnv } from './gate.js';
import { assetUrl, PLAIN_STYLES } from './pages/assets.js';

const styles = PLAIN_STYLES.map(assetUrl);
const STRANGER: Actor = { name: 'nobody', role: 'viewer', via: 'session' };

interface SignInDeps extends Pick<AppDeps, 'accounts' | 'sessions' | 'openid' | 'access'> {
  readonly gate: Gate;
}

/** /sign-in takes a token, or leads to the provider and back, and gives a session cookie; /sign-out ends the session. */
export function signInRoutes({ gate, accounts, sessions, openid, access }: SignInDeps): Hono<GateEnv> {
  const app = new Hono<GateEnv>();
  // A browser that comes back from the provider sends no cookie that is strict.
  const sameSite = openid ? 'Lax' : 'Strict';
  const page = (to: string, error: string | null) => {
    const { takesTokens } = accounts;
    return <SignInPage {...{ styles, to, error, takesTokens }} provider={openid?.label ?? null} />;
  };

  /** What the browser has of us opens nothing more, each of its cookies: one that another path left behind would go on. */
  const leave = async (c: Context<GateEnv>): Promise<readonly Session[]> => {
    const found = await Promise.all(cookiesOf(c, 'session').map((cookie) => sessions.find([cookie])));
    const own = found.filter((session) => session !== null);
    await sessions.end(own.map(({ id }) => id));
    return own;
  };

  /** Gives the browser a session with a new id. @returns false: they may not come in any more. */
  const enter = async (
    c: Context<GateEnv>,
    who: Omit<SignedIn, 'address'>,
    seal?: (secret: string) => string,
  ): Promise<boolean> => {
    await leave(c);
    const cookie = await sessions.begin({ ...who, address: c.get('origin').address }, seal);
    const session = cookie === null ? null : await sessions.find([cookie]);
    if (cookie === null || session === null) return false;
    keepCookie(c, 'session', cookie, { sameSite, maxAgeSeconds: SESSION_MS / 1000 });
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
    const left = await leave(c);
    for (const { identity } of left)
      access.note({
        ...{ kind: 'sign-out', actor: { ...identity, via: 'session' }, source: c.get('origin').address },
        text: `${identity.name} (${identity.role}) signed out`,
      });
    keepCookie(c, 'session', '', { sameSite, maxAgeSeconds: 0 });
    const byProvider = left.find(({ row }) => row.way === 'openid');
    const next = byProvider && (await openid?.signOutUrl(byProvider));
    return next ? c.html(<SignOutPage styles={styles} next={next.href} />) : c.redirect('/sign-in', 303);
  });
  if (openid) {
    app.get('/sign-in/openid', async (c) => {
      const secret = cookiesOf(c, 'begun').find((cookie) => SECRET.test(cookie)) ?? openid.newSecret();
      const url = await openid.begin(secret, safePath(c.req.query('to')), c.req.query('again') === '1');
      keepCookie(c, 'begun', secret, { sameSite: 'Lax', maxAgeSeconds: BEGUN_MS / 1000 });
      return c.redirect(url.href, 303);
    });
    app.get(CALLBACK, async (c) => {
      const answer = new URL(c.req.url).searchParams;
      const { to, who, given } = await openid.finish(cookiesOf(c, 'begun'), answer);
      if (await enter(c, who, (secret) => openid.sealed(secret, given))) return c.redirect(to, 303);
      access.note({
        ...{ kind: 'sign-in-refused', actor: STRANGER, source: c.get('origin').address },
        text: `${who.name} signed in at the provider and has no role here`,
      });
      throw new SignInFailed(`${who.name} has no role here: none of their groups has one.`, false);
    });
  }
  // A person finds the reason where they sign in.
  app.onError((error, c) => {
    if (!(error instanceof SignInFailed)) throw error;
    const hint = error.isDown && accounts.takesTokens ? ' A token still works.' : '';
    return c.html(page('/', `${error.message}${hint}`), error.isDown ? 503 : 403);
  });
  return app;
}

/** Only a path of this console: never an address that somebody has put into the link. */
function safePath(to: string | undefined): string {
  return to !== undefined && /^\/(?![/\\])[^\s\\]*$/.test(to) ? to : '/';
}
