import type { FindingRule, FoundNow, Remedy } from '../model/finding.js';
import { formatDuration, formatRate } from '../model/format.js';
import { isFull } from '../model/queue-verdict.js';
import type { QueueState } from '../model/snapshot.js';
import { jobsWait, magnitude, plainName, queueName } from '../model/words.js';
import { flowEvidence } from './queue-evidence.js';

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
          node: null,
          title: queue.flow === 'paused-by-spillway' ? 'Paused, jobs wait' : 'Paused, jobs wait',
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
