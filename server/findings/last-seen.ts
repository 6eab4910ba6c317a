import { formatDuration } from '../model/format.js';
import type { CurrentFinding } from './finding.js';

/** Codes that are about the console's sight itself, and so hold while it can't see. */
const ABOUT_SIGHT: ReadonlySet<string> = new Set(['console.stale', 'redis.unreachable']);

/**
 * What was found in data that are not live: marked as such, at the lowest severity and without remedies (a lever could
 * not reach Redis either). Kept rather than dropped, because "it was full when we lost sight" is what the person on call
 * needs next, and so that a trouble keeps its start through a short blackout.
 */
export function asLastSeen(finding: CurrentFinding, nowMs: number, lastReadAtMs: number): CurrentFinding {
  if (ABOUT_SIGHT.has(finding.code)) return finding;
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
