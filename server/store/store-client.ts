import { setTimeout as wait } from 'node:timers/promises';
import { type Client, createClient } from '@libsql/client/sqlite3';
import { secretScrubber } from '../model/text.js';
import type { StoreSettings } from './store-settings.js';

/** Why a store of the console can't be written or read now, as a program can tell it. */
export type StoreTrouble = 'full' | 'read-only' | 'busy' | 'unreachable' | 'damaged';

/** First match counts: codes of SQLite (https://www.sqlite.org/rescode.html), then what the system and the client say. */
const TROUBLES: readonly (readonly [pattern: RegExp, trouble: StoreTrouble])[] = [
  [/SQLITE_FULL|database or disk is full|ENOSPC/, 'full'],
  [/SQLITE_(READONLY|CANTOPEN|PERM)|EROFS|attempt to write a readonly database/, 'read-only'],
  [/SQLITE_(BUSY|LOCKED)|database is locked/, 'busy'],
  [/SQLITE_(CORRUPT|NOTADB)/, 'damaged'],
  // Also what a file system without room answers to a write in the midst of a file.
  [/SQLITE_IOERR|disk I\/O error/, 'full'],
  [/the store does not answer/, 'unreachable'],
];

const WORDS: Readonly<Record<StoreTrouble, string>> = {
  full: 'the disk of the data directory is full: make room on it',
  'read-only': 'the store in the data directory can not be written: look at the rights of its files',
  busy: 'another process keeps the store locked: try again',
  unreachable: 'the store does not answer: look at the server of store.url',
  damaged: 'the store in the data directory is damaged: bring it back from a backup',
};

/** What is wrong with the store, of an error and all that caused it; null: it is not about the store. */
export function storeTroubleOf(error: unknown): StoreTrouble | null {
  for (let one = error; one instanceof Error; one = one.cause) {
    // drizzle puts the statement into its message, and with it what people wrote: what went wrong is behind it.
    const message = one.cause instanceof Error ? '' : one.message;
    const text = `${'code' in one ? String(one.code) : ''} ${message}`;
    const known = TROUBLES.find(([pattern]) => pattern.test(text));
    if (known) return known[1];
  }
  return null;
}

/** For a person; holds no path and no secret. */
export function troubleInWords(trouble: StoreTrouble): string {
  return WORDS[trouble];
}

/**
 * SQLite waits for another process's write inside the call, and with it the whole console: it is to give up at once
 * instead, and is asked again from here, for so long.
 */
const BUSY_WITHIN_MS = 2_000;
const ASK_AGAIN_MS = 40;
/** What SQLite itself may wait: most writes of others are over by then. */
export const BUSY_TIMEOUT_MS = 20;

const CALLS = new Set<PropertyKey>(['execute', 'batch', 'executeMultiple', 'migrate']);

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

/** A server that does not answer must not stop the lease from noticing that its own time is over (lease.ts). */
const ANSWER_WITHIN_MS = 5_000;

/** A client of a file, or of a libSQL server. What it throws never holds the token, whatever the server repeats of it. */
export async function storeClient({ url, authToken }: StoreSettings): Promise<Client> {
  if (url === ':memory:') return createClient({ url });
  // For each connection of the pool: a console that shares the file may be writing.
  if (isLocal(url))
    return patientClient(createClient({ url, timeout: BUSY_TIMEOUT_MS }), async () => undefined);
  const scrub = secretScrubber(authToken === null ? [] : [authToken]);
  // Few have a server: what talks to one is loaded for them alone, which all others would wait for at each start.
  const { createClient: createRemote } = await import('@libsql/client');
  return createRemote({
    url,
    ...(authToken === null ? {} : { authToken }),
    fetch: (request: Request) => fetchWithin(request, scrub),
  });
}

/** In a file or in memory, rather than at a server. */
export function isLocal(url: string): boolean {
  return url === ':memory:' || url.startsWith('file:');
}

async function fetchWithin(request: Request, scrub: (text: string) => string): Promise<Response> {
  const response = await fetch(request, {
    // Elsewhere the token would be shown to somebody it is not meant for.
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).catch((error: unknown) => {
    throw new Error(scrub(whyNoAnswer(error)));
  });
  if (response.ok) return response;
  const { status, statusText } = response;
  const headers = { 'content-type': response.headers.get('content-type') ?? 'text/plain' };
  return new Response(scrub(await response.text()), { status, statusText: scrub(statusText), headers });
}

function whyNoAnswer(error: unknown): string {
  if (!(error instanceof Error)) return 'the store does not answer';
  if (error.name === 'TimeoutError') return `the store does not answer within ${ANSWER_WITHIN_MS / 1000} s`;
  const { cause } = error;
  return `the store does not answer: ${cause instanceof Error ? cause.message : error.message}`;
}
