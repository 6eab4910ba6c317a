import type { FindingRule, FoundNow } from '../model/finding.js';
import { formatDuration, formatRatio } from '../model/format.js';
import type { Loading } from '../model/snapshot.js';
import { plainName, plainProblem } from '../model/words.js';

/** A first connection that takes longer than this is a trouble and not a start. */
const CONNECT_PATIENCE_MS = 5_000;

export const redisUnreachable: FindingRule = {
  code: 'redis.unreachable',
  about: 'The console cannot reach this Redis, so neither can it see nor act there.',
  detect: ({ link }, nowMs) => {
    const sinceSeconds = Math.max(0, nowMs - link.sinceMs) / 1000;
    const isSlowStart = link.status === 'connecting' && sinceSeconds * 1000 >= CONNECT_PATIENCE_MS;
    if (link.status !== 'unreachable' && !isSlowStart) return [];
    if (link.loading) return [loadingFinding(link.address, link.loading)];
    const why = link.problem === null ? '' : ` (${plainProblem(link.problem)})`;
    const lastRead =
      link.lastReadAtMs === null
        ? 'nothing has been read from it yet'
        : `the last numbers are ${formatDuration(Math.max(0, nowMs - link.lastReadAtMs) / 1000)} old`;
    return [
      {
        // Nothing is known to be broken while a first connection is still tried.
        severity: isSlowStart ? 'warning' : 'critical',
        queue: null,
        node: null,
        title: isSlowStart ? 'Redis does not answer yet' : 'Redis is unreachable',
        sentence: `The console has had no connection to Redis at ${plainName(link.address)} for ${formatDuration(sinceSeconds)}${why}: ${lastRead}; if the application can't reach it either, no job is added or done.`,
        evidence: [
          { label: 'address', value: plainName(link.address) },
          { label: 'without connection for', value: sinceSeconds, unit: 'seconds' },
        ],
        remedies: [],
        rank: 1000,
      },
    ];
  },
};

function loadingFinding(address: string, { ratio, secondsLeft }: Loading): FoundNow {
  return {
    severity: 'critical',
    queue: null,
    node: null,
    title: 'Redis is loading its data',
    sentence: `Redis at ${plainName(address)} has been started and reads its data from disk: ${formatRatio(ratio)} are read, about ${formatDuration(secondsLeft)} are left. Until then it serves nobody, and no job is added or done.`,
    evidence: [
      { label: 'read', value: ratio, unit: 'ratio' },
      { label: 'left, by its own estimate', value: secondsLeft, unit: 'seconds' },
    ],
    remedies: [],
    rank: 1000,
  };
}
