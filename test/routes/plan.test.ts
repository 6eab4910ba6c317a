import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

const tokens = { viewer: newToken(), operator: newToken() };
const PLAN = '/api/v1/instances/default/queues/bull%3Awork/plan';
const JOBS = 4_000;
let redis: OwnRedis;
let console_: RunningConsole;
let queue: Queue;
let workers: AttachedProcess;

beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  queue = new Queue('work', { connection: { port: redis.port } });
  await queue.addBulk(
    Array.from({ length: JOBS }, () => ({
      name: 'mail',
      data: { ms: 200 },
      opts: { removeOnComplete: true },
    })),
  );
  workers = await startAttached({
    port: redis.port,
    workers: [{ queue: 'work', concurrency: 4, jobMs: 200, attach: {} }],
  });
  console_ = await startConsole({
    redisUrl: redis.url,
    env: {
      SPILLWAY_TOKENS: Object.entries(tokens)
        .map(([role, token]) => `${role}-person:${role}:${hashToken(token)}`)
        .join(','),
    },
  });
  await until('run times of its jobs are known', async () => {
    const { status, body } = await ask();
    return status === 200 && body.present.slots === 4 && body.assumed.length === 0;
  });
});
afterAll(async () => {
  await console_?.stop();
  await workers?.stop();
  await queue?.close();
  await redis?.stop();
});

function ask(query = '', role: keyof typeof tokens = 'viewer') {
  return console_.ask('GET', `${PLAN}${query}`, undefined, { authorization: `Bearer ${tokens[role]}` });
}

describe('the plan of a queue', () => {
  it('shows a viewer how it goes on as it is, with the range and what limits', async () => {
    const { status, body } = await ask();
    expect(status).toBe(200);
    expect(body).toMatchObject({
      queue: 'bull:work',
      stale: false,
      change: null,
      after: null,
      toDrain: null,
    });
    // 4 slots of 200 ms do 20 a second.
    expect(body.current.throughputPerSecond).toBeGreaterThan(14);
    expect(body.current.throughputPerSecond).toBeLessThan(26);
    expect(body.current.bottleneck).toBe('workers');
    expect(body.current.drainRange.low).toBeLessThan(body.current.drainSeconds);
    expect(body.current.drainRange.high).toBeGreaterThan(body.current.drainSeconds);
    expect(body.current.memory.length).toBeGreaterThan(10);
    expect(body.score.instance).toEqual({ count: 0, medianErrorRatio: null, insideRangeRatio: null });
  });

  it('is for those with a token only', async () => {
    expect((await console_.ask('GET', PLAN)).status).toBe(401);
  });

  it('reports what more slots would do', async () => {
    const { body } = await ask('?concurrency=40');
    expect(body.change).toEqual({ concurrency: 40 });
    expect(body.after.drainSeconds).toBeLessThan(body.current.drainSeconds / 5);
  });

  it('takes a rate limit as max/durationMs or as two numbers, and means the same by both', async () => {
    const one = await ask('?rateLimit=5/1000');
    const two = await ask('?rateLimitMax=5&rateLimitDurationMs=1000');
    expect(one.body.change).toEqual({ rateLimit: { max: 5, durationMs: 1000 } });
    expect(two.body.change).toEqual(one.body.change);
    expect(one.body.after.bottleneck).toBe('rate-limit');
    expect(one.body.after.throughputPerSecond).toBeLessThanOrEqual(5);
    expect((await ask('?rateLimit=none')).body.change).toEqual({ rateLimit: null });
  });

  it('reports what a pause would do', async () => {
    const { body } = await ask('?pauseQueue=true');
    expect(body.after).toMatchObject({ bottleneck: 'paused', throughputPerSecond: 0, drainSeconds: null });
  });

  it('finds settings that drain in time, or says why there are none', async () => {
    const enough = (await ask('?drainWithinSeconds=20')).body.toDrain;
    expect(enough.none).toBeNull();
    expect(enough.settings[0].change.concurrency).toBeGreaterThan(30);
    expect(enough.settings[0].plan.drainSeconds).toBeLessThanOrEqual(20);
    const never = (await ask('?drainWithinSeconds=1')).body.toDrain;
    if (never.none) expect(never.none.sentence.length).toBeGreaterThan(20);
    else expect(never.settings[0].plan.drainSeconds).toBeLessThanOrEqual(1);
  });

  it.each([
    ['?concurrency=0', 'concurrency', 'at least 1'],
    ['?concurrency=many', 'concurrency', 'whole number'],
    ['?globalConcurrency=-1', 'globalConcurrency', ''],
    ['?rateLimit=100', 'rateLimit', '<max>/<durationMs>'],
    ['?rateLimit=0/1000', 'rateLimit', 'at least 1'],
    ['?rateLimit=5/1000&rateLimitMax=5', 'rateLimitMax', 'not both'],
    ['?rateLimitDurationMs=5', 'rateLimitDurationMs', 'goes with rateLimitMax'],
    ['?pauseArrivals=yes', 'pauseArrivals', 'true or false'],
    ['?freedBytes=-1', 'freedBytes', 'at least 0'],
    ['?drainWithinSeconds=0', 'drainWithinSeconds', 'at least 1 s'],
    ['?slots=5', 'slots', 'not a field'],
  ])('refuses %s and names the field and what would be right', async (query, field, words) => {
    const { status, body } = await ask(query);
    expect([status, body.errors?.[0]?.field]).toEqual([422, field]);
    expect(body.detail).toContain(words);
  });

  it('knows no queue that there is not, and changes nothing by being asked', async () => {
    const other = PLAN.replace('work', 'none');
    const answer = await console_.ask('GET', other, undefined, { authorization: `Bearer ${tokens.viewer}` });
    expect(answer.status).toBe(404);
    await ask('?concurrency=50&pauseQueue=true&rateLimit=5/1000');
    expect(await redis.client.hget('bull:work:meta', 'concurrency')).toBeNull();
    expect(await redis.client.hget('bull:work:meta', 'max')).toBeNull();
  });

  it('is in the OpenAPI document with its parameters', async () => {
    const { body } = await console_.ask('GET', '/api/v1/openapi.json', undefined, {
      authorization: `Bearer ${tokens.viewer}`,
    });
    const route = body.paths['/instances/{instance}/queues/{queue}/plan'].get;
    const names = route.parameters.map((parameter: { name: string }) => parameter.name);
    expect(names).toEqual(
      expect.arrayContaining(['concurrency', 'globalConcurrency', 'rateLimit', 'drainWithinSeconds']),
    );
  });
});
