import type { FindingRule } from '../model/finding.js';
import { formatCount } from '../model/format.js';
import type { LongNames } from '../model/snapshot.js';

export const consoleQueueLimit: FindingRule = {
  code: 'console.queue-limit',
  about:
    'This Redis has queues that the console does not watch, as there are more than 10,000 or their names are too long: they are in no list and no sum.',
  detect: ({ discovery: { queuesBeyond = 0, longNames = null }, queues }) => {
    if (queuesBeyond === 0 && longNames === null) return [];
    const parts = [
      ...(queuesBeyond > 0 ? [beyondInWords(queues.length, queuesBeyond)] : []),
      ...(longNames ? [longInWords(longNames)] : []),
    ];
    return [
      {
        severity: 'warning',
        queue: null,
        node: null,
        title: titleOf(queuesBeyond, longNames?.queues ?? 0),
        sentence: parts.join(' '),
        evidence: [
          {
            label: 'queues not watched, at least',
            value: queuesBeyond + (longNames?.queues ?? 0),
            unit: 'count',
          },
        ],
        remedies: [],
        rank: 30,
      },
    ];
  },
};

function titleOf(beyond: number, long: number): string {
  if (beyond > 0) return `${formatCount(beyond + long)} queues are not watched`;
  return long === 1
    ? '1 queue has too long a name to be watched'
    : `${formatCount(long)} queues have too long names to be watched`;
}

function beyondInWords(watched: number, beyond: number): string {
  return `The console watches ${formatCount(watched)} queues of this Redis and knows of ${formatCount(beyond)} more: these are in no list and no sum, and nothing alerts about them. A queue with workers takes the place of an idle one. Remove queues that nobody uses.`;
}

function longInWords({ queues, example }: LongNames): string {
  const which = queues === 1 ? 'One queue has a name' : `${formatCount(queues)} queues have names`;
  return `${which} of more than 300 characters with its prefix, beginning ${example}…: nothing of it is read, and nothing alerts about it. A name of that length is mostly a job’s data given in the place of a name.`;
}
