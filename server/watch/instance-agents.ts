import type { TypeBeat } from '../../agent/protocol.js';
import type { InstanceConfig } from '../model/instance-config.js';
import type { QueueState } from '../model/snapshot.js';
import type { Hearing, SeenWorker } from '../model/worker.js';
import type { OwnHealth } from '../process/own-health.js';
import { AgentChannel } from '../redis/agent-channel.js';
import type { RedisClient } from '../redis/connect.js';
import { MessageIntake } from './agent-bounds.js';
import { hearingChanged } from './connection-events.js';
import { Fleet, type FleetEvent } from './fleet.js';
import type { GivenOrders } from './given-orders.js';
import { LostKeeper } from './lost-keeper.js';
import { type LostWorkerStore, LostWorkers } from './lost-workers.js';
import { AgentOrders, Overrides } from './overrides.js';

/** After an outage agents connect anew, as the console does: for so long nobody is called gone. */
const AGENTS_BACK_MS = 3_000;

interface InstanceAgentsDeps {
  readonly newId: () => string;
  readonly now: () => number;
  readonly log: { warn(message: string): void };
  /** Is called with what throws. */
  readonly health: OwnHealth;
  readonly givenOrders: GivenOrders | null;
  /** Where workers that are gone are remembered; null: nowhere. */
  readonly lostWorkers: LostWorkerStore | null;
  readonly report: (event: FleetEvent) => void;
  /** What each beat says of a worker's job types. */
  readonly onTypes: (queueId: string, process: string, types: readonly TypeBeat[], nowMs: number) => void;
}

/** The agents of one Redis: hears them, sends them orders, and knows the workers that they attend. */
export class InstanceAgents {
  readonly fleet: Fleet;
  readonly orders: AgentOrders;
  readonly #deps: InstanceAgentsDeps;
  readonly #keeper: LostKeeper;
  readonly #channel: AgentChannel;
  readonly #intake = new MessageIntake();

  /** @param client says what is to be said to them. */
  constructor(config: InstanceConfig, client: RedisClient, deps: InstanceAgentsDeps) {
    const { newId, now, log, health, givenOrders, report } = deps;
    const { name } = config;
    this.#deps = deps;
    this.#keeper = new LostKeeper(deps.lostWorkers, name, (text) => log.warn(`${name}: ${text}`));
    const lost = new LostWorkers((id, worker) => this.#keeper.write(id, worker));
    this.fleet = new Fleet(now(), report, deps.onTypes, lost, this.#intake);
    const channel = new AgentChannel(config, client, newId(), now, (error) =>
      health.note(`the way to agents of ${name}`, error),
    );
    this.#channel = channel;
    const overrides =
      config.agentSecret === null || givenOrders === null
        ? null
        : new Overrides({
            instance: name,
            store: givenOrders,
            send: (queueId, order) => channel.publishOrder(queueId, channel.sign(order)),
            newId,
            now,
            onFault: (error) => health.note(`orders for workers of ${name} that come later`, error),
          });
    this.orders = new AgentOrders(channel, overrides);
    channel.onMessage((payload, sender) =>
      health.guard(`messages of agents of ${name}`, () => this.#take(payload, sender), undefined),
    );
    channel.onChange((state, before) =>
      health.guard(
        `the way to agents of ${name}`,
        () => {
          const event = hearingChanged(state, before);
          if (event) report(event);
        },
        undefined,
      ),
    );
  }

  /** Takes in what was lost before the console was started. */
  start(): void {
    this.#keeper
      .recall()
      .then((kept) => this.fleet.recall(kept))
      .catch((error: unknown) => this.#deps.log.warn(`workers that are gone: ${String(error)}`));
  }

  stop(): void {
    this.#channel.stop();
  }

  hearing(nowMs: number): Hearing {
    const { agents, unreadable } = this.fleet;
    return { ...this.#channel.state, agents, unreadable, overflow: this.#intake.overflow(nowMs) };
  }

  /**
   * Once a tick: the workers as they stand now. Notices who is gone.
   * @param canTell the Redis can be read, and the console was not held up itself: else no silence is anybody's end.
   */
  see(queues: readonly QueueState[], canTell: boolean, nowMs: number): readonly SeenWorker[] {
    this.#keeper.refresh(nowMs, (id) => void this.fleet.dismiss(id));
    const kept = new Map(queues.map(({ id, overrides }) => [id, overrides]));
    const { status, sinceMs } = this.#channel.state;
    const hasHeardForLong = status === 'hearing' && nowMs - sinceMs > AGENTS_BACK_MS;
    // A beat that was not read is none that was not sent.
    const hasReadAll = this.#intake.overflow(nowMs) === null;
    return this.fleet.states(
      nowMs,
      (queueId) => kept.get(queueId) ?? [],
      canTell && hasHeardForLong && hasReadAll,
    );
  }

  /**
   * A worker that is gone is not missed any more.
   * @returns null: no such worker is missed; false: the store still holds it, so that it is missed again after a restart.
   */
  dismiss(id: string): Promise<boolean> | null {
    return this.fleet.dismiss(id) ? this.#keeper.drop(id) : null;
  }

  #take(payload: Buffer, sender: string): void {
    const { now } = this.#deps;
    if (!this.#intake.admits(sender, this.fleet.knows(sender), now())) return;
    const ack = this.#intake.timed(() => this.fleet.hear(payload, now()));
    if (ack) this.orders.answered(ack);
  }
}
