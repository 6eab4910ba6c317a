import type { FindingRule } from '../model/finding.js';
import { formatDuration } from '../model/format.js';
import { missingOf } from '../model/snapshot.js';
import { plainName, plainSentence } from '../model/words.js';

const MAX_EVIDENCE = 10;

export const redisDataLost: FindingRule = {
  code: 'redis.data-lost',
  about:
    'Redis came back empty or older after a restart, a failover or a flush, or many queues vanished at once: jobs are gone. Told for 24 hours, or until somebody dismisses it. Removing one queue, or a failover to a replica that has all, is none.',
  detect: ({ dataLoss }, nowMs) => {
    if (!dataLoss) return [];
    const { atMs, text, queues } = dataLoss;
    return [
      {
        severity: 'critical',
        queue: null,
        node: null,
        title: 'Jobs were lost',
        sentence: `${plainSentence(text)}. They are not in Redis any more: add them again from where they came, check that Redis keeps its data on disk and on replicas, and dismiss this once it is dealt with.`,
        evidence: [
          { label: 'found', value: `${formatDuration((nowMs - atMs) / 1000)} ago` },
          ...(queues.length > 0
            ? [
                {
                  label: 'jobs missing, at least',
                  value: queues.reduce((sum, queue) => sum + missingOf(queue), 0),
                  unit: 'jobs' as const,
                },
                { label: 'queues that lost data', value: queues.length, unit: 'count' as const },
              ]
            : []),
          ...queues.slice(0, MAX_EVIDENCE).map((queue) => ({
            label: `missing in ${plainName(queue.id)}`,
            value: missingOf(queue),
            unit: 'jobs' as const,
          })),
        ],
        remedies: [
          {
            action: 'redis.dismiss-loss',
            label: 'Dismiss',
            effect: 'It is not told any more; the timeline keeps it, and nothing in Redis changes.',
            queues: [],
            args: {},
          },
        ],
        rank: 995,
        ...(queues.length > 0 ? { queues: queues.map(({ id }) => id) } : {}),
      },
    ];
  },
};
