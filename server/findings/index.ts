import type { CodedFinding, CurrentFinding, FindingRule, FoundNow, Thresholds } from '../model/finding.js';
import { findingKey } from '../model/finding.js';
import { whyReadOnly } from '../model/queue-kind.js';
import { freshnessOf } from '../model/sight.js';
import type { Snapshot } from '../model/snapshot.js';
import { bullmqDefect } from './bullmq-defects.js';
import { agentsOverflow, consoleQueueLimit, consoleStale } from './console-rules.js';
import { enough, roomFirst } from './enough.js';
import { foldExplained } from './explained.js';
import { consoleStarved, hostStarved } from './host-starved.js';
import { jobTypeAbsent, jobTypeBatchWait, jobTypeFailing, jobTypeSlow } from './jobtype-rules.js';
import { memoryEvents, memoryForeignKeys, memoryOutputBuffers } from './memory-beside-jobs-rules.js';
import {
  memoryJobType,
  memoryLargeJobs,
  memoryRetention,
  memoryStackTraces,
} from './memory-of-jobs-rules.js';
import { mergeAlike } from './merge.js';
import { OWN_FINDING_RULES } from './own-findings.js';
import { queueGrowing, queueOverloaded, queueStuck } from './queue-behind-rules.js';
import {
  queueCapped,
  queueNoWorkers,
  queuePausedWithBacklog,
  queueRateLimited,
  queueWorkersPaused,
} from './queue-held-rules.js';
import { queueNoisyNeighbour } from './queue-noisy-neighbour.js';
import { redisEvictionPolicy, redisFilling, redisFull, redisNoLimit } from './redis-memory-rules.js';
import {
  redisDataLost,
  redisReadOnly,
  redisUnreachable,
  redisUnread,
  redisUnsaved,
} from './redis-reach-rules.js';
import { asLastSeen, compareFindings } from './track.js';
import { withinReach } from './within-reach.js';
import { workerBlocked, workerCrashed, workerOutlier, workerSilent, workerStuck } from './worker-rules.js';

/**
 * Findings: what is wrong and why, from one Snapshot, pure. Begin with a rule (`queueGrowing` in queue-behind-rules.ts), then
 * `findingSteps` below: the rules, then explained.ts (what follows from what), merge.ts (what many queues share), and
 * within-reach.ts and enough.ts (which remedies help here, and which suffices); track.ts gives findings their past. own-findings.ts is the
 * second source: the console itself. The room imports model and forecast alone.
 */

/** What is wrong and why. Adding a finding is one file and one line here; order means nothing, `rank` does. */
export const FINDING_RULES: readonly FindingRule[] = [
  redisUnreachable,
  consoleStarved,
  redisUnread,
  redisDataLost,
  consoleQueueLimit,
  consoleStale,
  agentsOverflow,
  redisFull,
  redisFilling,
  redisNoLimit,
  redisEvictionPolicy,
  redisReadOnly,
  redisUnsaved,
  queueNoWorkers,
  queueWorkersPaused,
  queueStuck,
  queueOverloaded,
  queueGrowing,
  queuePausedWithBacklog,
  queueCapped,
  queueRateLimited,
  queueNoisyNeighbour,
  jobTypeFailing,
  jobTypeBatchWait,
  jobTypeSlow,
  jobTypeAbsent,
  memoryJobType,
  memoryRetention,
  memoryStackTraces,
  memoryLargeJobs,
  memoryEvents,
  memoryOutputBuffers,
  memoryForeignKeys,
  hostStarved,
  workerCrashed,
  workerStuck,
  workerSilent,
  workerOutlier,
  bullmqDefect,
  workerBlocked,
];

/** Of all findings, also those about the console itself: what alert rules may name. */
export const FINDING_CODES: readonly string[] = [...FINDING_RULES, ...OWN_FINDING_RULES].map(
  ({ code }) => code,
);

interface DetectOptions {
  readonly rules?: readonly FindingRule[];
  /** Runs one rule; what that throws costs what it would have found. Left out: it is thrown on. */
  readonly guard?: <T>(part: string, run: () => T, otherwise: T) => T;
  /** Of jobs that can be parked; left out: as many as there are. */
  readonly parkingBytes?: number;
}

const unguarded = <T>(_part: string, run: () => T): T => run();

/**
 * Everything that is wrong in one instance at this moment, worst first. Pure: the same Snapshot gives the same findings.
 *
 * Steps after the rules: what explains another is shown in its place, a trouble that more than ten queues share is shown
 * once, remedies that this Redis would refuse, that free nothing to speak of, or that would hurt while it is full are taken
 * away, and what was found in data that are not live is marked as last seen (track.ts says why).
 */
export function detectFindings(...of: DetectArgs): readonly CurrentFinding[] {
  const steps = findingSteps(...of);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

type DetectArgs = readonly [
  snapshot: Snapshot,
  nowMs: number,
  thresholds: Thresholds,
  options?: DetectOptions,
];

/** `detectFindings` a step at a time: over ten thousand queues in trouble all of it holds the event loop for long. */
export function* findingSteps(
  ...[
    everything,
    nowMs,
    thresholds,
    { rules = FINDING_RULES, guard = unguarded, parkingBytes = Number.POSITIVE_INFINITY } = {},
  ]: DetectArgs
): Generator<void, readonly CurrentFinding[]> {
  // What a rule says of a queue, and its remedies, are BullMQ's.
  const snapshot = {
    ...everything,
    queues: everything.queues.filter((queue) => whyReadOnly(queue) === null),
  };
  const found: CodedFinding[] = [];
  for (const { code, detect } of rules) {
    const ofRule = guard(`rule ${code}`, () => detect(snapshot, nowMs, thresholds), []);
    for (const finding of ofRule) found.push(withCode(finding, code));
    yield;
  }
  const byCode = new Map<string, CodedFinding[]>(rules.map(({ code }) => [code, []]));
  for (const finding of foldExplained(found)) byCode.get(finding.code)?.push(finding);
  const merged: CodedFinding[] = [];
  for (const { code } of rules) {
    yield;
    merged.push(...mergeAlike(byCode.get(code) ?? []));
  }
  const whole = merged
    .map((finding) => withPlace(finding, snapshot.instance))
    .map((finding) =>
      roomFirst(enough(withinReach(finding, snapshot, parkingBytes), snapshot, nowMs, thresholds), snapshot),
    );
  const isLive = freshnessOf(snapshot, nowMs).isLive;
  const shown = isLive ? whole : asLastSeen(whole, nowMs, snapshot.link.lastReadAtMs);
  return [...shown].sort(compareFindings);
}

const coded = new WeakMap<FoundNow, CodedFinding>();

/** Of thousands that are alike most are the objects of the tick before (queue-evidence.ts): those have theirs already. */
export function withCode(finding: FoundNow, code: string): CodedFinding {
  const known = coded.get(finding);
  if (known) return known;
  const made = { queue: null, node: null, remedies: [], ...finding, code };
  coded.set(finding, made);
  return made;
}

function withPlace(
  { accountsFor: _, causedBy: _cause, what: _what, ...finding }: CodedFinding,
  instance: string,
): CurrentFinding {
  return { ...finding, instance, key: findingKey({ ...finding, instance }) };
}
