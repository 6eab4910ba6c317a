import { advance, type Course, dampedKeepMs } from './alert-state.js';
import { levelOf, watchCondition } from './conditions.js';
import type { AlertRule, SignalCondition } from './rule.js';

/** One series of the past at even steps. */
export interface Recorded {
  readonly atMs: readonly number[];
  /** null: a gap, or there was nothing to measure. */
  readonly values: readonly (number | null)[];
  /** Whether the console ran and saw the instance at all: what was not looked at is no evidence. */
  readonly isSeen: readonly boolean[];
  /** Of the condition's second signal at the same times; null: it has none. */
  readonly second: readonly (number | null)[] | null;
  readonly stepMs: number;
  /** NaN: not known. */
  readonly limitBytes: number;
}

export interface WouldHaveFired {
  readonly firedAtMs: number;
  /** null: it would fire still. */
  readonly resolvedAtMs: number | null;
}

/** Steps that may be missing between two points before time stops counting. */
const GAP_STEPS = 2.5;

/**
 * When a rule would have fired for one series of the past, by the same course by which it is judged now. What a step
 * says holds from its beginning to its end, as ticks would have found it.
 */
export function backtest(
  rule: AlertRule & { readonly condition: SignalCondition },
  { atMs, values, isSeen, second, stepMs, limitBytes }: Recorded,
): readonly WouldHaveFired[] {
  const watching = watchCondition(rule.condition);
  const memory = watching.gauge.remember?.() ?? null;
  const fired: WouldHaveFired[] = [];
  let course: Course | null = null;
  atMs.forEach((nowMs, i) => {
    const value = values[i] ?? Number.NaN;
    const beside = { limitBytes, second: second?.[i] ?? Number.NaN };
    const number = memory ? memory.next(value, nowMs, beside) : value;
    const keepFiringMs = dampedKeepMs(
      rule.keepFiringMs,
      fired.map(({ firedAtMs }) => firedAtMs),
      nowMs,
    );
    const timing = { forMs: rule.forMs, keepFiringMs, mostGapMs: stepMs * GAP_STEPS };
    // Not seen: nothing is known, whatever the signal says elsewhere by being unknown.
    const isUnknown = isSeen[i] !== true || (Number.isNaN(value) && watching.whenUnknown === 'hold');
    const level = isUnknown ? 'unknown' : levelOf(watching, number);
    for (const [lookMs, toldMs] of [
      [nowMs, nowMs],
      [nowMs + stepMs - 1, nowMs + stepMs],
    ] as const) {
      const next: Course | null = advance(course, level, timing, lookMs);
      if (next?.state === 'firing' && course?.state !== 'firing')
        fired.push({ firedAtMs: toldMs, resolvedAtMs: null });
      if (next?.state === 'resolved') {
        const last = fired.pop();
        if (last) fired.push({ ...last, resolvedAtMs: toldMs });
        course = null;
        break;
      }
      course = next;
    }
  });
  return fired;
}
