import type { JobTypeState, TenantShare } from '../model/job-type.js';
import type { CountProgress, QueueMemory } from '../model/memory.js';
import type { QueueKind } from '../model/queue-kind.js';
import type { QueueState, QueueVerdict, UnreadQueue } from '../model/snapshot.js';
import type { Override } from '../model/worker.js';
import { numberOrNull } from '../redis/job-facts.js';
import { readKeptOrders } from '../redis/overrides.js';
import { describeUnread } from '../redis/problems.js';
import { partsOfQueueId } from '../redis/queue-keys.js';
import type { QueueMeta, QueueReading, QueueReadPlan } from '../redis/queue-reading.js';
import { NO_META, parsePauseRecord, rateLimitOf } from '../redis/queue-reading.js';
import type { Refused } from '../redis/read-batch.js';
import { type HeldVerdict, holdVerdict } from './hold-queue-verdict.js';
import { estimateDrainSeconds, HeadAges, type QueuePoint, queueRates } from './queue-rates.js';
import { QueueSchedule } from './queue-schedule.js';
import { RecentSeries } from './recent.js';

/** Points kept for rates: 30 s at one a second and what is needed beyond. */
const MAX_POINTS = 40;
const LIMITER_MEMORY_MS = 120_000;
const TREND_POINTS = 40;
const CHARTED = ['backlog', 'active', 'failed', 'arrivalsPerSecond', 'departuresPerSecond'] as const;
const NO_ORDERS: readonly Override[] = [];
const NO_TYPES: readonly JobTypeState[] = [];
/** Reads in a row that were refused, until what was read before is no longer shown as what is so. */
const UNREAD_AFTER = 2;
/** One queue as it is watched: when it is due, what the last reads said, and what follows from them. */
export class WatchedQueue {
  readonly id: string;
  readonly #place: { readonly id: string; readonly prefix: string; readonly name: string };
  readonly #firstSeenAtMs: number;
  readonly #recent = new RecentSeries(CHARTED, 200, 4_500);
  #points: QueuePoint[] = [];
  #state: QueueState | null = null;
  readonly #schedule: QueueSchedule;
  #asksHead = true;
  #meta: QueueMeta = NO_META;
  #kind: QueueKind = 'bullmq';
  /** See QueueReading. */
  #alsoFound = 0;
  #observedLimiter: { ms: number; atMs: number } = { ms: 0, atMs: 0 };
  readonly #heads = new HeadAges();
  #lastDepartureAtMs: number | null = null;
  #takenTotal = 0;
  #missing = 0;
  #refusals = 0;
  #refused: Refused | null = null;
  #backlogSinceMs: number | null = null;
  /** The text that `#kept` was read from; null: it is to be read anew. */
  #keptText: string | null = null;
  #kept: readonly Override[] = NO_ORDERS;
  #memory: QueueMemory | null = null;
  #tenants: readonly TenantShare[] | null = null;
  #types: readonly JobTypeState[] = NO_TYPES;
  #count: CountProgress | null = null;
  #held: HeldVerdict | null = null;

  constructor(id: string, nowMs: number, baseMs: number) {
    this.id = id;
    this.#place = partsOfQueueId(id);
    this.#firstSeenAtMs = nowMs;
    this.#schedule = new QueueSchedule(baseMs);
  }

  /** Two reads in a row found nothing of it. */
  get isGone(): boolean {
    return this.#missing >= 2;
  }

  /** null: not read yet, or not known any more (`unread`). */
  get state(): QueueState | null {
    return this.#refusals < UNREAD_AFTER ? this.#state : null;
  }

  /** At its last good read, also where it is not known now; null: it never had one. */
  get last(): QueueState | null {
    return this.#state;
  }

  /** null: it is known, or was not asked for yet. */
  get unread(): UnreadQueue | null {
    if (this.#refused === null || this.#refusals < UNREAD_AFTER) return null;
    return {
      ...this.#place,
      sinceMs: this.#state?.readAtMs ?? this.#firstSeenAtMs,
      problem: describeUnread(this.#refused),
      command: this.#refused.command,
      last: this.#state,
    };
  }

  /** Read, with nothing in it that has not ended, and nobody works on it. */
  get isIdle(): boolean {
    return this.#state !== null && this.#state.unfinished === 0 && !this.#state.workers;
  }

  isDue(nowMs: number): boolean {
    return this.#schedule.isDue(nowMs);
  }

  /** Reads all of it at the next tick. */
  refreshSoon(): void {
    this.#schedule.refreshSoon();
  }

  plan(nowMs: number): QueueReadPlan {
    const hasWaiting = this.#state === null || this.#state.counts.waiting > 0;
    const plan = this.#schedule.plan(this.id, hasWaiting, this.#heads.askAgeOf, nowMs);
    this.#asksHead = plan.withHead;
    if (this.#kind === 'bull') return { ...plan, alsoAsks: 'meta-paused' };
    return this.#meta.version?.startsWith('bullmq-pro') ? { ...plan, alsoAsks: 'groups' } : plan;
  }

  /**
   * Takes what the ladder of verdicts says now.
   * @param isPressed see holdVerdict.
   */
  judge(found: QueueVerdict, isPressed: boolean, nowMs: number): void {
    this.#held = holdVerdict(this.#held, found, isPressed, nowMs);
    const { verdict, sinceMs } = this.#held;
    const state = this.#state;
    if (state && (state.verdict !== verdict || state.verdictSinceMs !== sinceMs))
      this.#state = { ...state, verdict, verdictSinceMs: sinceMs };
  }

  /** Its read was refused, or nobody answered: this says nothing about it, neither what it holds nor that it is gone. */
  refuse(refused: Refused, nowMs: number, intervalMs: number): void {
    this.#refusals += 1;
    this.#refused = refused;
    this.#schedule.refuse(this.#refusals, nowMs, intervalMs);
  }

  /** Takes in one read and makes the new state. */
  take(reading: QueueReading, nowMs: number, intervalMs: number, workers: number | null): void {
    this.#refusals = 0;
    this.#refused = null;
    if (!reading.exists) {
      this.#missing += 1;
      this.refreshSoon();
      return;
    }
    this.#missing = 0;
    const previous = this.#state;
    if (reading.meta) {
      if (reading.meta.orders !== this.#meta.orders) this.#keptText = null;
      this.#meta = reading.meta;
    }
    const meta = this.#meta;
    this.#alsoFound = reading.alsoFound ?? this.#alsoFound;
    const events = reading.eventsLength ?? previous?.eventsLength ?? 0;
    this.#kind = kindOf(meta, { added: reading.addedTotal, events, alsoFound: this.#alsoFound });
    const isBullPaused = this.#kind === 'bull' && this.#alsoFound > 0;
    const counts = {
      ...reading.counts,
      completed: reading.finished?.completed ?? previous?.counts.completed ?? 0,
      failed: reading.finished?.failed ?? previous?.counts.failed ?? 0,
    };
    const ready = counts.waiting + counts.prioritized;
    const backlog = ready + reading.delayedDue;
    const unfinished = ready + counts.active + counts.delayed + counts.waitingChildren;
    this.#notePoint({
      atMs: nowMs,
      addedTotal: reading.addedTotal,
      takenTotal: this.#takenTotal,
      unfinished,
      backlog,
    });
    this.#noteLimiter(reading, nowMs);
    if (this.#asksHead || counts.waiting === 0) this.#heads.take(reading);
    const rates = queueRates(this.#points);
    this.#backlogSinceMs = backlog > 0 ? (this.#backlogSinceMs ?? nowMs) : null;
    const pause = parsePauseRecord(meta.pause);
    const concurrency = numberOrNull(meta.concurrency);
    this.#recent.add(nowMs, {
      backlog,
      active: counts.active,
      failed: counts.failed,
      arrivalsPerSecond: rates?.arrivalsPerSecond ?? null,
      departuresPerSecond: rates?.departuresPerSecond ?? null,
    });
    const { id, prefix, name } = this.#place;
    // Without a spread, which V8 makes of 40 fields at 20 KB of garbage a time: ten thousand queues are read in 10 s.
    this.#state = {
      id,
      prefix,
      name,
      kind: this.#kind,
      groups: this.#kind === 'bullmq-pro' ? this.#alsoFound : null,
      readAtMs: nowMs,
      counts,
      backlog,
      unfinished,
      flow:
        meta.paused !== null || isBullPaused
          ? 'paused'
          : pause && concurrency === 0
            ? 'paused-by-spillway'
            : 'running',
      // Until it is judged, which is in the same tick: that takes more than this queue to know.
      verdict: this.#held?.verdict ?? 'idle',
      verdictSinceMs: this.#held?.sinceMs ?? nowMs,
      pause,
      isPauseOverridden: pause !== null && concurrency !== 0,
      concurrency,
      rateLimit: rateLimitOf(meta.max, meta.duration),
      rateLimitedForMs: reading.limiterTtlMs ?? 0,
      observedLimiterMs: this.#observedLimiter.ms,
      bullmqVersion: meta.version,
      addedTotal: reading.addedTotal,
      eventsLength: reading.eventsLength ?? previous?.eventsLength ?? 0,
      oldestWaitingAtMs: backlog === 0 ? null : this.#heads.oldestAddedAtMs,
      workers,
      overrides: this.#orders(nowMs),
      backlogSinceMs: this.#backlogSinceMs,
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
      memory: this.#memory,
      tenants: this.#tenants,
      types: this.#types,
      count: this.#count,
      depthTrend: this.#trend(backlog),
    };
    const isAgeKnown = this.#heads.askAgeOf === null;
    this.#schedule.take(reading, previous, this.#state, isAgeKnown, nowMs, intervalMs);
  }

  /** Jobs were parked, or brought back (less than 0), by this console. */
  noteTaken(jobs: number): void {
    this.#takenTotal += jobs;
  }

  /** Workers come from CLIENT LIST, which is read at other times than the queue. */
  setWorkers(workers: number | null): void {
    if (this.#state && this.#state.workers !== workers) this.#state = { ...this.#state, workers };
  }

  /** @param tenants of the jobs that were sampled; null: not looked for. */
  setMemory(memory: QueueMemory, tenants: readonly TenantShare[] | null): void {
    this.#memory = memory;
    this.#tenants = tenants;
    if (this.#state) this.#state = { ...this.#state, memory, tenants };
  }

  setTypes(types: readonly JobTypeState[]): void {
    if (types.length === 0 && this.#types.length === 0) return;
    this.#types = types;
    if (this.#state) this.#state = { ...this.#state, types };
  }

  setCount(count: CountProgress): void {
    this.#count = count;
    if (this.#state) this.#state = { ...this.#state, count };
  }

  /** After a failover or restart the past says nothing about the present. */
  forgetPast(): void {
    this.refreshSoon();
    this.#points = [];
  }

  series() {
    return this.#recent.series();
  }

  /** Depths of late with the present one; the same array while a queue stays as it is. */
  #trend(backlog: number): readonly number[] {
    const before = this.#state?.depthTrend;
    const kept = this.#recent.last('backlog', TREND_POINTS - 1);
    const isSame = before?.length === kept.length + 1 && before[kept.length] === backlog;
    return isSame && kept.every((depth, i) => depth === before[i]) ? before : [...kept, backlog];
  }

  /** Read from its text once; of those that have ended in between none is shown. */
  #orders(nowMs: number): readonly Override[] {
    const { orders } = this.#meta;
    if (orders === null) {
      this.#kept = NO_ORDERS;
      return this.#kept;
    }
    if (this.#keptText !== orders) this.#kept = readKeptOrders(orders, this.id, nowMs);
    this.#keptText = orders;
    return this.#kept.every((order) => order.untilMs === null || order.untilMs > nowMs)
      ? this.#kept
      : this.#kept.filter((order) => order.untilMs === null || order.untilMs > nowMs);
  }

  #notePoint(point: QueuePoint): void {
    const last = this.#points[this.#points.length - 1];
    if (last) {
      const taken = (point.takenTotal ?? 0) - (last.takenTotal ?? 0);
      const departed = point.addedTotal - last.addedTotal - taken - (point.unfinished - last.unfinished);
      if (departed > 0) this.#lastDepartureAtMs = point.atMs;
    }
    const before = this.#points[this.#points.length - 2];
    // A queue that does nothing needs two points to say so.
    if (last && before && isAlike(last, point) && isAlike(before, point)) this.#points.pop();
    this.#points.push(point);
    if (this.#points.length > MAX_POINTS) this.#points.shift();
  }

  #noteLimiter(reading: QueueReading, nowMs: number): void {
    const ttl = reading.limiterTtlMs ?? 0;
    if (ttl >= this.#observedLimiter.ms || nowMs - this.#observedLimiter.atMs > LIMITER_MEMORY_MS) {
      this.#observedLimiter = { ms: ttl, atMs: nowMs };
    }
  }
}

/**
 * Only BullMQ writes a version, or how long its stream of events may get; a stream alone tells one that has lost them. Where
 * nothing was ever added nobody can tell, so it is taken for what the console is for: what is BullMQ's is never out of reach.
 */
function kindOf(
  { version, maxLenEvents, concurrency, pause }: QueueMeta,
  seen: { readonly added: number; readonly events: number; readonly alsoFound: number },
): QueueKind {
  if (version?.startsWith('bullmq-pro') && seen.alsoFound > 0) return 'bullmq-pro';
  const isOfBullmq = [version, maxLenEvents, concurrency, pause].some((field) => field !== null);
  return isOfBullmq || seen.events > 0 || seen.added === 0 ? 'bullmq' : 'bull';
}

function isAlike(a: QueuePoint, b: QueuePoint): boolean {
  const isMoved = a.addedTotal !== b.addedTotal || a.takenTotal !== b.takenTotal;
  return !isMoved && a.unfinished === b.unfinished && a.backlog === b.backlog;
}
