import { reasonOf } from '../process/every.js';
import type { RedisClient } from '../redis/connect.js';
import { storeTroubleOf } from '../store/store-trouble.js';
import type { Watch } from '../watch/watch.js';

/**
 * What time or a person elsewhere heals: the connection, a failover, loading, a script that holds Redis; a disk that is full
 * or can't be written, a store that another process holds.
 */
const PASSING =
  /timed? ?out|Connection is closed|Command aborted|Stream isn't writeable|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|READONLY|LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|\bBUSY\b|MISCONF|NOREPLICAS|\bOOM\b|UNBLOCKED|All sentinels|failed to refresh/i;

/** Will it do to try again? */
export function isPassing(error: unknown): boolean {
  const trouble = storeTroubleOf(error);
  return trouble === null ? PASSING.test(reasonOf(error)) : trouble !== 'damaged';
}

/** One line for a person, without the place in a script that Redis appends. */
export function problemInWords(error: unknown): string {
  return reasonOf(error)
    .replace(/,? ?script: [0-9a-f]{40}.*$/s, '')
    .slice(0, 200);
}

/** A call of a script that is not answered within this is tried again. */
const COMMAND_TIMEOUT_MS = 5_000;
/** Somebody waits for an answer. */
const CONNECT_WITHIN_MS = 3_000;

/**
 * One connection to each Redis for all its replays, opened when the first needs it: their long reads stand before
 * neither an action nor the poller.
 */
export class ReplayConnections {
  readonly #watch: Pick<Watch, 'link'>;
  readonly #clients = new Map<string, RedisClient>();
  readonly #onBreak: (instance: string) => void;

  /** @param onBreak called when a connection is made anew: Redis may have forgotten what it had confirmed. */
  constructor(watch: Pick<Watch, 'link'>, onBreak: (instance: string) => void) {
    this.#watch = watch;
    this.#onBreak = onBreak;
  }

  /** The connection, where it can be used now; else null, and it is being tried. */
  ready(instance: string): RedisClient | null {
    const known = this.#clients.get(instance);
    if (known) return known.status === 'ready' ? known : null;
    const client = this.#watch.link(instance)?.connectMore('spillway:replays', COMMAND_TIMEOUT_MS);
    if (!client) return null;
    // What fails is said by each command; an error event without a listener would end the process.
    client.on('error', () => undefined);
    client.on('node error', () => undefined);
    let isFirst = true;
    client.on('ready', () => {
      if (!isFirst) this.#onBreak(instance);
      isFirst = false;
    });
    this.#clients.set(instance, client);
    return null;
  }

  /** The connection as soon as it can be used; null when that takes too long. */
  async whenReady(instance: string, now: () => number): Promise<RedisClient | null> {
    const endMs = now() + CONNECT_WITHIN_MS;
    while (now() < endMs) {
      const client = this.ready(instance);
      if (client) return client;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return null;
  }

  close(): void {
    for (const client of this.#clients.values()) client.disconnect();
    this.#clients.clear();
  }
}
