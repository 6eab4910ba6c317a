import type { QueueState, RedisNode } from './snapshot.js';

/** Sums over the masters and queues of one Redis, for its chart. `limitBytes` is null where a master has no limit. */
export function totalsOf(
  nodes: readonly RedisNode[],
  queues: readonly QueueState[],
): Readonly<Record<string, number | null>> {
  const limits = nodes.map((node) => node.limit?.bytes ?? null);
  return {
    usedBytes: sum(nodes.map((node) => node.countedBytes)),
    limitBytes: limits.includes(null) ? null : sum(limits.flatMap((bytes) => bytes ?? [])),
    opsPerSecond: sum(nodes.map((node) => node.opsPerSecond)),
    arrivalsPerSecond: sum(queues.map((queue) => queue.rates?.arrivalsPerSecond ?? 0)),
    departuresPerSecond: sum(queues.map((queue) => queue.rates?.departuresPerSecond ?? 0)),
    backlog: sum(queues.map((queue) => queue.backlog)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
