import {
  about,
  briefAge,
  briefCount,
  briefDuration,
  briefJobs,
  few,
  jobsWaitBriefly,
} from '../model/brief.js';
import { fact } from '../model/evidence.js';
import type { FindingRule } from '../model/finding.js';
import { formatRatio } from '../model/format.js';
import type { Absence, FailureRise, JobTypeState, SlowReason } from '../model/job-type.js';
import { isFull } from '../model/queue-verdict.js';
import type { Marker, QueueState, QueueVerdict, Snapshot } from '../model/snapshot.js';
import { capitalized, magnitude, plainName, plainProblem, queueName } from '../model/words.js';
import { batchAdvice } from './batch-advice.js';
import { flowEvidence, forTypes, holdsMostSlots } from './queue-evidence.js';

/** What stops the whole queue explains why one of its types does not complete. */
const EXPLAINED: ReadonlySet<QueueVerdict> = new Set([
  'paused-by-spillway',
  'paused',
  'no-workers',
  'workers-paused',
  'blocked-by-memory',
  'stuck',
]);
/** As long as any absence has to last, of what the console itself could have missed. */
const LEAST_MS = 8_000;
const TIMES_LONGEST = 3;
const TIMES_USUAL = 6;
const TIMES_INTERVAL = 3;
/** Nothing of the whole queue completes: a deploy takes its time, and is no news about one type. */
const WHOLE_QUEUE_MS = 120_000;
/** A habit of a few minutes may have been somebody's afternoon: known for longer, its end is an alarm. */
const LONG_KNOWN_MS = 10 * 60_000;
const LATEST_BEAT_MS = 5_000;

export const jobTypeAbsent: FindingRule = {
  code: 'jobtype.absent',
  about: 'A job type that completed regularly has stopped, while its queue goes on.',
  detect: forTypes((type, queue, snapshot, nowMs) => {
    const { absent } = type;
    if (!absent || isFull(snapshot) || EXPLAINED.has(queue.verdict)) return null;
    // Its failures are why it does not complete.
    if (type.failing) return null;
    if (!wouldBeSeen(type, queue, snapshot, nowMs) || !isOfTypeAlone(absent, queue, nowMs)) return null;
    const silentSeconds = (nowMs - absent.lastCompletedAtMs) / 1000;
    const isWaiting = (type.waiting?.low ?? 0) > 0;
    const isLongKnown = type.baseline !== null && nowMs - type.baseline.sinceMs >= LONG_KNOWN_MS;
    return {
      severity: isLongKnown ? 'warning' : 'info',
      ...about(typeName(type, queue), 'stopped arriving'),
      cause: isWaiting ? 'Some wait, but none completes.' : 'None waits: whatever adds them has stopped.',
      effect: `None has completed for ${briefAge(silentSeconds)}; one came every ${briefDuration(absent.usualGapMs / 1000)}.`,
      action: isWaiting ? 'Find what holds them back.' : 'Check the producer or scheduler that adds them.',
      evidence: [
        fact('silent-for', 'none for', silentSeconds, 'seconds'),
        fact('usual-gap', 'usually every', absent.usualGapMs / 1000, 'seconds'),
        fact('longest-gap', 'longest gap before', absent.longestGapMs / 1000, 'seconds'),
        fact('last-completed', 'last completed', new Date(absent.lastCompletedAtMs).toISOString()),
      ],
      rank: 350,
    };
  }),
};

/** Had one completed, the console would have seen it: silence of its own eyes and subscriber is nobody's absence. */
function wouldBeSeen(type: JobTypeState, queue: QueueState, snapshot: Snapshot, nowMs: number): boolean {
  const { absent, source } = type;
  if (!absent) return false;
  const graceMs = Math.max(
    LEAST_MS,
    TIMES_LONGEST * absent.longestGapMs,
    TIMES_USUAL * absent.usualGapMs,
    TIMES_INTERVAL * snapshot.poll.intervalMs,
  );
  const isByEar = source === 'agent';
  const sinceMs = Math.max(
    absent.lastCompletedAtMs,
    snapshot.link.sinceMs,
    isByEar ? snapshot.hearing.sinceMs : 0,
  );
  if (nowMs - sinceMs <= graceMs) return false;
  if (!isByEar) return !queue.types.some(({ isPartial }) => isPartial);
  if (snapshot.hearing.status !== 'hearing') return false;
  return snapshot.workers.some(
    ({ queueId, agent }) =>
      queueId === queue.id && agent !== null && nowMs - agent.lastBeatAtMs <= LATEST_BEAT_MS,
  );
}

/** Jobs of others have left its queue in the later half of the silence; or that lasts longer than any deploy. */
function isOfTypeAlone({ lastCompletedAtMs }: Absence, queue: QueueState, nowMs: number): boolean {
  const silentMs = nowMs - lastCompletedAtMs;
  return silentMs > WHOLE_QUEUE_MS || (queue.lastDepartureAtMs ?? 0) >= lastCompletedAtMs + silentMs / 2;
}

/** A deploy counts as being beside a first failure when it was at most so long before it, or a little after by another clock. */
const MARKER_BEFORE_MS = 30 * 60_000;
const MARKER_AFTER_MS = 60_000;
const CRITICAL_RATIO = 0.5;
const RETRIES_SHARE = 0.5;

export const jobTypeFailing: FindingRule = {
  code: 'jobtype.failing',
  about:
    'A job type fails much more than before, since a moment that is shown with the error and the deploy beside it.',
  detect: forTypes((type, queue, snapshot, nowMs) => {
    const rise = type.failing;
    if (!rise) return null;
    const marker = markerBeside(snapshot, queue.id, rise.firstFailureAtMs);
    const ago = `${briefAge(Math.max(0, nowMs - rise.firstFailureAtMs) / 1000)} ago`;
    const began = marker
      ? `${ago}, ${markerInWords(marker, rise)}`
      : `${ago}, with no deploy or note near it`;
    const error = rise.error === null ? null : plainProblem(rise.error);
    const isWhyItGrows = doRetriesPileUp(type, queue);
    return {
      severity: rise.sinceRatio >= CRITICAL_RATIO ? 'critical' : 'warning',
      ...about(typeName(type, queue), `${formatRatio(rise.sinceRatio)} of attempts fail`),
      cause: `It began ${began}.`,
      effect: isWhyItGrows
        ? `${briefJobs(rise.failedSince)} failed; retries take the slots, and ${jobsWaitBriefly(queue.backlog)}.`
        : `${briefJobs(rise.failedSince)} failed and ${rise.failedSince === 1 ? 'is' : 'are'} to retry once it is fixed.`,
      action: `${marker?.kind === 'deploy' ? 'Roll back the deploy, or fix it' : 'Fix what fails'}, then retry the failed jobs.`,
      evidence: [
        fact('failure-ratio', 'fails', rise.sinceRatio, 'ratio'),
        fact('failure-ratio-before', 'before', rise.beforeRatio, 'ratio'),
        fact('failed-since', 'failed', rise.failedSince, 'jobs'),
        fact('first-failure', 'first failure', new Date(rise.firstFailureAtMs).toISOString()),
        ...(marker
          ? [
              fact('marker', marker.kind, plainProblem(marker.text)),
              fact('marker-at', `${marker.kind} at`, new Date(marker.atMs).toISOString()),
            ]
          : []),
        ...(type.failedPerSecond === null
          ? []
          : [fact('failing', 'failed per second', type.failedPerSecond, 'jobs/s')]),
      ],
      ...(error === null
        ? {}
        : {
            fromJobData: {
              cause: `${rise.isNewError ? 'A new error, ' : ''}${few(error, 5)}, began ${marker ? `${ago}, ${markerInWords(marker, rise)}` : ago}.`,
              evidence: [fact('error', rise.isNewError ? 'new error' : 'error', error)],
            },
          }),
      rank: 600 + magnitude(rise.failedSince),
      ...(isWhyItGrows ? { accountsFor: [{ queue: queue.id }] } : {}),
    };
  }),
};

/** Each run that fails is a job that did not leave: failures that make up half of the growth are why it grows. */
function doRetriesPileUp({ failedPerSecond }: JobTypeState, { rates }: QueueState): boolean {
  if (rates?.isGrowing !== true || failedPerSecond === null || failedPerSecond <= 0) return false;
  return failedPerSecond >= rates.growthPerSecond * RETRIES_SHARE;
}

/** The nearest one before, else the nearest after; a deploy before a note. */
function markerBeside(snapshot: Snapshot, queueId: string, atMs: number): Marker | null {
  const near = snapshot.markers.filter(
    (marker) =>
      (marker.queue === null || marker.queue === queueId) &&
      atMs - marker.atMs <= MARKER_BEFORE_MS &&
      marker.atMs - atMs <= MARKER_AFTER_MS,
  );
  const weigh = (marker: Marker): number =>
    (marker.kind === 'deploy' ? 0 : MARKER_BEFORE_MS) +
    (marker.atMs <= atMs ? atMs - marker.atMs : 10 * (marker.atMs - atMs));
  return [...near].sort((a, b) => weigh(a) - weigh(b))[0] ?? null;
}

function markerInWords(marker: Marker, rise: FailureRise): string {
  const seconds = (rise.firstFailureAtMs - marker.atMs) / 1000;
  const when = seconds >= 0 ? `${briefDuration(seconds)} after` : `${briefDuration(-seconds)} before`;
  return `${when} ${marker.kind} ${few(marker.text, 3)}`;
}

/** A backlog that is gone sooner than this hurts nobody, whatever a run takes. */
const LONG_DRAIN_SECONDS = 300;

export const jobTypeBatchWait: FindingRule = {
  code: 'jobtype.batch-wait',
  about:
    'Runs of a job type wait for a client that gathers requests and sends them when a batch is full or a timer ends; with too few in flight every batch waits for the timer.',
  detect: forTypes((type, queue, snapshot, _nowMs, thresholds) => {
    const advice = batchAdvice(queue, type, snapshot);
    const wait = type.batchWait;
    if (!advice || !wait) return null;
    const isBacklog = queue.backlog >= thresholds.backlogMinJobs;
    const isLong = queue.drainSeconds === null ? false : queue.drainSeconds > LONG_DRAIN_SECONDS;
    const isWorse = isBacklog && (isLong || queue.rates?.isGrowing === true);
    const wall = briefDuration(wait.flushTimeoutMs / 1000);
    return {
      severity: isWorse ? 'critical' : isBacklog ? 'warning' : 'info',
      ...about(typeName(type, queue), `waits ${wall} for a batch`),
      cause: capitalized(`${advice.why}.`),
      effect: isBacklog
        ? `${jobsWaitBriefly(queue.backlog)} behind it.`
        : `Each run takes ${wall}, though the work is not slow.`,
      action: isFull(snapshot)
        ? `Make room in Redis first, then ${advice.target}.`
        : `${capitalized(advice.target)}, or flush batches sooner.`,
      detail: `${advice.detail}${advice.remedy === null ? ' Attach the agent to set it from here.' : ''}`,
      evidence: [
        fact('batch-wait', 'batch wait', wait.flushTimeoutMs / 1000, 'seconds'),
        ...(wait.batchSize !== null
          ? [fact('batch-size', 'batch size', wait.batchSize, 'count')]
          : wait.batchSizeAtLeast > 2
            ? [fact('batch-size-above', 'batch above', wait.batchSizeAtLeast - 1, 'count')]
            : []),
        fact('suggested-concurrency', 'suggested concurrency', advice.slotsPerWorker, 'count'),
        ...flowEvidence(queue, snapshot),
        fact('sync-ratio', 'runs ending together', wait.evidence.syncRatio, 'ratio'),
        fact('chance-ratio', 'by chance', wait.evidence.chanceRatio, 'ratio'),
        fact('at-flush-ratio', 'runs of that length', wait.evidence.shareAtFlush, 'ratio'),
        fact('bursts', 'bursts seen', wait.evidence.bursts, 'count'),
        fact('runs-sampled', 'runs looked at', wait.evidence.runs, 'count'),
        fact('confidence', 'confidence', wait.confidence, 'ratio'),
      ],
      // While Redis is full more slots only make more errors (facts.md): room comes first, and redis.full offers it.
      remedies: advice.remedy && !isFull(snapshot) ? [advice.remedy] : [],
      rank: 545 + magnitude(queue.backlog) / 10,
      ...(holdsMostSlots(type, queue) ? { accountsFor: [{ queue: queue.id }] } : {}),
    };
  }),
};

export const jobTypeSlow: FindingRule = {
  code: 'jobtype.slow',
  about:
    'A job type takes longer than the threshold that was set for it, or than it used to, or sets the time that its queue needs to drain.',
  detect: forTypes((type, queue) => {
    // A client that batches is why, and is found as that.
    if (!type.slow || !type.run || type.batchWait) return null;
    return {
      severity: type.slow.code === 'drain' ? 'info' : 'warning',
      ...about(typeName(type, queue), `slow, ${briefDuration(type.run.p50Ms / 1000)} a run`),
      cause: reasonInWords(type.slow),
      effect:
        queue.backlog > 0
          ? `${jobsWaitBriefly(queue.backlog)} in its queue.`
          : 'Its jobs end later; nothing waits for them now.',
      action:
        type.slow.code === 'baseline'
          ? 'Look at what it calls, and at the last deploy.'
          : 'Raise concurrency if what it calls can bear it, or give it a queue.',
      evidence: [
        fact('run-p50', 'median', type.run.p50Ms / 1000, 'seconds'),
        fact('run-p95', 'p95', type.run.p95Ms / 1000, 'seconds'),
        ...(type.baseline ? [fact('usual-p50', 'usual median', type.baseline.p50Ms / 1000, 'seconds')] : []),
        ...(type.effectiveConcurrency === null
          ? []
          : [fact('busy-slots', 'slots busy', type.effectiveConcurrency, 'count')]),
        fact('run-p99', 'p99', type.run.p99Ms / 1000, 'seconds'),
        fact('runs', 'runs seen', type.run.count, 'count'),
        ...(type.source === null ? [] : [fact('source', 'known from', SOURCE[type.source])]),
      ],
      rank: (type.slow.code === 'drain' ? 150 : 450) + magnitude(queue.backlog),
      // It has become slow, and most slots are busy with it: that is why its queue falls behind.
      ...(type.slow.code !== 'drain' && holdsMostSlots(type, queue)
        ? { accountsFor: [{ queue: queue.id }] }
        : {}),
    };
  }),
};

const SOURCE: Readonly<Record<NonNullable<JobTypeState['source']>, string>> = {
  agent: 'the agents of its workers',
  finished: 'finished jobs that are kept',
  events: "the queue's events",
  active: 'jobs that run now',
};

function reasonInWords(slow: SlowReason): string {
  if (slow.code === 'threshold')
    return `5% of runs take ${briefDuration(slow.p95Ms / 1000)} or longer, over its slow threshold of ${briefDuration(slow.thresholdMs / 1000)}.`;
  if (slow.code === 'baseline')
    return `A run takes ${briefDuration(slow.nowP50Ms / 1000)}, ${briefCount(slow.nowP50Ms / Math.max(1, slow.baselineP50Ms))} times the usual ${briefDuration(slow.baselineP50Ms / 1000)}.`;
  return `It is ${formatRatio(slow.shareOfWork)} of the pending work, so it sets the drain time.`;
}

/** Two queues may have a type of one name. */
function typeName({ name }: JobTypeState, queue: QueueState): string {
  return `${plainName(name)} of ${queueName(queue)}`;
}
