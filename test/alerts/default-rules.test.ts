import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let console_: RunningConsole;
let queue: Queue;
beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 24 * 1024 * 1024 });
  queue = new Queue('mail', { connection: { port: redis.port } });
  queue.on('error', () => undefined);
  console_ = await startConsole({ redisUrl: redis.url });
});
afterAll(async () => {
  await console_?.stop();
  await queue?.close();
  await redis?.stop();
});

interface Seen {
  readonly rule: { readonly id: string };
  readonly state: string;
  readonly since: string;
  readonly firedAt: string;
  readonly severity: string;
  readonly inhibitedBy: string | null;
}
const alerts = async (state: string): Promise<readonly Seen[]> =>
  (await console_.ask('GET', `/api/v1/alerts?state=${state}`)).body.alerts;
const full = async (state: string) =>
  (await alerts(state)).find(({ rule }) => rule.id === 'redis-full') ?? null;

it('a Redis that is filled up raises "Redis is full" within its time, with its first remedy, and ends it when there is room', async () => {
  await until(
    'Redis refuses jobs',
    async () =>
      queue
        .addBulk(Array.from({ length: 200 }, () => ({ name: 'fill', data: { pad: 'x'.repeat(4000) } })))
        .then(
          () => false,
          () => true,
        ),
    { everyMs: 1 },
  );
  // The rule as it comes, but for how long it fires on.
  const edit = await console_.ask('PATCH', '/api/v1/alert-rules/redis-full', { keepFiringSeconds: 5 });
  expect(edit.status).toBe(200);
  // Clearly over the limit: at its very edge Redis's answers flip.
  await redis.client.config('SET', 'maxmemory', String(20 * 1024 * 1024));
  const alert = await until('it fires', () => full('firing'));
  expect(alert).toMatchObject({
    severity: 'critical',
    subject: { instance: 'default', queue: null },
    finding: { code: 'redis.full' },
    firstRemedy: expect.stringContaining(':'),
    path: expect.stringMatching(/^\/#finding-/),
    inhibitedBy: null,
  });
  expect(Date.parse(alert.firedAt) - Date.parse(alert.since)).toBeGreaterThanOrEqual(5_000);
  const page = await console_.ask('GET', '/');
  expect(page.text).toContain(`id="${(alert as Seen & { path: string }).path.slice(2)}"`);
  // What follows from it is not told by itself.
  const others = (await alerts('firing')).filter(
    ({ rule, inhibitedBy }) => rule.id !== 'redis-full' && inhibitedBy === null,
  );
  expect(others).toEqual([]);

  await redis.client.config('SET', 'maxmemory', String(200 * 1024 * 1024));
  const over = await until('it is over', () => full('resolved'), { withinMs: 120_000, everyMs: 500 });
  expect(over.state).toBe('resolved');
}, 240_000);
