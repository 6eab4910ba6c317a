import { Counter, Gauge, Registry } from 'prom-client';
import type { Snapshot } from '../model/snapshot.js';
import { Turns } from '../process/turns.js';
import { collectMetrics, type MetricsOptions } from './exposition.js';

/** Content type of what `renderMetrics` returns. */
export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/**
 * The signals in Prometheus text format 0.0.4, for one scrape. A registry of its own each time, because values are not
 * collected over time but are what the Snapshots say now: a queue that is gone leaves no series behind.
 * @example await renderMetrics(watch.snapshots(), { nowMs: now(), maxQueues: 200, findings: watch.findings() })
 */
export async function renderMetrics(
  snapshots: readonly Snapshot[],
  options: MetricsOptions,
): Promise<string> {
  const registry = new Registry();
  const turns = new Turns();
  for (const { name, help, kind, labelNames, samples } of collectMetrics(snapshots, options)) {
    await turns.next();
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
