import { EventEmitter } from 'node:events';
import { Cluster } from 'ioredis';
import { orderChannel, PROTOCOL, type SignedOrder, upChannel, upPattern } from '../../agent/protocol.js';
import { signOrder } from '../../agent/signature.js';
import type { InstanceConfig } from '../model/instance-config.js';
import type { Hearing } from '../model/worker.js';
import { every, type Loop } from '../process/every.js';
import { addressOf, connect, type RedisClient } from './connect.js';
import { describeProblem } from './problems.js';

const ECHO_EVERY_MS = 1_000;
/** An echo that has not come back after this was not heard: one a second, so that is noticed within 2.2 s. */
const DEAF_AFTER_MS = 1_200;
/** The console's own event loop stood still for so long: what has come back may not have been read yet. */
const LATE_MS = 400;
/** Where Redis does not permit it (ACL), it is tried again this often. */
const REFUSED_RETRY_MS = 30_000;
/** Not connected for so long: whatever it waits for, a fresh one begins anew. */
const STUCK_MS = 4_000;
const MAX_CHANNEL_CHARS = 300;

export type ChannelState = Omit<Hearing, 'agents' | 'unreadable' | 'overflow'>;

/**
 * The console's subscriber and publisher towards agents. It listens on a connection of its own and speaks by the actions' one; what
 * it says to itself each second (an echo) must come back, else it is deaf, whatever the socket says, and a fresh
 * connection subscribes anew.
 */
export class AgentChannel {
  readonly #config: InstanceConfig;
  readonly #publisher: RedisClient;
  readonly #self: string;
  readonly #now: () => number;
  readonly #database: number;
  readonly #events = new EventEmitter();
  readonly #loop: Loop;
  #subscriber: RedisClient | null = null;
  #state: ChannelState;
  #seq = 0;
  #unheard = new Set<number>();
  #retryAtMs = 0;
  #notReadySinceMs: number | null = null;
  /** Of a Cluster's masters, whose turn it is to be spoken to. */
  #turn = 0;
  #isStopped = false;

  /**
   * @param self an id of this console.
   * @param onProblem called with what throws.
   */
  constructor(
    config: InstanceConfig,
    publisher: RedisClient,
    self: string,
    now: () => number,
    onProblem: (error: unknown) => void,
  ) {
    this.#config = config;
    this.#publisher = publisher;
    this.#self = `console-${self}`;
    this.#now = now;
    this.#database = databaseOf(config);
    this.#state = { status: 'off', sinceMs: now(), problem: null, lastHeardAtMs: null, resubscribed: 0 };
    this.#listen();
    this.#loop = every(ECHO_EVERY_MS, () => this.#tick(), onProblem);
    this.#loop.start();
  }

  get state(): ChannelState {
    return this.#state;
  }

  /** Messages of agents and of other consoles, as they come: not read yet, as not each of them may be. */
  onMessage(listener: (payload: Buffer, sender: string) => void): void {
    this.#events.on('message', listener);
  }

  onChange(listener: (state: ChannelState, before: ChannelState) => void): void {
    this.#events.on('change', listener);
  }

  /** Is there a secret? */
  get isSigned(): boolean {
    return this.#config.agentSecret !== null;
  }

  sign(order: Parameters<typeof signOrder>[0]): SignedOrder {
    return signOrder(order, this.#config.agentSecret);
  }

  /** @throws what Redis says. */
  async publishOrder(queueId: string, order: SignedOrder): Promise<void> {
    await this.#speaker().publish(orderChannel(this.#database, queueId), JSON.stringify(order));
  }

  stop(): void {
    this.#isStopped = true;
    void this.#loop.stop();
    this.#subscriber?.disconnect();
    this.#events.removeAllListeners();
  }

  #listen(): void {
    const subscriber = connect(this.#config.endpoint, { connectionName: 'spillway:hear' });
    this.#subscriber?.disconnect();
    this.#subscriber = subscriber;
    this.#notReadySinceMs = null;
    this.#unheard.clear();
    subscriber.on('error', () => undefined);
    subscriber.on('node error', () => undefined);
    subscriber.on('pmessageBuffer', (_pattern: string, channel: Buffer, payload: Buffer) => {
      if (subscriber === this.#subscriber) this.#hear(channel.toString('latin1'), payload);
    });
    // Also after each reconnect: ioredis subscribes again by itself, but only what it still remembers.
    subscriber.on('ready', () => void this.#subscribe(subscriber));
  }

  async #subscribe(subscriber: RedisClient): Promise<void> {
    try {
      await subscriber.psubscribe(upPattern(this.#database));
      await this.#echo();
    } catch (error) {
      // Any other failure is noticed by the echo that does not come back.
      if (subscriber === this.#subscriber) this.#noteRefusal(error);
    }
  }

  #tick(): void {
    const nowMs = this.#now();
    if (this.#retryAtMs > 0) {
      if (nowMs < this.#retryAtMs) return;
      this.#retryAtMs = 0;
      this.#listen();
      return;
    }
    this.#notReadySinceMs = this.#subscriber?.status === 'ready' ? null : (this.#notReadySinceMs ?? nowMs);
    if (this.#notReadySinceMs !== null && nowMs - this.#notReadySinceMs > STUCK_MS) this.#listen();
    void this.#echo();
  }

  async #echo(): Promise<void> {
    this.#seq += 1;
    const seq = this.#seq;
    const echo = { v: PROTOCOL, kind: 'echo', seq, console: this.#self };
    this.#unheard.add(seq);
    const dueAtMs = this.#now() + DEAF_AFTER_MS;
    setTimeout(() => this.#check(seq, dueAtMs), DEAF_AFTER_MS).unref();
    const speaker = this.#speaker();
    try {
      await speaker.publish(upChannel(this.#database, this.#self), JSON.stringify(echo));
    } catch (error) {
      if (this.#noteRefusal(error)) return;
      // That the publisher can't speak is noticed like deaf subscriber: the echo does not come back. One that hangs is dropped.
      this.#turn += 1;
      const isHanging = error instanceof Error && /timed out/i.test(error.message);
      if (isHanging && !(speaker instanceof Cluster)) speaker.disconnect(true);
    }
  }

  /** What is said to any node of a Cluster is heard on all; one that hangs must not be asked again and again by chance. */
  #speaker(): RedisClient {
    if (!(this.#publisher instanceof Cluster)) return this.#publisher;
    const masters = this.#publisher.nodes('master');
    return masters[this.#turn % Math.max(1, masters.length)] ?? this.#publisher;
  }

  /** Did Redis say that this user may not? Then there is no use in asking each second, nor are the subscriber deaf. */
  #noteRefusal(error: unknown): boolean {
    const text = error instanceof Error ? error.message : String(error);
    if (this.#isStopped || !/NOPERM|no permissions|unknown command/i.test(text)) return false;
    this.#retryAtMs = this.#now() + REFUSED_RETRY_MS;
    this.#unheard.clear();
    this.#change(
      'off',
      `Redis does not let this user hear agents (${text.slice(0, 120)}): allow +psubscribe +publish &spillway:* &${upPattern(this.#database)}`,
    );
    return true;
  }

  #check(seq: number, dueAtMs: number): void {
    if (this.#isStopped || !this.#unheard.has(seq)) return;
    const nowMs = this.#now();
    if (nowMs - dueAtMs > LATE_MS) {
      setTimeout(() => this.#check(seq, nowMs + DEAF_AFTER_MS), DEAF_AFTER_MS).unref();
      return;
    }
    this.#unheard.clear();
    if (this.#retryAtMs > 0) return;
    const problem =
      this.#publisher.status === 'ready'
        ? 'what the console says to itself does not come back: it has subscribed anew'
        : describeProblem(new Error('Connection is closed'), addressOf(this.#config.endpoint));
    this.#change('deaf', problem);
    // One that is still connecting goes on by itself, for a while (STUCK_MS).
    if (this.#subscriber?.status !== 'ready') return;
    this.#state = { ...this.#state, resubscribed: this.#state.resubscribed + 1 };
    this.#listen();
  }

  #hear(channel: string, payload: Buffer): void {
    if (channel !== upChannel(this.#database, this.#self)) {
      this.#events.emit('message', payload, channel.slice(channel.lastIndexOf(':') + 1, MAX_CHANNEL_CHARS));
      return;
    }
    const seq = Number(/"kind":"echo","seq":(\d+)/.exec(payload.toString('latin1', 0, 60))?.[1]);
    for (const sent of this.#unheard) if (sent <= seq) this.#unheard.delete(sent);
    this.#state = { ...this.#state, lastHeardAtMs: this.#now() };
    if (this.#state.status !== 'hearing') this.#change('hearing', null);
  }

  #change(status: ChannelState['status'], problem: string | null): void {
    const before = this.#state;
    const isSame = before.status === status;
    this.#state = { ...before, status, problem, sinceMs: isSame ? before.sinceMs : this.#now() };
    if (!isSame) this.#events.emit('change', this.#state, before);
  }
}

/** Agents are in the database that their queues are in; a Cluster has one. */
function databaseOf({ endpoint }: InstanceConfig): number {
  if (endpoint.kind === 'cluster') return 0;
  if (endpoint.kind === 'sentinel') return endpoint.db;
  const path = /^[a-z+]+:\/\/[^/]*\/(\d+)/i.exec(endpoint.url)?.[1];
  return path === undefined ? 0 : Number(path);
}
