import type { FindingRule } from '../model/finding.js';
import { formatDuration, formatRate } from '../model/format.js';
import { isFull, waitedSeconds } from '../model/queue-verdict.js';
import { jobsWait, magnitude, queueName } from '../model/words.js';
import { flowEvidence, forVerdict } from './queue-evidence.js';

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
      title: 'No workers',
      sentence: `${jobsWait(queue)} in ${queueName(queue)}${waited}${more}, but no worker of it is connected${doubt}: ${then}.`,
      evidence: flowEvidence(queue, snapshot),
      remedies: [],
      rank: (arrivals > 0 ? 700 : 300) + magnitude(queue.backlog),
    };
  }),
};
