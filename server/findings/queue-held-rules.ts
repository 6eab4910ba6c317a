import { fact } from '../model/evidence.js';
import type { FindingRule, FoundNow, Remedy } from '../model/finding.js';
import { formatCount, formatDuration, formatJobs, formatRate, formatRateLimit } from '../model/format.js';
import {
  allowedPerSecond,
  connectedWorkers,
  isFull,
  secondsWithoutDeparture,
  waitedSeconds,
} from '../model/queue-verdict.js';
import { LONGEST_WINDOW_MS, MAX_CONCURRENCY, MAX_RATE } from '../model/rate-limit.js';
import type { QueueState } from '../model/snapshot.js';
import { jobsWait, magnitude, plainName, queueName } from '../model/words.js';
import type { WorkerState } from '../model/worker.js';
import { flowEvidence, forVerdict } from './queue-evidence.js';
import { names, remedyFor } from './worker-evidence.js';

export const queueRateLimited: FindingRule = {
  code: 'queue.rate-limited',
  about: 'A rate limit holds the workers of this queue while jobs wait.',
  detect: forVerdict(['rate-limited'], (queue, snapshot) => {
    const isGrowing = queue.rates?.isGrowing === true;
    const allowed = allowedPerSecond(queue);
    const growth = isGrowing ? ` and ${formatRate(queue.rates?.growthPerSecond ?? 0)} more come than go` : '';
    return {
      severity: isGrowing ? 'warning' : 'info',
      headline: 'Held by a rate limit',
      sentence: `${limitOf(queue)} holds the workers of ${queueName(queue)}, while ${jobsWait(queue)}${growth}${drainAt(queue, allowed)}.`,
      evidence: [
        ...(queue.rateLimit && queue.rateLimit.durationMs > 0
          ? [
              fact(
                'global-rate-limit',
                'global rate limit',
                formatRateLimit(queue.rateLimit.max, queue.rateLimit.durationMs),
              ),
            ]
          : []),
        ...(allowed === null ? [] : [fact('allowed-rate', 'lets through', allowed, 'jobs/s')]),
        fact('held-for', 'held for', queue.rateLimitedForMs / 1000, 'seconds'),
        ...flowEvidence(queue, snapshot),
      ],
      remedies: isFull(snapshot) ? [] : loosenRateLimit(queue),
      rank: 350 + magnitude(queue.backlog),
    };
  }),
};

function limitOf(queue: QueueState): string {
  if (!queue.rateLimit) return "A rate limit in the workers' own code";
  const { max, durationMs } = queue.rateLimit;
  // The worker's own duration wins over the global one, so a longer window in Redis is not the one that was set here.
  const stretched =
    durationMs > 0 && queue.observedLimiterMs > durationMs
      ? ` (stretched to ${formatDuration(queue.observedLimiterMs / 1000)} by the workers' own setting)`
      : '';
  // A limit set without a duration takes that of the workers.
  const text =
    durationMs > 0 ? formatRateLimit(max, durationMs) : `${formatCount(max)} per window of the workers`;
  return `The global rate limit of ${text}${stretched}`;
}

/** What the limit makes of the backlog, which is what a person wants to weigh it by. */
function drainAt(queue: QueueState, allowed: number | null): string {
  if (allowed === null || allowed <= 0) return '';
  const net = allowed - (queue.rates?.arrivalsPerSecond ?? 0);
  return net > 0
    ? `: at ${formatRate(allowed)} the backlog is gone in ${formatDuration(queue.backlog / net)}`
    : `: ${formatRate(allowed)} is less than arrives, so the backlog never drains`;
}

function loosenRateLimit(queue: QueueState): readonly Remedy[] {
  // A limit of the workers is not ours to guess: a global one over it could as well speed it up past what they can bear.
  if (!queue.rateLimit || queue.rateLimit.durationMs <= 0) return [];
  const max = Math.max(1, queue.rateLimit.max) * 2;
  // The window that counts, not the one that is set: the action writes a rate so that it means what is typed.
  const durationMs = Math.max(queue.rateLimit.durationMs, wholeSeconds(queue.observedLimiterMs));
  if (max > MAX_RATE || durationMs > LONGEST_WINDOW_MS) return [];
  return [
    {
      action: 'queue.rate-limit',
      label: `Raise the rate limit to ${formatRateLimit(max, durationMs)}`,
      effect: 'Lets twice as many jobs start in the same time; what they call must bear that.',
      queues: [queue.id],
      args: { max, durationMs },
    },
  ];
}

/** A window is seen as what is left of it: 4,987 ms were 5 s. */
function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1000) * 1000;
}

export const queueNoWorkers: FindingRule = {
  code: 'queue.no-workers',
  about: 'Jobs wait and no worker of this queue is connected.',
  detect: forVerdict(['no-workers'], (queue, snapshot) => {
    const oldest = waitedSeconds(queue, snapshot);
    const arrivals = queue.rates?.arrivalsPerSecond ?? 0;
    const waited = oldest === null ? '' : `, the oldest for ${formatDuration(oldest)}`;
    const more = arrivals > 0 ? `, and ${formatRate(arrivals)} more arrive` : '';
    // BullMQ names its connections after the queue; names with spaces or non-ASCII characters vanish from CLIENT LIST.
    const doubt = /^[!-~]*$/.test(queue.name)
      ? ''
      : ' (workers of queues with such a name can be invisible to Redis; check before you act)';
    const then = isFull(snapshot)
      ? 'start them only after there is room in Redis: while it is full a new worker takes nothing'
      : 'start workers for it, or find out why they are gone';
    return {
      // A queue that nobody feeds any more is left over rather than broken.
      severity: arrivals > 0 ? 'critical' : 'warning',
      headline: 'No workers',
      sentence: `${jobsWait(queue)} in ${queueName(queue)}${waited}${more}, but no worker of it is connected${doubt}: ${then}.`,
      evidence: flowEvidence(queue, snapshot),
      rank: (arrivals > 0 ? 700 : 300) + magnitude(queue.backlog),
    };
  }),
};

export const queueCapped: FindingRule = {
  code: 'queue.capped',
  about:
    'Every slot of the global concurrency is in use while jobs wait: the cap limits the queue, not its workers.',
  detect: forVerdict(['capped'], (queue, snapshot, nowMs, thresholds) => {
    const cap = queue.concurrency ?? 0;
    // The verdict is held against noise: shown is what is so now.
    const { active } = queue.counts;
    const inUse =
      active >= cap ? `All ${formatCount(cap)}` : `${formatCount(active)} of the ${formatCount(cap)}`;
    const isGrowing = queue.rates?.isGrowing === true;
    const quiet = secondsWithoutDeparture(queue, nowMs);
    const motion =
      quiet >= thresholds.stuckSeconds
        ? `, and none has left for ${formatDuration(quiet)}`
        : isGrowing
          ? ` and ${formatRate(queue.rates?.growthPerSecond ?? 0)} more come than go`
          : '';
    return {
      severity: isGrowing || cap <= 0 ? 'warning' : 'info',
      headline: cap <= 0 ? 'Global concurrency is 0' : 'Held by its global concurrency',
      sentence:
        cap <= 0
          ? `The global concurrency of ${queueName(queue)} is 0 and was not set from this console, so workers take nothing: ${jobsWait(queue)}.`
          : `${inUse} slots that the global concurrency of ${queueName(queue)} allows are in use, while ${jobsWait(queue)}${motion}: the cap, not the number of workers, is what holds it.`,
      evidence: [
        fact('global-concurrency', 'global concurrency', cap, 'count'),
        ...flowEvidence(queue, snapshot),
      ],
      // More slots mean more memory at work; while Redis is full that hurts.
      remedies: isFull(snapshot) ? [] : loosen(queue, cap),
      rank: 400 + magnitude(queue.backlog),
    };
  }),
};

function loosen(queue: QueueState, cap: number): readonly Remedy[] {
  const double: Remedy = {
    action: 'queue.concurrency',
    label: `Raise global concurrency to ${formatCount(cap * 2)}`,
    effect: `Lets ${formatJobs(cap * 2)} run at a time instead of ${formatCount(cap)}, if its workers have slots to spare.`,
    queues: [queue.id],
    args: { value: cap * 2 },
  };
  const remove: Remedy = {
    action: 'queue.concurrency',
    label: 'Remove the global concurrency',
    effect: 'Lets as many jobs run at a time as its workers have slots; what they call must bear that.',
    queues: [queue.id],
    args: { value: null },
  };
  return cap > 0 && cap * 2 <= MAX_CONCURRENCY ? [double, remove] : [remove];
}

export const queueWorkersPaused: FindingRule = {
  code: 'queue.workers-paused',
  about:
    'Jobs wait, workers are connected, and every one of them is paused: nobody takes a job until one is resumed.',
  detect: forVerdict(['workers-paused'], (queue, snapshot, nowMs) => {
    const paused = connectedWorkers(queue, snapshot);
    const arrivals = queue.rates?.arrivalsPerSecond ?? 0;
    const one = paused.length === 1;
    const more = arrivals > 0 ? `, and ${formatRate(arrivals)} more arrive` : '';
    const then = isFull(snapshot)
      ? 'Redis is full, so make room before you resume'
      : `resume ${one ? 'it' : 'them'}`;
    return {
      severity: arrivals > 0 ? 'critical' : 'warning',
      headline: one ? 'Its only worker is paused' : `All ${formatCount(paused.length)} workers are paused`,
      sentence: `${jobsWait(queue)} in ${queueName(queue)}${more}, and ${one ? `its only worker, ${names(paused)}, is` : `all ${formatCount(paused.length)} of its workers (${names(paused)}) are`} paused ${pausedBy(paused, nowMs)}: ${then}.`,
      evidence: [
        ...flowEvidence(queue, snapshot),
        fact('paused-workers', 'workers that are paused', paused.length, 'count'),
      ],
      remedies: isFull(snapshot)
        ? []
        : remedyFor(
            'worker.resume',
            paused,
            one ? 'Resume worker' : 'Resume all workers',
            `${one ? 'It takes' : 'They take'} jobs again at once, with ${formatCount(paused.reduce((sum, { agent }) => sum + (agent?.concurrency.now ?? 0), 0))} slots.`,
          ),
      rank: (arrivals > 0 ? 690 : 440) + magnitude(queue.backlog),
    };
  }),
};

/** "by Spillway (ada, 12 min ago: slow)", "by their application". */
function pausedBy(paused: readonly WorkerState[], nowMs: number): string {
  const ordered = paused.filter(({ agent }) => agent?.paused === 'order');
  const order = ordered
    .flatMap(({ agent }) => agent?.overrides ?? [])
    .find(({ setting, isFollowed }) => setting === 'paused' && isFollowed);
  const ago = order ? formatDuration(Math.max(0, nowMs - order.atMs) / 1000) : '';
  const who = order
    ? ` (${plainName(order.by)}, ${ago} ago${order.reason === '' ? '' : `: ${plainName(order.reason)}`})`
    : '';
  if (ordered.length === 0) return paused.length === 1 ? 'by its application' : 'by their application';
  return ordered.length === paused.length ? `by Spillway${who}` : `by Spillway${who} or by their application`;
}

export const queuePausedWithBacklog: FindingRule = {
  code: 'queue.paused-with-backlog',
  about: 'A queue was stopped on purpose, by this console or by the application, and jobs wait in it.',
  detect: (snapshot, nowMs, thresholds) =>
    snapshot.queues
      .filter((queue) => queue.flow !== 'running' && queue.backlog > 0)
      .map((queue): FoundNow => {
        const arrivals = queue.rates?.arrivalsPerSecond ?? 0;
        const more = arrivals > 0 ? `, and ${formatRate(arrivals)} more arrive` : '';
        const then = isFull(snapshot)
          ? '; Redis is full, so make room before you resume it'
          : queue.flow === 'paused'
            ? '; whoever paused it may have had a reason'
            : '';
        return {
          severity: queue.backlog >= thresholds.backlogMinJobs ? 'warning' : 'info',
          queue: queue.id,
          headline: 'Paused, jobs wait',
          sentence: `${queueName(queue)} ${stoppedBy(queue, nowMs)}: ${jobsWait(queue)}${more}, and none is taken until it is resumed${then}.`,
          evidence: flowEvidence(queue, snapshot),
          remedies: isFull(snapshot) ? [] : [resume(queue)],
          rank: 450 + magnitude(queue.backlog),
        };
      }),
};

function stoppedBy(queue: QueueState, nowMs: number): string {
  if (queue.flow === 'paused') return 'is paused by its application';
  if (!queue.pause) return 'is paused';
  const ago = formatDuration(Math.max(0, nowMs - queue.pause.atMs) / 1000);
  return `was paused from this console by ${plainName(queue.pause.actor)} ${ago} ago`;
}

function resume(queue: QueueState): Remedy {
  const former = queue.pause?.formerConcurrency ?? null;
  return {
    action: 'queue.resume',
    label: 'Resume',
    effect:
      queue.flow === 'paused'
        ? 'Takes back the pause of the application; workers take jobs at once, and none is lost.'
        : `Workers take jobs again at once, with ${former === null ? 'no global concurrency' : `the former global concurrency of ${former}`}.`,
    queues: [queue.id],
    args: {},
  };
}
