import type { Redis } from 'ioredis';
import { ReadBatch } from './read-batch.js';

/** Keys that one SCAN call may look at: about half a millisecond of Redis. */
const SCAN_COUNT = 2_000;
/** A pass over the keyspace is begun this often at most, and spread over a second or more: new queues are to appear within 10 s. */
const PASS_EVERY_MS = 8_000;
const PASS_TAKES_MS = 1_000;
/** Candidates checked in one step, and the most queues the console watches in one Redis. */
const CHECK_AT_ONCE = 2_000;
export const MOST_QUEUES = 20_000;

/**
 * Finds queues in one Redis process by their `meta` hashes, a bounded piece of SCAN at a time. Holds the cursor, so
 * that a pass over a large keyspace goes on where it was, tick after tick.
 */
export class Discovery {
  #cursor = '0';
  #isScanning = false;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  readonly #rejected = new Set<string>();
  readonly #candidates = new Set<string>();
  lastPassAtMs: number | null = null;
  passDurationMs: number | null = null;
  keys = 0;

  /**
   * One step: at most `calls` SCANs, then a check that what was found is BullMQ's.
   * @param known ids that are watched already and need no check.
   * @returns ids (`<prefix>:<name>`) that are new; and the commands it sent, for the account of the console's cost.
   */
  async step(
    client: Redis,
    nowMs: number,
    calls: number,
    known: ReadonlySet<string>,
  ): Promise<{ readonly found: readonly string[]; readonly calls: ReadonlyMap<string, number> }> {
    const isTime = nowMs - this.#startedAtMs >= PASS_EVERY_MS;
    if (!this.#isScanning && !isTime && this.#candidates.size === 0) return { found: [], calls: new Map() };
    if (!this.#isScanning && isTime) {
      this.#isScanning = true;
      this.#startedAtMs = nowMs;
      this.keys = await client.dbsize();
    }
    const sent = new Map([['dbsize', 1]]);
    for (let i = 0; i < calls && this.#isScanning; i++) {
      const [cursor, keys] = await client.scan(
        this.#cursor,
        'MATCH',
        '*:meta',
        'COUNT',
        SCAN_COUNT,
        'TYPE',
        'hash',
      );
      sent.set('scan', i + 1);
      this.#cursor = cursor;
      for (const key of keys) {
        const id = key.slice(0, -':meta'.length);
        if (id.includes(':') && !known.has(id) && !this.#rejected.has(id)) this.#candidates.add(id);
      }
      if (cursor === '0') this.#endPass(nowMs);
    }
    const some = [...this.#candidates].slice(0, CHECK_AT_ONCE);
    const found = await this.#confirm(client, some);
    for (const id of some) this.#candidates.delete(id);
    sent.set('hmget', found.asked);
    return { found: found.ids, calls: sent };
  }

  /** How many SCAN calls a step of `intervalMs` needs to finish a pass in time, within what the budget leaves. */
  callsPerStep(intervalMs: number, budgetRatio: number): number {
    const forPass = Math.ceil((this.keys / SCAN_COUNT) * (intervalMs / PASS_TAKES_MS));
    // Half a millisecond a call; 40% of the budget is for looking around, the rest for what is known.
    const affordable = Math.floor((intervalMs * budgetRatio * 0.4) / 0.5);
    // The first pass may cost more: whoever has just opened the console waits for it.
    return Math.max(1, Math.min(forPass, this.lastPassAtMs === null ? 20 : affordable, 40));
  }

  #endPass(nowMs: number): void {
    this.#isScanning = false;
    this.passDurationMs = nowMs - this.#startedAtMs;
    this.lastPassAtMs = nowMs;
    // An application's own hash of that name may have become a queue since.
    this.#rejected.clear();
  }

  /** A hash named …:meta is a queue's if it holds a field that only BullMQ writes, or its siblings are there. */
  async #confirm(client: Redis, ids: readonly string[]): Promise<{ ids: readonly string[]; asked: number }> {
    const batch = new ReadBatch();
    const slots = ids.map((id) => ({
      id,
      meta: batch.add('hmget', `${id}:meta`, 'version', 'opts.maxLenEvents'),
    }));
    await batch.run(client);
    const confirmed: string[] = [];
    for (const { id, meta } of slots) {
      const [version, maxLenEvents] = batch.list(meta);
      if (version?.startsWith('bullmq') || (maxLenEvents !== null && maxLenEvents !== undefined))
        confirmed.push(id);
      else this.#rejected.add(id);
    }
    return { ids: confirmed, asked: ids.length };
  }
}
