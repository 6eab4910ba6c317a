import type { FindingRule } from '../model/finding.js';
import { formatDuration } from '../model/format.js';
import { attendedMs } from '../model/self-delay.js';
import { freshnessOf, STALE_AFTER_MS } from '../model/sight.js';
import { plainName, plainProblem } from '../model/words.js';

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
        queue: null,
        node: null,
        title: `Blind for ${formatDuration(ageSeconds)}`,
        sentence: `The console last read Redis at ${plainName(link.address)} ${formatDuration(ageSeconds)} ago (${why}): every number of this Redis is that old, and a Redis that does not answer the console may not answer workers either.`,
        evidence: [
          { label: 'age of what is shown', value: ageSeconds, unit: 'seconds' },
          { label: 'reads that failed', value: poll.failedTicks, unit: 'count' },
        ],
        remedies: [],
        rank: 990,
      },
    ];
  },
};
