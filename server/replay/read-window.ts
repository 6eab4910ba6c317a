import type { RedisClient } from '../redis/connect.js';
import type { Cursor } from './replay-record.js';

/** Ids that one read brings at most: it holds Redis for about 0.3 ms. */
const WINDOW = 500;

/** The part of a set of finished jobs that is swept, and in which direction. */
export interface Sweep {
  /** <queue>:failed or <queue>:completed, scored by time of finishing. */
  readonly key: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly isNewestFirst: boolean;
}

export interface WindowEntry extends Cursor {}

/**
 * The next jobs of a sweep behind `cursor`, at most WINDOW; empty at its end.
 *
 * Sorted sets are read from a score on, and many jobs may share one (a bulk that failed in one millisecond). Redis orders
 * those by the bytes of their ids, so a place in the sweep is score and id; entries up to it are dropped here. Where a
 * whole window is dropped, the next one begins further on (`offset`); that only holds where its first entry has been
 * seen before, else jobs that left the set in between have shifted others past the window, and it is read nearer.
 */
export async function readWindow(
  client: RedisClient,
  sweep: Sweep,
  cursor: Cursor | null,
): Promise<readonly WindowEntry[]> {
  let offset = 0;
  while (true) {
    const entries = await readFrom(client, sweep, cursor, offset);
    const [first] = entries;
    if (!first) {
      // Nothing that far in: either the end, or jobs have left meanwhile.
      if (offset === 0) return [];
      offset = Math.floor(offset / 2);
      continue;
    }
    if (cursor === null) return entries;
    if (offset > 0 && isBehind(first, cursor, sweep.isNewestFirst)) {
      offset = Math.floor(offset / 2);
      continue;
    }
    const fresh = entries.filter((entry) => isBehind(entry, cursor, sweep.isNewestFirst));
    if (fresh.length > 0 || entries.length < WINDOW) return fresh;
    offset += WINDOW - 1;
  }
}

/** Jobs in the time range of a sweep. */
export async function countRange(client: RedisClient, { key, fromMs, toMs }: Sweep): Promise<number> {
  return client.zcount(key, fromMs, toMs);
}

async function readFrom(
  client: RedisClient,
  { key, fromMs, toMs, isNewestFirst }: Sweep,
  cursor: Cursor | null,
  offset: number,
): Promise<readonly WindowEntry[]> {
  const flat = isNewestFirst
    ? await client.zrevrangebyscore(key, cursor?.score ?? toMs, fromMs, 'WITHSCORES', 'LIMIT', offset, WINDOW)
    : await client.zrangebyscore(key, cursor?.score ?? fromMs, toMs, 'WITHSCORES', 'LIMIT', offset, WINDOW);
  const entries: WindowEntry[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) entries.push({ id: flat[i] ?? '', score: flat[i + 1] ?? '0' });
  return entries;
}

/** Does an entry come after the cursor, in the direction of the sweep? */
function isBehind(entry: WindowEntry, cursor: Cursor, isNewestFirst: boolean): boolean {
  const byScore = Number(entry.score) - Number(cursor.score);
  const distance = byScore !== 0 ? byScore : Buffer.compare(Buffer.from(entry.id), Buffer.from(cursor.id));
  return isNewestFirst ? distance < 0 : distance > 0;
}
