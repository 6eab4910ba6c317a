/** Firings further back say nothing about flapping now. */
export const FLAP_WINDOW_MS = 3_600_000;
/** So many firings in the window are no flapping yet. */
const CALM_FIRINGS = 2;
const MAX_KEEP_MS = 30 * 60_000;
/** What a rule without patience gets once it flaps. */
const LEAST_FLAP_KEEP_MS = 15_000;

/**
 * How long an alert must be over before it is resolved: what its rule says, doubled for every firing beyond the second
 * in the last hour, to at most half an hour. One that flaps becomes one long alert and not twenty messages.
 * @param firings when it fired before and this time, in any order.
 */
export function dampedKeepMs(keepFiringMs: number, firings: readonly number[], nowMs: number): number {
  const lately = firings.filter((atMs) => atMs > nowMs - FLAP_WINDOW_MS).length;
  if (lately <= CALM_FIRINGS) return keepFiringMs;
  const doubled = Math.max(keepFiringMs, LEAST_FLAP_KEEP_MS) * 2 ** (lately - CALM_FIRINGS);
  return Math.max(keepFiringMs, Math.min(MAX_KEEP_MS, doubled));
}
/**
 * The life of an alert:
 *
 *   (none) ──breach──▶ pending ──breach for `forMs`──▶ firing ──clear for `keepFiringMs`──▶ resolved
 *                         └──anything but a breach──▶ (none)
 *
 * `held` is between the clear level and the threshold: it starts nothing and ends nothing. `unknown` is a blind console
 * or a signal that is not known: everything stays as it is, and no time counts. Time counts only between two looks that
 * both saw the same and that lie no further apart than `mostGapMs`: what was not looked at is no evidence.
 */
export type Level = 'breach' | 'held' | 'clear' | 'unknown';

export interface Course {
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

export interface Timing {
  readonly forMs: number;
  readonly keepFiringMs: number;
  readonly mostGapMs: number;
}

/**
 * One look at one alert. Pure; at most one transition a call.
 * @param course null: there is none. One that is resolved stays so: what comes after is another alert.
 * @returns null where it is not even pending (any more).
 */
export function advance(course: Course | null, level: Level, timing: Timing, nowMs: number): Course | null {
  if (course === null) return level === 'breach' ? begin(timing, nowMs) : null;
  if (course.state === 'resolved') return course;
  const gapMs = nowMs - course.seenAtMs;
  const countedMs = course.seen === level && gapMs > 0 && gapMs <= timing.mostGapMs ? gapMs : 0;
  // Not a spread of what came in: that is a whole alert, of which there may be thousands a tick.
  const looked: Course = {
    state: course.state,
    sinceMs: course.sinceMs,
    heldMs: course.heldMs,
    clearMs: course.clearMs,
    firedAtMs: course.firedAtMs,
    resolvedAtMs: course.resolvedAtMs,
    seenAtMs: nowMs,
    seen: level,
  };
  if (level === 'unknown') return looked;
  return course.state === 'pending'
    ? whilePending(looked, level, countedMs, timing, nowMs)
    : whileFiring(looked, level, countedMs, timing, nowMs);
}

function begin({ forMs }: Timing, nowMs: number): Course {
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

function whilePending(
  course: Course,
  level: Level,
  countedMs: number,
  { forMs }: Timing,
  nowMs: number,
): Course | null {
  if (level !== 'breach') return null;
  const heldMs = course.heldMs + countedMs;
  return heldMs >= forMs ? { ...course, heldMs, state: 'firing', firedAtMs: nowMs } : { ...course, heldMs };
}

function whileFiring(
  course: Course,
  level: Level,
  countedMs: number,
  { keepFiringMs }: Timing,
  nowMs: number,
): Course {
  if (level !== 'clear') return { ...course, clearMs: 0 };
  const clearMs = course.clearMs + countedMs;
  return clearMs >= keepFiringMs
    ? { ...course, clearMs, state: 'resolved', resolvedAtMs: nowMs }
    : { ...course, clearMs };
}
