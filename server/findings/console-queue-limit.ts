import { formatCount } from '../model/format.js';
import type { FindingRule } from './finding.js';

export const consoleQueueLimit: FindingRule = {
  code: 'console.queue-limit',
  about:
    'This Redis has more queues than the console watches (20,000): the others are in no list and no sum.',
  detect: ({ discovery: { queuesBeyond = 0 }, queues }) =>
    queuesBeyond === 0
      ? []
      : [
          {
            severity: 'warning',
            queue: null,
            node: null,
            title: `${formatCount(queuesBeyond)} queues are not watched`,
            sentence: `The console watches ${formatCount(queues.length)} queues of this Redis and knows of ${formatCount(queuesBeyond)} more: these are in no list and no sum, and nothing alerts about them. A queue with workers takes the place of an idle one. Remove queues that nobody uses.`,
            evidence: [{ label: 'queues not watched, at least', value: queuesBeyond, unit: 'count' }],
            remedies: [],
            rank: 30,
          },
        ],
};
