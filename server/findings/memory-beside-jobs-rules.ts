import { fact } from '../model/evidence.js';
import type { FindingRule, FoundNow, Thresholds } from '../model/finding.js';
import { formatBytes, formatCount, formatEstimate, formatRatio, formatThings } from '../model/format.js';
import type { NodeMemory } from '../model/memory.js';
import { heldBytesOf } from '../model/memory-shares.js';
import type { QueueState, RedisNode, Snapshot } from '../model/snapshot.js';
import { magnitude, nodeName, plainName, queueName } from '../model/words.js';
import { HELD } from './explained.js';
import { raiseMaxmemoryRemedy, reclaimRemedies } from './make-room.js';
import { estimateEvidence, heldInWords, memorySeverity, shareEvidence, surelyHeld } from './memory-share.js';

/** From this share of the limit on, clients that don't read take room that jobs need. */
const BUFFERS_RATIO = 0.1;
/** What a pipeline under way leaves for a moment is no finding, however small the limit. */
const MIN_BUFFERED_BYTES = 1024 * 1024;
const LARGE_BUFFERS_RATIO = 0.25;

export const memoryOutputBuffers: FindingRule = {
  code: 'memory.output-buffers',
  about:
    'Clients that do not read what they asked for keep a tenth of the memory limit or more in output buffers.',
  detect: (snapshot) =>
    snapshot.nodes.flatMap((node) => {
      const limitBytes = node.limit?.bytes ?? 0;
      return limitBytes >= 1 &&
        node.clientOutputBytes >= Math.max(MIN_BUFFERED_BYTES, limitBytes * BUFFERS_RATIO)
        ? [outputBuffers(node, limitBytes, snapshot)]
        : [];
    }),
};

/** A monitoring tool can be the cause: listeners to the events of many queues that fell behind have filled a Redis. */
function outputBuffers(node: RedisNode, limitBytes: number, snapshot: Snapshot): FoundNow {
  const ratio = node.clientOutputBytes / limitBytes;
  const raise = raiseMaxmemoryRemedy(node);
  return {
    severity: ratio >= LARGE_BUFFERS_RATIO || node.isFull ? 'critical' : 'warning',
    node: node.id,
    headline: `Clients hold ${formatBytes(node.clientOutputBytes)} unread`,
    sentence: `Clients of ${nodeName(node, snapshot)} do not read their answers as fast as they come, so ${formatBytes(node.clientOutputBytes)}, ${formatRatio(ratio)} of the limit, waits for them in output buffers and leaves no room for jobs: find the one with the largest omem in CLIENT LIST and end it (listeners to events, dashboards and MONITOR come first), and set client-output-buffer-limit so that Redis does so by itself.`,
    evidence: [
      fact('output-buffers', 'output buffers', node.clientOutputBytes, 'bytes'),
      fact('limit-share', 'share of the limit', ratio, 'ratio'),
      ...(node.memory
        ? [fact('client-buffers', 'all buffers of clients', node.memory.clientBytes, 'bytes')]
        : []),
      fact('clients', 'clients', node.connectedClients, 'count'),
    ],
    remedies: raise ? [raise] : [],
    rank: 700 + Math.min(99, ratio * 100),
  };
}

/** From this share of what Redis holds on they are too much for a record of what has happened. */
const EVENTS_RATIO = 0.1;

export const memoryEvents: FindingRule = {
  code: 'memory.events',
  about: 'Events streams of queues, which hold no work, take a tenth of the memory or more.',
  detect: (snapshot, _nowMs, thresholds) => {
    const queues = snapshot.queues.filter((queue) => eventsOf(queue) > 0);
    const bytes = queues.reduce((sum, queue) => sum + eventsOf(queue), 0);
    const held = heldBytesOf(snapshot.nodes);
    if (bytes < thresholds.retentionMinBytes || bytes < held * EVENTS_RATIO) return [];
    return [events(queues, bytes, snapshot, thresholds)];
  },
};

function eventsOf(queue: QueueState): number {
  return queue.memory?.eventsBytes ?? 0;
}

function events(
  queues: readonly QueueState[],
  bytes: number,
  snapshot: Snapshot,
  thresholds: Thresholds,
): FoundNow {
  const [largest] = [...queues].sort((a, b) => eventsOf(b) - eventsOf(a));
  const most = largest
    ? `; the longest, of ${queueName(largest)}, has ${formatCount(largest.eventsLength)} entries in ${formatBytes(eventsOf(largest))}`
    : '';
  const held = { bytes, errorBytes: 0 };
  return {
    severity: memorySeverity(held, snapshot, thresholds),
    headline: `${formatBytes(bytes)} of events`,
    sentence: `The events streams of ${formatThings(queues.length, 'queue')} hold ${heldInWords(held, snapshot)}, though no job depends on them${most}: trim them, and set a smaller streams.events.maxLen where the queues are opened, or they grow back.`,
    evidence: [
      fact(HELD, 'events', bytes, 'bytes'),
      ...shareEvidence(held, snapshot),
      fact('queues-with-events', 'queues with events', queues.length, 'count'),
    ],
    remedies: reclaimRemedies(queues).filter(({ action }) => action === 'queue.trim-events'),
    rank: 220 + magnitude(bytes / 4096),
  };
}

/** From this share of what is held on, queues are not alone in their Redis. */
const FOREIGN_RATIO = 0.2;

type Foreign = NonNullable<NodeMemory['foreign']>;

export const memoryForeignKeys: FindingRule = {
  code: 'memory.foreign-keys',
  about:
    'Keys that belong to no queue take a fifth of the memory or more, and can fill the Redis of the queues.',
  detect: (snapshot, _nowMs, thresholds) =>
    snapshot.nodes.flatMap((node) => {
      const foreign = node.memory?.foreign;
      if (!foreign || surelyHeld(foreign) < thresholds.retentionMinBytes) return [];
      return surelyHeld(foreign) >= node.countedBytes * FOREIGN_RATIO
        ? [foreignKeys(node, foreign, snapshot, thresholds)]
        : [];
    }),
};

function foreignKeys(
  node: RedisNode,
  foreign: Foreign,
  snapshot: Snapshot,
  thresholds: Thresholds,
): FoundNow {
  const ratio = foreign.bytes / Math.max(1, node.countedBytes);
  const [largest] = foreign.largest;
  const most = largest ? `; the largest is ${plainName(largest.key)} with ${formatBytes(largest.bytes)}` : '';
  const severity = memorySeverity(foreign, { ...snapshot, nodes: [node] }, thresholds);
  // Without pressure a larger limit would only hide it.
  const raise = severity === 'info' ? null : raiseMaxmemoryRemedy(node);
  return {
    severity,
    node: node.id,
    headline: 'Keys of no queue hold memory',
    sentence: `${formatCount(foreign.keys)} keys in ${nodeName(node, snapshot)} that belong to no queue hold ${formatEstimate(foreign)}, ${formatRatio(ratio)} of what it holds${most}: as they grow, jobs are refused, and no action on queues frees them; let them expire, or give the queues a Redis of their own.`,
    evidence: [
      estimateEvidence(HELD, 'keys of no queue', foreign),
      fact('redis-share', 'share of what Redis holds', ratio, 'ratio'),
      fact('keys', 'number of keys', foreign.keys, 'count'),
      ...(largest ? [fact('largest-key', 'the largest', largest.bytes, 'bytes')] : []),
    ],
    remedies: raise ? [raise] : [],
    rank: 205 + magnitude(foreign.bytes / 4096),
  };
}
