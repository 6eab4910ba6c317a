import { Hono } from 'hono';
import type { AppDeps } from '../app-deps.js';

/**
 * /healthz: the process answers. /readyz: it has started, with the state of each Redis; 200 also when one is down, as
 * the console is there to say so. Neither needs a token, and neither tells an address.
 */
export function healthRoutes(deps: Pick<AppDeps, 'watch' | 'storeProblem'>): Hono {
  return new Hono()
    .get('/healthz', (c) => c.json({ status: 'ok' }))
    .get('/readyz', (c) =>
      c.json({
        status: 'ok',
        store: deps.storeProblem === null ? 'on disk' : 'in memory',
        instances: Object.fromEntries(
          deps.watch.snapshots().map((snapshot) => [snapshot.instance, snapshot.link.status]),
        ),
      }),
    );
}
