import { connected, duplicateFor, type RedisShape } from './redis-shape.js';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 1_000;

export interface ConnectionEvents {
  /** Subscribes to what has to be heard; its failure is one of the connection. */
  readonly onConnected: (ears: RedisShape, mouth: RedisShape) => Promise<void>;
  readonly onMessage: (channel: string, message: string) => void;
}

/**
 * The agent's two connections: one that hears, one that speaks. Both come and go together. Lost, they are made anew, with
 * jitter and a cap; no timer or socket here keeps the process alive.
 */
export class Connection {
  readonly #client: RedisShape;
  readonly #name: string;
  readonly #events: ConnectionEvents;
  #ears: RedisShape | null = null;
  #mouth: RedisShape | null = null;
  #isUp = false;
  #isStopped = false;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: RedisShape, name: string, events: ConnectionEvents) {
    this.#client = client;
    this.#name = name;
    this.#events = events;
    void this.#open();
  }

  /** The one that speaks; null while there is none. */
  get mouth(): RedisShape | null {
    return this.#isUp ? this.#mouth : null;
  }

  get ears(): RedisShape | null {
    return this.#isUp ? this.#ears : null;
  }

  /** Gives up both and makes new ones: for ears that don't hear though their socket is open. */
  renew(): void {
    if (this.#isStopped) return;
    this.#close();
    this.#attempt = 0;
    this.#plan(0);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#close();
  }

  async #open(): Promise<void> {
    let ears: RedisShape | null = null;
    let mouth: RedisShape | null = null;
    try {
      ears = duplicateFor(this.#client, this.#name);
      mouth = duplicateFor(this.#client, this.#name);
      this.#ears = ears;
      this.#mouth = mouth;
      const lost = (): void => this.#lost(ears, mouth);
      for (const one of [ears, mouth]) for (const event of ['end', 'close']) one.on(event, lost);
      ears.on('message', (channel: string, message: string) => {
        if (ears === this.#ears) this.#events.onMessage(channel, message);
      });
      await Promise.all([connected(ears), connected(mouth)]);
      await this.#events.onConnected(ears, mouth);
      if (ears !== this.#ears || this.#isStopped) return;
      this.#isUp = true;
      this.#attempt = 0;
    } catch {
      // Why it can't connect is the worker's own connection's to tell; the agent tries on.
      this.#lost(ears, mouth);
    }
  }

  #lost(ears: RedisShape | null, mouth: RedisShape | null): void {
    if (this.#isStopped || (ears !== null && ears !== this.#ears)) return;
    ears?.disconnect();
    mouth?.disconnect();
    this.#close();
    this.#attempt += 1;
    const base = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#attempt - 1, 6));
    this.#plan(base * (0.5 + Math.random() / 2));
  }

  #plan(inMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#open(), inMs);
    this.#timer.unref();
  }

  #close(): void {
    const [ears, mouth] = [this.#ears, this.#mouth];
    this.#ears = null;
    this.#mouth = null;
    this.#isUp = false;
    ears?.disconnect();
    mouth?.disconnect();
  }
}
