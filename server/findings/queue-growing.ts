import type { FindingRule } from '../model/finding.js';
import { formatDuration, formatRate } from '../model/format.js';
import { isFull, waitedSeconds } from '../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { jobsWait, magnitude, queueName } from '../model/words.js';
import { mainWork } from './main-work.js';
import { flowEvidence, forVerdict } from './queue-evidence.js';

export const queueGrowing: FindingRule = {
  code: 'queue.growing',
  about: 'More jobs arrive than leave, and no pause, cap, rate limit or missing worker explains it.',
  detect: forVerdict(['growing'], (queue, snapshot) => {
    const arrivals = queue.rates?.arrivalsPerSecond ?? 0;
    const departures = queue.rates?.departuresPerSecond ?? 0;
    const oldest = waitedSeconds(queue, snapshot);
    const work = mainWork(queue);
    const waited = oldest === null ? '' : `, the oldest for ${formatDuration(oldest)}`;
    return {
      severity: 'warning',
      title: `Growing by ${formatRate(queue.rates?.growthPerSecond ?? 0)}`,
      sentence: `${formatRate(arrivals)} arrive in ${queueName(queue)} but only ${formatRate(departures)} leave: ${jobsWait(queue)}${waited}, and it never drains at these rates; ${advice(queue, snapshot)}.${work.words}`,
      evidence: [
        ...flowEvidence(queue, snapshot),
        { label: 'growth', value: queue.rates?.growthPerSecond ?? 0, unit: 'jobs/s' },
      ],
      remedies: [],
      rank: 500 + magnitude(queue.backlog),
      accountsFor: work.accountsFor,
    };
  }),
};

function advice(queue: QueueState, snapshot: Snapshot): string {
  // Measured: raising concurrency over the limit gave 77 → 80 jobs/s and 7,400 errors/s.
  if (isFull(snapshot)) return 'Redis is full, so make room before you scale anything';
  const who =
    queue.workers === null
      ? 'its workers'
      : queue.workers === 1
        ? 'its 1 worker'
        : `its ${queue.workers} workers`;
  return `give ${who} more concurrency, add workers, or slow the producers`;
}
