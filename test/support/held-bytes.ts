import type { OwnRedis } from '../../drills/own-redis.js';

/** The truth: MEMORY USAGE of every key of a queue. */
export async function heldBytes(
  redis: OwnRedis,
  id: string,
): Promise<{ all: number; byType: Map<string, number> }> {
  const byType = new Map<string, number>();
  let all = 0;
  let cursor = '0';
  do {
    const [next, keys] = await redis.client.scan(cursor, 'MATCH', `${id}:*`, 'COUNT', 5_000);
    cursor = next;
    const sizes = redis.client.pipeline();
    const names = redis.client.pipeline();
    for (const key of keys) {
      sizes.call('MEMORY', 'USAGE', key, 'SAMPLES', '0');
      names.hget(key, 'name');
    }
    const [bytes, types] = [(await sizes.exec()) ?? [], (await names.exec()) ?? []];
    keys.forEach((_, i) => {
      const size = Number(bytes[i]?.[1] ?? 0);
      all += size;
      const name = types[i]?.[0] ? null : (types[i]?.[1] as string | null);
      if (name) byType.set(name, (byType.get(name) ?? 0) + size);
    });
  } while (cursor !== '0');
  return { all, byType };
}

/** More than a job's hash has entries in the table it grew out of. */
const LOOKUPS = 16;

/**
 * Ends what a queue's hashes do by the way: one that grew past four fields holds a second table, 32 bytes of a job's, until
 * lookups have moved its entries out of it, one a lookup. How many that takes is up to the hash seed of the process, and the
 * console's own look is one.
 */
export async function settleHashes(redis: OwnRedis, id: string): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await redis.client.scan(cursor, 'MATCH', `${id}:*`, 'COUNT', 5_000);
    cursor = next;
    const lookups = redis.client.pipeline();
    for (const key of keys) lookups.hmget(key, ...new Array<string>(LOOKUPS).fill('name'));
    await lookups.exec();
  } while (cursor !== '0');
}
