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

interface Timing {
  readonly forMs: number;
  readonly keepFiringMs: number;
  readonly maxGapMs: number;
}

/** What begins now with a breach. */
export function begin({ forMs }: Pick<Timing, 'forMs'>, nowMs: number): Lifecycle {
  const isFiring = forMs <= 0;
  return {
    state: isFiring ? 'firing' : 'pending',
    sinceMs: nowMs,
    heldMs: 0,
    clearMs: 0,
    firedAtMs: isFiring ? nowMs : null,
    resolvedAtMs: null,
    seenAtMs: nowMs,
    seen: 'breach',
  };
}

/**
 * One look. Pure; at most one transition a call.
 * @param life with whatever else is known of it; null: there is none. One that is resolved stays so: what comes after is
 * another one.
 * @returns null where it is not even pending (any more).
 */
export function transition<Life extends Lifecycle>(
  life: Life,
  level: Level,
  timing: Timing,
  nowMs: number,
): Life | null;
export function transition(
  life: Lifecycle | null,
  level: Level,
  timing: Timing,
  nowMs: number,
): Lifecycle | null;
export function transition(
  life: Lifecycle | null,
  level: Level,
  timing: Timing,
  nowMs: number,
): Lifecycle | null {
  if (life === null) return level === 'breach' ? begin(timing, nowMs) : null;
  if (life.state === 'resolved') return life;
  const gapMs = nowMs - life.seenAtMs;
  const countedMs = life.seen === level && gapMs > 0 && gapMs <= timing.maxGapMs ? gapMs : 0;
  const change = changeOf(life, level, countedMs, timing, nowMs);
  return change && { ...life, ...change, seenAtMs: nowMs, seen: level };
}

function changeOf(
  { state, heldMs, clearMs }: Lifecycle,
  level: Level,
  countedMs: number,
  { forMs, keepFiringMs }: Timing,
  nowMs: number,
): Partial<Lifecycle> | null {
  if (level === 'unknown') return {};
  if (state === 'pending') {
    if (level !== 'breach') return null;
    const held = heldMs + countedMs;
    return held < forMs ? { heldMs: held } : { heldMs: held, state: 'firing', firedAtMs: nowMs };
  }
  if (level !== 'clear') return { clearMs: 0 };
  const clear = clearMs + countedMs;
  return clear < keepFiringMs
    ? { clearMs: clear }
    : { clearMs: clear, state: 'resolved', resolvedAtMs: nowMs };
}
