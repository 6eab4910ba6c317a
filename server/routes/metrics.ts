import { Hono } from 'hono';
import type { AppDeps } from './app-deps.js';
import type { GateEnv } from './gate.js';
import { METRICS_CONTENT_TYPE, renderMetrics } from './metrics-registry.js';

/** Queues with series of their own; the rest is summed under queue="other", so that labels stay bounded. */
const MAX_LABELLED_QUEUES = 200;

/** /metrics for Prometheus: the signals as the Snapshots say them now. */
export function metricsRoutes(deps: AppDeps): Hono<GateEnv> {
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
