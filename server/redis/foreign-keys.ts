import type { Redis } from 'ioredis';
import type { ForeignKey } from '../model/memory.js';
import { askForQueue, isQueue, possibleQueuesOf } from './queue-keys.js';
import { type AnswerPlace, ReadBatch, Refused, sumOfCalls } from './read-batch.js';

/** Keys drawn at random in one tick: 4 µs each with a million keys, and a look at those that are nobody's. */
const DRAWN = 24;
/** What the names of those may hold together, and a key whose name is longer is as one that was not drawn. */
const DRAWN_CHARS = 256 * 1024;
const MAX_KEY_CHARS = 4_096;
/** A key from this size on is looked for by name, because no sample of keys finds one among millions. */
const LARGE_BYTES = 1024 * 1024;
const MAX_LARGE = 20;

export interface ForeignSample {
  /** Keys drawn; those that belong to no queue, with their bytes. Large ones are in `large` alone. */
  readonly drawn: number;
  readonly foreign: readonly { readonly key: string; readonly bytes: number }[];
  readonly large: readonly ForeignKey[];
  readonly calls: ReadonlyMap<string, number>;
}

/** Looks at keys that belong to no queue: at some drawn at random, and at those that the walk over all keys has met. */
export class ForeignKeys {
  readonly #isOwn: (key: string) => boolean;
  readonly #large = new Map<string, number>();
  #draws = 1;

  /** @param isOwn does a key belong to a queue that is watched? */
  constructor(isOwn: (key: string) => boolean) {
    this.#isOwn = isOwn;
  }

  /**
   * @param met keys of the walk that were nobody's when it met them.
   * @param canDraw most queues are known, so that a key which is none of theirs is nobody's.
   */
  async look(client: Redis, met: readonly string[], canDraw: boolean): Promise<ForeignSample> {
    const draw = new ReadBatch();
    const slots = Array.from({ length: canDraw ? this.#draws : 0 }, () => draw.add('randomkey'));
    await draw.run(client);
    const keys = slots
      .map((slot) => draw.read((answers) => answers.text(slot)))
      .filter((key): key is string => typeof key === 'string');
    const chars = keys.reduce((sum, key) => sum + key.length, 0);
    if (keys.length > 0)
      this.#draws = Math.max(
        1,
        Math.min(DRAWN, Math.floor((DRAWN_CHARS * keys.length) / Math.max(1, chars))),
      );
    const drawn = keys.filter((key) => key.length <= MAX_KEY_CHARS);
    const sizes = new ReadBatch();
    const measure = (key: string) => [key, sizes.add('memory', 'USAGE', key)] as const;
    const drawnSlots = drawn.filter((key) => !this.#isOwn(key)).map(measure);
    const metSlots = met.filter((key) => !this.#isOwn(key)).map(measure);
    // What was large is looked at again: it may have grown or gone, or turned out to be a queue's.
    for (const key of this.#large.keys()) if (this.#isOwn(key)) this.#large.delete(key);
    const againSlots = [...this.#large.keys()].map(measure);
    await sizes.run(client);
    const sizesOf = (measured: readonly (readonly [string, AnswerPlace])[]) =>
      measured.flatMap(([key, slot]) => {
        const bytes = sizes.read((answers) => answers.number(slot));
        return bytes instanceof Refused ? [] : [{ key, bytes }];
      });
    const sized = sizesOf(drawnSlots);
    const largeMet = sizesOf(metSlots).filter(({ bytes }) => bytes >= LARGE_BYTES);
    const owners = await unmetOwners(client, [...sized, ...largeMet]);
    const nobodys = ({ key }: { readonly key: string }): boolean => owners.isQueues(key) === false;
    const foreign = sized.filter(nobodys);
    for (const { key, bytes } of [...foreign, ...largeMet.filter(nobodys), ...sizesOf(againSlots)])
      this.#note(key, bytes);
    const unknown =
      drawnSlots.length - sized.length + sized.filter(({ key }) => owners.isQueues(key) === null).length;
    return {
      // A key whose size, or whose owner, is not known is as one that was not drawn.
      drawn: drawn.length - unknown,
      foreign: foreign.filter(({ key }) => !this.#large.has(key)),
      large: [...this.#large]
        .map(([key, bytes]) => ({ key: shown(key), bytes }))
        .sort((a, b) => b.bytes - a.bytes),
      calls: sumOfCalls(draw.calls, sizes.calls, owners.calls),
    };
  }

  #note(key: string, bytes: number): void {
    if (bytes < LARGE_BYTES) this.#large.delete(key);
    else this.#large.set(key, bytes);
    if (this.#large.size <= MAX_LARGE) return;
    const [smallest] = [...this.#large].sort((a, b) => a[1] - b[1]);
    if (smallest) this.#large.delete(smallest[0]);
  }
}

/**
 * Asks Redis whether keys that are no watched queue's are those of a queue all the same: of one that the walk over all keys
 * has not met yet, or that is beyond what is watched. `isQueues` is null where Redis did not say.
 */
async function unmetOwners(client: Redis, keys: readonly { readonly key: string }[]) {
  const batch = new ReadBatch();
  const asked = new Map<string, AnswerPlace>();
  const slotOf = (id: string): AnswerPlace => {
    const slot = asked.get(id) ?? askForQueue(batch, id);
    asked.set(id, slot);
    return slot;
  };
  const slots = new Map(keys.map(({ key }) => [key, possibleQueuesOf(key).map(slotOf)]));
  await batch.run(client);
  const isQueues = (key: string): boolean | null => {
    const answers = (slots.get(key) ?? []).map((slot) => isQueue(batch, slot));
    return answers.includes(true) || (answers.includes(null) ? null : false);
  };
  return { isQueues, calls: batch.calls };
}

/** Names of keys may hold what is private (a session, an address): what looks like an id is left out. */
function shown(key: string): string {
  return key
    .split(':')
    .map((part) => (/\d{3}|[^\w.-]|^.{33,}$/.test(part) ? '…' : part))
    .join(':')
    .slice(0, 100);
}
