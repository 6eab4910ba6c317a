import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import {
  type Acknowledgement,
  type Beat,
  type Farewell,
  KEPT_ORDERS_FIELD,
  keptOrderKey,
  type Order,
  orderChannel,
  type SettingOrder,
  type SignedOrder,
  type UpMessage,
  upPattern,
  type WorkerAnswer,
  type WorkerBeat,
} from '../../agent/protocol.js';
import { signOrder } from '../../agent/signature.js';
import { until } from './until.js';

/** The other end of agents, as simple as can be: hears all, orders by hand. For tests of the agent alone. */
export interface AgentEar {
  readonly beats: readonly Beat[];
  readonly acks: readonly Acknowledgement[];
  readonly farewells: readonly Farewell[];
  /** The last beat of a worker. */
  last(workerId: string): WorkerBeat | null;
  /** Waits for a beat of this worker that is like that. */
  beatOf(
    workerId: string,
    isWanted: (beat: WorkerBeat, all: Beat) => boolean,
    withinMs?: number,
  ): Promise<WorkerBeat>;
  publish(queueId: string, signed: SignedOrder | string): Promise<void>;
  keep(order: Order, secret?: string | null): Promise<void>;
  /** Publishes an order and waits for the answer of one worker. */
  order(order: Order, workerId: string, secret?: string | null): Promise<WorkerAnswer>;
  close(): void;
}

/** An order for every worker of `bull:<queue>`; what is not given is usual. */
export function anOrder(over: Partial<SettingOrder> & Pick<SettingOrder, 'setting' | 'value'>): SettingOrder {
  return {
    id: randomUUID(),
    atMs: Date.now(),
    queue: 'bull:work',
    workers: null,
    scope: '*',
    by: 'ada',
    reason: 'test',
    untilMs: null,
    ...over,
  } as SettingOrder;
}

export async function startEar(port: number): Promise<AgentEar> {
  const subscriber = new Redis({ port, maxRetriesPerRequest: null, autoResubscribe: true });
  const publisher = new Redis({ port, maxRetriesPerRequest: null });
  for (const one of [subscriber, publisher]) one.on('error', () => undefined);
  const beats: Beat[] = [];
  const acks: Acknowledgement[] = [];
  const farewells: Farewell[] = [];
  subscriber.on('pmessage', (_pattern, _channel, text) => {
    const message = JSON.parse(text) as UpMessage;
    if (message.kind === 'beat') beats.push(message);
    if (message.kind === 'ack') acks.push(message);
    if (message.kind === 'farewell') farewells.push(message);
  });
  await subscriber.psubscribe(upPattern(0));
  const last = (workerId: string): WorkerBeat | null =>
    beats
      .findLast((beat) => beat.workers.some((worker) => worker.id === workerId))
      ?.workers.find((worker) => worker.id === workerId) ?? null;
  const publish = async (queueId: string, signed: SignedOrder | string): Promise<void> => {
    await publisher.publish(
      orderChannel(0, queueId),
      typeof signed === 'string' ? signed : JSON.stringify(signed),
    );
  };
  return {
    beats,
    acks,
    farewells,
    last,
    async beatOf(workerId, isWanted, withinMs) {
      let from = 0;
      let found: WorkerBeat | undefined;
      await until(
        `a beat of ${workerId} as wanted`,
        () => {
          for (; from < beats.length && !found; from += 1) {
            const beat = beats[from];
            found = beat?.workers.find((worker) => worker.id === workerId && isWanted(worker, beat));
          }
          return found !== undefined;
        },
        { everyMs: 25, ...(withinMs === undefined ? {} : { withinMs }) },
      );
      if (!found) throw new Error('unreachable: until has waited for it');
      return found;
    },
    publish,
    async keep(order, secret = null) {
      const key = `${order.queue}:meta`;
      const kept = JSON.parse((await publisher.hget(key, KEPT_ORDERS_FIELD)) ?? '{}') as Record<
        string,
        unknown
      >;
      kept[keptOrderKey(order.scope, order.setting)] = signOrder(order, secret);
      await publisher.hset(key, KEPT_ORDERS_FIELD, JSON.stringify(kept));
    },
    async order(order, workerId, secret = null) {
      await publish(order.queue, signOrder(order, secret));
      const answer = (): WorkerAnswer | undefined =>
        acks
          .find((ack) => ack.orderId === order.id && ack.workers.some(({ id }) => id === workerId))
          ?.workers.find(({ id }) => id === workerId);
      await until(`${workerId} answers`, () => answer() !== undefined);
      const found = answer();
      if (!found) throw new Error('unreachable: until has waited for it');
      return found;
    },
    close() {
      subscriber.disconnect();
      publisher.disconnect();
    },
  };
}
