import type { Finding } from '../model/finding.js';
import type { Level } from './course.js';
import { explainedKeys } from './explained-keys.js';

/** What a trouble was before it became this one: the console then says the worse one alone. All of them it inhibits. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  'redis.full': ['redis.filling'],
  'queue.no-workers': ['queue.stuck', 'queue.overloaded', 'queue.growing'],
  'queue.workers-paused': ['queue.stuck', 'queue.overloaded', 'queue.growing'],
  'queue.overloaded': ['queue.growing'],
};

/** Said by a trend, and no trend is known while things settle after a change. */
const BY_TREND: ReadonlySet<string> = new Set(['redis.filling']);

/**
 * What it says of a trouble that its finding is not among these: by its key, as `withPlace` of the findings makes them. One
 * that has become worse is so all the more (a Redis that is full no longer fills, and nobody is to be told that this is
 * over); one that another finding explains is there, under the other's name; one that a trend tells of is not over while none
 * is known; else it is over.
 * @param isSettling something was changed from here a moment ago.
 */
export function whenNotTold(findings: readonly Finding[], isSettling: boolean): (key: string) => Level {
  const explained = explainedKeys(findings);
  const worse = worseKeys(findings);
  const isNotKnown = (key: string) => isSettling && BY_TREND.has(key.split('|', 1)[0] ?? '');
  return (key) => (worse.has(key) ? 'breach' : explained.has(key) || isNotKnown(key) ? 'held' : 'clear');
}

function worseKeys(findings: readonly Finding[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { code, instance, queue, queues, node } of findings)
    for (const before of BEFORE[code] ?? [])
      for (const place of [queue, ...(queues ?? [])])
        keys.add([before, instance, place ?? '', node ?? ''].join('|'));
  return keys;
}
