import { fact } from '../model/evidence.js';
import type { FindingRule, Remedy } from '../model/finding.js';
import { formatCount, formatDuration, formatRate, formatRateLimit } from '../model/format.js';
import { allowedPerSecond, isFull } from '../model/queue-verdict.js';
import { LONGEST_WINDOW_MS, MAX_RATE } from '../model/rate-limit.js';
import type { QueueState } from '../model/snapshot.js';
import { jobsWait, magnitude, queueName } from '../model/words.js';
import { flowEvidence, forVerdict } from './queue-evidence.js';

export const queueRateLimited: FindingRule = {
  code: 'queue.rate-limited',
  about: 'A rate limit holds the workers of this queue while jobs wait.',
  detect: forVerdict(['rate-limited'], (queue, snapshot) => {
    const isGrowing = queue.rates?.isGrowing === true;
    const allowed = allowedPerSecond(queue);
    const growth = isGrowing ? ` and ${formatRate(queue.rates?.growthPerSecond ?? 0)} more come than go` : '';
    return {
      severity: isGrowing ? 'warning' : 'info',
      title: 'Held by a rate limit',
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
      remedies: isFull(snapshot) ? [] : loosen(queue),
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

function loosen(queue: QueueState): readonly Remedy[] {
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
