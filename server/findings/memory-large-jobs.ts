import type { FindingRule, FoundNow, Thresholds } from '../model/finding.js';
import { formatBytes } from '../model/format.js';
import type { QueueMemory, TypeMemory } from '../model/memory.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { magnitude, plainName, queueName } from '../model/words.js';
import { ALL_OF_TYPE } from './explained.js';
import { reclaimRemedies } from './make-room.js';
import { estimateEvidence, heldInWords, memorySeverity, shareEvidence, surelyHeld } from './memory-share.js';

/** Jobs that weigh this much each: a hundred of them take what 5,000 usual ones do. */
const LARGE_JOB_BYTES = 64 * 1024;

export const memoryLargeJobs: FindingRule = {
  code: 'memory.large-jobs',
  about: 'A job type weighs so much a job that few of them take the room of thousands.',
  detect: (snapshot, _nowMs, thresholds) =>
    snapshot.queues.flatMap((queue) => {
      const { memory } = queue;
      const heavy = memory?.types.find(
        (type) => type.bytesPerJob >= LARGE_JOB_BYTES && surelyHeld(type) >= thresholds.retentionMinBytes,
      );
      return memory && heavy ? [largeJobs(queue, memory, heavy, snapshot, thresholds)] : [];
    }),
};

function largeJobs(
  queue: QueueState,
  memory: QueueMemory,
  type: TypeMemory,
  snapshot: Snapshot,
  thresholds: Thresholds,
): FoundNow {
  const name = plainName(type.type);
  const { largest } = memory;
  const worst =
    largest && largest.bytes > 2 * type.bytesPerJob
      ? ` (the largest met: ${formatBytes(largest.bytes)})`
      : '';
  return {
    severity: memorySeverity(type, snapshot, thresholds),
    queue: queue.id,
    node: null,
    title: `${name} jobs weigh ${formatBytes(type.bytesPerJob)} each`,
    sentence: `One ${name} job of ${queueName(queue)} takes ${formatBytes(type.bytesPerJob)}${worst}, together ${heldInWords(type, snapshot)}: a small burst of them fills Redis, and each is copied to worker and replica whole; keep what is large elsewhere and put its address into the job.`,
    evidence: [
      { label: 'one job', value: type.bytesPerJob, unit: 'bytes' },
      estimateEvidence(ALL_OF_TYPE, type),
      ...shareEvidence(type, snapshot),
      ...(largest ? [{ label: 'the largest met', value: largest.bytes, unit: 'bytes' as const }] : []),
    ],
    remedies: reclaimRemedies([queue]).filter(
      ({ action, args }) =>
        action === 'queue.clean-finished' &&
        (args.state === 'failed' ? type.failedBytes : type.completedBytes) >= type.bytes / 10,
    ),
    rank: 190 + magnitude(type.bytes / 4096),
  };
}
