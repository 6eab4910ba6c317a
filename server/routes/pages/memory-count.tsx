import { type Context, Hono } from 'hono';
import { queueTabPath } from '../../../views/links.js';
import { QueueMemorySection } from '../../../views/queue-memory.js';
import { CountRefused } from '../../model/memory.js';
import type { QueueState } from '../../model/snapshot.js';
import { queueIn, snapshotOf } from '../api/env.js';
import { startCount, stopCount } from '../api/memory.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';

/** Starting and stopping an exact count from a queue's page. A viewer that has no script gets the page again. */
export function countRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  const path = '/i/:instance/q/:queue/memory/count';
  routes.use(path, requireRole('operator'));
  routes.use(`${path}/stop`, requireRole('operator'));
  routes.post(path, (c) =>
    change(deps, c, c.req.param(), (instance, { id }) =>
      startCount(deps, { actor: c.get('actor') }, instance, id),
    ),
  );
  routes.post(`${path}/stop`, (c) =>
    change(deps, c, c.req.param(), (instance, queue) =>
      queue.count ? stopCount(deps, { actor: c.get('actor') }, instance, queue) : null,
    ),
  );
  return routes;
}

async function change(
  deps: AppDeps,
  c: Context<GateEnv>,
  where: { readonly instance: string; readonly queue: string },
  apply: (instance: string, queue: QueueState) => unknown,
): Promise<Response> {
  const queue = queueIn(snapshotOf(deps, where.instance), where.queue);
  const { id } = queue;
  let notice: string | null = null;
  try {
    await apply(where.instance, queue);
  } catch (error) {
    if (!(error instanceof CountRefused)) throw error;
    notice = error.message;
  }
  if (!c.req.header('hx-request')) return c.redirect(queueTabPath(where.instance, id, 'memory'), 303);
  const snapshot = snapshotOf(deps, where.instance);
  return c.html(
    <QueueMemorySection
      queue={queueIn(snapshot, id)}
      snapshot={snapshot}
      role={c.get('actor').role}
      nowMs={deps.now()}
      notice={notice}
    />,
  );
}
