/** Ticks that are compared: what else the process did meanwhile (pages, exports) was not in each of them. */
const COMPARED = 5;

/** CPU that one tick of a poller takes of the console's own process: reading, judging, and calling those who listen. */
export class TickCost {
  readonly #cpuUsedMs: () => number;
  readonly #last: number[] = [];

  /** @param cpuUsedMs CPU that the process has used so far, ms. */
  constructor(cpuUsedMs: () => number = processCpuMs) {
    this.#cpuUsedMs = cpuUsedMs;
  }

  /** Begins a tick; to be called when it has ended. */
  begin(): () => void {
    const atMs = this.#cpuUsedMs();
    return () => {
      this.#last.push(this.#cpuUsedMs() - atMs);
      if (this.#last.length > COMPARED) this.#last.shift();
    };
  }

  /** CPU ms of a tick: the least of the last ones; 0 until there are some. */
  get cpuMs(): number {
    return this.#last.length < COMPARED ? 0 : Math.min(...this.#last);
  }
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
/** What the poller knows about its own cost when it decides when to read next. */
interface PollPaceInput {
  /** The configured interval. */
  readonly baseMs: number;
  /** The interval that the measured cost was caused by. */
  readonly currentMs: number;
  /** 0..1 of a core of Redis: what the console's own commands cost at `currentMs`. */
  readonly ownCpuRatio: number;
  readonly budgetRatio: number;
  /** How long Redis took to answer the last read. */
  readonly roundTripMs: number;
  /** CPU that one read and all that is judged by it take of the console's own process, ms. */
  readonly tickCpuMs: number;
}

interface PollPace {
  readonly intervalMs: number;
  readonly isSlowed: boolean;
  readonly because: string | null;
}

/** However slow Redis is, a console that looks less often than this shows an incident too late. */
export const SLOWEST_POLL_MS = 30_000;
/** Part of the budget that is aimed at: the cost is measured with a lag, and Redis has work of its own for each connection. */
const AIM = 0.7;
/** A read may take at most this share of the time between reads: a slow Redis is given room. */
const ROUND_TRIP_SHARE = 0.25;
/**
 * A look that takes the console more CPU than this is taken less often than each second: four times as much half as often, and
 * never for more than a tenth of a core. Whoever runs the console beside their workers has not asked for 300 ms each second,
 * and whoever watches thousands of queues would rather see them a little later than not.
 */
const CHEAP_TICK_MS = 32;
const OWN_CPU_SHARE = 0.1;
/** Bounds of one step: a slowed console comes back by a fifth a tick, and slows down by twofold. */
const FASTEST_STEP = 0.8;
const SLOWEST_STEP = 2;
/**
 * Cost is inversely proportional to the interval, so a step by the whole excess would do if the cost were measured in an
 * instant. It is smoothed over some ticks; the fourth root keeps the loop from swinging (simulated with smoothing 0.3).
 */
const GAIN = 0.25;

/**
 * The time to wait until the next read, in ms: the base interval, or longer where the console would cost Redis more
 * than its budget, where Redis answers slowly, or where so many queues would keep the console itself busy. Settles where the cost is 70% of the budget.
 */
export function nextPollIntervalMs(input: PollPaceInput): PollPace {
  const baseMs = positive(input.baseMs, 1000);
  const slowestMs = Math.max(SLOWEST_POLL_MS, baseMs);
  const currentMs = Math.min(positive(input.currentMs, baseMs), slowestMs);
  const budgetRatio = positive(input.budgetRatio, 0.01);
  const ownCpuRatio = Math.min(1, positive(input.ownCpuRatio, 0));
  const roundTripMs = positive(input.roundTripMs, 0);
  const tickCpuMs = positive(input.tickCpuMs, 0);
  const step = Math.min(SLOWEST_STEP, Math.max(FASTEST_STEP, (ownCpuRatio / (budgetRatio * AIM)) ** GAIN));
  const wanted = Math.max(baseMs, currentMs * step, roundTripMs / ROUND_TRIP_SHARE, ownPaceMs(tickCpuMs));
  const intervalMs = Math.round(Math.min(wanted, slowestMs));
  // A few percent over the base is jitter, not a slow-down worth showing.
  if (intervalMs <= baseMs * 1.05) return { intervalMs: Math.round(baseMs), isSlowed: false, because: null };
  return {
    intervalMs,
    isSlowed: true,
    because: reason({ baseMs, currentMs, budgetRatio, ownCpuRatio, roundTripMs, tickCpuMs }),
  };
}

/** The least time between looks that cost the console so much, ms; 0: as often as configured. */
function ownPaceMs(tickCpuMs: number): number {
  if (tickCpuMs <= CHEAP_TICK_MS) return 0;
  return Math.max(1_000 * Math.sqrt(tickCpuMs / CHEAP_TICK_MS), tickCpuMs / OWN_CPU_SHARE);
}

function reason(input: PollPaceInput): string {
  const { baseMs, currentMs, budgetRatio, ownCpuRatio, roundTripMs, tickCpuMs } = input;
  if (roundTripMs / ROUND_TRIP_SHARE > baseMs) {
    return `Redis takes ${Math.round(roundTripMs)} ms to answer a read`;
  }
  const atBase = (ownCpuRatio * currentMs) / baseMs;
  if (atBase <= budgetRatio * AIM && ownPaceMs(tickCpuMs) > baseMs) {
    return `one look at all queues takes the console ${Math.round(tickCpuMs)} ms of its own CPU`;
  }
  const relation = atBase > budgetRatio ? 'over' : 'too close to';
  return atBase > budgetRatio * AIM
    ? `reading every ${Math.round(baseMs)} ms would cost Redis ${percent(atBase)} of a core, ${relation} the budget of ${percent(budgetRatio)}`
    : 'coming back to full pace step by step after a slow-down';
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(2))}%`;
}

function positive(value: number, otherwise: number): number {
  return Number.isFinite(value) && value > 0 ? value : otherwise;
}
