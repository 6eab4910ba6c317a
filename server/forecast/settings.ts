import type { PlanChange, PlanInput } from '../model/plan.js';
import { perSecond, type RateWindow } from '../model/rate-limit.js';

/** What a job costs Redis from add to removal, where it is not measured: 60 to 100 µs of its one core. */
const LEAST_REDIS_SECONDS = 60e-6;
const MAX_REDIS_SECONDS = 100e-6;
/** Pipelined calls of large workers can cost less than that; nothing costs less than this. */
const LEAST_MEASURED_REDIS_SECONDS = 10e-6;
/** From so many departures a second on, the share of a job in Redis's load can be told from noise. */
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
  const now = known(measured?.departuresPerSecond);
  const busyRatio = Math.min(1, known(redisCpuRatio));
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
  const now = known(measured?.departuresPerSecond);
  const busyRatio = Math.min(1, known(loopUtilisation ?? 0));
  const share = now > 0 ? (Math.max(0, busyRatio - IDLE_LOOP_RATIO) * processes) / now : 0;
  const jobSeconds = Math.max(LEAST_LOOP_SECONDS, share);
  return Math.max(now, (processes * (SATURATED_RATIO - IDLE_LOOP_RATIO)) / jobSeconds);
}

function known(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : 0;
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
