import { fact } from '../model/evidence.js';
import type { FindingRule } from '../model/finding.js';
import { formatCount, formatDuration } from '../model/format.js';
import { attendedMs } from '../model/self-delay.js';
import { freshnessOf, STALE_AFTER_MS } from '../model/sight.js';
import type { LongNames } from '../model/snapshot.js';
import { plainName, plainProblem } from '../model/words.js';

export const agentsOverflow: FindingRule = {
  code: 'console.agents-overflow',
  about:
    'More is said on the channels of agents than the console takes in: some of it is not read, so that the rest goes on.',
  detect: ({ hearing: { overflow } }) => {
    if (!overflow) return [];
    const { messages, workers, types } = overflow;
    const lost = [
      ...(messages > 0 ? [`${formatCount(messages)} messages were not read`] : []),
      ...(workers > 0 ? [`${formatCount(workers)} times a worker was not taken in`] : []),
      ...(types > 0 ? [`${formatCount(types)} times a job type was counted with others`] : []),
    ];
    return [
      {
        severity: 'warning',
        headline: 'Agents say more than the console takes in',
        sentence: `Somebody publishes more on the channels spillway:* of this Redis than agents do: ${lost.join(', ')}. Workers may be shown late or not at all; queues are read as ever. Find out who publishes, and allow PUBLISH on spillway:* to workers alone.`,
        evidence: [fact('messages-unread', 'messages not read', messages, 'count')],
        rank: 460,
      },
    ];
  },
};

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
        headline: titleOf(queuesBeyond, longNames?.queues ?? 0),
        sentence: parts.join(' '),
        evidence: [
          fact(
            'queues-unwatched',
            'queues not watched, at least',
            queuesBeyond + (longNames?.queues ?? 0),
            'count',
          ),
        ],
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

export const consoleStale: FindingRule = {
  code: 'console.stale',
  about:
    'The console has had no complete read for too long: what it shows is old and must not be taken for live.',
  detect: (snapshot, nowMs) => {
    const { isLive, ageSeconds } = freshnessOf(snapshot, nowMs);
    const { link, poll } = snapshot;
    // Without a connection redis.unreachable says it, and why; before the first read nothing is shown that could be old.
    if (isLive || ageSeconds === null || link.status === 'unreachable' || link.status === 'connecting')
      return [];
    // It was held up itself, and has not looked for longer than that: host.starved says so.
    const isOwnDelay = attendedMs(snapshot.self, link.lastReadAtMs ?? nowMs, nowMs) <= STALE_AFTER_MS;
    if (isOwnDelay && link.problem === null) return [];
    const why = link.problem === null ? 'Redis does not answer its reads' : plainProblem(link.problem);
    return [
      {
        severity: 'critical',
        headline: `Blind for ${formatDuration(ageSeconds)}`,
        sentence: `The console last read Redis at ${plainName(link.address)} ${formatDuration(ageSeconds)} ago (${why}): every number of this Redis is that old, and a Redis that does not answer the console may not answer workers either.`,
        evidence: [
          fact('age', 'age of what is shown', ageSeconds, 'seconds'),
          fact('failed-reads', 'reads that failed', poll.failedTicks, 'count'),
        ],
        rank: 990,
      },
    ];
  },
};
