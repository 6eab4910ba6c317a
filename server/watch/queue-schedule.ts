import type { QueueState } from '../model/snapshot.js';
import type { QueueReading, QueueReadPlan } from '../redis/queue-reading.js';

/** A queue that does nothing is looked at in every tenth tick: at the usual pace each 10 s. */
const QUIET_TICKS = 10;
const QUIET_EVENTS_EVERY_MS = 60_000;
/** Settings, finished jobs and events of a busy queue; of a quiet one at every read. */
const RARE_EVERY_MS = 2_000;
const EVENTS_EVERY_MS = 15_000;
/** A list that held jobs is asked for by itself for so long after it was empty: some fill and empty all the time. */
const KEPT_IN_VIEW_MS = 60_000;
/** A queue that goes on being refused is asked in every fifth tick. */
const REFUSED_TICKS = 5;

/** What a read of a queue has found. */
type Found = Pick<QueueState, 'addedTotal' | 'unfinished' | 'counts'>;

/** When a queue is to be read, and how much of it: one that does nothing is asked less often, and for less. */
export class QueueSchedule {
  #dueAtMs = Number.NEGATIVE_INFINITY;
  #everyMs: number;
  #rareDueAtMs = Number.NEGATIVE_INFINITY;
  #eventsDueAtMs = Number.NEGATIVE_INFINITY;
  #sparseUntilMs = Number.NEGATIVE_INFINITY;
  #finishedUntilMs = Number.NEGATIVE_INFINITY;
  #hasLimiter = false;
  /** The last read found what the one before had found, and nothing that runs. */
  #isQuiet = false;

  /** @param baseMs how often queues are read. */
  constructor(baseMs: number) {
    this.#everyMs = baseMs;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueAtMs;
  }

  /** All of it at the next tick. */
  refreshSoon(): void {
    this.#isQuiet = false;
    this.#dueAtMs = Number.NEGATIVE_INFINITY;
    this.#rareDueAtMs = Number.NEGATIVE_INFINITY;
    this.#eventsDueAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Its read was refused so many times in a row: it is asked for all, at first in the next tick, then less often. */
  refuse(refusals: number, nowMs: number, intervalMs: number): void {
    this.refreshSoon();
    this.#dueAtMs = nowMs + (Math.min(refusals, REFUSED_TICKS) - 0.5) * intervalMs;
  }

  /** @param hasWaiting jobs waited at the last read, or nothing is known yet. */
  plan(id: string, hasWaiting: boolean, askAgeOf: string | null, nowMs: number): QueueReadPlan {
    return {
      id,
      withRare: nowMs >= this.#rareDueAtMs,
      withEvents: nowMs >= this.#eventsDueAtMs,
      withSparse: nowMs < this.#sparseUntilMs,
      withFinished: nowMs < this.#finishedUntilMs,
      // What is next stays so while nothing moves.
      withHead: hasWaiting && !this.#isQuiet,
      withWaiting: hasWaiting || !this.#isQuiet,
      withActive: !this.#isQuiet,
      withLimiter: this.#hasLimiter,
      nowMs,
      askAgeOf,
    };
  }

  /**
   * Takes in one read.
   * @param before what the read before has found; null: there was none.
   * @param isAgeKnown of the jobs that are next.
   */
  take(
    reading: QueueReading,
    before: Found | null,
    now: Found,
    isAgeKnown: boolean,
    nowMs: number,
    intervalMs: number,
  ): void {
    const { counts, finished } = reading;
    if (counts.legacyPaused + counts.prioritized + counts.delayed + counts.waitingChildren > 0)
      this.#sparseUntilMs = nowMs + KEPT_IN_VIEW_MS;
    if (now.counts.completed + now.counts.failed > 0) this.#finishedUntilMs = nowMs + KEPT_IN_VIEW_MS;
    if (reading.eventsLength !== null)
      this.#eventsDueAtMs = nowMs + (this.#isQuiet ? QUIET_EVENTS_EVERY_MS : EVENTS_EVERY_MS);
    this.#hasLimiter = reading.hasLimiter;
    const isQuiet =
      before !== null &&
      counts.active === 0 &&
      before.addedTotal === now.addedTotal &&
      before.unfinished === now.unfinished &&
      isAgeKnown &&
      !reading.hasLimiter;
    this.#isQuiet = isQuiet;
    // Where the poller has slowed down, everything is read less often in proportion: that is what makes it cheaper.
    this.#everyMs = isQuiet
      ? Math.min(QUIET_TICKS * intervalMs, Math.max(this.#everyMs, 2 * intervalMs) * 2)
      : intervalMs;
    this.#dueAtMs = nowMs + this.#everyMs - intervalMs / 2;
    if (finished) this.#rareDueAtMs = nowMs + Math.max(RARE_EVERY_MS, isQuiet ? 3 * this.#everyMs : 0);
    // A queue that wakes up may have been resumed: don't wait for a turn that was planned while it slept.
    else if (!isQuiet) this.#rareDueAtMs = Math.min(this.#rareDueAtMs, nowMs + RARE_EVERY_MS);
    if (!isQuiet) this.#eventsDueAtMs = Math.min(this.#eventsDueAtMs, nowMs + EVENTS_EVERY_MS);
  }
}
