/**
 * The life of whatever begins, lasts and ends: an alert, the episode of a finding, the time in which one is worse.
 *
 *   (none) ──breach──▶ pending ──breach for `forMs`──▶ firing ──clear for `keepFiringMs`──▶ resolved
 *                         └──anything but a breach──▶ (none)
 *
 * `held` is between the clear level and the threshold: it starts nothing and ends nothing. `unknown` is a blind console
 * or a signal that is not known: everything stays as it is, and no time counts. Time counts only between two looks that
 * both saw the same and that lie no further apart than `maxGapMs`: what was not looked at is no evidence.
 */
export type Level = 'breach' | 'held' | 'clear' | 'unknown';

export interface Lifecycle {
  readonly state: 'pending' | 'firing' | 'resolved';
  /** When the breach was first seen. */
  readonly sinceMs: number;
  /** Counted towards `forMs`. */
  readonly heldMs: number;
  /** Counted towards `keepFiringMs`. */
  readonly clearMs: number;
  readonly firedAtMs: number | null;
  readonly resolvedAtMs: number | null;
  /** The last look, and what it saw. */
  readonly seenAtMs: number;
  readonly seen: Level;
}
