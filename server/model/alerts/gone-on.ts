import type { Finding } from '../../findings/finding.js';

/** What a trouble was before it became this one: the console then says the worse one alone. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  'redis.full': ['redis.filling'],
  'queue.no-workers': ['queue.stuck', 'queue.overloaded', 'queue.growing'],
  'queue.overloaded': ['queue.growing'],
};

/**
 * Keys of findings that are not over but have become worse ones, as `withPlace` of the findings makes them: a Redis that is
 * full no longer fills, and nobody is to be told that this is over. All of them are held back by the worse one.
 */
export function goneOnKeys(findings: readonly Finding[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { code, instance, queue, queues, node } of findings)
    for (const before of BEFORE[code] ?? [])
      for (const place of [queue, ...(queues ?? [])])
        keys.add([before, instance, place ?? '', node ?? ''].join('|'));
  return keys;
}
