import type { Level, Lifecycle } from '../model/lifecycle.js';

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
