import type { Redis } from 'ioredis';
import type { ForeignKey } from '../watch/memory-state.js';
import { ReadBatch } from './read-batch.js';

/** Keys drawn at random in one tick: 0.5 µs each, and a look at those that are nobody's. */
const DRAWN = 24;
/** A key from this size on is looked for by name, because no sample of keys finds one among millions. */
const LARGE_BYTES = 1024 * 1024;
const MOST_LARGE = 20;
/** Jobs are hashes: of the other types a queue has a handful of keys, so what SCAN returns of them is little. */
const TYPES = ['string', 'list', 'zset', 'set', 'stream'] as const;
/** Keys that one SCAN looks at: more where it finds few, so that a walk ends, and fewer where each has to be measured. */
const LEAST_COUNT = 250;
const MOST_COUNT = 4_000;
const FEW = 50;
const MANY = 300;

export interface ForeignSample {
  /** Keys drawn; those that belong to no queue, with their bytes. Large ones are told in `large` alone. */
  readonly drawn: number;
  readonly foreign: readonly { readonly key: string; readonly bytes: number }[];
  readonly large: readonly ForeignKey[];
  /** A walk over all types has ended. */
  readonly endedWalk: boolean;
  readonly calls: ReadonlyMap<string, number>;
}

/** Looks for keys that belong to no queue, a little in every tick. Holds the cursor of its walk. */
export class ForeignKeys {
  readonly #isOwn: (key: string) => boolean;
  #cursor = '0';
  #type = 0;
  #count = LEAST_COUNT;
  readonly #large = new Map<string, number>();

  /** @param isOwn does a key belong to a queue that is watched? */
  constructor(isOwn: (key: string) => boolean) {
    this.#isOwn = isOwn;
  }

  async look(client: Redis): Promise<ForeignSample> {
    const draw = new ReadBatch();
    const slots = Array.from({ length: DRAWN }, () => draw.add('randomkey'));
    const scan = draw.add('scan', this.#cursor, 'COUNT', this.#count, 'TYPE', TYPES[this.#type] ?? 'string');
    await draw.run(client);
    const drawn = slots.map((slot) => draw.text(slot)).filter((key): key is string => key !== null);
    const { cursor, keys } = readScan(draw.value(scan));
    const met = keys.filter((key) => !this.#isOwn(key));
    if (met.length < FEW) this.#count = Math.min(MOST_COUNT, this.#count * 2);
    if (met.length > MANY) this.#count = Math.max(LEAST_COUNT, this.#count / 2);
    const sizes = new ReadBatch();
    const foreign = drawn.filter((key) => !this.#isOwn(key));
    const drawnSlots = foreign.map((key) => [key, sizes.add('memory', 'USAGE', key)] as const);
    const metSlots = met.map((key) => [key, sizes.add('memory', 'USAGE', key)] as const);
    // What was large is looked at again: it may have grown or gone.
    for (const key of this.#large.keys()) if (this.#isOwn(key)) this.#large.delete(key);
    const againSlots = [...this.#large.keys()].map(
      (key) => [key, sizes.add('memory', 'USAGE', key)] as const,
    );
    await sizes.run(client);
    const calls = new Map([...draw.calls, ...sizes.calls]);
    for (const [key, slot] of [...drawnSlots, ...metSlots, ...againSlots])
      this.#note(key, sizes.number(slot));
    return {
      drawn: drawn.length,
      foreign: drawnSlots
        .filter(([key]) => !this.#large.has(key))
        .map(([key, slot]) => ({ key, bytes: sizes.number(slot) })),
      large: [...this.#large]
        .map(([key, bytes]) => ({ key: shown(key), bytes }))
        .sort((a, b) => b.bytes - a.bytes),
      endedWalk: this.#advance(cursor),
      calls,
    };
  }

  #note(key: string, bytes: number): void {
    if (bytes < LARGE_BYTES) this.#large.delete(key);
    else this.#large.set(key, bytes);
    if (this.#large.size <= MOST_LARGE) return;
    const [smallest] = [...this.#large].sort((a, b) => a[1] - b[1]);
    if (smallest) this.#large.delete(smallest[0]);
  }

  #advance(cursor: string): boolean {
    this.#cursor = cursor;
    if (cursor !== '0') return false;
    this.#type = (this.#type + 1) % TYPES.length;
    return this.#type === 0;
  }
}

function readScan(answer: unknown): { cursor: string; keys: readonly string[] } {
  const [cursor, keys] = Array.isArray(answer) ? answer : ['0', []];
  return { cursor: String(cursor ?? '0'), keys: Array.isArray(keys) ? keys.map(String) : [] };
}

/** Names of keys may hold what is private (a session, an address): what looks like an id is left out. */
function shown(key: string): string {
  return key
    .split(':')
    .map((part) => (/\d{3}|[^\w.-]|^.{33,}$/.test(part) ? '…' : part))
    .join(':')
    .slice(0, 100);
}
