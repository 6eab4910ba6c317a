import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@libsql/client/sqlite3';
import { storeTroubleOf } from './store-trouble.js';

/**
 * SQLite waits for another process's write inside the call, and with it the whole console: it is to give up at once
 * instead, and is asked again from here, for so long.
 */
const BUSY_WITHIN_MS = 2_000;
const ASK_AGAIN_MS = 40;
/** What SQLite itself may wait: most writes of others are over by then. */
export const BUSY_TIMEOUT_MS = 20;

const CALLS = new Set<PropertyKey>(['execute', 'batch', 'executeMultiple', 'transaction']);

/**
 * The same client of a file, which while another process holds it is asked again without holding up the event loop. A
 * statement that was refused so is left unfinished in its connection, which then reads what was, and can't commit [libsql
 * 0.18, seen]: the connections are opened anew.
 * @param prepare settings that are a connection's own; none for a client with more than one.
 */
export function patientClient(client: Client, prepare: (client: Client) => Promise<void>): Client {
  const patiently = async (call: () => Promise<unknown>): Promise<unknown> => {
    const untilMs = performance.now() + BUSY_WITHIN_MS;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (storeTroubleOf(error) !== 'busy') throw error;
        await client.reconnect();
        await prepare(client);
        if (performance.now() > untilMs) throw error;
        await wait(ASK_AGAIN_MS);
      }
    }
  };
  return new Proxy(client, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const call = (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args);
      if (!CALLS.has(name)) return call;
      return (...args: readonly unknown[]) => patiently(async () => call(...args));
    },
  });
}
