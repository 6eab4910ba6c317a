import { type Context, Hono } from 'hono';
import type { Role } from '../model/role.js';
import { overviewJson } from './api/overview.js';
import type { AppDeps } from './app-deps.js';
import type { GateEnv } from './gate.js';
import { eventPart, type LiveView } from './live/hub.js';
import { alertsLive } from './pages/alerts.js';
import { channelsLive } from './pages/channels.js';
import { fleetLive, parseFleetQuery } from './pages/fleet.js';
import { incidentLive } from './pages/incident-live.js';
import { instanceLive, memoryLive } from './pages/instance.js';
import { jobTypeLive } from './pages/job-type.js';
import { frameParts, overviewLive } from './pages/overview.js';
import { parseQueueTab, queueLive } from './pages/queue.js';
import { parseQueueQuery } from './pages/queue-table.js';
import { queuesLive } from './pages/queues.js';
import { replayLive, replaysLive } from './pages/replays.js';
import { timelineLive } from './pages/timeline.js';
import { workerLive } from './pages/worker.js';
import { Problem } from './problem.js';

/** The live side of a page, by the name and parameters that the page put into its stream's address; null for none. */
function liveViewOf(
  deps: AppDeps,
  role: Role,
  query: Readonly<Record<string, string | undefined>>,
): LiveView | null {
  switch (query.view) {
    case 'overview':
      return overviewLive(deps, role, parseQueueQuery(query));
    case 'queues':
      return queuesLive(deps, role, parseQueueQuery(query));
    case 'fleet':
      return fleetLive(deps, role, parseFleetQuery(query));
    case 'instance':
      return instanceLive(deps, role, query.instance ?? '');
    case 'replays':
      return replaysLive(deps, role);
    case 'replay':
      return replayLive(deps, role, (query.id ?? '').slice(0, 100));
    case 'alerts':
      return alertsLive(deps, role);
    case 'channels':
      return channelsLive(deps, role, (query.of ?? '').slice(0, 100));
    case 'incident':
      return incidentLive(deps, role, (query.id ?? '').slice(0, 100), (query.of ?? '').slice(0, 100));
    case 'memory':
      return memoryLive(deps, role, query.instance ?? '');
    case 'queue':
      return queueLive(deps, role, query.instance ?? '', query.queue ?? '', parseQueueTab(query.tab));
    case 'worker':
      return workerLive(deps, role, query.instance ?? '', query.worker ?? '');
    case 'job-type':
      return jobTypeLive(deps, role, query.instance ?? '', query.queue ?? '', query.type ?? '');
    case 'timeline':
      return timelineLive(deps);
    case 'frame':
      return { key: 'frame', render: () => frameParts(deps, deps.now(), '') };
    default:
      return null;
  }
}

/** /live sends pages the parts that changed; /api/v1/live sends automation an overview a tick. */
export function liveRoutes(deps: AppDeps): Hono<GateEnv> {
  const live = new Hono<GateEnv>();
  live.get('/live', (c) => {
    const view = liveViewOf(deps, c.get('actor').role, c.req.query());
    if (!view) throw new Problem(404, 'not-found', 'there is no such view');
    return stream(c, deps, view);
  });
  live.get('/api/v1/live', (c) => stream(c, deps, overviewEvents(deps, c.get('actor').role)));
  return live;
}

function overviewEvents(deps: Parameters<typeof overviewJson>[0], role: Role): LiveView {
  return {
    key: `api ${role}`,
    render: () => [eventPart('overview', 'overview', overviewJson(deps, role))],
  };
}

function stream(c: Context<GateEnv>, { live }: Pick<AppDeps, 'live'>, view: LiveView): Response {
  const body = live.open(view, { name: c.get('actor').name, isOver: c.get('isOver') });
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
