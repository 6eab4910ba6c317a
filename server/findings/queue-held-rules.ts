import {
  about,
  briefAge,
  briefCount,
  briefDuration,
  briefRate,
  few,
  jobsWaitBriefly,
} from '../model/brief.js';
import { fact } from '../model/evidence.js';
import type { FindingRule, FoundNow, Remedy } from '../model/finding.js';
import { formatCount, formatDuration, formatJobs, formatRateLimit } from '../model/format.js';
import {
  allowedPerSecond,
  connectedWorkers,
  isFull,
  secondsWithoutDeparture,
  waitedSeconds,
} from '../model/queue-verdict.js';
import { LONGEST_WINDOW_MS, MAX_CONCURRENCY, MAX_RATE } from '../model/rate-limit.js';
import type { QueueState } from '../model/snapshot.js';
import { magnitude, plainName, queueName } from '../model/words.js';
import type { WorkerState } from '../model/worker.js';
import { flowEvidence, forVerdict } from './queue-evidence.js';
import { names, remedyFor } from './worker-evidence.js';

export const queueRateLimited: FindingRule = {
  code: 'queue.rate-limited',
  about: 'A rate limit holds the workers of this queue while jobs wait.',
  detect: forVerdict(['rate-limited'], (queue, snapshot) => {
    const isGrowing = queue.rates?.isGrowing === true;
    const allowed = allowedPerSecond(queue);
    return {
      severity: isGrowing ? 'warning' : 'info',
      ...about(queueName(queue), 'held by a rate limit'),
      cause: limitOf(queue),
      effect: `${jobsWaitBriefly(queue.backlog)}${drainAt(queue, allowed)}.`,
      action: isFull(snapshot)
        ? 'Make room in Redis before you raise the limit.'
        : `Raise the limit${queue.rateLimit ? '' : " in the workers' code"}, if what the jobs call can bear it.`,
      ...stretchedBy(queue),
      evidence: [
        fact('waiting', 'waiting', queue.backlog, 'jobs'),
        ...(allowed === null ? [] : [fact('allowed-rate', 'let through', allowed, 'jobs/s')]),
        ...(queue.rateLimit && queue.rateLimit.durationMs > 0
          ? [
              fact(
                'global-rate-limit',
                'global rate limit',
                formatRateLimit(queue.rateLimit.max, queue.rateLimit.durationMs),
              ),
            ]
          : []),
        fact('held-for', 'held for', queue.rateLimitedForMs / 1000, 'seconds'),
        ...flowEvidence(queue, snapshot).filter(({ name }) => name !== 'waiting'),
      ],
      remedies: isFull(snapshot) ? [] : loosenRateLimit(queue),
      rank: 350 + magnitude(queue.backlog),
    };
  }),
};

function limitOf(queue: QueueState): string {
  if (!queue.rateLimit) return "A rate limit in the workers' own code holds them.";
  const { max, durationMs } = queue.rateLimit;
  // A limit set without a duration takes that of the workers.
  const per =
    durationMs <= 0
      ? 'window of the workers'
      : durationMs === 1000
        ? 'second'
        : briefDuration(durationMs / 1000);
  return `The global rate limit is ${briefCount(max)} per ${per}.`;
}

/** The worker's own duration wins over the global one, so a longer window in Redis is not the one that was set here. */
function stretchedBy({ rateLimit, observedLimiterMs }: QueueState): { readonly detail?: string } {
  const durationMs = rateLimit?.durationMs ?? 0;
  if (durationMs <= 0 || observedLimiterMs <= durationMs) return {};
  const window = formatDuration(observedLimiterMs / 1000);
  return { detail: `Its window is stretched to ${window} by the workers' own setting.` };
}

/** What the limit makes of the backlog, which is what a person wants to weigh it by. */
function drainAt(queue: QueueState, allowed: number | null): string {
  if (allowed === null || allowed <= 0) return '';
  const net = allowed - (queue.rates?.arrivalsPerSecond ?? 0);
  return net > 0
    ? `; at ${briefRate(allowed)} they are gone in ${briefDuration(queue.backlog / net)}`
    : `; ${briefRate(allowed)} is less than is added, so it never drains`;
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
      effect: 'Twice as many jobs start in the same time; what they call must bear that.',
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
    const waited = oldest === null ? '' : `, the oldest for ${briefDuration(oldest)}`;
    // BullMQ names its connections after the queue; names with spaces or non-ASCII characters vanish from CLIENT LIST.
    const isDoubtful = !/^[!-~]*$/.test(queue.name);
    return {
      // A queue that nobody feeds any more is left over rather than broken.
      severity: arrivals > 0 ? 'critical' : 'warning',
      ...about(queueName(queue), 'no workers'),
      cause: `No worker of it is connected${isDoubtful ? ', as far as Redis shows' : ''}.`,
      effect: `${jobsWaitBriefly(queue.backlog)}${waited}${moreAdded(arrivals)}.`,
      action: isFull(snapshot)
        ? 'Make room in Redis, then start workers: while it is full new ones take nothing.'
        : 'Start workers for it, or find out why they are gone.',
      ...(isDoubtful ? { detail: 'Workers of queues with such a name can be invisible to Redis.' } : {}),
      evidence: flowEvidence(queue, snapshot),
      rank: (arrivals > 0 ? 700 : 300) + magnitude(queue.backlog),
    };
  }),
};

/** "; 12/s more are added", or nothing. */
function moreAdded(arrivals: number): string {
  return arrivals > 0 ? `; ${briefRate(arrivals)} more are added` : '';
}

export const queueCapped: FindingRule = {
  code: 'queue.capped',
  about:
    'Every slot of the global concurrency is in use while jobs wait: the cap limits the queue, not its workers.',
  detect: forVerdict(['capped'], (queue, snapshot, nowMs, thresholds) => {
    const cap = queue.concurrency ?? 0;
    // The verdict is held against noise: shown is what is so now.
    const { active } = queue.counts;
    const inUse =
      active >= cap ? `All ${briefCount(cap)}` : `${briefCount(active)} of the ${briefCount(cap)}`;
    const isGrowing = queue.rates?.isGrowing === true;
    const quiet = secondsWithoutDeparture(queue, nowMs);
    const motion =
      quiet >= thresholds.stuckSeconds
        ? `, and none has left for ${briefAge(quiet)}`
        : isGrowing
          ? `; the backlog grows by ${briefRate(queue.rates?.growthPerSecond ?? 0)}`
          : '';
    return {
      severity: isGrowing || cap <= 0 ? 'warning' : 'info',
      ...about(
        queueName(queue),
        cap <= 0 ? 'global concurrency is 0' : `held at concurrency ${briefCount(cap)}`,
      ),
      cause:
        cap <= 0
          ? 'It was set to 0, not from this console: workers take nothing.'
          : `${inUse} slots of its global concurrency are in use: that holds it, not its workers.`,
      effect: `${jobsWaitBriefly(queue.backlog)}${motion}.`,
      action: isFull(snapshot)
        ? 'Make room in Redis before you raise it.'
        : 'Raise or remove it, if what the jobs call can bear that.',
      evidence: [
        fact('waiting', 'waiting', queue.backlog, 'jobs'),
        fact('global-concurrency', 'global concurrency', cap, 'count'),
        ...flowEvidence(queue, snapshot).filter(({ name }) => name !== 'waiting'),
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
    effect: `${formatJobs(cap * 2)} run at a time instead of ${formatCount(cap)}, if its workers have slots to spare.`,
    queues: [queue.id],
    args: { value: cap * 2 },
  };
  const remove: Remedy = {
    action: 'queue.concurrency',
    label: 'Remove the global concurrency',
    effect: 'As many jobs run as its workers have slots; what they call must bear that.',
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
    return {
      severity: arrivals > 0 ? 'critical' : 'warning',
      ...about(
        queueName(queue),
        one ? 'its only worker is paused' : `all ${briefCount(paused.length)} workers are paused`,
      ),
      cause: pausedBy(paused, nowMs),
      effect: `${jobsWaitBriefly(queue.backlog)}, and none is taken${moreAdded(arrivals)}.`,
      action: isFull(snapshot) ? 'Make room in Redis before you resume.' : `Resume ${one ? 'it' : 'them'}.`,
      detail: `Paused: ${names(paused)}.`,
      evidence: [...flowEvidence(queue, snapshot), fact('paused-workers', 'paused', paused.length, 'count')],
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
  if (ordered.length === 0)
    return paused.length === 1 ? 'Its application paused it.' : 'Their application paused them.';
  const others = ordered.length === paused.length ? '' : ', and their application the others';
  if (!order) return `Spillway paused them${others}.`;
  const ago = briefAge(Math.max(0, nowMs - order.atMs) / 1000);
  const reason = order.reason === '' ? '' : `: ${few(order.reason, 5)}`;
  return `Paused by ${plainName(order.by)} from here ${ago} ago${others}${reason}.`;
}

export const queuePausedWithBacklog: FindingRule = {
  code: 'queue.paused-with-backlog',
  about: 'A queue was stopped on purpose, by this console or by the application, and jobs wait in it.',
  detect: (snapshot, nowMs, thresholds) =>
    snapshot.queues
      .filter((queue) => queue.flow !== 'running' && queue.backlog > 0)
      .map((queue): FoundNow => {
        const arrivals = queue.rates?.arrivalsPerSecond ?? 0;
        return {
          severity: queue.backlog >= thresholds.backlogMinJobs ? 'warning' : 'info',
          queue: queue.id,
          ...about(queueName(queue), 'paused, and jobs wait'),
          cause: stoppedBy(queue, nowMs),
          effect: `${jobsWaitBriefly(queue.backlog)}, and none is taken${moreAdded(arrivals)}.`,
          action: isFull(snapshot)
            ? 'Make room in Redis before you resume it.'
            : queue.flow === 'paused'
              ? 'Resume it, unless whoever paused it had a reason.'
              : 'Resume it once its reason is gone.',
          evidence: flowEvidence(queue, snapshot),
          remedies: isFull(snapshot) ? [] : [resume(queue)],
          rank: 450 + magnitude(queue.backlog),
        };
      }),
};

function stoppedBy(queue: QueueState, nowMs: number): string {
  if (queue.flow === 'paused') return 'Its application paused it.';
  if (!queue.pause) return 'It is paused.';
  const ago = briefAge(Math.max(0, nowMs - queue.pause.atMs) / 1000);
  return `${plainName(queue.pause.actor)} paused it from here ${ago} ago.`;
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
