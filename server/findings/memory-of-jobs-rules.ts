import { fact } from '../model/evidence.js';
import type { FindingRule, FoundNow, Remedy, Thresholds } from '../model/finding.js';
import { formatBytes, formatCount, formatJobs, formatRatio } from '../model/format.js';
import type { KindMemory, MemoryKind, QueueMemory, TypeMemory } from '../model/memory.js';
import { heldBytesOf, largestTypeOf, type TypeShare } from '../model/memory-shares.js';
import { fullestNode } from '../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { magnitude, plainName, queueName } from '../model/words.js';
import { HELD } from './explained.js';
import { parkLargestType, raiseMaxmemoryRemedy, reclaimRemedies } from './make-room.js';
import {
  estimateEvidence,
  heldInWords,
  isMemoryPressed,
  memorySeverity,
  shareEvidence,
  surelyHeld,
} from './memory-share.js';

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
    headline: `${formatBytes(bytes)} of finished jobs and events`,
    sentence: `${queueName(queue)} keeps ${formatBytes(bytes)} that no worker needs (${parts.join(', ')})${share}, against ${formatBytes(memory.backlogBytes)} of jobs that still have to run: set removeOnComplete and removeOnFail where its jobs are added.`,
    evidence: [
      estimateEvidence(HELD, 'finished jobs and events', held),
      estimateEvidence('completed-bytes', 'completed jobs', completed),
      estimateEvidence('failed-bytes', 'failed jobs', failed),
      fact('events-bytes', 'events', memory.eventsBytes, 'bytes'),
      fact('backlog-bytes', 'jobs that still have to run', memory.backlogBytes, 'bytes'),
    ],
    remedies: reclaimRemedies([queue]),
    rank: 200 + magnitude(bytes / 4096),
  };
}

/** Only what makes up a tenth or more is worth a word. */
function part(bytes: number, held: number, what: string): string | null {
  return bytes >= held / 10 ? `${formatBytes(bytes)} in ${what}` : null;
}

/** Below this share of its queue a kind is not what makes it large. */
const NOTABLE_RATIO = 0.25;

export const memoryStackTraces: FindingRule = {
  code: 'memory.stack-traces',
  about: 'Stack traces of failed attempts make up much of what a queue holds.',
  detect: (snapshot, _nowMs, thresholds) =>
    snapshot.queues.flatMap((queue) => {
      const traces = kindOf(queue, 'stack-traces');
      if (!traces || surelyHeld(traces) < thresholds.retentionMinBytes) return [];
      const total = queue.memory?.totalBytes ?? 0;
      return surelyHeld(traces) >= total * NOTABLE_RATIO
        ? [stackTraces(queue, traces, snapshot, thresholds)]
        : [];
    }),
};

function stackTraces(
  queue: QueueState,
  traces: KindMemory,
  snapshot: Snapshot,
  thresholds: Thresholds,
): FoundNow {
  const { failed } = queue.counts;
  const whose =
    failed > 0 ? `${formatCount(failed)} failed jobs` : 'jobs that failed and wait for another try';
  return {
    severity: memorySeverity(traces, snapshot, thresholds),
    queue: queue.id,
    headline: 'Stack traces hold memory',
    sentence: `Each failed attempt leaves its stack trace: in ${queueName(queue)} they hold ${heldInWords(traces, snapshot)}, with ${whose}; set stackTraceLimit and removeOnFail where its jobs are added, and clean the failed ones that nobody will look at.`,
    evidence: [
      estimateEvidence(HELD, 'stack traces', traces),
      ...shareEvidence(traces, snapshot),
      fact('failed-jobs', 'failed jobs', failed, 'jobs'),
      fact('queue-bytes', 'all of the queue', queue.memory?.totalBytes ?? 0, 'bytes'),
    ],
    remedies: reclaimRemedies([queue]).filter(({ args }) => args.state === 'failed'),
    rank: 210 + magnitude(traces.bytes / 4096),
  };
}

/** What a queue holds of one kind of data; null where it holds nothing of it, or nothing is known. */
function kindOf(queue: QueueState, kind: MemoryKind): KindMemory | null {
  return queue.memory?.kinds.find((one) => one.kind === kind) ?? null;
}

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
    headline: `${name} jobs weigh ${formatBytes(type.bytesPerJob)} each`,
    sentence: `One ${name} job of ${queueName(queue)} takes ${formatBytes(type.bytesPerJob)}${worst}, together ${heldInWords(type, snapshot)}: a small burst of them fills Redis, and each is copied to worker and replica whole; keep what is large elsewhere and put its address into the job.`,
    evidence: [
      fact('job-bytes', 'one job', type.bytesPerJob, 'bytes'),
      estimateEvidence(HELD, 'all of the type', type),
      ...shareEvidence(type, snapshot),
      ...(largest ? [fact('largest-job', 'the largest met', largest.bytes, 'bytes')] : []),
    ],
    remedies: reclaimRemedies([queue]).filter(
      ({ action, args }) =>
        action === 'queue.clean-finished' &&
        (args.state === 'failed' ? type.failedBytes : type.completedBytes) >= type.bytes / 10,
    ),
    rank: 190 + magnitude(type.bytes / 4096),
  };
}

/** One type that holds this much of everything is the cause, and not one of many. */
const MAX_RATIO = 0.4;

export const memoryJobType: FindingRule = {
  code: 'memory.job-type',
  about:
    'One job type holds most of what counts against the limit of a Redis that is well filled or filling.',
  detect: (snapshot, _nowMs, thresholds) => {
    if (!isMemoryPressed(snapshot)) return [];
    const heldBytes = heldBytesOf(snapshot.nodes);
    const largest = largestTypeOf(snapshot);
    if (!largest || heldBytes <= 0 || surelyHeld(largest) < heldBytes * MAX_RATIO) return [];
    if (surelyHeld(largest) < thresholds.retentionMinBytes) return [];
    return [jobType(largest, snapshot, thresholds)];
  },
};

function jobType(share: TypeShare, snapshot: Snapshot, thresholds: Thresholds): FoundNow {
  const { queue, type } = share;
  const name = plainName(type.type);
  return {
    severity: memorySeverity(share, snapshot, thresholds),
    queue: queue.id,
    headline: `${name} jobs hold most of the memory`,
    sentence: `${name} jobs of ${queueName(queue)} hold ${heldInWords(share, snapshot)} (${partsOf(share)}; ${formatBytes(type.bytesPerJob)} each): while they stay, there is no room for other jobs; ${adviceFor(share)}.`,
    evidence: [
      estimateEvidence(HELD, 'held by the type', share),
      ...shareEvidence(share, snapshot),
      {
        name: 'unfinished',
        label: 'its unfinished jobs',
        value: type.unfinished,
        unit: 'jobs',
        ...(type.unfinishedError > 0 ? { error: type.unfinishedError } : {}),
      },
      fact('job-bytes', 'each', type.bytesPerJob, 'bytes'),
    ],
    remedies: remediesFor(share, snapshot),
    rank: 230 + magnitude(share.bytes / 4096),
  };
}

function partsOf({ type }: TypeShare): string {
  const parts: readonly (readonly [number, string])[] = [
    [type.backlogBytes, `${formatJobs(type.unfinished)} that still have to run`],
    [type.completedBytes, 'completed'],
    [type.failedBytes, 'failed'],
  ];
  return parts
    .filter(([bytes]) => bytes >= type.bytes / 10)
    .sort((a, b) => b[0] - a[0])
    .map(([bytes, what]) => `${formatBytes(bytes)} ${what}`)
    .join(', ');
}

function adviceFor({ type }: TypeShare): string {
  if (type.backlogBytes >= type.bytes / 2)
    return 'drain them faster, add fewer, or give Redis more memory until they are done';
  return type.failedBytes > type.completedBytes
    ? 'clean the failed ones, and set removeOnFail where they are added'
    : 'clean the completed ones, and set removeOnComplete where they are added';
}

/** Actions can't pick a type: what a clean of its queue would free is said for the queue. Only states that the type is in. */
function remediesFor({ queue, type }: TypeShare, snapshot: Snapshot): readonly Remedy[] {
  const cleans = reclaimRemedies([queue]).filter(({ action, args }) => {
    if (action !== 'queue.clean-finished') return false;
    const held = args.state === 'failed' ? type.failedBytes : type.completedBytes;
    return held >= type.bytes / 10;
  });
  const node = fullestNode(snapshot);
  const raise = node && type.backlogBytes >= type.bytes / 2 ? raiseMaxmemoryRemedy(node) : null;
  const park = type.backlogBytes >= type.bytes / 2 ? parkLargestType([queue], type.type) : null;
  return [...cleans, raise, park].filter((remedy) => remedy !== null);
}
