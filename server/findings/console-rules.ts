import { briefAge, briefThings, few } from '../model/brief.js';
import { fact } from '../model/evidence.js';
import type { FindingRule } from '../model/finding.js';
import { formatCount } from '../model/format.js';
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
        headline: 'Agents publish more than the console reads',
        cause: 'Somebody publishes more on the channels spillway:* than agents do.',
        effect: 'Workers may be shown late or not at all; queues are read as ever.',
        action: 'Find out who publishes, and allow PUBLISH on spillway:* to workers alone.',
        detail: `So far: ${lost.join(', ')}.`,
        evidence: [fact('messages-unread', 'not read', messages, 'count')],
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
    const isBeyond = queuesBeyond > 0;
    return [
      {
        severity: 'warning',
        headline: titleOf(queuesBeyond, longNames?.queues ?? 0),
        cause: isBeyond
          ? `This Redis has more than the ${briefThings(queues.length, 'queue')} that the console watches.`
          : 'Names of more than 300 characters, with their prefix, are not read.',
        effect: 'These queues are in no list and no sum, and nothing alerts about them.',
        action: isBeyond ? 'Remove queues that nobody uses.' : 'Shorten the name: mostly it is job data.',
        detail: [
          ...(isBeyond ? ['A queue with workers takes the place of an idle one.'] : []),
          ...(longNames ? [longInWords(longNames)] : []),
        ].join(' '),
        evidence: [
          fact('queues-unwatched', 'not watched, at least', queuesBeyond + (longNames?.queues ?? 0), 'count'),
        ],
        rank: 30,
      },
    ];
  },
};

function titleOf(beyond: number, long: number): string {
  if (beyond > 0)
    return `${briefThings(beyond + long, 'queue')} ${beyond + long === 1 ? 'is' : 'are'} not watched`;
  return long === 1
    ? '1 queue name is too long to be watched'
    : `${briefThings(long, 'queue name')} are too long to be watched`;
}

function longInWords({ queues, example }: LongNames): string {
  const which = queues === 1 ? 'The long name begins' : `One of ${formatCount(queues)} long names begins`;
  return `${which} ${example}…`;
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
    const why = link.problem === null ? 'does not answer its reads' : `says ${few(link.problem)}`;
    return [
      {
        severity: 'critical',
        headline: `The console is blind for ${briefAge(ageSeconds)}`,
        cause: `Redis at ${plainName(link.address)} ${why}.`,
        effect: 'Every number shown is that old, and workers may get no answer either.',
        action: 'Check Redis and the network to it before you trust anything here.',
        evidence: [
          fact('age', 'numbers are old', ageSeconds, 'seconds'),
          fact('failed-reads', 'failed reads', poll.failedTicks, 'count'),
          ...(link.problem === null ? [] : [fact('problem', 'reason', plainProblem(link.problem))]),
        ],
        rank: 990,
      },
    ];
  },
};
