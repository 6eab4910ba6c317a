import type { FindingRule, Remedy } from '../model/finding.js';
import { formatCount, formatDuration, formatJobs, formatRate } from '../model/format.js';
import { MAX_CONCURRENCY } from '../model/limit-bounds.js';
import { isFull, secondsWithoutDeparture } from '../model/queue-verdict.js';
import type { QueueState } from '../model/snapshot.js';
import { jobsWait, magnitude, queueName } from '../model/words.js';
import { flowEvidence, forVerdict } from './queue-evidence.js';

export const queueCapped: FindingRule = {
  code: 'queue.capped',
  about:
    'Every slot of the global concurrency is in use while jobs wait: the cap limits the queue, not its workers.',
  detect: forVerdict(['capped'], (queue, snapshot, nowMs, thresholds) => {
    const cap = queue.concurrency ?? 0;
    // The verdict is held against noise: told is what is so now.
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
      title: cap <= 0 ? 'Global concurrency is 0' : 'Held by its global concurrency',
      sentence:
        cap <= 0
          ? `The global concurrency of ${queueName(queue)} is 0 and was not set from this console, so workers take nothing: ${jobsWait(queue)}.`
          : `${inUse} slots that the global concurrency of ${queueName(queue)} allows are in use, while ${jobsWait(queue)}${motion}: the cap, not the number of workers, is what holds it.`,
      evidence: [
        { label: 'global concurrency', value: cap, unit: 'count' },
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
