import type { Acknowledgement, Order, SignedOrder, WorkerAnswer } from '../../agent/protocol.js';
import type { AgentChannel } from '../redis/agent-channel.js';
import type { AgentPort } from './agent-port.js';

interface Waiting {
  readonly missing: Set<string>;
  readonly answers: Map<string, WorkerAnswer>;
  readonly done: () => void;
}

/** Sends orders, and holds their acknowledgements together with them. */
export class AgentOrders implements AgentPort {
  readonly #channel: AgentChannel;
  readonly #waiting = new Map<string, Waiting>();

  constructor(channel: AgentChannel) {
    this.#channel = channel;
  }

  get problem(): string | null {
    const { status, problem } = this.#channel.state;
    return status === 'hearing' ? null : (problem ?? 'the console does not hear agents yet');
  }

  sign(order: Order): SignedOrder {
    return this.#channel.sign(order);
  }

  async send(
    queueId: string,
    order: SignedOrder,
    expected: readonly string[],
    withinMs: number,
  ): Promise<ReadonlyMap<string, WorkerAnswer>> {
    const { id } = JSON.parse(order.body) as Order;
    const answers = new Map<string, WorkerAnswer>();
    let timer: NodeJS.Timeout | undefined;
    const all = new Promise<void>((resolve) => {
      this.#waiting.set(id, { missing: new Set(expected), answers, done: resolve });
      if (expected.length === 0) resolve();
      timer = setTimeout(resolve, withinMs);
    });
    try {
      await this.#channel.publishOrder(queueId, order);
      await all;
      return answers;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
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
