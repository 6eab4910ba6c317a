import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { AttachedWorker } from './attached-worker.js';
import { Connection } from './connection.js';
import { Containment, messageOf } from './contain.js';
import { Echo } from './echo.js';
import { HostMeter, LoopDelay } from './host-share.js';
import { RelievedSoon } from './oom-guard.js';
import { type Answered, MAX_KEPT_BYTES, OrderIntake } from './order-intake.js';
import {
  type Acknowledgement,
  type AgentIdentity,
  BEAT_EVERY_MS,
  type Beat,
  type Farewell,
  KEPT_ORDERS_FIELD,
  orderChannel,
  PROTOCOL,
  type UpMessage,
  upChannel,
} from './protocol.js';
import { databaseOf, type RedisShape } from './redis-shape.js';
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

/** Jobs that a worker could take now. */
export interface QueueWait {
  readonly jobs: number;
  /** Why none can be taken whatever waits; null: they can. */
  readonly why: string | null;
}

/** One a process and Redis: sends beats for its workers, takes orders for them, and notices when it is deaf. */
export class Agent {
  readonly identity: AgentIdentity = {
    id: randomUUID(),
    host: hostname(),
    pid: process.pid,
    version: AGENT_VERSION,
    nodeVersion: process.version,
  };
  readonly #database: number;
  readonly #contain = new Containment((problem) => this.#report(problem));
  readonly #connection: Connection;
  readonly #workers = new Map<string, AttachedWorker>();
  readonly #intake = new OrderIntake();
  readonly #loop = new LoopDelay(this.#contain);
  readonly #host = new HostMeter();
  readonly #relief: RelievedSoon;
  #timer: NodeJS.Timeout;
  /** When within the second it beats. */
  readonly #phaseMs = Math.floor(Math.random() * SLOTS) * (BEAT_EVERY_MS / SLOTS);
  #seq = 0;
  readonly #echo: Echo;
  /** By performance.now(): a clock that is set back must not put it off. */
  #keptDueAt = 0;
  #canAskRole = true;

  constructor(client: RedisShape) {
    this.#database = databaseOf(client);
    const events = {
      onConnected: (subscriber: RedisShape) => this.#connected(subscriber),
      onMessage: (channel: string, message: string) => this.#onMessage(channel, message),
      onRefused: (problem: string) => this.#report(`spillway-agent: ${problem}`),
    };
    this.#connection = new Connection(client, `spillway:agent:${this.identity.id}`, events, this.#contain);
    this.#echo = new Echo(this.#contain, () => this.#connection.renew());
    this.#relief = new RelievedSoon(
      this.#contain,
      () => this.#connection.publisher,
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
    const { subscriber } = this.#connection;
    // Else it is subscribed to when the connection comes up.
    if (subscriber && isNewQueue)
      this.#contain.run('subscribing', () => this.#subscribe(subscriber, worker.queueId));
    this.#contain.run('its first beat', () => this.#greet([worker.queueId]));
  }

  /** Says farewell for it, so that it is not missed. */
  async remove(worker: AttachedWorker): Promise<void> {
    if (!this.#workers.delete(worker.id)) return;
    const isLast = ![...this.#workers.values()].some((known) => known.queueId === worker.queueId);
    const { subscriber } = this.#connection;
    if (isLast && subscriber)
      this.#contain.run('unsubscribing', () =>
        // One that fails is lost with its connection.
        subscriber.unsubscribe(this.#orderChannel(worker.queueId)).catch(() => undefined),
      );
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

  /** What keeps the workers of this queue from taking jobs, or how many wait for them; null: Redis does not say. */
  async waiting(queueId: string): Promise<QueueWait | null> {
    const { publisher } = this.#connection;
    if (!publisher) return null;
    const [wait, prioritized, active, settings, limitedMs] = await Promise.all([
      publisher.llen(`${queueId}:wait`),
      publisher.zcard(`${queueId}:prioritized`),
      publisher.llen(`${queueId}:active`),
      publisher.hmget(`${queueId}:meta`, 'paused', 'concurrency'),
      publisher.pttl(`${queueId}:limiter`),
    ]);
    const [paused, concurrency] = settings;
    if (paused) return { jobs: 0, why: 'the queue is paused' };
    if (limitedMs > 0) return { jobs: 0, why: 'the queue is held by its rate limit' };
    if (concurrency && active >= Number(concurrency))
      return { jobs: 0, why: `the queue's global concurrency of ${concurrency} is reached` };
    return { jobs: wait + prioritized, why: null };
  }

  /** A worker is refused by a full Redis. */
  blocked(): void {
    this.#relief.watch();
  }

  /** Each of those whose workers it serves. */
  #report(problem: string): void {
    for (const report of new Set([...this.#workers.values()].map((worker) => worker.onProblem)))
      report(problem);
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

  async #connected(subscriber: RedisShape): Promise<void> {
    await subscriber.subscribe(
      this.#ownChannel,
      ...this.#queues.map((queueId) => this.#orderChannel(queueId)),
    );
    this.#echo.forget();
    // After this has returned the connection counts as up; then what may have been missed is read, and the first beat sent.
    this.#contain.after(0, 'its first beat', () => this.#greet(this.#queues));
  }

  async #subscribe(subscriber: RedisShape, queueId: string): Promise<void> {
    try {
      await subscriber.subscribe(this.#orderChannel(queueId));
    } catch (error) {
      if (!this.#connection.isRefusal(error)) this.#connection.renew();
    }
  }

  async #greet(queues: readonly string[]): Promise<void> {
    await this.#readKept(queues);
    await this.#beat();
  }

  /** At the agent's place in the second, by the clock on the wall. */
  #plan(): NodeJS.Timeout {
    const intoMs = (Date.now() - this.#phaseMs) % BEAT_EVERY_MS;
    // 5 ms more, so that a timer that comes a moment early does not beat twice.
    const inMs = BEAT_EVERY_MS - intoMs + (intoMs > BEAT_EVERY_MS - 5 ? BEAT_EVERY_MS : 0);
    const dueAt = performance.now() + inMs;
    return this.#contain.after(inMs, 'its beat', () => {
      this.#timer = this.#plan();
      this.#host.late(performance.now() - dueAt);
      if (performance.now() >= this.#keptDueAt)
        this.#contain.run('reading what is kept', () => this.#readKept(this.#queues));
      return this.#beat();
    });
  }

  async #beat(): Promise<void> {
    const { publisher } = this.#connection;
    if (!publisher || this.#workers.size === 0) return;
    const nowMs = Date.now();
    // A worker that has changed its shape must not silence the others.
    const parts = [...this.#workers.values()].flatMap(
      (worker) => this.#contain.value('a beat', () => worker.beat(nowMs), null) ?? [],
    );
    const loop = this.#loop.read();
    const host = this.#contain.value('measuring its host', () => this.#host.read(), null);
    const rssBytes = this.#contain.value('reading its memory', () => process.memoryUsage.rss(), null);
    this.#seq += 1;
    const seq = this.#seq;
    const beat: Beat = {
      v: PROTOCOL,
      kind: 'beat',
      // Stands near the start: the agent's own subscriber read no further.
      seq,
      agent: this.identity,
      atMs: nowMs,
      loopDelay: loop.delay,
      ...(rssBytes === null ? {} : { rssBytes }),
      ...(host === null ? {} : { host: host.share }),
      ignored: this.#intake.ignored,
      resubscribed: this.#echo.timesDeaf,
      workers: parts.map((part) => part.beat),
    };
    this.#echo.sent(seq);
    if (!(await this.#say(beat))) {
      for (const part of parts) part.giveBack();
      return;
    }
    loop.arrived();
    host?.arrived();
    if (seq % ROLE_EVERY_BEATS === 0) await this.#checkRole(publisher);
  }

  async #checkRole(publisher: RedisShape): Promise<void> {
    // Elsewhere a failover cuts the connections, or changes what a name stands for.
    if (!this.#canAskRole || !publisher.options.sentinels?.length) return;
    try {
      const [role] = await publisher.role();
      if (role !== 'master' && publisher === this.#connection.publisher) this.#connection.renew();
    } catch (error) {
      // Not permitted: then only a lost connection shows a failover.
      if (error instanceof Error && /NOPERM|unknown command/i.test(error.message)) this.#canAskRole = false;
    }
  }

  /** @returns false where it was not sent. */
  async #say(message: UpMessage): Promise<boolean> {
    const { publisher } = this.#connection;
    if (!publisher) return false;
    try {
      await publisher.publish(this.#ownChannel, JSON.stringify(message));
      return true;
    } catch (error) {
      // A lost connection is noticed where it is held; one that hangs by the beat that does not come back.
      if (this.#connection.isRefusal(error)) this.#echo.forget();
      return false;
    }
  }

  #onMessage(channel: string, message: string): void {
    if (channel === this.#ownChannel) {
      const seq = Number(/"kind":"beat","seq":(\d+)/.exec(message.slice(0, 60))?.[1]);
      this.#echo.received(seq);
      return;
    }
    const workers = [...this.#workers.values()].filter(
      (worker) => this.#orderChannel(worker.queueId) === channel,
    );
    const answered = workers.length === 0 ? null : this.#intake.receive(message, workers, Date.now());
    if (!answered) return;
    this.#contain.run('an answer', () => this.#acknowledge(answered));
  }

  async #acknowledge({ orderId, workers }: Answered): Promise<void> {
    const answers = await Promise.all(workers);
    const ack: Acknowledgement = {
      v: PROTOCOL,
      kind: 'ack',
      agent: this.identity,
      orderId,
      workers: answers,
    };
    await this.#say(ack);
  }

  async #readKept(queues: readonly string[]): Promise<void> {
    this.#keptDueAt = performance.now() + KEPT_EVERY_MS * (0.75 + Math.random() / 2);
    await Promise.all(queues.map((queueId) => this.#readKeptOf(queueId)));
  }

  async #readKeptOf(queueId: string): Promise<void> {
    const { publisher } = this.#connection;
    if (!publisher) return;
    const askedAt = performance.now();
    const key = `${queueId}:meta`;
    let text: string | null;
    try {
      const bytes = await publisher.hstrlen(key, KEPT_ORDERS_FIELD);
      if (bytes > MAX_KEPT_BYTES)
        throw new TooMuchKept(`${bytes} bytes stand in ${KEPT_ORDERS_FIELD} of ${key}`);
      text = bytes === 0 ? null : await publisher.hget(key, KEPT_ORDERS_FIELD);
    } catch (error) {
      if (error instanceof TooMuchKept || /NOPERM/.test(messageOf(error)))
        this.#contain.failed('reading what is kept', error);
      // Read again with the next connection, or when it is due.
      this.#keptDueAt = performance.now() + 2_000;
      return;
    }
    const workers = [...this.#workers.values()].filter((worker) => worker.queueId === queueId);
    this.#intake.takeKept(text, workers, askedAt);
  }
}

/** More than any console keeps: it is not fetched, as it would be in the way of jobs. */
class TooMuchKept extends Error {}
