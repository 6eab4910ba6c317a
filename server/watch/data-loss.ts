import { formatCount, formatThings } from '../model/format.js';
import type { DataLoss, LostQueue, QueueState } from '../model/snapshot.js';
import { jobsIn, missingOf } from '../model/snapshot.js';
import type { QueueReading } from '../redis/queue-reading.js';

/** It is shown for so long, as what to do about it takes people that long: to find out, to add jobs again, to mend the set-up. */
export const LOSS_SHOWN_MS = 24 * 3_600_000;
const MAX_LOST_QUEUES = 100;
const MAX_NAMED = 5;
/** Queues are read anew after a cause was seen; what has not been by then was not read at all. */
const CHECKED_WITHIN_MS = 60_000;
/** A loss is recorded once it is known to its whole extent, or after so long. */
const SETTLES_MS = 3_000;
/** Without a cause that shows: so many queues, and half of all, have to go within so long. One is an operator's obliterate. */
const TOGETHER_MS = 15_000;
const FEWEST_TOGETHER = 3;

interface Lost extends LostQueue {
  readonly atMs: number;
}

/**
 * Notices that data are lost, by what reads of queues say before and after. BullMQ's `<queue>:id` only ever grows, so one
 * that is lower, or a queue that is gone, right after the process became another one or was flushed, is a loss. A failover
 * to a replica that has all lowers none. Pure: time comes in, nothing is read here.
 */
export class DataLossWatch {
  #loss: DataLoss | null;
  #cause: { readonly text: string; readonly atMs: number } | null = null;
  #checked = new Set<string>();
  #lost = new Map<string, Lost>();
  #gone = new Map<string, Lost>();
  #hasNews = false;
  /** Losses found until then are known to people, who have dealt with them. */
  #dismissedAtMs = Number.NEGATIVE_INFINITY;

  /** @param before found by a process of this console that is gone; null: none. */
  constructor(before: DataLoss | null) {
    this.#loss = before;
  }

  /** Something happened that may have cost data: every queue is to be read anew, and its next read is compared. */
  suspect(text: string, nowMs: number): void {
    this.#cause = { text, atMs: nowMs };
    this.#checked = new Set();
    this.#lost = new Map();
  }

  /**
   * One read of one queue.
   * @param before null: it was not read before.
   * @param known queues that were known before.
   */
  note(before: QueueState | null, reading: QueueReading, known: number, nowMs: number): void {
    if (before === null) {
      this.#checked.add(reading.id);
      return;
    }
    if (this.#cause && nowMs - this.#cause.atMs > CHECKED_WITHIN_MS) this.#cause = null;
    const hadAny = before.addedTotal > 0 || jobsIn(before.counts) > 0;
    const isLess = !reading.exists || reading.addedTotal < before.addedTotal;
    const { id } = before;
    if (this.#cause === null) {
      if (hadAny && !reading.exists) this.#noteGone(before, reading, known, nowMs);
      return;
    }
    if (this.#checked.has(id)) return;
    this.#checked.add(id);
    if (hadAny && isLess) this.#add([lostOf(before, reading, nowMs)], this.#cause.text, known, nowMs);
  }

  /** null: none, or it was so long ago that it is no news. */
  current(nowMs: number): DataLoss | null {
    return this.#loss && !this.#isDismissed && nowMs - this.#loss.atMs <= LOSS_SHOWN_MS ? this.#loss : null;
  }

  /** What was found until then is shown no more; what is missing besides is shown anew. */
  dismiss(untilMs: number): void {
    this.#dismissedAtMs = Math.max(this.#dismissedAtMs, untilMs);
  }

  get #isDismissed(): boolean {
    return this.#loss !== null && this.#loss.atMs <= this.#dismissedAtMs;
  }

  /** A loss that is to be recorded now; each once. */
  takeNews(known: number, nowMs: number): DataLoss | null {
    const isSettled = this.#checked.size >= known || nowMs - (this.#loss?.atMs ?? nowMs) >= SETTLES_MS;
    if (!this.#hasNews || !isSettled) return null;
    this.#hasNews = false;
    return this.#loss;
  }

  #noteGone(before: QueueState, reading: QueueReading, known: number, nowMs: number): void {
    this.#gone.set(before.id, this.#gone.get(before.id) ?? lostOf(before, reading, nowMs));
    for (const [id, { atMs }] of this.#gone) if (nowMs - atMs > TOGETHER_MS) this.#gone.delete(id);
    if (this.#gone.size < Math.max(FEWEST_TOGETHER, known / 2)) return;
    this.#lost = new Map();
    this.#add([...this.#gone.values()], 'Many queues vanished at once', known, nowMs);
    this.#gone = new Map();
  }

  #add(lost: readonly Lost[], cause: string, known: number, nowMs: number): void {
    const isFirst = this.#lost.size === 0;
    for (const one of lost) this.#lost.set(one.id, one);
    if (isFirst) this.#hasNews = true;
    const queues = [...this.#lost.values()]
      .map(({ id, jobsBefore, jobsNow }) => ({ id, jobsBefore, jobsNow }))
      .sort((a, b) => missingOf(b) - missingOf(a) || (a.id < b.id ? -1 : 1));
    const atMs = isFirst || this.#isDismissed ? nowMs : (this.#loss?.atMs ?? nowMs);
    const text = inWords(cause, queues, known);
    this.#loss = { atMs, cause, text, queues: queues.slice(0, MAX_LOST_QUEUES) };
  }
}

function inWords(cause: string, queues: readonly LostQueue[], known: number): string {
  const missing = queues.reduce((sum, queue) => sum + missingOf(queue), 0);
  const named = queues.slice(0, MAX_NAMED).map((queue) => `${queue.id} ${formatCount(missingOf(queue))}`);
  const rest = queues.length - named.length;
  const more = rest > 0 ? ` and ${formatThings(rest, 'other')}` : '';
  const all = Math.max(known, queues.length);
  return `${cause}, and ${queues.length} of ${formatThings(all, 'queue')} came back empty, older or not at all: at least ${formatThings(missing, 'job')} missing (${named.join(', ')}${more})`;
}

function lostOf(before: QueueState, reading: QueueReading, atMs: number): Lost {
  const { completed, failed } = reading.finished ?? before.counts;
  const jobsNow = reading.exists ? jobsIn({ ...reading.counts, completed, failed }) : 0;
  return { id: before.id, jobsBefore: jobsIn(before.counts), jobsNow, atMs };
}
