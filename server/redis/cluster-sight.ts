import type { Redis } from 'ioredis';
import { Cluster, Command } from 'ioredis';
import type { RedisClient } from './connect.js';
import { ReadTimeout, Timeout } from './connect.js';
import type { MasterNode, RedisLink } from './link.js';

/** host:port of the master that holds a queue's keys; null where there is no cluster (one node holds all). */
function ownerOf(client: RedisClient, queueId: string): string | null {
  if (!(client instanceof Cluster)) return null;
  // The slot of the prefix's hash tag; BullMQ in a Cluster needs one, so all keys of the queue are there.
  return client.slots[new Command('get', [`${queueId}:meta`]).getSlot()]?.[0] ?? null;
}

/** Are the keys spread over several masters? */
function isCluster(client: RedisClient): boolean {
  return client instanceof Cluster;
}

/** A master of a Cluster that takes longer is given up for this tick: well before the whole tick would be. */
const MASTER_TIMEOUT_MS = 1_500;
const REFRESH_EVERY_MS = 1_000;

/** Reads masters side by side, so that one of a Cluster that hangs or is gone does not hide the others. */
export class ClusterSight {
  readonly #link: RedisLink;
  readonly #now: () => number;
  /** They failed when they were last asked: asked again once their connection says that it is ready. */
  readonly #failing = new Set<string>();
  #refreshedAtMs = Number.NEGATIVE_INFINITY;

  constructor(link: RedisLink, now: () => number) {
    this.#link = link;
    this.#now = now;
  }

  get isCluster(): boolean {
    return isCluster(this.#link.reader);
  }

  isOn(masterId: string, queueId: string): boolean {
    return !this.isCluster || ownerOf(this.#link.reader, queueId) === masterId;
  }

  /** Why a queue was not read though masters were; null: who holds it has changed just now, so the next tick reads it. */
  silenceOf(queueId: string, answering: ReadonlySet<string>): string | null {
    const owner = ownerOf(this.#link.reader, queueId);
    if (owner === null) return 'no master serves its slot';
    return answering.has(owner) ? null : `the master at ${owner} does not answer`;
  }

  /** Who holds which slot has changed: has the Cluster asked, at most once a second, as each time is a connection. */
  refresh(): void {
    const nowMs = this.#now();
    if (nowMs - this.#refreshedAtMs < REFRESH_EVERY_MS) return;
    this.#refreshedAtMs = nowMs;
    this.#link.refreshSlots();
  }

  /**
   * @param givenUp the whole tick is: then no read goes on. What `read` gets ends it earlier, with its own master.
   * @returns those that answered.
   * @throws what the first says, where none does; of a single Redis, what that one says, without a limit of time.
   */
  async each(
    masters: readonly MasterNode[],
    givenUp: AbortSignal,
    read: (master: MasterNode, place: number, givenUp: AbortSignal) => Promise<void>,
  ): Promise<readonly MasterNode[]> {
    const [only] = masters;
    if (!this.isCluster && only) {
      await read(only, 0, givenUp);
      return masters;
    }
    const problems: unknown[] = [];
    const answering = await Promise.all(
      masters.map(async (master, place) => {
        try {
          await this.#readInTime(master, givenUp, (ends) => read(master, place, ends));
          this.#failing.delete(master.id);
          return [master];
        } catch (error) {
          problems.push(error);
          this.#failing.add(master.id);
          return [];
        }
      }),
    );
    if (problems.length > 0) this.refresh();
    if (problems.length === masters.length) throw problems[0];
    return answering.flat();
  }

  async #readInTime(
    { id, client }: MasterNode,
    givenUp: AbortSignal,
    read: (givenUp: AbortSignal) => Promise<void>,
  ): Promise<void> {
    if (this.#failing.has(id) && client.status !== 'ready') {
      // One that hangs accepts connections and says nothing: it is waited for beside the ticks.
      if (client.status === 'wait') client.connect().catch(() => undefined);
      throw new ReadTimeout(`the master at ${id} does not answer`);
    }
    const timeout = new Timeout(MASTER_TIMEOUT_MS);
    const ends = new AbortController();
    try {
      await Promise.race([read(AbortSignal.any([givenUp, ends.signal])), timeout.promise]);
    } catch (error) {
      ends.abort();
      if (error instanceof ReadTimeout) client.disconnect();
      throw error;
    } finally {
      timeout.clear();
    }
  }
}

/**
 * One round trip.
 * @returns what Redis says where it refuses it, as that is an answer too; else null. While Redis can't save its data, it
 * refuses PING wherever it would refuse a write (MISCONF).
 */
export async function ping(client: Redis): Promise<string | null> {
  try {
    await client.ping();
    return null;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return error.message;
    throw error;
  }
}
