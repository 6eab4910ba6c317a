import { Hono } from 'hono';
import type { AppDeps } from './app-deps.js';

/**
 * /healthz: the process answers. /readyz: it has started, with the state of its store and of each Redis, and whether it is
 * the one of several consoles that judges, sends and moves jobs; 200 also when one of them is down, as the console is there
 * to say so. Neither needs a token, and neither tells an address.
 */
export function healthRoutes(deps: Pick<AppDeps, 'watch' | 'messaging' | 'storeProblem'>): Hono {
  return new Hono()
    .get('/healthz', (c) => c.json({ status: 'ok' }))
    .get('/readyz', (c) =>
      c.json({
        status: 'ok',
        store: deps.messaging.storeState(),
        // Without a store nobody can tell which of several consoles leads: this one never does.
        leads: deps.storeProblem === null ? deps.messaging.lease.isHeld() : 'never',
        instances: Object.fromEntries(
          deps.watch.snapshots().map((snapshot) => [snapshot.instance, snapshot.link.status]),
        ),
      }),
    );
}
