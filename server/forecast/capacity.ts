import type { PlanChange, PlanInput } from '../model/plan.js';
import { positive } from '../model/plan.js';
import { perSecond, type RateWindow } from '../model/rate-limit.js';
import type { Mix, MixBatch } from './mix.js';

/** What a job costs Redis from add to removal, where it is not measured: 60 to 100 µs of its one core. */
const LEAST_REDIS_SECONDS = 60e-6;
const MAX_REDIS_SECONDS = 100e-6;
/** Pipelined calls of large workers can cost less than that; nothing costs less than this. */
const LEAST_MEASURED_REDIS_SECONDS = 10e-6;
/** From so many departures a second on, the share of a job in Redis's load stands out from noise. */
const ENOUGH_PER_SECOND = 100;
/** Nothing runs at more than this share of a core for long. */
const SATURATED_RATIO = 0.95;
/** What BullMQ itself costs a worker's event loop for each job: 65 to 119 µs, measured with 1,000 slots in a process. */
const LEAST_LOOP_SECONDS = 90e-6;
/** Of a process that does next to nothing: timers, collection of garbage, beats. Not the jobs' doing. */
const IDLE_LOOP_RATIO = 0.1;

/** Jobs per second that a rate limit lets through; it counts starts, so each attempt. null: no limit. */
export function rateCeiling(limit: RateWindow | null, startsPerJob: number): number | null {
  if (!limit || !(limit.max >= 0) || !(limit.durationMs > 0)) return null;
  return perSecond(limit) / startsPerJob;
}

/**
 * Jobs per second at which Redis's core is busy. A job costs (busy share of the core now) / (departures now); what is
 * above 100 µs a job is taken for the load of others, which stays. Never below what leaves now.
 */
export function redisCeiling({ measured, redisCpuRatio }: PlanInput): number {
  const now = positive(measured?.departuresPerSecond);
  const busyRatio = Math.min(1, positive(redisCpuRatio));
  const share = now > 0 ? busyRatio / now : (LEAST_REDIS_SECONDS + MAX_REDIS_SECONDS) / 2;
  const isMeasured = now >= ENOUGH_PER_SECOND && busyRatio > 0;
  const least = isMeasured ? LEAST_MEASURED_REDIS_SECONDS : LEAST_REDIS_SECONDS;
  const jobSeconds = Math.min(MAX_REDIS_SECONDS, Math.max(least, share));
  const othersRatio = Math.max(0, busyRatio - now * jobSeconds);
  return Math.max(now, (SATURATED_RATIO - othersRatio) / jobSeconds);
}

/**
 * Jobs per second at which the event loops of the workers are busy. A job costs what the loops do now above idling,
 * by departures, at least 0.09 ms. Never below what leaves now.
 */
export function loopCeiling({ measured, loopUtilisation, processes }: PlanInput): number {
  const now = positive(measured?.departuresPerSecond);
  const busyRatio = Math.min(1, positive(loopUtilisation ?? 0));
  const share = now > 0 ? (Math.max(0, busyRatio - IDLE_LOOP_RATIO) * processes) / now : 0;
  const jobSeconds = Math.max(LEAST_LOOP_SECONDS, share);
  return Math.max(now, (processes * (SATURATED_RATIO - IDLE_LOOP_RATIO)) / jobSeconds);
}

/** What a queue runs with, now or after a change. */
export interface Settings {
  readonly slots: number;
  readonly globalConcurrency: number | null;
  readonly rateLimit: RateWindow | null;
  readonly isPaused: boolean;
}

/** Present settings with a change applied to them. */
export function settingsAfter(input: PlanInput, change: PlanChange): Settings {
  return {
    slots: Math.max(0, change.concurrency ?? input.slots),
    globalConcurrency:
      change.globalConcurrency === undefined ? input.globalConcurrency : change.globalConcurrency,
    rateLimit: change.rateLimit === undefined ? input.rateLimit : change.rateLimit,
    isPaused: change.pauseQueue ?? input.isPaused,
  };
}

/** Slots that may be busy at once. */
export function usableSlots({ slots, globalConcurrency }: Settings): number {
  return globalConcurrency === null ? slots : Math.max(0, Math.min(slots, globalConcurrency));
}

/** Paused, or paused by a global concurrency of 0. */
export function isStopped({ isPaused, globalConcurrency }: Settings): boolean {
  return isPaused || (globalConcurrency !== null && globalConcurrency <= 0);
}

/**
 * What one process starts per second while jobs wait for it and some of them wait for a batch.
 *
 * A batching job holds its slot until the batch is sent. With f slots left to other jobs (busy for S each), f / S starts
 * happen a second, and a share p of them batches and takes one more slot away: f falls as e^(−p·t/S). So either held
 * slots reach the batch size, or nearly all slots are held and the process stands still until the flush timeout.
 */
interface BatchProcess {
  readonly slots: number;
  /** p, 0..1, above 0. */
  readonly batchShare: number;
  /** S, of jobs that don't batch. */
  readonly plainMs: number;
  readonly flushTimeoutMs: number;
  /** Busy time of a batch once it is sent. */
  readonly runMs: number;
}

/**
 * Starts per second where batches are sent at the flush timeout: each cycle the slots that are held at its end.
 * With p = 1: slots / (flush timeout + run).
 * @param batchSize the most that a batch holds; null: not known.
 */
function startsAtTimeout(process: BatchProcess, batchSize: number | null): number {
  const { slots, batchShare: p, plainMs, flushTimeoutMs, runMs } = process;
  const decay = Math.exp((-p * flushTimeoutMs) / plainMs);
  // In balance: f after a flush = what was left + the plain share of the slots that were given back.
  const freeAfterFlush = (slots * (1 - p)) / (1 - p * decay);
  const held = slots - freeAfterFlush * decay;
  const sent = batchSize === null ? held : Math.min(held, batchSize);
  return (sent * 1000) / (p * (flushTimeoutMs + runMs));
}

/** Slots are whole: when less than one is left to others, the last of these has still to end. */
const HALF_A_SLOT = 0.5;

/**
 * Starts per second where batches fill; 0 where a process has fewer slots than a batch has jobs, or where filling takes
 * longer than the flush timeout. With p = 1: as many whole batches as fit into the slots, each busy for its run time.
 */
function startsWhenFilled(process: BatchProcess, batchSize: number): number {
  const { slots, batchShare: p, plainMs, flushTimeoutMs, runMs } = process;
  const batchesThatFit = Math.floor(slots / batchSize + 1e-9);
  if (batchesThatFit < 1) return 0;
  const left = Math.max(0, slots - batchSize);
  const givenBack = batchSize * (1 - p);
  const ageing = plainMs / p;
  // While the batch runs, the others go on with what is left; then its slots come back and the next one fills.
  const leftAfterRun = left * Math.exp(-runMs / ageing);
  const refill = ageing * Math.log((leftAfterRun + givenBack + HALF_A_SLOT) / (left + HALF_A_SLOT));
  const cycleMs =
    p < 1 && refill > 0 ? runMs + refill : Math.max(runMs / batchesThatFit, overlapping(process, batchSize));
  if (cycleMs > flushTimeoutMs + runMs) return 0;
  return (batchSize * 1000) / (p * cycleMs);
}

/**
 * Time between batches of which several run at once: slots · L is what a batch, the plain jobs between two of them and
 * the half-filled next batch keep busy, (slots − size/2) · L = size · (run + S · (1 − p)/p).
 */
function overlapping({ slots, batchShare: p, plainMs, runMs }: BatchProcess, batchSize: number): number {
  const balanced = (batchSize * (runMs + (plainMs * (1 - p)) / p)) / (slots - batchSize / 2);
  return Math.min(runMs, p < 1 ? balanced : 0);
}

/** Batches as clients come with (Segment 15, PostHog 20; others are set by hand). */
const COMMON_BATCHES = [10, 15, 20, 25, 50, 100];

/** Jobs per second that slots can do, if nothing else limits them. Apart, as they are known from different things. */
interface SlotCapacity {
  /** Slots that run, or stand until the flush timeout where a type batches. */
  readonly steadyPerSecond: number;
  /** With batches that fill, of the likely size where it is not known; 0: none does. */
  readonly filledPerSecond: number;
  /** What is done with batches of the largest and of the smallest size that may be; null: the size is known. */
  readonly unsure: Unsure | null;
}

export interface Unsure {
  readonly leastPerSecond: number;
  readonly mostPerSecond: number;
}

/** Jobs per second of `slots` over `processes` that are shared evenly; slots · 1000 / (attempts · S) where none batches. */
export function slotCapacity(mix: Mix, slots: number, processes: number): SlotCapacity {
  const none = { steadyPerSecond: 0, filledPerSecond: 0, unsure: null };
  if (!(slots > 0) || !(processes > 0)) return none;
  const { batch, startsPerJob } = mix;
  if (!batch || !(mix.batchShare > 0)) {
    return { ...none, steadyPerSecond: (slots * 1000) / (mix.plainMs * startsPerJob) };
  }
  const working = Math.min(processes, Math.ceil(slots));
  const process = { ...mix, ...batch, slots: slots / working };
  const jobs = (startsPerSecond: number): number => (startsPerSecond * working) / startsPerJob;
  const steadyPerSecond = jobs(startsAtTimeout(process, batch.size));
  const filledWith = (size: number): number => jobs(startsWhenFilled(process, size));
  const filledPerSecond = filledWith(likelyBatchSize(batch));
  if (batch.size !== null) return { steadyPerSecond, filledPerSecond, unsure: null };
  const mostPerSecond = Math.max(filledPerSecond, filledWith(batch.sizeAtLeast));
  return {
    steadyPerSecond,
    filledPerSecond,
    unsure: mostPerSecond > steadyPerSecond ? { leastPerSecond: steadyPerSecond, mostPerSecond } : null,
  };
}

/** The size where it is known, else the middle one of the common sizes that it may be. */
export function likelyBatchSize({ size, sizeAtLeast }: MixBatch): number {
  if (size !== null) return size;
  const common = COMMON_BATCHES.filter((one) => one >= sizeAtLeast);
  return common[Math.floor((common.length - 1) / 2)] ?? sizeAtLeast;
}
