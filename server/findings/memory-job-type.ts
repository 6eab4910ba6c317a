import type { FindingRule, FoundNow, Remedy, Thresholds } from '../model/finding.js';
import { formatBytes, formatJobs } from '../model/format.js';
import { heldBytesOf, largestTypeOf, type TypeShare } from '../model/memory-shares.js';
import { fullestNode } from '../model/queue-verdict.js';
import type { Snapshot } from '../model/snapshot.js';
import { magnitude, plainName, queueName } from '../model/words.js';
import { parkLargestType, raiseMaxmemory, reclaimRemedies } from './make-room.js';
import {
  estimateEvidence,
  heldInWords,
  isMemoryPressed,
  memorySeverity,
  shareEvidence,
  surelyHeld,
} from './memory-share.js';

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
    node: null,
    title: `${name} jobs hold most of the memory`,
    sentence: `${name} jobs of ${queueName(queue)} hold ${heldInWords(share, snapshot)} (${partsOf(share)}; ${formatBytes(type.bytesPerJob)} each): while they stay, there is no room for other jobs; ${adviceFor(share)}.`,
    evidence: [
      estimateEvidence('held by the type', share),
      ...shareEvidence(share, snapshot),
      {
        label: 'its unfinished jobs',
        value: type.unfinished,
        unit: 'jobs',
        ...(type.unfinishedError > 0 ? { error: type.unfinishedError } : {}),
      },
      { label: 'each', value: type.bytesPerJob, unit: 'bytes' },
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

/** Actions can't pick a type: what a clean of its queue would free is told for the queue. Only states that the type is in. */
function remediesFor({ queue, type }: TypeShare, snapshot: Snapshot): readonly Remedy[] {
  const cleans = reclaimRemedies([queue]).filter(({ action, args }) => {
    if (action !== 'queue.clean-finished') return false;
    const held = args.state === 'failed' ? type.failedBytes : type.completedBytes;
    return held >= type.bytes / 10;
  });
  const node = fullestNode(snapshot);
  const raise = node && type.backlogBytes >= type.bytes / 2 ? raiseMaxmemory(node) : null;
  const park = type.backlogBytes >= type.bytes / 2 ? parkLargestType([queue], type.type) : null;
  return [...cleans, raise, park].filter((remedy) => remedy !== null);
}
