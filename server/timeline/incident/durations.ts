import type { ActivityEntry } from '../activity-entry.js';
import type { IncidentFacts } from './facts.js';

/** Counted from the beginning of the range; null: it did not happen, or is not known. */
export interface IncidentDurations {
  /** Until the first finding. 0: it was found before the range begins. */
  readonly detectedAfterMs: number | null;
  /** Until the first alert fired; null also where no alerting is set up. */
  readonly alertedAfterMs: number | null;
  /** Until somebody pulled the first action that held. */
  readonly firstActionAfterMs: number | null;
  /** Until the last finding of the range ended; null while one lasts. */
  readonly resolvedAfterMs: number | null;
  /** Until its end, or so far. */
  readonly lastsMs: number;
  /** Of it, how long a console could not see: held up by its own host, or without an answer from a Redis. */
  readonly blindMs: number;
}

/** Findings while which what is not known must not be taken for nothing. */
const BLIND: ReadonlySet<string> = new Set(['console.starved', 'console.stale', 'redis.unreachable']);

export function durationsOf({ fromMs, toMs, nowMs, episodes, entries }: IncidentFacts): IncidentDurations {
  const after = (atMs: number | undefined): number | null =>
    atMs === undefined ? null : Math.max(0, atMs - fromMs);
  const began = episodes.map(({ beganAtMs }) => beganAtMs);
  const ended = episodes.map(({ endedAtMs }) => endedAtMs);
  const isResolved = ended.length > 0 && ended.every((atMs) => atMs !== null);
  return {
    detectedAfterMs: began.length > 0 ? after(Math.min(...began)) : null,
    alertedAfterMs: after(entries.find(({ kind }) => kind === 'alert.firing')?.atMs),
    firstActionAfterMs: after(entries.find(isActionThatHeld)?.atMs),
    resolvedAfterMs: isResolved ? after(Math.max(...ended.map((atMs) => atMs ?? 0))) : null,
    lastsMs: Math.max(0, (toMs ?? nowMs) - fromMs),
    blindMs: coveredMs(
      episodes.filter(({ code }) => BLIND.has(code)),
      fromMs,
      toMs ?? nowMs,
    ),
  };
}

/** ms of the range in which at least one of them lasted. */
function coveredMs(episodes: IncidentFacts['episodes'], fromMs: number, toMs: number): number {
  let covered = 0;
  let reachedMs = fromMs;
  for (const { beganAtMs, endedAtMs } of [...episodes].sort((a, b) => a.beganAtMs - b.beganAtMs)) {
    const untilMs = Math.min(endedAtMs ?? toMs, toMs);
    covered += Math.max(0, untilMs - Math.max(beganAtMs, reachedMs));
    reachedMs = Math.max(reachedMs, untilMs);
  }
  return covered;
}

/** Actions that turned out as asked. What was refused helped nobody. */
export function isActionThatHeld({ audited }: ActivityEntry): boolean {
  return audited?.status === 'applied' || audited?.status === 'unverified';
}
