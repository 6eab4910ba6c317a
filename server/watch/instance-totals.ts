import { lacksQueues } from '../model/finding.js';
import type { QueueState, RedisNode, Unread } from '../model/snapshot.js';

/** Sums over the masters and queues of one Redis, for its chart: null where one is not known. `limitBytes` is null where a master has no limit. */
export function totalsOf(
  nodes: readonly RedisNode[],
  queues: readonly QueueState[],
  unread: Unread,
): Readonly<Record<string, number | null>> {
  const ofNodes = (read: (node: RedisNode) => number): number | null =>
    unread.nodes.length > 0 ? null : sum(nodes.map(read));
  const ofQueues = (read: (queue: QueueState) => number): number | null =>
    lacksQueues(unread) ? null : sum(queues.map(read));
  const limits = nodes.map((node) => node.limit?.bytes ?? null);
  return {
    usedBytes: ofNodes((node) => node.countedBytes),
    limitBytes:
      limits.includes(null) || unread.nodes.length > 0 ? null : sum(limits.flatMap((bytes) => bytes ?? [])),
    opsPerSecond: ofNodes((node) => node.opsPerSecond),
    arrivalsPerSecond: ofQueues((queue) => queue.rates?.arrivalsPerSecond ?? 0),
    departuresPerSecond: ofQueues((queue) => queue.rates?.departuresPerSecond ?? 0),
    backlog: ofQueues((queue) => queue.backlog),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
