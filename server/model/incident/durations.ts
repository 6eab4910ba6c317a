import type { AccountEntry } from '../account/account-entry.js';
import type { IncidentFacts } from './facts.js';

/** Counted from the beginning of the range; null: it did not happen, or is not known. */
export interface IncidentDurations {
  /** Until the first finding. 0: it was found before the range begins. */
  readonly detectedAfterMs: number | null;
  /** Until the first alert fired; null also where no alerting is set up. */
  readonly alertedAfterMs: number | null;
  /** Until somebody pulled the first lever that held. */
  readonly firstActionAfterMs: number | null;
  /** Until the last finding of the range ended; null while one lasts. */
  readonly resolvedAfterMs: number | null;
  /** Until its end, or so far. */
  readonly lastsMs: number;
}

export function durationsOf({ fromMs, toMs, nowMs, spells, entries }: IncidentFacts): IncidentDurations {
  const after = (atMs: number | undefined): number | null =>
    atMs === undefined ? null : Math.max(0, atMs - fromMs);
  const began = spells.map(({ beganAtMs }) => beganAtMs);
  const ended = spells.map(({ endedAtMs }) => endedAtMs);
  const isResolved = ended.length > 0 && ended.every((atMs) => atMs !== null);
  return {
    detectedAfterMs: began.length > 0 ? after(Math.min(...began)) : null,
    alertedAfterMs: after(entries.find(({ kind }) => kind === 'alert.firing')?.atMs),
    firstActionAfterMs: after(entries.find(isActionThatHeld)?.atMs),
    resolvedAfterMs: isResolved ? after(Math.max(...ended.map((atMs) => atMs ?? 0))) : null,
    lastsMs: Math.max(0, (toMs ?? nowMs) - fromMs),
  };
}

/** Levers that turned out as asked. What was refused helped nobody. */
export function isActionThatHeld({ action }: AccountEntry): boolean {
  return action?.status === 'applied' || action?.status === 'unverified';
}
