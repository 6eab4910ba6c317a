import { type Containment, messageOf, within } from './contain.js';
import { connected, duplicateFor, type RedisShape } from './redis-shape.js';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 1_000;
/** Where Redis does not permit what the agent needs, it is tried again this often. */
const REFUSED_RETRY_MS = 30_000;
/** Both are connected and subscribed by then, or it is tried anew. */
const OPEN_WITHIN_MS = 6_000;

interface ConnectionEvents {
  /** Subscribes to what it has to receive; its failure is one of the connection. */
  readonly onConnected: (subscriber: RedisShape, publisher: RedisShape) => Promise<void>;
  readonly onMessage: (channel: string, message: string) => void;
  /** Called once: what Redis does not permit. */
  readonly onRefused: (problem: string) => void;
}

/** One try: its subscriber, then its publisher, as far as they were made. */
type Pair = RedisShape[];

/**
 * The agent's two connections: one that subscribes, one that publishes. Both come and go together. Lost, they are made anew, with
 * jitter and a cap; no timer or socket here keeps the process alive.
 */
export class Connection {
  readonly #client: RedisShape;
  readonly #name: string;
  readonly #events: ConnectionEvents;
  readonly #contain: Containment;
  #pair: Pair = [];
  #isUp = false;
  #isStopped = false;
  #hasToldRefusal = false;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: RedisShape, name: string, events: ConnectionEvents, contain: Containment) {
    this.#client = client;
    this.#name = name;
    this.#events = events;
    this.#contain = contain;
    this.#plan(0);
  }

  get subscriber(): RedisShape | null {
    return this.#isUp ? (this.#pair[0] ?? null) : null;
  }

  /** The one that speaks; null while there is none. */
  get publisher(): RedisShape | null {
    return this.#isUp ? (this.#pair[1] ?? null) : null;
  }

  /** Gives up both and makes new ones: for a subscriber that receives nothing though its socket is open. */
  renew(): void {
    if (this.#isStopped) return;
    this.#drop();
    this.#attempt = 0;
    this.#plan(0);
  }

  /** Does Redis not permit what was asked? Then it is reported, and asked again much later. */
  isRefusal(error: unknown): boolean {
    const text = messageOf(error);
    if (this.#isStopped || !/NOPERM|no permissions/i.test(text)) return false;
    this.#drop();
    this.#plan(REFUSED_RETRY_MS);
    if (this.#hasToldRefusal) return true;
    this.#hasToldRefusal = true;
    this.#events.onRefused(
      `Redis does not let this user speak to consoles (${text}): allow +subscribe +unsubscribe +publish on channels spillway:*; the worker works on`,
    );
    return true;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#drop();
  }

  async #open(): Promise<void> {
    const pair: Pair = [];
    this.#pair = pair;
    try {
      const lost = this.#contain.listener('its connection', () => this.#lost(pair));
      for (let i = 0; i < 2; i += 1) {
        const one = duplicateFor(this.#client, this.#name, this.#contain);
        pair.push(one);
        for (const event of ['end', 'close']) one.on(event, lost);
      }
      const [subscriber, publisher] = pair as [RedisShape, RedisShape];
      const onMessage = (channel: string, message: string): void => {
        if (pair === this.#pair) this.#events.onMessage(channel, message);
      };
      subscriber.on('message', this.#contain.listener('a message', onMessage));
      const opened = Promise.all(pair.map(connected)).then(() =>
        this.#events.onConnected(subscriber, publisher),
      );
      await within(OPEN_WITHIN_MS, opened);
      if (pair !== this.#pair) return;
      this.#isUp = true;
      this.#attempt = 0;
    } catch (error) {
      // Why it can't connect is the worker's own connection's to report; the agent tries on.
      if (pair === this.#pair && !this.isRefusal(error)) this.#lost(pair);
    }
  }

  #lost(pair: Pair): void {
    if (this.#isStopped || pair !== this.#pair) return;
    this.#drop();
    this.#attempt += 1;
    const base = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#attempt - 1, 6));
    this.#plan(base * (0.5 + Math.random() / 2));
  }

  #plan(inMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = this.#contain.after(inMs, 'its connection', () => this.#open());
  }

  /** They are given up before they are closed: some clients say `close` within `disconnect`, which must find nothing to lose. */
  #drop(): void {
    const pair = this.#pair;
    this.#pair = [];
    this.#isUp = false;
    for (const one of pair) this.#contain.run('its connection', () => one.disconnect());
  }
}
