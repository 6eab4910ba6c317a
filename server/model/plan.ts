import type { RateWindow } from './rate-limit.js';

/** What is known of one job type of a queue. */
export interface TypeLoad {
  readonly name: string;
  /** Jobs of it that wait. */
  readonly waiting: number;
  readonly arrivalsPerSecond: number;
  /** Mean time that one attempt keeps a slot busy, without waiting for a batch to fill. */
  readonly runMs: number;
  /** How well that mean is known: p10 to p90. */
  readonly runRangeMs: readonly [number, number];
  /** Bytes of Redis that a waiting job holds. */
  readonly bytesPerJob: number;
  /** Bytes that stay in Redis once it is done (retained jobs), mean; 0: removed. */
  readonly keepsBytesWhenDone: number;
  /** Share of attempts that fail. */
  readonly failureRatio: number;
  /** Most attempts of a job. */
  readonly attempts: number;
  /** A client that batches: a job is done when its batch has filled, or `flushTimeoutMs` after its first job; null: none. */
  readonly batch: {
    readonly flushTimeoutMs: number;
    /** null: not known, but at least `batchSizeAtLeast`. */
    readonly batchSize: number | null;
    readonly batchSizeAtLeast: number;
  } | null;
}

/** A queue as it is now, and what is known of what limits it. */
export interface PlanInput {
  readonly types: readonly TypeLoad[];
  /** Worker processes. */
  readonly processes: number;
  /** Slots of all processes together. */
  readonly slots: number;
  readonly globalConcurrency: number | null;
  readonly rateLimit: RateWindow | null;
  readonly isPaused: boolean;
  /** What really leaves at the present settings, p10 to p90: calibrates the model; null: not measured. */
  readonly measured: {
    readonly departuresPerSecond: number;
    readonly departuresRange: readonly [number, number];
  } | null;
  readonly memory: {
    /** Counted against the limit. */
    readonly countedBytes: number;
    /** null: no limit. */
    readonly limitBytes: number | null;
    /** Growth that is not this queue's. */
    readonly otherGrowthBytesPerSecond: number;
  } | null;
  /** Share of the one core that Redis runs commands on, 0..1. */
  readonly redisCpuRatio: number;
  /** Mean of the worker processes' event loops, 0..1; null: not measured. */
  readonly loopUtilisation: number | null;
}

/** What would be changed; what is not named stays as it is. */
export interface PlanChange {
  /** Slots of all workers together. */
  readonly concurrency?: number;
  readonly globalConcurrency?: number | null;
  readonly rateLimit?: RateWindow | null;
  /** No more jobs are added. */
  readonly pauseArrivals?: boolean;
  /** true: pause, false: resume. */
  readonly pauseQueue?: boolean;
  /** Redis memory that is freed first. */
  readonly freedBytes?: number;
  /** By how much Redis's limit is raised first. */
  readonly addedLimitBytes?: number;
}

/** What throughput would meet first. */
export type Bottleneck =
  | 'workers'
  | 'rate-limit'
  | 'global-concurrency'
  | 'batch-wait'
  | 'redis'
  | 'event-loop'
  | 'paused'
  /** Workers could do more than comes. */
  | 'arrivals'
  /** Redis is over its limit: only busy slots go on. */
  | 'full';

export interface MemoryAt {
  readonly atSeconds: number;
  readonly bytes: number;
  readonly lowBytes: number;
  readonly highBytes: number;
}

/** Jobs that wait: the likeliest, and the edges of what 90 % of outcomes come to. */
export interface BacklogAt {
  readonly atSeconds: number;
  readonly jobs: number;
  readonly low: number;
  readonly high: number;
}

/** What a change would do. No number in it is NaN or Infinity. */
export interface Plan {
  /** Jobs that leave per second while the backlog drains. */
  readonly throughputPerSecond: number;
  /** 90 % of outcomes. */
  readonly throughputRange: readonly [number, number];
  /** Until nothing waits; 0: nothing waits now or all of it starts at once; null: never. */
  readonly drainSeconds: number | null;
  /** 90 % of outcomes; null: never. Both null: it is certain that it never drains. */
  readonly drainRange: readonly [number | null, number | null];
  /**
   * Why `drainSeconds`, the likeliest time, is not to be shown as a number: the range is too wide. null: it may be shown.
   */
  readonly notKnown: string | null;
  /** About 40 points to twice the drain time, an hour at most; empty where memory is not known. */
  readonly memory: readonly MemoryAt[];
  /** Until Redis meets its limit; 0: it has; null: it does not. */
  readonly fullInSeconds: number | null;
  readonly bottleneck: Bottleneck;
  /** One sentence with numbers. */
  readonly reason: string;
  /** Why the change hurts, or gains nothing, while Redis is full; null: it is not full, or the change is harmless. */
  readonly whileFull: string | null;
  readonly warnings: readonly string[];
}

/** Once in 30 years: what is less is nothing, and would make infinite what is divided by it. */
const LEAST = 1e-9;

/** What is not known, or can't be (NaN, Infinity, below 0), counts as 0 in a plan. */
export function positive(value: number | null | undefined): number {
  return value != null && Number.isFinite(value) && value > LEAST ? value : 0;
}
