import {
  type Acknowledgement,
  MAX_WORKERS_NAMED,
  type Order,
  type SignedOrder,
  type WorkerAnswer,
} from '../../agent/protocol.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import type { WorkerOverride, WorkerState } from '../model/worker.js';
import type { AgentChannel } from '../redis/agent-channel.js';
import type { GivenOrders } from './given-orders.js';
import type { AgentPort } from './watch.js';

/** An order that a worker does not follow yet is given to it again after this. */
const AGAIN_AFTER_MS = 5_000;
/** Who was there when an order was given has heard it, and says so with its next beat. */
const SETTLED_MS = 2_500;
/** Made-up workers must not have the console flood Redis. */
const MAX_SENT_A_TICK = 20;

interface OverridesDeps {
  readonly instance: string;
  readonly store: GivenOrders;
  readonly send: (queueId: string, order: Order) => Promise<void>;
  readonly newId: () => string;
  readonly now: () => number;
  /** Called with what keeps orders from being written down or given. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Gives orders that stand to workers with a secret that come later, by their ids: such workers take none from what Redis
 * keeps (see agent/protocol.ts). An order stands while it is in the console's store and has been in Redis all the time.
 */
export class Overrides {
  readonly #deps: OverridesDeps;
  /** By queue, ids that stood when it was last looked at; null: what the store knows of it was not held against Redis yet. */
  #seen: Map<string, string> | null = null;
  /** By queue, when an order was given that no look has come after: it may have gone again meanwhile. */
  readonly #givenAtMs = new Map<string, number>();
  /** When an order was last given to a worker. */
  #triedAtMs = new Map<string, number>();
  #isLooking = false;

  constructor(deps: OverridesDeps) {
    this.#deps = deps;
  }

  /** These are kept in Redis now. One that can't be written down counts all the same, but for workers that come later. */
  async given(orders: readonly Order[]): Promise<void> {
    const { instance, store, now } = this.#deps;
    const standing = orders.filter(({ value }) => value !== null);
    for (const { queue } of standing) this.#givenAtMs.set(queue, now());
    await store.add(instance, standing, now()).catch((error: unknown) => this.#deps.onFault(error));
  }

  /** These stand no more. @returns those that were given here, to be `given` again where they are put back. */
  async takenAway(ids: readonly string[]): Promise<readonly Order[]> {
    const { instance, store } = this.#deps;
    try {
      const known = await store.find(instance, ids);
      await store.forget(instance, ids);
      return known;
    } catch (error) {
      this.#deps.onFault(error);
      return [];
    }
  }

  /** After each read: forgets what stands no more, then gives what stands to those who lack it. One at a time; never rejects. */
  async look({ queues, workers }: Pick<Snapshot, 'queues' | 'workers'>): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#forgetGone(queues);
      await this.#giveAgain(workers, new Map(queues.map(({ id, readAtMs }) => [id, readAtMs])));
    } catch (error) {
      this.#deps.onFault(error);
    } finally {
      this.#isLooking = false;
    }
  }

  async #forgetGone(queues: readonly QueueState[]): Promise<void> {
    const { instance, store } = this.#deps;
    // Of a console that was away: what it knows is held against what stands now.
    this.#seen ??= new Map((await store.queues(instance)).map((queueId) => [queueId, 'not seen yet']));
    for (const { id, overrides, readAtMs } of queues) {
      const ids = overrides.map(({ orderId }) => orderId);
      const standing = ids.join(' ');
      const isNew = (this.#givenAtMs.get(id) ?? Number.POSITIVE_INFINITY) < readAtMs;
      if (!isNew && standing === (this.#seen.get(id) ?? '')) continue;
      if (isNew) this.#givenAtMs.delete(id);
      await store.keepOnly(instance, id, ids, readAtMs);
      if (standing === '') this.#seen.delete(id);
      else this.#seen.set(id, standing);
    }
  }

  /** @param readAtMs by queue. */
  async #giveAgain(workers: readonly WorkerState[], readAtMs: ReadonlyMap<string, number>): Promise<void> {
    const nowMs = this.#deps.now();
    const lacking = workers.flatMap((worker) =>
      ordersLackedBy(worker, this.#triedAtMs, nowMs).map((override) => ({ worker, override })),
    );
    // Of workers that are gone nothing is remembered.
    const present = new Set(workers.map(({ id }) => id));
    for (const key of this.#triedAtMs.keys())
      if (!present.has(key.slice(0, key.indexOf(' ')))) this.#triedAtMs.delete(key);
    if (lacking.length === 0) return;
    const ids = [...new Set(lacking.map(({ override }) => override.orderId))];
    let sent = 0;
    for (const order of await this.#deps.store.find(this.#deps.instance, ids)) {
      // What stands in Redis under its id may say something else: then it is not the one that was given.
      const names = lacking.flatMap(({ worker, override }) =>
        override.orderId === order.id &&
        override.scope === order.scope &&
        override.setting === order.setting &&
        worker.queueId === order.queue
          ? worker.id
          : [],
      );
      for (let from = 0; from < names.length && sent < MAX_SENT_A_TICK; from += MAX_WORKERS_NAMED) {
        const some = names.slice(from, from + MAX_WORKERS_NAMED);
        for (const id of some) this.#triedAtMs.set(keyOf(id, order.id), nowMs);
        sent += 1;
        // As of what was seen: what was ordered since then counts more.
        const atMs = readAtMs.get(order.queue) ?? nowMs;
        await this.#deps.send(order.queue, { ...order, nonce: this.#deps.newId(), atMs, workers: some });
      }
    }
  }
}

function keyOf(workerId: string, orderId: string): string {
  return `${workerId} ${orderId}`;
}

/** Orders that a worker should have and does not tell of. One behind another of its setting is given once, for later. Pure. */
function ordersLackedBy(
  { id, agent }: WorkerState,
  triedAtMs: ReadonlyMap<string, number>,
  nowMs: number,
): readonly WorkerOverride[] {
  if (!agent?.asksForOrders || agent.isClosing) return [];
  return agent.overrides.filter((order) => {
    if (order.isFollowed || order.refusal !== null || nowMs - order.atMs < SETTLED_MS) return false;
    const triedMs = triedAtMs.get(keyOf(id, order.orderId));
    if (triedMs === undefined) return true;
    const isBehind = agent.overrides.some(
      (other) => other !== order && other.setting === order.setting && other.isFollowed,
    );
    return !isBehind && nowMs - triedMs > AGAIN_AFTER_MS;
  });
}

interface Waiting {
  readonly missing: Set<string>;
  readonly answers: Map<string, WorkerAnswer>;
  readonly done: () => void;
}

/** Sends orders, and holds their acknowledgements together with them. */
export class AgentOrders implements AgentPort {
  readonly #channel: AgentChannel;
  /** null: there is no secret, so workers take what is kept themselves, or nothing is written down. */
  readonly #standing: Overrides | null;
  readonly #waiting = new Map<string, Waiting>();

  constructor(channel: AgentChannel, standing: Overrides | null) {
    this.#channel = channel;
    this.#standing = standing;
  }

  get problem(): string | null {
    const { status, problem } = this.#channel.state;
    return status === 'hearing' ? null : (problem ?? 'the console does not hear agents yet');
  }

  sign(order: Order): SignedOrder {
    return this.#channel.sign(order);
  }

  async noteGiven(orders: readonly Order[]): Promise<void> {
    await this.#standing?.given(orders);
  }

  async noteTakenAway(ids: readonly string[]): Promise<readonly Order[]> {
    return (await this.#standing?.takenAway(ids)) ?? [];
  }

  look(snapshot: Snapshot): void {
    if (snapshot.link.status === 'live' && this.problem === null) void this.#standing?.look(snapshot);
  }

  async send(
    queueId: string,
    order: Order,
    expected: readonly string[],
    withinMs: number,
  ): Promise<ReadonlyMap<string, WorkerAnswer>> {
    const { id } = order;
    const answers = new Map<string, WorkerAnswer>();
    let timer: NodeJS.Timeout | undefined;
    const all = new Promise<void>((resolve) => {
      this.#waiting.set(id, { missing: new Set(expected), answers, done: resolve });
      if (expected.length === 0) resolve();
      timer = setTimeout(resolve, withinMs);
    });
    try {
      for (const part of this.#partsOf(order, expected))
        await this.#channel.publishOrder(queueId, this.sign(part));
      await all;
      return answers;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** With a secret an order names the workers that it is for, so that it can't be played back to others. */
  #partsOf(order: Order, expected: readonly string[]): readonly Order[] {
    if (!this.#channel.isSigned || order.workers !== null) return [order];
    const parts: Order[] = [];
    for (let from = 0; from < expected.length; from += MAX_WORKERS_NAMED)
      parts.push({ ...order, workers: expected.slice(from, from + MAX_WORKERS_NAMED) });
    return parts;
  }

  answered(ack: Acknowledgement): void {
    const waiting = this.#waiting.get(ack.orderId);
    if (!waiting) return;
    for (const answer of ack.workers) {
      waiting.answers.set(answer.id, answer);
      waiting.missing.delete(answer.id);
    }
    if (waiting.missing.size === 0) waiting.done();
  }
}
