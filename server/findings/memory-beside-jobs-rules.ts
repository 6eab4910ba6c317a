import { briefCount, briefRatio, briefThings, headlineOf } from '../model/brief.js';
import { fact } from '../model/evidence.js';
import type { FindingRule, FoundNow, Thresholds } from '../model/finding.js';
import { formatBytes } from '../model/format.js';
import type { NodeMemory } from '../model/memory.js';
import { heldBytesOf } from '../model/memory-shares.js';
import type { QueueState, RedisNode, Snapshot } from '../model/snapshot.js';
import { magnitude, nodeName, plainName, queueName } from '../model/words.js';
import { HELD } from './explained.js';
import { raiseMaxmemoryRemedy, reclaimRemedies } from './make-room.js';
import {
  estimateEvidence,
  memorySeverity,
  shareEvidence,
  shareOfMemoryInWords,
  surelyHeld,
} from './memory-share.js';

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
    headline: headlineOf(
      nodeName(node, snapshot),
      `: clients leave ${formatBytes(node.clientOutputBytes)} unread`,
    ),
    cause: 'Clients read their answers more slowly than they come.',
    effect: `They keep ${briefRatio(ratio)} of the limit from jobs, in output buffers.`,
    action: 'End the client with the largest omem in CLIENT LIST; set client-output-buffer-limit.',
    detail:
      'Listeners to events, dashboards and MONITOR are the usual ones. With that setting Redis ends them by itself.',
    evidence: [
      fact('output-buffers', 'output buffers', node.clientOutputBytes, 'bytes'),
      fact('limit-share', 'of limit', ratio, 'ratio'),
      ...(node.memory
        ? [fact('client-buffers', 'all client buffers', node.memory.clientBytes, 'bytes')]
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
  const held = { bytes, errorBytes: 0 };
  return {
    severity: memorySeverity(held, snapshot, thresholds),
    headline: `Events of ${briefThings(queues.length, 'queue')} hold ${formatBytes(bytes)}`,
    cause: `Events streams keep too many entries${largest ? `: ${queueName(largest)} has ${briefCount(largest.eventsLength)}` : ''}.`,
    effect: `They take ${shareOfMemoryInWords(held, snapshot)}, though no job depends on them.`,
    action: 'Trim them, and set a smaller streams.events.maxLen where queues are opened.',
    evidence: [
      fact(HELD, 'events', bytes, 'bytes'),
      ...shareEvidence(held, snapshot),
      fact('queues-with-events', 'queues', queues.length, 'count'),
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
  const severity = memorySeverity(foreign, { ...snapshot, nodes: [node] }, thresholds);
  // Without pressure a larger limit would only hide it.
  const raise = severity === 'info' ? null : raiseMaxmemoryRemedy(node);
  return {
    severity,
    node: node.id,
    headline: headlineOf(nodeName(node, snapshot), `: other keys hold ${formatBytes(foreign.bytes)}`),
    cause: `${briefThings(foreign.keys, 'key')} of no queue ${foreign.keys === 1 ? 'takes' : 'take'} ${briefRatio(ratio)} of used memory.`,
    effect: 'As they grow, jobs are rejected, and no action on queues frees them.',
    action: 'Let them expire, or give the queues a Redis of their own.',
    evidence: [
      estimateEvidence(HELD, 'other keys', foreign),
      fact('redis-share', 'of used memory', ratio, 'ratio'),
      fact('keys', 'keys', foreign.keys, 'count'),
      ...(largest
        ? [
            fact('largest-key', 'largest', largest.bytes, 'bytes'),
            fact('largest-key-name', 'largest is', plainName(largest.key)),
          ]
        : []),
    ],
    remedies: raise ? [raise] : [],
    rank: 205 + magnitude(foreign.bytes / 4096),
  };
}
