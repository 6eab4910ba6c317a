import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { acceptKept, acceptLive, type Ignored, SeenOrders } from './accept-order.js';
import type { AttachedWorker } from './attached-worker.js';
import { Connection } from './connection.js';
import { Echo } from './echo.js';
import { LoopDelay } from './loop-delay.js';
import {
  type Acknowledgement,
  type AgentIdentity,
  BEAT_EVERY_MS,
  type Beat,
  type Farewell,
  type IgnoredOrders,
  KEPT_ORDERS_FIELD,
  type Order,
  orderChannel,
  PROTOCOL,
  type UpMessage,
  upChannel,
  type WorkerAnswer,
} from './protocol.js';
import { readKeptOrders, readSignedOrder } from './read-order.js';
import { databaseOf, type RedisShape } from './redis-shape.js';
import { RelievedSoon } from './relieved-soon.js';
import { AGENT_VERSION } from './version.js';

/** Kept orders are read again about this often, in case one was missed. */
const KEPT_EVERY_MS = 30_000;
/**
 * Agents beat together in so many places of a second: Redis then wakes up for many beats at once, which costs it a
 * fraction of what the same beats cost one by one, and none of the bursts is long.
 */
const SLOTS = 5;
/** A master that has become a replica still takes PUBLISH, but its consoles have moved on. */
const ROLE_EVERY_BEATS = 2;

/** One a process and Redis: beats for its workers, hears orders for them, and notices when it is deaf. */
export class Agent {
  readonly identity: AgentIdentity = {
    id: randomUUID(),
    host: hostname(),
    pid: process.pid,
    version: AGENT_VERSION,
    nodeVersion: process.version,
  };
  readonly #database: number;
  readonly #connection: Connection;
  readonly #workers = new Map<string, AttachedWorker>();
  readonly #seen = new SeenOrders();
  readonly #loop = new LoopDelay();
  readonly #relief: RelievedSoon;
  #timer: NodeJS.Timeout;
  /** When within the second it beats. */
  readonly #phaseMs = Math.floor(Math.random() * SLOTS) * (BEAT_EVERY_MS / SLOTS);
  #ignored: IgnoredOrders = { unsigned: 0, forged: 0, replayed: 0, late: 0, malformed: 0 };
  #seq = 0;
  readonly #echo: Echo;
  #keptDueAtMs = 0;
  #canAskRole = true;

  constructor(client: RedisShape) {
    this.#database = databaseOf(client);
    this.#connection = new Connection(client, `spillway:agent:${this.identity.id}`, {
      onConnected: (ears) => this.#connected(ears),
      onMessage: (channel, message) => this.#hear(channel, message),
    });
    this.#echo = new Echo(() => this.#connection.renew());
    this.#relief = new RelievedSoon(
      () => this.#connection.mouth,
      () => [...this.#workers.values()],
    );
    this.#timer = this.#plan();
  }

  get isEmpty(): boolean {
    return this.#workers.size === 0;
  }

  add(worker: AttachedWorker): void {
    const isNewQueue = ![...this.#workers.values()].some((known) => known.queueId === worker.queueId);
    this.#workers.set(worker.id, worker);
    const { ears } = this.#connection;
    // Else it is subscribed to when the connection comes up.
    if (ears && isNewQueue)
      void ears.subscribe(this.#orderChannel(worker.queueId)).catch(() => this.#connection.renew());
    void this.#readKept([worker.queueId]).then(() => this.#beat());
  }

  /** Says farewell for it, so that it is not missed. */
  async remove(worker: AttachedWorker): Promise<void> {
    if (!this.#workers.delete(worker.id)) return;
    const isLast = ![...this.#workers.values()].some((known) => known.queueId === worker.queueId);
    if (isLast)
      void this.#connection.ears?.unsubscribe(this.#orderChannel(worker.queueId)).catch(() => undefined);
    const farewell: Farewell = {
      v: PROTOCOL,
      kind: 'farewell',
      agent: this.identity,
      atMs: Date.now(),
      workers: [worker.id],
    };
    await this.#say(farewell);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#relief.stop();
    this.#loop.stop();
    this.#connection.stop();
  }

  /** A worker is refused by a full Redis. */
  blocked(): void {
    this.#relief.watch();
  }

  #orderChannel(queueId: string): string {
    return orderChannel(this.#database, queueId);
  }

  get #ownChannel(): string {
    return upChannel(this.#database, this.identity.id);
  }

  get #queues(): readonly string[] {
    return [...new Set([...this.#workers.values()].map((worker) => worker.queueId))];
  }

  async #connected(ears: RedisShape): Promise<void> {
    await ears.subscribe(this.#ownChannel, ...this.#queues.map((queueId) => this.#orderChannel(queueId)));
    this.#echo.forget();
    // After this has returned the connection counts as up; then what may have been missed is read, and the first beat told.
    setImmediate(() => void this.#readKept(this.#queues).then(() => this.#beat()));
  }

  /** At the agent's place in the second, by the clock on the wall. */
  #plan(): NodeJS.Timeout {
    const intoMs = (Date.now() - this.#phaseMs) % BEAT_EVERY_MS;
    const timer = setTimeout(
      () => {
        this.#timer = this.#plan();
        this.#tick();
        // 5 ms more, so that a timer that comes a moment early does not beat twice.
      },
      BEAT_EVERY_MS - intoMs + (intoMs > BEAT_EVERY_MS - 5 ? BEAT_EVERY_MS : 0),
    );
    timer.unref();
    return timer;
  }

  #tick(): void {
    if (Date.now() >= this.#keptDueAtMs) void this.#readKept(this.#queues);
    void this.#beat();
  }

  async #beat(): Promise<void> {
    const { mouth } = this.#connection;
    if (!mouth || this.#workers.size === 0) return;
    const nowMs = Date.now();
    const parts = [...this.#workers.values()].flatMap((worker) => beatOf(worker, nowMs) ?? []);
    this.#seq += 1;
    const seq = this.#seq;
    const beat: Beat = {
      v: PROTOCOL,
      kind: 'beat',
      // Stands near the start: the agent's own ears read no further.
      seq,
      agent: this.identity,
      atMs: nowMs,
      loopDelay: this.#loop.take(),
      rssBytes: process.memoryUsage.rss(),
      ignored: this.#ignored,
      resubscribed: this.#echo.timesDeaf,
      workers: parts.map((part) => part.beat),
    };
    this.#echo.sent(seq, nowMs);
    const isSent = await this.#say(beat);
    if (!isSent) for (const part of parts) part.giveBack();
    if (isSent && seq % ROLE_EVERY_BEATS === 0) await this.#checkRole(mouth);
  }

  async #checkRole(mouth: RedisShape): Promise<void> {
    // Elsewhere a failover cuts the connections, or changes what a name stands for.
    if (!this.#canAskRole || !mouth.options.sentinels?.length) return;
    try {
      const [role] = await mouth.role();
      if (role !== 'master' && mouth === this.#connection.mouth) this.#connection.renew();
    } catch (error) {
      // Not permitted: then only a lost connection tells of a failover.
      if (error instanceof Error && /NOPERM|unknown command/i.test(error.message)) this.#canAskRole = false;
    }
  }

  /** @returns false where it was not sent. */
  async #say(message: UpMessage): Promise<boolean> {
    const { mouth } = this.#connection;
    if (!mouth) return false;
    try {
      await mouth.publish(this.#ownChannel, JSON.stringify(message));
      return true;
    } catch {
      // A lost connection is noticed where it is held; one that hangs by the beat that does not come back.
      return false;
    }
  }

  #hear(channel: string, message: string): void {
    if (channel === this.#ownChannel) {
      const seq = Number(/"kind":"beat","seq":(\d+)/.exec(message.slice(0, 60))?.[1]);
      this.#echo.heard(seq);
      return;
    }
    const workers = [...this.#workers.values()].filter(
      (worker) => this.#orderChannel(worker.queueId) === channel,
    );
    if (workers.length > 0) this.#hearOrder(message, workers);
  }

  #hearOrder(message: string, workers: readonly AttachedWorker[]): void {
    const signed = readSignedOrder(message);
    if (!signed) {
      this.#ignore('malformed');
      return;
    }
    const nowMs = Date.now();
    let heard: Order | null = null;
    const reasons = new Set<Ignored>();
    const answers: (WorkerAnswer | Promise<WorkerAnswer>)[] = [];
    for (const worker of workers) {
      const order = acceptLive(signed, worker.queueId, worker.secret, this.#seen, nowMs);
      if (typeof order === 'string') {
        reasons.add(order);
        continue;
      }
      heard = order;
      if (worker.isMeant(order))
        answers.push(order.setting === 'reconnect' ? worker.reconnect() : worker.obey(order));
    }
    for (const reason of reasons) this.#ignore(reason);
    if (!heard) return;
    this.#seen.note(heard.id, nowMs);
    if (answers.length === 0) return;
    void this.#acknowledge(heard.id, answers);
  }

  async #acknowledge(
    orderId: string,
    answers: readonly (WorkerAnswer | Promise<WorkerAnswer>)[],
  ): Promise<void> {
    // Settings are answered for at once; what takes a while holds up no others, as it is ordered by itself.
    const workers = await Promise.all(answers);
    const ack: Acknowledgement = { v: PROTOCOL, kind: 'ack', agent: this.identity, orderId, workers };
    await this.#say(ack);
  }

  #ignore(reason: Ignored): void {
    this.#ignored = { ...this.#ignored, [reason]: this.#ignored[reason] + 1 };
  }

  async #readKept(queues: readonly string[]): Promise<void> {
    this.#keptDueAtMs = Date.now() + KEPT_EVERY_MS * (0.75 + Math.random() / 2);
    await Promise.all(queues.map((queueId) => this.#readKeptOf(queueId)));
  }

  async #readKeptOf(queueId: string): Promise<void> {
    const { mouth } = this.#connection;
    if (!mouth) return;
    const askedAtMs = Date.now();
    try {
      const kept = Object.values(readKeptOrders(await mouth.hget(`${queueId}:meta`, KEPT_ORDERS_FIELD)));
      for (const worker of this.#workers.values()) {
        if (worker.queueId !== queueId) continue;
        const orders = kept.map((signed) => acceptKept(signed, queueId, worker.secret));
        worker.takeKept(
          orders.filter((order) => typeof order !== 'string'),
          askedAtMs,
        );
      }
    } catch {
      // Read again with the next connection, or when it is due.
      this.#keptDueAtMs = Date.now() + 2_000;
    }
  }
}

/** What a worker has to tell; null where it can't: a worker that has changed its shape must not end its process. */
function beatOf(worker: AttachedWorker, nowMs: number): ReturnType<AttachedWorker['beat']> | null {
  try {
    return worker.beat(nowMs);
  } catch {
    return null;
  }
}
