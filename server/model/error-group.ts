import { firstLine } from './job-type.js';
import type { JobRow } from './job-view.js';

/** Failed jobs that failed with the same error. */
export interface ErrorGroup {
  /** Of the newest of them: first line, at most 200 characters. */
  readonly error: string;
  readonly count: number;
  /** Of those that were looked at; null: not known. */
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  readonly types: readonly string[];
  /** The newest of them, to look at. */
  readonly jobId: string;
}

/** Failed jobs by their errors, the most frequent first. Errors that differ in numbers and ids alone are one. Pure. */
export function errorGroups(failed: readonly JobRow[]): readonly ErrorGroup[] {
  const groups = new Map<string, JobRow[]>();
  for (const job of failed) {
    if (job.failedReason === null) continue;
    const key = fingerprintOf(job.failedReason);
    const known = groups.get(key);
    if (known) known.push(job);
    else groups.set(key, [job]);
  }
  return [...groups.values()]
    .map((jobs) => {
      const sorted = jobs.toSorted((a, b) => (b.finishedAtMs ?? 0) - (a.finishedAtMs ?? 0));
      const [newest] = sorted;
      return {
        error: firstLine(newest?.failedReason ?? ''),
        count: jobs.length,
        firstAtMs: sorted.at(-1)?.finishedAtMs ?? null,
        lastAtMs: newest?.finishedAtMs ?? null,
        types: [...new Set(jobs.map(({ name }) => name))],
        jobId: newest?.id ?? '',
      };
    })
    .toSorted((a, b) => b.count - a.count || (b.lastAtMs ?? 0) - (a.lastAtMs ?? 0));
}

/** Numbers, hexadecimal ids and what stands in quotes are of one job and not of the error. */
function fingerprintOf(reason: string): string {
  return firstLine(reason)
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '“”')
    .replace(/\b[0-9a-f]*\d[0-9a-f-]*\b/gi, '#');
}
