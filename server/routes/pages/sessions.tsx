import { Hono } from 'hono';
import { SessionsPage } from '../../../views/sessions-page.js';
import { adminOfAll, endSession, listSessions } from '../api/sessions.js';
import type { AppDeps } from '../app-deps.js';
import type { GateEnv } from '../gate.js';
import { chromeOf } from './chrome.js';

/** Who is signed in, and the way to end it: for admins alone. */
export function sessionRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  routes.use('/sessions', ...adminOfAll);
  routes.use('/sessions/*', ...adminOfAll);
  routes.get('/sessions', async (c) => {
    const nowMs = deps.now();
    const frame = { actor: c.get('actor'), nowMs, current: '/sessions', subject: 'Sessions' };
    const chrome = chromeOf(deps, { ...frame, liveUrl: '/live?view=frame' });
    return c.html(<SessionsPage chrome={chrome} sessions={await listSessions(deps, c.get('session'))} />);
  });
  routes.post('/sessions/:id/end', async (c) => {
    await endSession(deps, { actor: c.get('actor') }, c.req.param('id'));
    return c.redirect('/sessions', 303);
  });
  return routes;
}
