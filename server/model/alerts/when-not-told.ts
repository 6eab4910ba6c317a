import type { Finding } from '../../findings/finding.js';
import type { Level } from './course.js';
import { explainedKeys } from './explained-keys.js';

/** What a trouble was before it became this one: the console then says the worse one alone. All of them it inhibits. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  'redis.full': ['redis.filling'],
  'queue.no-workers': ['queue.stuck', 'queue.overloaded', 'queue.growing'],
  'queue.workers-paused': ['queue.stuck', 'queue.overloaded', 'queue.growing'],
  'queue.overloaded': ['queue.growing'],
};

/**
 * What it says of a trouble that its finding is not among these: by its key, as `withPlace` of the findings makes them. One
 * that has become worse is so all the more (a Redis that is full no longer fills, and nobody is to be told that this is
 * over); one that another finding explains is there, under the other's name; else it is over.
 */
export function whenNotTold(findings: readonly Finding[]): (key: string) => Level {
  const explained = explainedKeys(findings);
  const worse = worseKeys(findings);
  return (key) => (worse.has(key) ? 'breach' : explained.has(key) ? 'held' : 'clear');
}

function worseKeys(findings: readonly Finding[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { code, instance, queue, queues, node } of findings)
    for (const before of BEFORE[code] ?? [])
      for (const place of [queue, ...(queues ?? [])])
        keys.add([before, instance, place ?? '', node ?? ''].join('|'));
  return keys;
}
