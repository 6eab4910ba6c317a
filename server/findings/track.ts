import { briefAge } from '../model/brief.js';
import type { CurrentFinding, Finding, Severity } from '../model/finding.js';
import { type FindingKey, findingKey } from '../model/finding.js';

/**
 * A finding as somebody may see it: what quotes job data (an error's text, a tenant's name) goes to those alone who may see
 * job data.
 */
export function shownTo(finding: Finding, showsData: boolean): Finding {
  const { fromJobData } = finding;
  if (!fromJobData) return finding;
  if (!showsData) return { ...finding, fromJobData: undefined };
  return {
    ...finding,
    cause: fromJobData.cause,
    evidence: [...finding.evidence, ...fromJobData.evidence],
  };
}

/** Codes that are about the console and its sight, and so hold while it can't see. */
const ABOUT_SIGHT: ReadonlySet<string> = new Set([
  'console.starved',
  'console.stale',
  'console.no-history',
  'console.store',
  'console.channels',
  'redis.unreachable',
]);

/**
 * Findings as they may be shown while the console can't see: those about its sight as they are, the others marked as
 * last seen, at the lowest severity and without remedies (an action could not reach Redis either). Kept rather than
 * dropped, because "it was full when we lost sight" is what the person on call needs next, and so that a trouble keeps
 * its start through a short blackout. Before the first complete read there is nothing to have seen.
 */
export function asLastSeen(
  found: readonly CurrentFinding[],
  nowMs: number,
  lastReadAtMs: number | null,
): readonly CurrentFinding[] {
  return found.flatMap((finding) => {
    if (ABOUT_SIGHT.has(finding.code)) return [finding];
    return lastReadAtMs === null ? [] : [marked(finding, nowMs, lastReadAtMs)];
  });
}

/** A finding that may not be so any more. */
export function marked(finding: CurrentFinding, nowMs: number, lastReadAtMs: number): CurrentFinding {
  const age = briefAge(Math.max(0, nowMs - lastReadAtMs) / 1000);
  return {
    ...finding,
    severity: 'info',
    action: `Not live: seen ${age} ago; no action reaches it now.`,
    remedies: [],
    lastSeenAtMs: lastReadAtMs,
  };
}

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
 * that begins or ends to be shown once for many queues keeps its start too, and so does one whose verdict becomes its
 * neighbour (growing, overloaded).
 * @returns ranked, worst first; one finding a key (the worst, should a rule have made two).
 */
export function trackFindings(
  previous: readonly Finding[],
  found: readonly CurrentFinding[],
  nowMs: number,
): readonly Finding[] {
  const since = startsOf(previous);
  const byKey = new Map<FindingKey, Finding>();
  for (const finding of [...found].sort(compareFindings)) {
    if (byKey.has(finding.key)) continue;
    byKey.set(finding.key, { ...finding, sinceMs: startOf(finding, since) ?? nowMs });
  }
  return [...byKey.values()];
}

interface Starts {
  readonly byKey: ReadonlyMap<FindingKey, number>;
  /** Of merged findings, by the key that each of their queues would have alone. */
  readonly merged: ReadonlyMap<FindingKey, number>;
  /** Of findings shown alone, the first of each queue: job types have keys of their own. */
  readonly alone: ReadonlyMap<FindingKey, number>;
}

function startsOf(previous: readonly Finding[]): Starts {
  const [merged, alone] = [new Map<FindingKey, number>(), new Map<FindingKey, number>()];
  for (const finding of previous) {
    for (const queue of finding.queues ?? []) merged.set(keyAlone(finding, queue), finding.sinceMs);
    if (finding.queue === null) continue;
    const key = keyAlone(finding, finding.queue);
    alone.set(key, Math.min(alone.get(key) ?? finding.sinceMs, finding.sinceMs));
  }
  return { byKey: new Map(previous.map(({ key, sinceMs }) => [key, sinceMs])), merged, alone };
}

function startOf(finding: CurrentFinding, { byKey, merged, alone }: Starts): number | undefined {
  const own = byKey.get(finding.key);
  if (own !== undefined) return own;
  if (finding.queue !== null) {
    const key = keyAlone(finding, finding.queue);
    return merged.get(key) ?? (troubleCode(finding.code) === finding.code ? undefined : alone.get(key));
  }
  const keys = (finding.queues ?? []).map((queue) => keyAlone(finding, queue));
  const starts = keys.flatMap((key) => merged.get(key) ?? alone.get(key) ?? []);
  return starts.length > 0 ? Math.min(...starts) : undefined;
}

function keyAlone({ code, instance, node }: CurrentFinding, queue: string): FindingKey {
  return findingKey({ code: troubleCode(code), instance, queue, node });
}

/** Codes of findings that tell one trouble of a queue: an episode goes on when one follows the other. */
const ONE_TROUBLE: ReadonlySet<string> = new Set(['queue.overloaded', 'queue.growing']);

/** What a finding's code is called where it is asked whether two tell the same trouble. */
export function troubleCode(code: string): string {
  return ONE_TROUBLE.has(code) ? 'queue.behind' : code;
}
