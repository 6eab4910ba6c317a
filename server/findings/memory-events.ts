import { fact } from '../model/evidence.js';
import type { FindingRule, FoundNow, Thresholds } from '../model/finding.js';
import { formatBytes, formatCount, formatThings } from '../model/format.js';
import { heldBytesOf } from '../model/memory-shares.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { magnitude, queueName } from '../model/words.js';
import { HELD } from './explained.js';
import { reclaimRemedies } from './make-room.js';
import { heldInWords, memorySeverity, shareEvidence } from './memory-share.js';

/** A share of what Redis holds that is too much for a record of what has happened. */
const NOTABLE_RATIO = 0.1;

export const memoryEvents: FindingRule = {
  code: 'memory.events',
  about: 'Events streams of queues, which hold no work, take a tenth of the memory or more.',
  detect: (snapshot, _nowMs, thresholds) => {
    const queues = snapshot.queues.filter((queue) => eventsOf(queue) > 0);
    const bytes = queues.reduce((sum, queue) => sum + eventsOf(queue), 0);
    const held = heldBytesOf(snapshot.nodes);
    if (bytes < thresholds.retentionMinBytes || bytes < held * NOTABLE_RATIO) return [];
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
    queue: null,
    node: null,
    title: `${formatBytes(bytes)} of events`,
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
