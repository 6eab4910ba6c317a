import { Hono } from 'hono';
import type { Snapshot } from '../model/snapshot.js';
import { Yielder } from '../process/every.js';
import type { AppDeps } from './app-deps.js';
import { collectMetrics, type MetricsOptions } from './exposition.js';
import type { GateEnv } from './gate.js';

/**
 * /healthz: the process answers. /readyz: it has started, with the state of its store and of each Redis, and whether it is
 * the one of several consoles that judges, sends and moves jobs; 200 also when one of them is down, as the console is there
 * to say so. Neither needs a token, and neither says an address.
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

/** Content type of what `renderMetrics` returns. */
const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * The signals in Prometheus text format 0.0.4, for one scrape. A registry of its own each time, because values are not
 * collected over time but are what the Snapshots say now: a queue that is gone leaves no series behind.
 * @example await renderMetrics(watch.snapshots(), { nowMs: now(), maxQueues: 200, findings: watch.findings() })
 */
export async function renderMetrics(
  snapshots: readonly Snapshot[],
  options: MetricsOptions,
): Promise<string> {
  // With the first scrape: a start without one need not wait for it.
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const yielder = new Yielder();
  for (const { name, help, kind, labelNames, samples } of collectMetrics(snapshots, options)) {
    await yielder.yieldToEventLoop();
    if (samples.length === 0) continue;
    const configuration = { name, help, labelNames: [...labelNames], registers: [registry] };
    if (kind === 'gauge') {
      const gauge = new Gauge(configuration);
      for (const { labels, value } of samples) gauge.set({ ...labels }, value);
    } else {
      const counter = new Counter(configuration);
      // A counter below zero or without end is none (a hand-written id key in Redis); prom-client would throw.
      for (const { labels, value } of samples) {
        if (Number.isFinite(value) && value >= 0) counter.inc({ ...labels }, value);
      }
    }
  }
  return registry.metrics();
}

/** Queues with series of their own; the rest is summed under queue="other", so that labels stay bounded. */
const MAX_LABELLED_QUEUES = 200;

/** /metrics for Prometheus: the signals as the Snapshots say them now. */
export function metricsRoutes(deps: Pick<AppDeps, 'watch' | 'predictions' | 'now'>): Hono<GateEnv> {
  return new Hono<GateEnv>().get('/metrics', async (c) => {
    const instances = deps.watch.snapshots().map(({ instance }) => instance);
    const scores = await Promise.all(
      instances.map(async (instance) => [instance, await deps.predictions.score({ instance })] as const),
    );
    const text = await renderMetrics(deps.watch.snapshots(), {
      nowMs: deps.now(),
      maxQueues: MAX_LABELLED_QUEUES,
      findings: deps.watch.findings(),
      scores: new Map(scores),
    });
    return c.body(text, 200, { 'Content-Type': METRICS_CONTENT_TYPE, 'Cache-Control': 'no-store' });
  });
}
