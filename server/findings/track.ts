import type { CurrentFinding, Finding, Severity } from './finding.js';

const SEVERITY_ORDER: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };

/** Worst first: severity, then rank, then key, so that equal troubles keep their places from tick to tick. */
export function compareFindings(a: CurrentFinding, b: CurrentFinding): number {
  return (
    SEVERITY_ORDER[a.severity] - SEVERITY_ORDER[b.severity] ||
    b.rank - a.rank ||
    (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  );
}

/**
 * Gives each finding its past: a key that was there at the last tick keeps its `sinceMs`, a new one starts now.
 * @returns ranked, worst first; one finding a key (the worst, should a rule have made two).
 */
export function trackFindings(
  previous: readonly Finding[],
  found: readonly CurrentFinding[],
  nowMs: number,
): readonly Finding[] {
  const since = new Map(previous.map((finding) => [finding.key, finding.sinceMs]));
  const byKey = new Map<string, Finding>();
  for (const finding of [...found].sort(compareFindings)) {
    if (byKey.has(finding.key)) continue;
    byKey.set(finding.key, { ...finding, sinceMs: since.get(finding.key) ?? nowMs });
  }
  return [...byKey.values()];
}
