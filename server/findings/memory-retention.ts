import type { FindingRule, FoundNow, Thresholds } from '../model/finding.js';
import { formatBytes, formatCount, formatRatio } from '../model/format.js';
import type { QueueMemory } from '../model/memory.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { magnitude, queueName } from '../model/words.js';
import { reclaimRemedies } from './make-room.js';
import { estimateEvidence, memorySeverity } from './memory-share.js';

export const memoryRetention: FindingRule = {
  code: 'memory.retention',
  about: 'Finished jobs and events of a queue hold more memory than the jobs that still have to run.',
  detect: (snapshot, _nowMs, thresholds) =>
    snapshot.queues.flatMap((queue) => {
      const { memory } = queue;
      return memory && isRetention(memory, thresholds)
        ? [retention(queue, memory, snapshot, thresholds)]
        : [];
    }),
};

function heldBytes(memory: QueueMemory): number {
  return memory.completedBytes + memory.failedBytes + memory.eventsBytes;
}

function isRetention(memory: QueueMemory, thresholds: Thresholds): boolean {
  const held = heldBytes(memory);
  return held >= thresholds.retentionMinBytes && held > memory.backlogBytes;
}

function errorOf(memory: QueueMemory, state: 'completed' | 'failed'): number {
  return memory.states.find((one) => one.state === state)?.errorBytes ?? 0;
}

function retention(
  queue: QueueState,
  memory: QueueMemory,
  snapshot: Snapshot,
  thresholds: Thresholds,
): FoundNow {
  const limitBytes = snapshot.nodes.reduce((sum, node) => sum + (node.limit?.bytes ?? 0), 0);
  const bytes = heldBytes(memory);
  const completed = { bytes: memory.completedBytes, errorBytes: errorOf(memory, 'completed') };
  const failed = { bytes: memory.failedBytes, errorBytes: errorOf(memory, 'failed') };
  const held = { bytes, errorBytes: Math.round(Math.hypot(completed.errorBytes, failed.errorBytes)) };
  const parts = [
    part(completed.bytes, bytes, `${formatCount(queue.counts.completed)} completed jobs`),
    part(failed.bytes, bytes, `${formatCount(queue.counts.failed)} failed jobs`),
    part(memory.eventsBytes, bytes, 'events'),
  ].filter((text) => text !== null);
  const share = limitBytes >= 1 ? `, ${formatRatio(bytes / limitBytes)} of the limit of Redis` : '';
  return {
    severity: memorySeverity(held, snapshot, thresholds),
    queue: queue.id,
    node: null,
    title: `${formatBytes(bytes)} of finished jobs and events`,
    sentence: `${queueName(queue)} keeps ${formatBytes(bytes)} that no worker needs (${parts.join(', ')})${share}, against ${formatBytes(memory.backlogBytes)} of jobs that still have to run: set removeOnComplete and removeOnFail where its jobs are added.`,
    evidence: [
      estimateEvidence('finished jobs and events', held),
      estimateEvidence('completed jobs', completed),
      estimateEvidence('failed jobs', failed),
      { label: 'events', value: memory.eventsBytes, unit: 'bytes' },
      { label: 'jobs that still have to run', value: memory.backlogBytes, unit: 'bytes' },
    ],
    remedies: reclaimRemedies([queue]),
    rank: 200 + magnitude(bytes / 4096),
  };
}

/** Only what makes up a tenth or more is worth a word. */
function part(bytes: number, held: number, what: string): string | null {
  return bytes >= held / 10 ? `${formatBytes(bytes)} in ${what}` : null;
}
