import { sql } from 'drizzle-orm';
import type { ChannelHealth } from '../model/console-health.js';
import type { Database } from '../store/tables.js';
import { channelHealth } from './alert-tables.js';

/** Channels that were once configured stay a while; nobody has more than this. */
const MAX_CHANNELS = 200;

export async function readHealth(database: Database): Promise<readonly ChannelHealth[]> {
  return database.select().from(channelHealth).limit(MAX_CHANNELS);
}

/** One more success or failure of a channel, as a statement for a batch or by itself. */
export function writeHealth(database: Database, channel: string, problem: string | null, nowMs: number) {
  const news =
    problem === null
      ? { lastSuccessAtMs: nowMs, failuresInRow: 0 }
      : { lastFailureAtMs: nowMs, lastError: problem };
  return database
    .insert(channelHealth)
    .values({ channel, ...news, failuresInRow: problem === null ? 0 : 1 })
    .onConflictDoUpdate({
      target: channelHealth.channel,
      set: problem === null ? news : { ...news, failuresInRow: sql`${channelHealth.failuresInRow} + 1` },
    });
}
