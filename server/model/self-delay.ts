/** A time in which the console's own process was held up: nothing was read, heard or judged. Times by the wall clock. */
export interface Stall {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How far the console could attend to its work: whether what it did not see can be held against others. */
export interface SelfDelay {
  readonly host: string;
  /** It was held up for so much of the last seconds that what it says of others is in doubt. */
  readonly isStarved: boolean;
  /** Since when `isStarved` is what it is; null: it never was. */
  readonly sinceMs: number | null;
  /** Share of the last JUDGED_MS that it was held up, 0..1. */
  readonly heldUpRatio: number;
  readonly longestStallMs: number;
  /** CPU that its own process used over that time, 0..n cores. Much of it: it was busy itself, not starved by others. */
  readonly cpuRatio: number;
  /** The last minutes, oldest first; bounded. */
  readonly stalls: readonly Stall[];
}

/** How much of the past is judged. */
export const JUDGED_MS = 10_000;
/** A timer that is late by less is no stall: so late come timers on any busy machine. */
export const STALL_FROM_MS = 100;
/** Stalls are kept for so long, and so many of them. */
const KEPT_MS = 10 * 60_000;
const MAX_STALLS = 300;
/** What lies between two stalls and is shorter was no time to attend to anything. */
const JOINED_WITHIN_MS = 20;
/** Starved from here on; over below the other, so that it does not come and go with each second. */
const STARVED_RATIO = 0.5;
const OVER_RATIO = 0.1;

export function noDelay(host: string): SelfDelay {
  const none = { heldUpRatio: 0, longestStallMs: 0, cpuRatio: 0, stalls: [] };
  return { host, isStarved: false, sinceMs: null, ...none };
}

/** ms between two moments in which the console could attend: what a silence of others is measured in. Pure. */
export function attendedMs(delay: SelfDelay | undefined, fromMs: number, toMs: number): number {
  return Math.max(0, toMs - fromMs - heldUpMs(delay?.stalls ?? [], fromMs, toMs));
}

/** The state after a look at the clock: `stall` is what it found, null: the timer was on time. Pure. */
export function afterLook(
  before: SelfDelay,
  look: { readonly nowMs: number; readonly stall: Stall | null; readonly cpuRatio: number },
): SelfDelay {
  const { nowMs, stall, cpuRatio } = look;
  const kept = before.stalls.filter(({ toMs }) => toMs > nowMs - KEPT_MS);
  const stalls = stall === null ? kept : joined(kept, stall);
  const fromMs = nowMs - JUDGED_MS;
  const heldUpRatio = Math.min(1, heldUpMs(stalls, fromMs, nowMs) / JUDGED_MS);
  const isStarved = heldUpRatio >= (before.isStarved ? OVER_RATIO : STARVED_RATIO);
  const recent = stalls.filter(({ toMs }) => toMs > fromMs);
  return {
    host: before.host,
    isStarved,
    sinceMs:
      isStarved === before.isStarved ? before.sinceMs : isStarved ? (recent[0]?.fromMs ?? nowMs) : nowMs,
    heldUpRatio,
    longestStallMs: Math.max(0, ...recent.map((one) => one.toMs - one.fromMs)),
    cpuRatio,
    stalls,
  };
}

function joined(stalls: readonly Stall[], stall: Stall): readonly Stall[] {
  const last = stalls.at(-1);
  if (last === undefined || stall.fromMs - last.toMs > JOINED_WITHIN_MS)
    return [...stalls, stall].slice(-MAX_STALLS);
  return [...stalls.slice(0, -1), { fromMs: last.fromMs, toMs: stall.toMs }];
}

function heldUpMs(stalls: readonly Stall[], fromMs: number, toMs: number): number {
  return stalls.reduce(
    (sum, stall) => sum + Math.max(0, Math.min(stall.toMs, toMs) - Math.max(stall.fromMs, fromMs)),
    0,
  );
}
