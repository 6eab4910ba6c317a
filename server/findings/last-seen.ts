import type { CurrentFinding } from '../model/finding.js';
import { formatDuration } from '../model/format.js';

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
  const age = formatDuration(Math.max(0, nowMs - lastReadAtMs) / 1000);
  return {
    ...finding,
    severity: 'info',
    title: `Last seen: ${finding.title}`,
    sentence: `Seen ${age} ago, not live: ${finding.sentence}`,
    remedies: [],
    lastSeenAtMs: lastReadAtMs,
  };
}
