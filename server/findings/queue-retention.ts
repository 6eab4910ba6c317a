import { formatBytes, formatCount, formatRatio } from '../model/format.js';
import type { QueueMemory } from '../watch/memory-state.js';
import type { QueueState } from '../watch/snapshot.js';
import type { FindingRule, FoundNow, Thresholds } from './finding.js';
import { reclaimRemedies } from './make-room.js';
import { magnitude, queueName } from './words.js';

/** A share of the limit that is too much for what no worker will ever read. */
const LARGE_SHARE = 0.25;

export const queueRetention: FindingRule = {
  code: 'queue.retention',
  about: 'Finished jobs and events of a queue hold more memory than the jobs that still have to run.',
  detect: (snapshot, _nowMs, thresholds) => {
    const limitBytes = snapshot.nodes.reduce((sum, node) => sum + (node.limit?.bytes ?? 0), 0);
    const isTight = snapshot.nodes.some((node) => (node.usedRatio ?? 0) >= thresholds.memoryWarnRatio);
    return snapshot.queues.flatMap((queue) => {
      const { memory } = queue;
      return memory && isRetention(memory, thresholds) ? [retention(queue, memory, limitBytes, isTight)] : [];
    });
  },
};

function heldBytes(memory: QueueMemory): number {
  return memory.completedBytes + memory.failedBytes + memory.eventsBytes;
}

function isRetention(memory: QueueMemory, thresholds: Thresholds): boolean {
  const held = heldBytes(memory);
  return held >= thresholds.retentionMinBytes && held > memory.backlogBytes;
}

function retention(queue: QueueState, memory: QueueMemory, limitBytes: number, isTight: boolean): FoundNow {
  const held = heldBytes(memory);
  const share = limitBytes > 0 ? held / limitBytes : null;
  const isLarge = share !== null && share >= LARGE_SHARE;
  const parts = [
    part(memory.completedBytes, held, `${formatCount(queue.counts.completed)} completed jobs`),
    part(memory.failedBytes, held, `${formatCount(queue.counts.failed)} failed jobs`),
    part(memory.eventsBytes, held, 'events'),
  ].filter((text) => text !== null);
  return {
    severity: isLarge || isTight ? 'warning' : 'info',
    queue: queue.id,
    node: null,
    title: `${formatBytes(held)} of finished jobs and events`,
    sentence: `${queueName(queue)} keeps ${formatBytes(held)} that no worker needs (${parts.join(', ')})${share === null ? '' : `, ${formatRatio(share)} of the limit of Redis`}, against ${formatBytes(memory.backlogBytes)} of jobs that still have to run: set removeOnComplete and removeOnFail where its jobs are added.`,
    evidence: [
      { label: 'completed jobs', value: memory.completedBytes, unit: 'bytes' },
      { label: 'failed jobs', value: memory.failedBytes, unit: 'bytes' },
      { label: 'events', value: memory.eventsBytes, unit: 'bytes' },
      { label: 'jobs that still have to run', value: memory.backlogBytes, unit: 'bytes' },
    ],
    remedies: reclaimRemedies([queue]),
    rank: 200 + magnitude(held / 4096),
  };
}

/** Only what makes up a tenth or more is worth a word. */
function part(bytes: number, held: number, what: string): string | null {
  return bytes >= held / 10 ? `${formatBytes(bytes)} in ${what}` : null;
}
