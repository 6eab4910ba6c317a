import { estimateDrainSeconds } from '../model/drain.js';
import { type QueuePoint, queueRates } from '../model/queue-rates.js';
import type { QueueReading, QueueReadPlan } from '../redis/read-queues.js';
import { parseHaltRecord } from './halt-record.js';
import { RecentSeries } from './recent.js';
import type { QueueMemory, QueueState, RateLimit } from './snapshot.js';

/** A queue that does nothing is looked at this seldom. */
const SLOWEST_READ_MS = 10_000;
/** Finished jobs and events of a busy queue. */
const FINISHED_EVERY_MS = 5_000;
/** Points kept for rates: 30 s at one a second and what is needed beyond. */
const MOST_POINTS = 40;
const LIMITER_MEMORY_MS = 120_000;
const TREND_POINTS = 40;

/** One queue as it is watched: when it is due, what the last reads said, and what follows from them. */
export class WatchedQueue {
  readonly id: string;
  readonly #firstSeenAtMs: number;
  readonly #recent = new RecentSeries(
    ['backlog', 'active', 'arrivalsPerSecond', 'departuresPerSecond'],
    180,
    4_500,
  );
  #points: QueuePoint[] = [];
  #state: QueueState | null = null;
  #dueAtMs = Number.NEGATIVE_INFINITY;
  #everyMs: number;
  #finishedDueAtMs = Number.NEGATIVE_INFINITY;
  #hasLimiter = false;
  #observedLimiter: { ms: number; atMs: number } = { ms: 0, atMs: 0 };
  #heads: readonly string[] = [];
  #ages = new Map<string, number>();
  #askAgeOf: string | null = null;
  #lastAge: number | null = null;
  #lastDepartureAtMs: number | null = null;
  #missing = 0;
  memory: QueueMemory | null = null;

  constructor(id: string, nowMs: number, baseMs: number) {
    this.id = id;
    this.#firstSeenAtMs = nowMs;
    this.#everyMs = baseMs;
  }

  /** Two reads in a row found nothing of it. */
  get isGone(): boolean {
    return this.#missing >= 2;
  }

  get state(): QueueState | null {
    return this.#state;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueAtMs;
  }

  /** Reads all of it at the next tick. */
  refreshSoon(): void {
    this.#dueAtMs = Number.NEGATIVE_INFINITY;
    this.#finishedDueAtMs = Number.NEGATIVE_INFINITY;
  }

  plan(nowMs: number): QueueReadPlan {
    return {
      id: this.id,
      withFinished: nowMs >= this.#finishedDueAtMs,
      withLimiter: this.#hasLimiter,
      askAgeOf: this.#askAgeOf,
    };
  }

  /** Takes in one read and makes the new state. */
  take(reading: QueueReading, nowMs: number, baseMs: number, workers: number | null): void {
    if (!reading.exists) {
      this.#missing += 1;
      this.refreshSoon();
      return;
    }
    this.#missing = 0;
    const previous = this.#state;
    const counts = {
      ...reading.counts,
      completed: reading.finished?.completed ?? previous?.counts.completed ?? 0,
      failed: reading.finished?.failed ?? previous?.counts.failed ?? 0,
    };
    const backlog = counts.waiting + counts.prioritized;
    const unfinished = backlog + counts.active + counts.delayed + counts.waitingChildren;
    this.#notePoint({ atMs: nowMs, addedTotal: reading.addedTotal, unfinished, backlog });
    this.#noteLimiter(reading, nowMs);
    this.#noteHeads(reading);
    const rates = queueRates(this.#points);
    const halt = parseHaltRecord(reading.meta.halt);
    const concurrency = numberOrNull(reading.meta.concurrency);
    this.#state = {
      id: this.id,
      prefix: this.id.slice(0, this.id.lastIndexOf(':')),
      name: this.id.slice(this.id.lastIndexOf(':') + 1),
      readAtMs: nowMs,
      counts,
      backlog,
      unfinished,
      flow: reading.meta.paused !== null ? 'paused' : halt && concurrency === 0 ? 'halted' : 'running',
      halt,
      isHaltOverridden: halt !== null && concurrency !== 0,
      concurrency,
      rateLimit: rateLimit(reading.meta.max, reading.meta.duration),
      rateLimitedForMs: reading.limiterTtlMs ?? 0,
      observedLimiterMs: this.#observedLimiter.ms,
      bullmqVersion: reading.meta.version,
      addedTotal: reading.addedTotal,
      eventsLength: reading.finished?.events ?? previous?.eventsLength ?? 0,
      oldestWaitingAtMs: this.#oldestWaiting(backlog),
      workers,
      rates,
      drainSeconds:
        rates === null
          ? null
          : estimateDrainSeconds({
              backlog,
              arrivalsPerSecond: rates.arrivalsPerSecond,
              departuresPerSecond: rates.departuresPerSecond,
            }),
      lastDepartureAtMs: this.#lastDepartureAtMs,
      firstSeenAtMs: this.#firstSeenAtMs,
      memory: this.memory,
      depthTrend: [],
    };
    this.#recent.add(nowMs, {
      backlog,
      active: counts.active,
      arrivalsPerSecond: rates?.arrivalsPerSecond ?? null,
      departuresPerSecond: rates?.departuresPerSecond ?? null,
    });
    this.#state = {
      ...this.#state,
      depthTrend: [...this.#recent.last('backlog', TREND_POINTS - 1), backlog],
    };
    this.#pace(previous, reading, nowMs, baseMs);
  }

  /** Workers come from CLIENT LIST, which is read at other times than the queue. */
  setWorkers(workers: number | null): void {
    if (this.#state && this.#state.workers !== workers) this.#state = { ...this.#state, workers };
  }

  setMemory(memory: QueueMemory): void {
    this.memory = memory;
    if (this.#state) this.#state = { ...this.#state, memory };
  }

  /** After a failover or restart the past says nothing about the present. */
  forgetPast(): void {
    this.#points = [];
  }

  series() {
    return this.#recent.series();
  }

  #notePoint(point: QueuePoint): void {
    const last = this.#points[this.#points.length - 1];
    if (last) {
      const departed = point.addedTotal - last.addedTotal - (point.unfinished - last.unfinished);
      if (departed > 0) this.#lastDepartureAtMs = point.atMs;
    }
    this.#points.push(point);
    if (this.#points.length > MOST_POINTS) this.#points.shift();
  }

  #noteLimiter(reading: QueueReading, nowMs: number): void {
    const ttl = reading.limiterTtlMs ?? 0;
    if (ttl >= this.#observedLimiter.ms || nowMs - this.#observedLimiter.atMs > LIMITER_MEMORY_MS) {
      this.#observedLimiter = { ms: ttl, atMs: nowMs };
    }
    this.#hasLimiter = reading.hasLimiter;
  }

  /** The age of a job at the head is asked for once, in the next tick's pipeline: no second round trip. */
  #noteHeads(reading: QueueReading): void {
    if (reading.age) {
      this.#lastAge = reading.age.timestampMs + reading.age.delayMs;
      this.#ages.set(reading.age.jobId, this.#lastAge);
    }
    this.#heads = reading.headJobIds;
    for (const known of this.#ages.keys()) if (!this.#heads.includes(known)) this.#ages.delete(known);
    this.#askAgeOf = this.#heads.find((jobId) => !this.#ages.has(jobId)) ?? null;
  }

  #oldestWaiting(backlog: number): number | null {
    if (backlog === 0) return null;
    const ages = this.#heads.flatMap((jobId) => this.#ages.get(jobId) ?? []);
    // While jobs leave, the head is another one at every tick: the age of the last one asked for is close.
    return ages.length > 0 ? Math.min(...ages) : this.#lastAge;
  }

  #pace(previous: QueueState | null, reading: QueueReading, nowMs: number, baseMs: number): void {
    const isQuiet =
      previous !== null &&
      reading.counts.active === 0 &&
      previous.addedTotal === reading.addedTotal &&
      previous.unfinished === this.#state?.unfinished &&
      this.#askAgeOf === null &&
      !reading.hasLimiter;
    this.#everyMs = isQuiet ? Math.min(SLOWEST_READ_MS, Math.max(this.#everyMs, baseMs) * 1.5) : baseMs;
    this.#dueAtMs = nowMs + this.#everyMs - baseMs / 2;
    if (reading.finished) this.#finishedDueAtMs = nowMs + (isQuiet ? 2 : 1) * FINISHED_EVERY_MS;
  }
}

function numberOrNull(text: string | null): number | null {
  const value = text === null ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

function rateLimit(max: string | null, duration: string | null): RateLimit | null {
  const value = numberOrNull(max);
  return value === null ? null : { max: value, durationMs: numberOrNull(duration) ?? 0 };
}
