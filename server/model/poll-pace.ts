/** What the poller knows about its own cost when it decides when to read next. */
export interface PollPaceInput {
  /** The configured interval. */
  readonly baseMs: number;
  /** The interval that the measured cost was caused by. */
  readonly currentMs: number;
  /** 0..1 of a core of Redis: what the console's own commands cost at `currentMs`. */
  readonly ownCpuRatio: number;
  readonly budgetRatio: number;
  /** How long Redis took to answer the last read. */
  readonly roundTripMs: number;
}

export interface PollPace {
  readonly intervalMs: number;
  readonly isSlowed: boolean;
  readonly because: string | null;
}

/** However slow Redis is, a console that looks less often than this shows an incident too late. */
export const SLOWEST_POLL_MS = 30_000;
/** A read may take at most this share of the time between reads: a slow Redis is given room. */
const ROUND_TRIP_SHARE = 0.25;
/** At most this factor faster from one tick to the next: the cost is measured after the fact, so speed up with care. */
const SPEED_UP = 0.8;

/**
 * The time to wait until the next read, in ms: the base interval, or longer where the console would cost Redis more
 * than its budget or where Redis answers slowly. Cost is proportional to the number of reads, so the interval that
 * just meets the budget is current × cost / budget. Slows at once, speeds up by at most a fifth a tick.
 */
export function nextPollIntervalMs(input: PollPaceInput): PollPace {
  const baseMs = positive(input.baseMs, 1000);
  const currentMs = Math.min(positive(input.currentMs, baseMs), Math.max(SLOWEST_POLL_MS, baseMs));
  const budgetRatio = positive(input.budgetRatio, 0.01);
  const ownCpuRatio = Math.min(1, positive(input.ownCpuRatio, 0));
  const forCpu = (currentMs * ownCpuRatio) / budgetRatio;
  const roundTripMs = positive(input.roundTripMs, 0);
  const forLatency = roundTripMs / ROUND_TRIP_SHARE;
  const wanted = Math.max(baseMs, forCpu, forLatency);
  const eased = Math.max(wanted, Math.min(currentMs, SLOWEST_POLL_MS) * SPEED_UP, baseMs);
  const intervalMs = Math.round(Math.min(eased, Math.max(SLOWEST_POLL_MS, baseMs)));
  // A few percent over the base is jitter, not a slow-down worth telling.
  if (intervalMs <= baseMs * 1.05) return { intervalMs: Math.round(baseMs), isSlowed: false, because: null };
  return {
    intervalMs,
    isSlowed: true,
    because: reason({ baseMs, currentMs, budgetRatio, ownCpuRatio, roundTripMs }, forCpu, forLatency),
  };
}

function reason(input: PollPaceInput, forCpu: number, forLatency: number): string {
  const { baseMs } = input;
  if (forLatency > forCpu && forLatency > baseMs) {
    return `Redis takes ${Math.round(input.roundTripMs)} ms to answer a read`;
  }
  if (forCpu > baseMs) {
    return `reading every ${Math.round(baseMs)} ms would cost Redis ${percent((input.ownCpuRatio * input.currentMs) / baseMs)} of a core, over the budget of ${percent(input.budgetRatio)}`;
  }
  return 'coming back to full pace step by step after a slow-down';
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(2))}%`;
}

function positive(value: number, otherwise: number): number {
  return Number.isFinite(value) && value > 0 ? value : otherwise;
}
