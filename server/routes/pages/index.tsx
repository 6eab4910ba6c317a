import { Hono } from 'hono';
import { jobPath } from '../../../views/links.js';
import type { Series } from '../../watch/watch.js';
import { queueIn, snapshotOf } from '../api/env.js';
import type { AppDeps } from '../app-deps.js';
import type { GateEnv } from '../gate.js';
import { actionRoutes } from './action.js';
import { alertRoutes } from './alerts.js';
import { auditPage } from './audit.js';
import { canaryRoutes } from './canary.js';
import { channelRoutes } from './channels.js';
import { docsRoutes } from './docs.js';
import { findRoutes } from './find.js';
import { fleetPage, parseFleetQuery } from './fleet.js';
import { incidentRoutes } from './incidents.js';
import { instancePage, memoryPage } from './instance.js';
import { jobPage } from './job.js';
import { jobTypePage } from './job-type.js';
import { countRoutes } from './memory-count.js';
import { overviewPage } from './overview.js';
import { parkedRoutes } from './parked.js';
import { queuePage } from './queue.js';
import { backlogForecast } from './queue-charts.js';
import { parseQueueQuery } from './queue-table.js';
import { queuesPage } from './queues.js';
import { replayRoutes } from './replays.js';
import { sessionRoutes } from './sessions.js';
import { timelineRoutes } from './timeline.js';
import { workerPage } from './worker.js';

/** Points after `sinceMs` (all without it), rounded: a picture needs no more. */
function seriesAfter(series: Series, sinceMs: number): Series {
  const from = series.atMs.findIndex((atMs) => atMs > sinceMs);
  const start = from === -1 ? series.atMs.length : from;
  return {
    atMs: series.atMs.slice(start),
    values: Object.fromEntries(
      Object.entries(series.values).map(([name, values]) => [name, values.slice(start).map(rounded)]),
    ),
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 100) / 100;
}

/** Everything a person sees in the browser. All of it comes from Snapshots, so no viewer costs Redis anything. */
export function pageRoutes(deps: AppDeps): Hono<GateEnv> {
  const pages = new Hono<GateEnv>();
  pages.use(async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
  });
  pages.get('/', async (c) =>
    c.html(await overviewPage(deps, c.get('actor'), parseQueueQuery(c.req.query()), c.req.query('receipt'))),
  );
  pages.get('/workers', async (c) =>
    c.html(await fleetPage(deps, c.get('actor'), parseFleetQuery(c.req.query()))),
  );
  pages.get('/queues', async (c) =>
    c.html(await queuesPage(deps, c.get('actor'), parseQueueQuery(c.req.query()))),
  );
  pages.route('/', findRoutes(deps));
  pages.route('/', docsRoutes(deps));
  pages.route('/', actionRoutes(deps));
  pages.route('/', replayRoutes(deps));
  pages.route('/', parkedRoutes(deps));
  pages.route('/', channelRoutes(deps));
  pages.route('/', canaryRoutes(deps));
  pages.route('/', alertRoutes(deps));
  pages.route('/', timelineRoutes(deps));
  pages.route('/', incidentRoutes(deps));
  pages.route('/', sessionRoutes(deps));
  pages.get('/audit', async (c) => c.html(await auditPage(deps, c.get('actor'), c.req.query())));
  pages.get('/i/:instance', (c) =>
    c.html(instancePage(deps, c.get('actor'), c.req.param('instance'), c.req.query())),
  );
  pages.get('/i/:instance/memory', (c) => c.html(memoryPage(deps, c.get('actor'), c.req.param('instance'))));
  pages.route('/', countRoutes(deps));
  pages.get('/i/:instance/series.json', (c) =>
    c.json(seriesAfter(deps.watch.instanceSeries(c.req.param('instance')), sinceOf(c.req.query('since')))),
  );
  pages.get('/i/:instance/q/:queue', async (c) => {
    const { tab, state, cursor, job, time, compare, end, ...last } = c.req.query();
    const { instance, queue } = c.req.param();
    if (job !== undefined) {
      const { id } = queueIn(snapshotOf(deps, instance), queue);
      const found = await deps.readJob(instance, id, job.slice(0, 200).trim());
      if (found) return c.redirect(jobPath(instance, id, found.id));
    }
    const query = { instance, queue, tab, state, cursor, job, last, time: { time, compare, end } };
    return c.html(await queuePage(deps, c.get('actor'), query));
  });
  pages.get('/i/:instance/w/:worker', async (c) => {
    const { instance, worker } = c.req.param();
    return c.html(await workerPage(deps, c.get('actor'), instance, worker));
  });
  pages.get('/i/:instance/q/:queue/t/:type', async (c) => {
    const { instance, queue, type } = c.req.param();
    return c.html(await jobTypePage(deps, c.get('actor'), instance, queue, type));
  });
  pages.get('/i/:instance/q/:queue/series.json', (c) => {
    const { instance, queue } = c.req.param();
    const snapshot = snapshotOf(deps, instance);
    const { id } = queueIn(snapshot, queue);
    const points = seriesAfter(deps.watch.queueSeries(instance, id), sinceOf(c.req.query('since')));
    return c.json({ ...points, forecast: backlogForecast(snapshot, id) });
  });
  pages.get('/i/:instance/q/:queue/jobs/:jobId', async (c) => {
    const { instance, queue, jobId } = c.req.param();
    return c.html(await jobPage(deps, c.get('actor'), instance, queue, jobId));
  });
  return pages;
}

/** Points after this time are wanted; all of them without one. */
function sinceOf(text: string | undefined): number {
  const atMs = Number(text);
  return Number.isFinite(atMs) ? atMs : 0;
}
