import { performance } from 'node:perf_hooks';
import type { AgentOverflow } from '../model/worker.js';

/** Of each second, what goes to reading messages of agents: 500 of them with 50 busy types each take a tenth of it. */
const PARSE_MS_A_SECOND = 200;
/** Senders that have no worker here yet get this part of it, so that made-up ones don't crowd out those that are known. */
const NEWCOMERS_SHARE = 0.5;
/** A sender says one beat a second, and answers to orders. */
const MAX_MESSAGES_A_SENDER = 20;
const MAX_SENDERS_COUNTED = 10_000;
/** What was over a bound is shown for so long after. */
const SHOWN_FOR_MS = 60_000;

/**
 * Bytes that are kept of what agents say about one Redis, by estimate. Each bound by itself (workers, types, sketches, their
 * bins) is sensible, and their product is 100 GB: this is what holds for all of them together, whoever publishes.
 */
export class ByteBudget {
  readonly maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get isFull(): boolean {
    return this.#usedBytes >= this.maxBytes;
  }

  /** What is known goes before what is new: that is taken only while a fifth is left. */
  get takesNew(): boolean {
    return this.#usedBytes < 0.8 * this.maxBytes;
  }

  change(bytes: number): void {
    this.#usedBytes = Math.max(0, this.#usedBytes + bytes);
  }
}

/** How much of what is said on the channels of agents is read: as much as leaves the console time for all else. */
export class MessageIntake {
  #secondMs = 0;
  #parsedMs = 0;
  #bySender = new Map<string, number>();
  #overflow: { messages: number; workers: number; types: number; sinceMs: number; lastAtMs: number } | null =
    null;

  /** Is this one to be read now? One that is not is counted. */
  admits(sender: string, isKnown: boolean, nowMs: number): boolean {
    const atMs = performance.now();
    if (atMs - this.#secondMs >= 1_000) {
      this.#secondMs = atMs;
      this.#parsedMs = 0;
      this.#bySender = new Map();
    }
    const said = (this.#bySender.get(sender) ?? 0) + 1;
    if (said === 1 && this.#bySender.size >= MAX_SENDERS_COUNTED) this.#bySender.clear();
    this.#bySender.set(sender, said);
    const allowedMs = isKnown ? PARSE_MS_A_SECOND : PARSE_MS_A_SECOND * NEWCOMERS_SHARE;
    if (said <= MAX_MESSAGES_A_SENDER && this.#parsedMs < allowedMs) return true;
    this.#over(nowMs).messages += 1;
    return false;
  }

  /** Reads one, and counts the time that it takes. */
  timed<T>(read: () => T): T {
    const startedAtMs = performance.now();
    try {
      return read();
    } finally {
      this.#parsedMs += performance.now() - startedAtMs;
    }
  }

  noteRefused(what: 'workers' | 'types', count: number, nowMs: number): void {
    this.#over(nowMs)[what] += count;
  }

  /** null: nothing was over a bound for a minute. */
  overflow(nowMs: number): AgentOverflow | null {
    if (!this.#overflow || nowMs - this.#overflow.lastAtMs > SHOWN_FOR_MS) return null;
    const { messages, workers, types, sinceMs } = this.#overflow;
    return { messages, workers, types, sinceMs };
  }

  #over(nowMs: number) {
    if (!this.#overflow || nowMs - this.#overflow.lastAtMs > SHOWN_FOR_MS)
      this.#overflow = { messages: 0, workers: 0, types: 0, sinceMs: nowMs, lastAtMs: nowMs };
    this.#overflow.lastAtMs = nowMs;
    return this.#overflow;
  }
}
