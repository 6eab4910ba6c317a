import { expect, it } from 'vitest';
import { startRedis } from '../../drills/own-redis.js';
import { readCandidates } from '../../server/replay/read-finished.js';
import { addEnded } from '../support/failed-jobs.js';

it('jobs with long errors and data are looked into, all of them, in calls that each read little', async () => {
  const redis = await startRedis();
  try {
    const jobs = Array.from({ length: 120 }, (_, i) => ({
      id: `long-${i}`,
      error: `error ${i} ${'e'.repeat(100_000)}`,
      data: { i, pad: 'd'.repeat(40_000) },
    }));
    await addEnded(redis, 'bull:mail', jobs);
    const before = await scriptCalls(redis.client);
    const ids = jobs.map(({ id }) => id);
    const filter = { errorText: 'error', dataField: { path: 'i', equals: 1 } };
    const facts = await readCandidates(redis.client, 'bull:mail', ids, filter, null);
    expect(facts).toHaveLength(jobs.length);
    expect(facts.map(({ error }) => error.slice(0, 9).trim())).toEqual(
      jobs.map(({ error }) => error.slice(0, 9).trim()),
    );
    expect(facts.map(({ dataText }) => JSON.parse(dataText ?? '{}').i)).toEqual(
      jobs.map(({ data }) => data.i),
    );
    // 140 KB of each are read, and a call ends at 256 KB: two jobs a call, and not fifty.
    expect((await scriptCalls(redis.client)) - before).toBeGreaterThanOrEqual(jobs.length / 2);
  } finally {
    await redis.stop();
  }
});

/** Scripts that Redis has run so far. */
async function scriptCalls(client: { info(section: string): Promise<string> }): Promise<number> {
  const stats = await client.info('commandstats');
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  );
}
