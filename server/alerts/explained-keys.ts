import type { Finding } from '../model/finding.js';

/** Keys of findings that are told with another one and not by themselves, as `withPlace` of the findings makes them. */
export function explainedKeys(findings: readonly Finding[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { instance, explains } of findings)
    for (const { code, queue, jobType } of explains ?? [])
      keys.add([code, instance, queue ?? '', '', ...(jobType === undefined ? [] : [jobType])].join('|'));
  return keys;
}
