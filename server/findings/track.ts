import type { CurrentFinding, Finding, Severity } from './finding.js';

const SEVERITY_ORDER: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };

/** Negative where `a` is the worse. */
export function compareSeverity(a: Severity, b: Severity): number {
  return SEVERITY_ORDER[a] - SEVERITY_ORDER[b];
}

/** Worst first: severity, then rank, then key, so that equal troubles keep their places from tick to tick. */
export function compareFindings(a: CurrentFinding, b: CurrentFinding): number {
  return (
    compareSeverity(a.severity, b.severity) || b.rank - a.rank || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  );
}

/**
 * Gives each finding its past: a key that was there at the last tick keeps its `sinceMs`, a new one starts now. A trouble
 * that begins or ends to be told once for many queues keeps its start too.
 * @returns ranked, worst first; one finding a key (the worst, should a rule have made two).
 */
export function trackFindings(
  previous: readonly Finding[],
  found: readonly CurrentFinding[],
  nowMs: number,
): readonly Finding[] {
  const since = startsOf(previous);
  const byKey = new Map<string, Finding>();
  for (const finding of [...found].sort(compareFindings)) {
    if (byKey.has(finding.key)) continue;
    byKey.set(finding.key, { ...finding, sinceMs: startOf(finding, since) ?? nowMs });
  }
  return [...byKey.values()];
}

/** Start by key, and for merged findings by the key that each of their queues would have alone. */
function startsOf(previous: readonly Finding[]): ReadonlyMap<string, number> {
  const since = new Map<string, number>();
  for (const finding of previous) {
    for (const queue of finding.queues ?? []) since.set(keyAlone(finding, queue), finding.sinceMs);
  }
  // After those, so that a finding's own start wins.
  for (const finding of previous) since.set(finding.key, finding.sinceMs);
  return since;
}

function startOf(finding: CurrentFinding, since: ReadonlyMap<string, number>): number | undefined {
  const own = since.get(finding.key);
  if (own !== undefined || !finding.queues) return own;
  const starts = finding.queues.flatMap((queue) => since.get(keyAlone(finding, queue)) ?? []);
  return starts.length > 0 ? Math.min(...starts) : undefined;
}

function keyAlone(finding: CurrentFinding, queue: string): string {
  return [finding.code, finding.instance, queue, finding.node ?? ''].join('|');
}
