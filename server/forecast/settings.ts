import type { PlanChange, PlanInput } from '../model/plan.js';
import type { RateWindow } from '../model/rate-limit.js';

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
