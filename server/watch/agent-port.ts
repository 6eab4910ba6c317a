import type { Order, SignedOrder, WorkerAnswer } from '../../agent/protocol.js';

/** The way from actions to the agents of one Redis. */
export interface AgentPort {
  /** Why orders can't be sent or their answers not be heard now; null: they can. */
  readonly problem: string | null;
  /** With this Redis's secret, where one is configured. */
  sign(order: Order): SignedOrder;
  /**
   * Publishes an order, signed and to the workers by name where there is a secret, and gathers the answers of the workers that are expected, until all have answered or the time is
   * over; who did not answer is not in the result. Redis accepts it over maxmemory and stores nothing.
   * @throws what Redis says when it can't be published.
   */
  send(
    queueId: string,
    order: Order,
    expected: readonly string[],
    withinMs: number,
  ): Promise<ReadonlyMap<string, WorkerAnswer>>;
  /** These are kept in Redis from now on: where there is a secret, workers that come later get them from the console. */
  noteGiven(orders: readonly Order[]): Promise<void>;
  /** These were kept and are not any more. @returns those that were noted, to be noted again where they are put back. */
  noteTakenAway(ids: readonly string[]): Promise<readonly Order[]>;
}
