import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import type { TenantShare } from '../../server/model/job-type.js';
import { dominantTenant, NO_TENANT, UNREAD_TENANT } from '../../server/model/tenant-text.js';
import type { Watch } from '../../server/watch/watch.js';
import { type Overheard, overhear } from '../support/overhear.js';
import { until } from '../support/until.js';
import { anInstance, untilQueue, untilSnapshot, watching } from '../support/watching.js';

let redis: OwnRedis;
let watch: Watch | null = null;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  redis = await startRedis({ maxmemoryBytes: 400 * 1024 * 1024 });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await watch?.stop();
  watch = null;
  await redis.stop();
});

function aQueue(name: string): Queue {
  const queue = new Queue(name, { connection: { port: redis.port } });
  cleanups.push(() => queue.close());
  return queue;
}

async function add(queue: Queue, count: number, dataOf: (i: number) => unknown): Promise<void> {
  for (let from = 0; from < count; from += 1_000)
    await queue.addBulk(
      Array.from({ length: Math.min(1_000, count - from) }, (_, i) => ({
        name: 'work',
        data: dataOf(from + i),
      })),
    );
}

function look(tenantField: string | null): Watch {
  ({ watch } = watching(anInstance(redis.url, { tenantField })));
  return watch;
}

function untilTenants(id: string, is: (tenants: readonly TenantShare[]) => boolean) {
  return untilQueue(watch as Watch, id, ({ tenants }) => tenants !== null && is(tenants), 20_000);
}

async function listen(): Promise<Overheard> {
  const heard = await overhear(redis);
  cleanups.push(() => heard.end());
  return heard;
}

/** Commands that give back what is in the data of a job. */
function readsOfData(heard: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return heard.filter(
    ([command = '', ...args]) =>
      /^(hgetall|hvals|hscan|hrandfield)$/i.test(command) ||
      (/^h(m?get|getdel|getex)$/i.test(command) && args.includes('data')),
  );
}

describe('tenants of a queue', () => {
  it('are reported with their shares within range, and the one with most of it is named', async () => {
    const queue = aQueue('resync');
    await add(queue, 8_000, (i) => ({
      customer: { id: i % 10 < 7 ? 'acme' : i % 10 < 9 ? 'globex' : `small-${i}` },
      pad: 'x'.repeat(300 + (i % 400)),
    }));
    look('customer.id');
    const { tenants } = await untilTenants('bull:resync', (seen) => dominantTenant(seen) !== null);
    expect(dominantTenant(tenants)?.tenant).toBe('acme');
    const known = await untilTenants('bull:resync', ([first]) => {
      const range = first ? first.jobs.high - first.jobs.low : Number.POSITIVE_INFINITY;
      return range < 2_000;
    });
    const of = (name: string) => known.tenants?.find(({ tenant }) => tenant === name);
    for (const [name, truth] of [
      ['acme', 5_600],
      ['globex', 1_600],
    ] as const) {
      const jobs = of(name)?.jobs ?? { value: 0, low: 0, high: 0 };
      // The range is one for 95 of 100 cases: twice of it is one that a test may hold it to.
      expect(Math.abs(jobs.value - truth)).toBeLessThanOrEqual(jobs.high - jobs.low);
    }
    expect(of('acme')?.bytes).toBeGreaterThan(5_600 * 500);
    expect(known.tenants?.filter(({ tenant }) => !tenant.startsWith('(')).length).toBeLessThanOrEqual(10);
    expect(known.tenants?.reduce((sum, { shareOfBacklog }) => sum + shareOfBacklog, 0)).toBeCloseTo(1);
  });

  it('are counted exactly where few jobs wait, and anew when they go and others come', async () => {
    const queue = aQueue('mail');
    await add(queue, 9, (i) => ({ tenant: i < 6 ? 'acme' : 'globex' }));
    look('tenant');
    const { tenants } = await untilTenants('bull:mail', (seen) => seen.length === 2);
    expect(tenants).toMatchObject([
      { tenant: 'acme', jobs: { value: 6, low: 6, high: 6 }, shareOfBacklog: 6 / 9 },
      { tenant: 'globex', jobs: { value: 3, low: 3, high: 3 } },
    ]);
    await queue.drain();
    await add(queue, 400, () => ({ tenant: 'initech' }));
    const after = await untilTenants('bull:mail', (seen) => dominantTenant(seen)?.tenant === 'initech');
    expect(
      after.tenants?.some(({ tenant, shareOfBacklog }) => tenant === 'acme' && shareOfBacklog > 0.2),
    ).toBe(false);
  });

  it('are not made up from hostile data, and huge data are never fetched', async () => {
    const queue = aQueue('hostile');
    const jobs = [
      { tenant: { toString: 'acme' } },
      { tenant: ['acme'] },
      { tenant: 'ﷺ\u202e<script>alert(1)</script>\u0000' },
      { tenant: '__proto__' },
      { tenant: 'x'.repeat(9_000) },
      { tenant: '(other)' },
    ];
    await add(queue, jobs.length, (i) => jobs[i]);
    const huge = await queue.add('work', { tenant: 'huge', pad: 'x'.repeat(200_000) });
    const broken = await queue.add('work', {});
    await redis.client.hset(`bull:hostile:${broken.id}`, 'data', '{"tenant":"acme"');
    const proto = await queue.add('work', {});
    await redis.client.hset(`bull:hostile:${proto.id}`, 'data', '{"__proto__":{"tenant":"acme"}}');
    const heard = await listen();
    look('tenant');
    const { tenants } = await untilTenants('bull:hostile', (seen) =>
      seen.some(({ tenant }) => tenant === NO_TENANT),
    );
    const counts = new Map(tenants?.map(({ tenant, jobs: { value } }) => [tenant, value]));
    expect(Object.fromEntries(counts)).toEqual({
      'ﷺ\ufffd<script>alert(1)</script>\ufffd': 1,
      ['__proto__']: 1,
      [`${'x'.repeat(79)}…`]: 1,
      '"(other)"': 1,
      [NO_TENANT]: 4,
      [UNREAD_TENANT]: 1,
    });
    const fetched = readsOfData(await heard.commands()).map(([, key]) => key);
    expect(fetched).toContain(`bull:hostile:${proto.id}`);
    expect(fetched).not.toContain(`bull:hostile:${huge.id}`);
  });

  it('take at most 64 KB of data a tick, and are still found where each job has 16 KB', async () => {
    const queue = aQueue('large');
    await add(queue, 460, (i) => ({ tenant: i % 10 === 0 ? 'globex' : 'acme', pad: 'x'.repeat(16_000) }));
    const heard = await listen();
    look('tenant');
    await untilTenants('bull:large', (seen) => dominantTenant(seen)?.tenant === 'acme');
    // Each tick begins with PING.
    let [inTick, most] = [0, 0];
    for (const [command = '', , field] of await heard.commands()) {
      if (/^ping$/i.test(command)) inTick = 0;
      if (/^hget$/i.test(command) && field === 'data') inTick += 1;
      most = Math.max(most, inTick);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('are looked for nowhere unless a field is configured: job data are not read at all', async () => {
    const queue = aQueue('quiet');
    await add(queue, 500, () => ({ tenant: 'acme' }));
    await queue.close();
    await redis.client.config('RESETSTAT');
    const heard = await listen();
    const seen = look(null);
    await untilQueue(seen, 'bull:quiet', ({ memory }) => (memory?.sampledJobs ?? 0) > 10);
    const { poll } = await untilSnapshot(seen, 'a tick', () => true);
    await untilSnapshot(seen, 'five more ticks', (now) => now.poll.ticks >= poll.ticks + 5);
    expect(watch?.snapshot('default')?.queues[0]?.tenants).toBeNull();
    const commands = await heard.commands();
    expect(commands.length).toBeGreaterThan(100);
    expect(readsOfData(commands)).toEqual([]);
    const stats = await redis.client.info('commandstats');
    expect(stats).toMatch(/cmdstat_hstrlen/);
    expect(stats).not.toMatch(/cmdstat_(hgetall|hvals|hscan|hrandfield)/);
    await watch?.stop();
    // The same eyes do see it where it is configured.
    look('tenant');
    await untilTenants('bull:quiet', ([first]) => first?.tenant === 'acme');
    expect(
      await until('it is overheard', async () => readsOfData(await heard.commands()).length),
    ).toBeGreaterThan(0);
  });
});
