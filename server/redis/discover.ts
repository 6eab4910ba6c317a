import type { Redis } from 'ioredis';
import { ownText } from '../model/text.js';
import {
  askForBull,
  askForCounter,
  askForQueue,
  digestOf,
  isBull,
  isQueue,
  MAX_QUEUE_ID_CHARS,
  queueOf,
} from './queue-keys.js';
import { type AnswerPlace, ReadBatch } from './read-batch.js';
import { isRelayKey } from './relay-keys.js';

/** Keys that one SCAN looks at: 0.6 ms of Redis with a million keys, which are spread over its memory. [run: 1.2 µs a key] */
const SCAN_COUNT = 500;
/** Names of keys may be of any length: what one SCAN is to bring, and how many keys the first looks at. */
const SCAN_CHARS = 256 * 1024;
const FIRST_SCAN_COUNT = 20;
/** A key that is nobody's and longer than this is not measured: that would send its name back. */
const MAX_MEASURED_CHARS = 4_096;
/** Ids that are too long for a queue that is watched and are looked at all the same in one step, to be reported. */
const MAX_LONG_CHARS = 4 * 1024 * 1024;
/** A pass over the keyspace is begun this often at most: new queues are to appear within 10 s where the budget permits. */
const PASS_EVERY_MS = 8_000;
/** Time that one step takes at most, however far away Redis is. */
const STEP_MS = 300;
/** A key that belongs to no queue is measured by whoever asked for the step. */
const MEASURE_USEC = 1.5;
/** Candidates checked in one step, and the most queues the console watches in one Redis. */
const CHECK_AT_ONCE = 2_000;
export const MAX_WATCHED_QUEUES = 10_000;
/** SCAN meets keys in no order of theirs: a queue with some dozen of them is met in the first part of a pass. */
const MAX_SEEN_RATIO = 0.2;
/** Names kept in mind while it is not known whether they are queues. */
const MAX_REMEMBERED = 20_000;

/** What a queue has beside its jobs: a key that ends so is a reason to look for a queue. */
const ENDINGS = new Set(
  'meta meta-paused id wait paused active events completed failed delayed prioritized waiting-children marker repeat stalled pc'.split(
    ' ',
  ),
);

export interface DiscoveryStep {
  /** Ids (`<prefix>:<name>`) that are new. */
  readonly found: readonly string[];
  /** Keys of BullMQ's Relay that were met. */
  readonly relay: readonly string[];
  /** Keys that were met and belong to no queue, as far as is known; none before most queues are. */
  readonly nobodys: readonly string[];
  readonly endedPass: boolean;
  /** Nearly all queues that hold more than some jobs are known. */
  readonly hasMetMost: boolean;
  readonly calls: ReadonlyMap<string, number>;
}

/**
 * Walks over the keys of one Redis process, a bounded piece of SCAN at a time, to find queues and what is nobody's. Any key
 * of a queue gives it away, and most keys are jobs, so a queue is found the sooner the more it holds; one without jobs when
 * its `meta` is met. SCAN's own filters would save nothing: Redis walks and copies all keys before it filters them.
 */
export class Discovery {
  #cursor = '0';
  #isScanning = false;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #walked = 0;
  readonly #rejected = new Set<string>();
  readonly #candidates = new Set<string>();
  readonly #metOnce = new Set<string>();
  /** Of this step alone. */
  #longIds: string[] = [];
  /** Mean length of the keys of the last SCAN; null: there was none. */
  #keyChars: number | null = null;
  lastPassAtMs: number | null = null;
  passDurationMs: number | null = null;
  keys = 0;

  /** Nearly all queues that hold more than some jobs have been met. */
  get hasMetMost(): boolean {
    return this.lastPassAtMs !== null || (this.keys > 0 && this.#walked >= this.keys * MAX_SEEN_RATIO);
  }

  /** What a pass over all keys costs Redis, µs; 0 where their number is not known yet. */
  passUsec(scanUsec: number): number {
    return (this.keys / SCAN_COUNT) * scanUsec;
  }

  /**
   * One step: SCANs for as much as is allowed, one at least, then a check that what was found is BullMQ's.
   * @param known ids that are watched already and need no check.
   * @param scanUsec what one SCAN cost Redis lately.
   */
  async step(
    client: Redis,
    nowMs: number,
    allowanceUsec: number,
    scanUsec: number,
    known: { has(id: string): boolean },
  ): Promise<DiscoveryStep> {
    const isTime = nowMs - this.#startedAtMs >= PASS_EVERY_MS;
    const sent = new Map<string, number>();
    if (!this.#isScanning && isTime) {
      this.#isScanning = true;
      this.#startedAtMs = nowMs;
      this.#walked = 0;
      this.keys = await client.dbsize();
      sent.set('dbsize', 1);
    }
    const nobodys: string[] = [];
    const relay: string[] = [];
    const untilMs = performance.now() + STEP_MS;
    let left = allowanceUsec;
    let scans = 0;
    while (this.#isScanning && (scans === 0 || (left >= scanUsec && performance.now() < untilMs))) {
      const [cursor, keys] = await client.scan(this.#cursor, 'COUNT', this.#scanCount);
      this.#noteLengths(keys);
      scans += 1;
      this.#cursor = cursor;
      this.#walked += keys.length;
      const before = nobodys.length;
      for (const key of keys)
        if (isRelayKey(key)) relay.push(key);
        else if (!this.#take(key, known) && key.length <= MAX_MEASURED_CHARS) nobodys.push(key);
      left -= scanUsec + (nobodys.length - before) * MEASURE_USEC;
      if (cursor === '0') this.#endPass(nowMs);
    }
    if (scans > 0) sent.set('scan', scans);
    const some = [...this.#candidates].slice(0, CHECK_AT_ONCE);
    const found = await this.#confirm(client, [...some, ...this.#longIds]);
    this.#longIds = [];
    for (const id of some) this.#candidates.delete(id);
    if (found.asked > 0) sent.set('hmget', found.asked);
    return {
      found: found.ids,
      relay,
      nobodys: this.hasMetMost ? nobodys : [],
      endedPass: scans > 0 && !this.#isScanning,
      hasMetMost: this.hasMetMost,
      calls: sent,
    };
  }

  /** False: the key belongs to no queue that is known or may turn out to be one. */
  #take(key: string, known: { has(id: string): boolean }): boolean {
    if (queueOf(key, known) !== null) return true;
    const at = key.lastIndexOf(':');
    const id =
      key.length > MAX_QUEUE_ID_CHARS ? ownText(key, Math.max(0, at)) : key.slice(0, Math.max(0, at));
    if (id.length > MAX_QUEUE_ID_CHARS) return this.#takeLong(id, key.slice(at + 1), known);
    if (!id.includes(':') || this.#rejected.has(id)) return false;
    // Two keys of one name may be jobs; an application's keys of one each would be checked in vain, millions of them.
    if (ENDINGS.has(key.slice(at + 1)) || this.#metOnce.has(id)) this.#candidates.add(id);
    if (this.#candidates.has(id)) return true;
    if (this.#metOnce.size >= MAX_REMEMBERED) this.#metOnce.clear();
    this.#metOnce.add(id);
    return false;
  }

  /** Of a queue with such a name one key is looked at: a name of megabytes takes its time, and stands in each of its keys. */
  #takeLong(id: string, ending: string, known: { has(id: string): boolean }): boolean {
    if (ending !== 'meta') return id.length > MAX_MEASURED_CHARS || known.has(id);
    if (id.length > MAX_LONG_CHARS || known.has(id)) return true;
    if (this.#rejected.has(digestOf(id))) return false;
    const chars = this.#longIds.reduce((sum, one) => sum + one.length, id.length);
    if (chars <= MAX_LONG_CHARS) this.#longIds.push(id);
    return true;
  }

  get #scanCount(): number {
    if (this.#keyChars === null) return FIRST_SCAN_COUNT;
    return Math.max(1, Math.min(SCAN_COUNT, Math.floor(SCAN_CHARS / this.#keyChars)));
  }

  #noteLengths(keys: readonly string[]): void {
    let chars = 0;
    for (const key of keys) chars += key.length;
    if (keys.length > 0) this.#keyChars = Math.max(1, chars / keys.length);
  }

  #endPass(nowMs: number): void {
    this.#isScanning = false;
    this.passDurationMs = nowMs - this.#startedAtMs;
    this.lastPassAtMs = nowMs;
    // An application's own hash of that name may have become a queue since.
    this.#rejected.clear();
    this.#metOnce.clear();
  }

  async #confirm(client: Redis, ids: readonly string[]): Promise<{ ids: readonly string[]; asked: number }> {
    const batch = new ReadBatch();
    const slots = ids.map((id) => [id, askForQueue(batch, id), askForCounter(batch, id)] as const);
    await batch.run(client);
    const bulls = await bullQueues(client, batch, slots);
    const confirmed: string[] = [];
    for (const [id, slot] of slots) {
      const isOne = bulls.has(id) || isQueue(batch, slot);
      // One of which it is not known is met again in the next pass.
      if (isOne) confirmed.push(id);
      else if (isOne === false && this.#rejected.size < MAX_REMEMBERED)
        this.#rejected.add(id.length > MAX_QUEUE_ID_CHARS ? digestOf(id) : id);
    }
    return { ids: confirmed, asked: ids.length };
  }
}

/** Those that are queues of Bull 3 or 4: a counter, and what it leaves. */
async function bullQueues(
  client: Redis,
  batch: ReadBatch,
  slots: readonly (readonly [id: string, queue: AnswerPlace, counter: AnswerPlace])[],
): Promise<ReadonlySet<string>> {
  const counted = slots.filter(([, queue, counter]) => {
    const count = batch.read((answers) => answers.text(counter));
    return typeof count === 'string' && /^\d{1,16}$/.test(count) && isQueue(batch, queue) === false;
  });
  const further = new ReadBatch();
  const asked = counted.map(([id]) => [id, askForBull(further, id)] as const);
  await further.run(client);
  return new Set(asked.filter(([, slots]) => isBull(further, slots)).map(([id]) => id));
}
