import { type Bound, hasRoleOn, roleOn, seesInstance } from './grants.js';
import { ALL_PERMITTED } from './permits.js';
import type { Role } from './role.js';
import type { DataLoss, QueueState, RedisNode, Snapshot } from './snapshot.js';

/**
 * A Snapshot as somebody sees it: their queues and what is of them, and of the Redis what concerns all (memory, limit, link).
 * null: they see nothing of it. Without grants it is the Snapshot itself. Pure.
 * @param jobDataRole the least role that sees what is from job data.
 */
export function callersSnapshot(snapshot: Snapshot, who: Bound, jobDataRole: Role): Snapshot | null {
  if (who.grants === undefined) return snapshot;
  const { instance, unread } = snapshot;
  const sees = (queue: string): boolean => roleOn(who, instance, queue) !== null;
  const ids = [...snapshot.queues, ...unread.queues].map(({ id }) => id);
  if (!seesInstance(who, instance, ids)) return null;
  const isWhole = roleOn(who, instance, null) !== null;
  const asSeen = (queue: QueueState): QueueState =>
    queue.tenants === null || hasRoleOn(who, jobDataRole, instance, queue.id)
      ? queue
      : { ...queue, tenants: null };
  const queues = snapshot.queues.filter(({ id }) => sees(id)).map(asSeen);
  return {
    ...snapshot,
    permits: { ...(snapshot.permits ?? ALL_PERMITTED), who },
    queues,
    unread: {
      queues: unread.queues
        .filter(({ id }) => sees(id))
        .map((queue) => ({ ...queue, last: queue.last && asSeen(queue.last) })),
      nodes: unread.nodes.map((node) => ({ ...node, last: isWhole ? node.last : nodeAlone(node.last) })),
    },
    nodes: isWhole ? snapshot.nodes : snapshot.nodes.map(nodeAlone),
    workers: snapshot.workers.filter(({ queueId }) => sees(queueId)),
    // What people say of the whole Redis they say to everybody who sees it.
    markers: snapshot.markers.filter(({ queue }) => queue === null || sees(queue)),
    acted: (snapshot.acted ?? []).filter(({ queue }) => (queue === null ? isWhole : sees(queue))),
    dataLoss: isWhole ? (snapshot.dataLoss ?? null) : lossOf(snapshot.dataLoss ?? null, sees),
    discovery: isWhole ? snapshot.discovery : { ...snapshot.discovery, queuesBeyond: 0, longNames: null },
  };
}

/** Without the names of what else is in it. */
function nodeAlone(node: RedisNode): RedisNode {
  const { memory } = node;
  if (!memory?.foreign) return node;
  return { ...node, memory: { ...memory, foreign: { ...memory.foreign, largest: [] } } };
}

/** The sentence of a loss names the queues that lost most: what is left of it is what happened. */
function lossOf(loss: DataLoss | null, sees: (queue: string) => boolean): DataLoss | null {
  const queues = loss?.queues.filter(({ id }) => sees(id)) ?? [];
  if (loss === null || queues.length === 0) return null;
  return { ...loss, text: loss.cause ?? 'Redis lost data', queues };
}
