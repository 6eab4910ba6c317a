import { about, briefCount, briefThings } from '../model/brief.js';
import { fact } from '../model/evidence.js';
import type { FindingRule, FoundNow, Remedy, Thresholds } from '../model/finding.js';
import { formatBytes } from '../model/format.js';
import type { KindMemory, MemoryKind, QueueMemory, TypeMemory } from '../model/memory.js';
import { heldBytesOf, largestTypeOf, type TypeShare } from '../model/memory-shares.js';
import { fullestNode } from '../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { magnitude, plainName, queueName } from '../model/words.js';
import { HELD } from './explained.js';
import { parkLargestType, raiseMaxmemoryRemedy, reclaimRemedies } from './make-room.js';
import {
  estimateEvidence,
  isMemoryPressed,
  memorySeverity,
  shareEvidence,
  shareOfMemoryInWords,
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
  const bytes = heldBytes(memory);
  const completed = { bytes: memory.completedBytes, errorBytes: errorOf(memory, 'completed') };
  const failed = { bytes: memory.failedBytes, errorBytes: errorOf(memory, 'failed') };
  const held = { bytes, errorBytes: Math.round(Math.hypot(completed.errorBytes, failed.errorBytes)) };
  const parts = [
    part(completed.bytes, bytes, `${briefCount(queue.counts.completed)} completed`),
    part(failed.bytes, bytes, `${briefCount(queue.counts.failed)} failed jobs`),
    part(memory.eventsBytes, bytes, 'events'),
  ].filter((text) => text !== null);
  return {
    severity: memorySeverity(held, snapshot, thresholds),
    queue: queue.id,
    ...about(queueName(queue), `${formatBytes(bytes)} of finished jobs and events`),
    cause: `Finished jobs and events are kept: ${parts.join(', ')}.`,
    effect: `They take ${shareOfMemoryInWords(held, snapshot)}; pending jobs take ${formatBytes(memory.backlogBytes)}.`,
    action: 'Set removeOnComplete and removeOnFail where its jobs are added.',
    evidence: [
      estimateEvidence(HELD, 'finished and events', held),
      ...[
        estimateEvidence('completed-bytes', 'completed', completed),
        estimateEvidence('failed-bytes', 'failed', failed),
        fact('events-bytes', 'events', memory.eventsBytes, 'bytes'),
      ].sort((a, b) => Number(b.value) - Number(a.value)),
      fact('backlog-bytes', 'pending', memory.backlogBytes, 'bytes'),
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
  return {
    severity: memorySeverity(traces, snapshot, thresholds),
    queue: queue.id,
    ...about(queueName(queue), `stack traces hold ${formatBytes(traces.bytes)}`),
    cause: `Each failed attempt leaves its stack trace${failed > 0 ? `: it has ${briefThings(failed, 'failed job')}` : ''}.`,
    effect: `They take ${shareOfMemoryInWords(traces, snapshot)}.`,
    action: 'Set stackTraceLimit and removeOnFail, and clean failed jobs that nobody will read.',
    evidence: [
      estimateEvidence(HELD, 'stack traces', traces),
      ...shareEvidence(traces, snapshot),
      fact('failed-jobs', 'failed jobs', failed, 'jobs'),
      fact('queue-bytes', 'whole queue', queue.memory?.totalBytes ?? 0, 'bytes'),
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
  const { largest } = memory;
  return {
    severity: memorySeverity(type, snapshot, thresholds),
    queue: queue.id,
    ...about(`${plainName(type.type)} of ${queueName(queue)}`, `${formatBytes(type.bytesPerJob)} a job`),
    cause: 'Each job carries its whole payload through Redis.',
    effect: `They take ${shareOfMemoryInWords(type, snapshot)}, and a small burst fills Redis.`,
    action: 'Keep the payload elsewhere and put its address into the job.',
    detail: 'Each is copied whole to its worker and to every replica.',
    evidence: [
      fact('job-bytes', 'a job', type.bytesPerJob, 'bytes'),
      estimateEvidence(HELD, 'all', type),
      ...shareEvidence(type, snapshot),
      ...(largest ? [fact('largest-job', 'largest', largest.bytes, 'bytes')] : []),
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
  return {
    severity: memorySeverity(share, snapshot, thresholds),
    queue: queue.id,
    ...about(`${plainName(type.type)} of ${queueName(queue)}`, 'top memory consumer'),
    cause: `They take ${shareOfMemoryInWords(share, snapshot)}${partOf(share)}.`,
    effect: 'While they stay, there is no room for other jobs.',
    action: adviceFor(share),
    evidence: [
      estimateEvidence(HELD, 'all', share),
      ...shareEvidence(share, snapshot),
      {
        name: 'unfinished',
        label: 'pending',
        value: type.unfinished,
        unit: 'jobs',
        ...(type.unfinishedError > 0 ? { error: type.unfinishedError } : {}),
      },
      fact('job-bytes', 'a job', type.bytesPerJob, 'bytes'),
    ],
    remedies: remediesFor(share, snapshot),
    rank: 230 + magnitude(share.bytes / 4096),
  };
}

/** ", mostly 38k pending jobs": the largest part of what they hold. */
function partOf({ type }: TypeShare): string {
  const parts: readonly (readonly [number, string])[] = [
    [type.backlogBytes, briefThings(type.unfinished, 'pending job')],
    [type.completedBytes, 'completed ones'],
    [type.failedBytes, 'failed ones'],
  ];
  const [largest] = parts.filter(([bytes]) => bytes >= type.bytes / 10).sort((a, b) => b[0] - a[0]);
  return largest ? `, mostly ${largest[1]}` : '';
}

function adviceFor({ type }: TypeShare): string {
  if (type.backlogBytes >= type.bytes / 2)
    return 'Drain them faster, add fewer, or give Redis more memory until then.';
  return type.failedBytes > type.completedBytes
    ? 'Clean the failed ones, and set removeOnFail where they are added.'
    : 'Clean the completed ones, and set removeOnComplete where they are added.';
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
