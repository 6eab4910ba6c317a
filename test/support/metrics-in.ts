import { collectMetrics } from '../../server/routes/exposition.js';
import { NOW_MS } from './snapshot.js';

/** Names of metrics in a text of PromQL, and those of them that `/metrics` does not have. */
export function metricsIn(text: string): {
  readonly all: readonly string[];
  readonly unknown: readonly string[];
} {
  const all = [...new Set(text.match(/\bspillway_[a-z0-9_]+/g) ?? [])];
  const families = [...collectMetrics([], { nowMs: NOW_MS, maxQueues: 10, findings: [] })];
  const known = new Set(families.map(({ name }) => name));
  return { all, unknown: all.filter((name) => !known.has(name)) };
}
