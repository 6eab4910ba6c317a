import { type Context, Hono } from 'hono';
import type { Role } from '../model/role.js';
import { overviewJson } from './api/overview.js';
import type { AppDeps } from './app-deps.js';
import type { GateEnv } from './gate.js';
import { LiveHub, type LiveView } from './live/hub.js';
import { eventPart } from './live/part.js';
import { liveViewOf } from './live/views.js';
import { Problem } from './problem.js';

const hubs = new Set<LiveHub>();

/** /live sends pages the parts that changed; /api/v1/live sends automation an overview a tick. */
export function liveRoutes(deps: AppDeps): Hono<GateEnv> {
  const hub = new LiveHub(deps.watch, (error) => deps.health.note('a live page', error));
  hubs.add(hub);
  const live = new Hono<GateEnv>();
  live.get('/live', (c) => {
    const view = liveViewOf(deps, c.get('actor').role, c.req.query());
    if (!view) throw new Problem(404, 'not-found', 'there is no such view');
    return stream(c, deps, hub, view);
  });
  live.get('/api/v1/live', (c) => stream(c, deps, hub, overviewEvents(deps, c.get('actor').role)));
  return live;
}

/** Ends all streams, so that the server can close: their pages come back to the next console by themselves. */
export function closeLive(): void {
  for (const hub of hubs) hub.close();
  hubs.clear();
}

function overviewEvents(deps: AppDeps, role: Role): LiveView {
  return {
    key: `api ${role}`,
    render: () => [eventPart('overview', 'overview', overviewJson(deps, role))],
  };
}

function stream(c: Context<GateEnv>, { sessions }: AppDeps, hub: LiveHub, view: LiveView): Response {
  const session = c.get('session');
  const body = hub.open(view, {
    name: c.get('actor').name,
    isOver: () => session !== null && sessions.isOver(session),
  });
  if (body === 'too-many') {
    throw new Problem(429, 'too-many', 'your token has as many streams open as one may: close some pages', {
      'Retry-After': '30',
    });
  }
  if (body === 'no-more') {
    // Without this the browser would come back over the same connection and keep the server from closing.
    throw new Problem(503, 'shutting-down', 'no more streams now', {
      Connection: 'close',
      'Retry-After': '2',
    });
  }
  return c.body(body, 200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache, no-transform',
    'X-Accel-Buffering': 'no',
    // A connection that outlives its stream would keep the server from closing for seconds.
    Connection: 'close',
  });
}
