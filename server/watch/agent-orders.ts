import {
  type Acknowledgement,
  MAX_WORKERS_NAMED,
  type Order,
  type SignedOrder,
  type WorkerAnswer,
} from '../../agent/protocol.js';
import type { Snapshot } from '../model/snapshot.js';
import type { AgentChannel } from '../redis/agent-channel.js';
import type { Overrides } from './overrides.js';
import type { AgentPort } from './watch.js';

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
