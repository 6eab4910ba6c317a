import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { startWorker, type WorkerProcess } from '../support/bullmq-process.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

const tokens = { viewer: newToken(), operator: newToken() };
const HOSTILE = 'a b/c?d#e%20<i>"\\';
const ERROR = 'no cache entry for private-address';
let redis: OwnRedis;
let console_: RunningConsole;
const queues: Queue[] = [];
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  // Before the console: what is there when it comes need not be waited for until it is found.
  for (const name of ['mail', 'reports']) {
    const queue = new Queue(name, { connection: { port: redis.port } });
    queues.push(queue);
    await queue.waitUntilReady();
  }
  await startBoth();
  console_ = await startConsole({
    redisUrl: redis.url,
    env: {
      SPILLWAY_TOKENS: Object.entries(tokens)
        .map(([role, token]) => `${role}-person:${role}:${hashToken(token)}`)
        .join(','),
    },
  });
  await until('the queues are seen', async () => (await types('viewer')).status === 200);
});
afterAll(async () => {
  for (const worker of workers) await worker.stop();
  for (const queue of queues) await queue.close();
  await console_?.stop();
  await redis?.stop();
});

async function startBoth(): Promise<void> {
  const start = (queue: string) =>
    startWorker({ version: 6, port: redis.port, queue, options: { concurrency: 4 } });
  workers.push(...(await Promise.all([start('mail'), start('reports')])));
}

function ask(role: keyof typeof tokens, method: string, path: string, body?: unknown) {
  return console_.ask(method, path, body, { authorization: `Bearer ${tokens[role]}` });
}
const TYPES = '/api/v1/instances/default/job-types';
const types = (role: keyof typeof tokens, query = '') => ask(role, 'GET', `${TYPES}${query}`);
const threshold = (queue: string, type: string): string =>
  `/api/v1/instances/default/queues/${encodeURIComponent(queue)}/job-types/${encodeURIComponent(type)}`;

interface Told {
  readonly queue: string;
  readonly name: string;
  readonly run: { readonly count: number } | null;
  readonly slow: unknown;
  readonly lastError: string | null;
}

async function untilType(name: string, is: (type: Told) => boolean): Promise<Told & Record<string, unknown>> {
  return until(`${name} as wanted`, async () => {
    const { body } = await types('operator', `?match=${encodeURIComponent(name)}&limit=500`);
    return (body.jobTypes as (Told & Record<string, unknown>)[]).find(
      (type) => type.name === name && is(type),
    );
  });
}

const add = (queue: number, name: string, count: number, data: object): Promise<unknown> =>
  queues[queue]?.addBulk(Array.from({ length: count }, () => ({ name, data }))) ?? Promise.reject();

describe('job types', () => {
  it('are reported with their queue: run times, rates, and where these are from', async () => {
    await add(0, 'digest', 12, { ms: 200 });
    await add(0, 'ping', 12, { ms: 1 });
    await untilType('digest', ({ run }) => (run?.count ?? 0) >= 12);
    const { body } = await ask('viewer', 'GET', '/api/v1/instances/default/queues/mail');
    const digest = body.jobTypes.find(({ name }: Told) => name === 'digest');
    expect(digest).toMatchObject({ source: 'finished', troubles: [], slow: null, slowThresholdMs: null });
    expect(digest.run.p50Ms).toBeGreaterThan(180);
    expect(digest.run.p50Ms).toBeLessThan(300);
    const runs = (digest.run.histogram as { count: number }[]).reduce((sum, { count }) => sum + count, 0);
    expect(runs).toBe(digest.run.count);
    expect(digest.waiting).toEqual({ value: 0, low: 0, high: 0 });
    expect(Date.parse(digest.lastCompletedAt)).toBeGreaterThan(Date.now() - 30_000);
  });

  it('of all queues are sorted by work, backlog or memory, matched by a glob and bounded', async () => {
    // 30 long ones are more work than 200 short ones; workers are busy with neither meanwhile.
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await add(0, 'ping', 200, { ms: 1 });
    await add(1, 'yearly', 30, { ms: 60_000, pad: 'x'.repeat(20_000) });
    await add(0, 'digest', 40, { ms: 200 });
    const names = async (query: string): Promise<string[]> =>
      (await types('viewer', query)).body.jobTypes.map(({ name }: Told) => name);
    // Each queue is looked into in its own time.
    type Waiting = { readonly name: string; readonly waiting: { readonly value: number } | null };
    await until('all are seen to wait', async () => {
      const waiting = (await types('viewer', '?sort=backlog')).body.jobTypes
        .slice(0, 3)
        .map(({ name, waiting }: Waiting) => `${name} ${waiting?.value}`);
      expect(waiting).toEqual(['ping 200', 'digest 40', 'yearly 30']);
      return true;
    });
    await until('memory is known', async () => (await names('?sort=memory'))[0] === 'yearly');
    const byWork = await names('?sort=work');
    expect(byWork.indexOf('digest')).toBeLessThan(byWork.indexOf('ping'));
    expect(await names('?match=d*st')).toEqual(['digest']);
    const { body } = await types('viewer', '?limit=1&sort=backlog');
    expect([body.total, body.jobTypes.length, body.jobTypes[0].queue]).toEqual([3, 1, 'bull:mail']);
    expect((await types('viewer', '?limit=501')).status).toBe(422);
    expect((await types('viewer', '?sort=luck')).body.detail).toContain('work, backlog, memory, slow');
    for (const queue of queues) await queue.drain();
  });

  it('hide errors, which quote job data, from those who may not see job data', async () => {
    await startBoth();
    await add(0, 'sync', 3, { fail: ERROR });
    await untilType('sync', ({ lastError }) => lastError === ERROR);
    for (const path of [`${TYPES}?match=sync`, '/api/v1/instances/default/queues/mail']) {
      const { text, body } = await ask('viewer', 'GET', path);
      expect(text).not.toContain('private-address');
      expect(body.jobTypes.every(({ errorsHidden }: { errorsHidden: boolean }) => errorsHidden)).toBe(true);
      expect((await ask('operator', 'GET', path)).text).toContain('private-address');
    }
  });
});

describe('the threshold of a job type', () => {
  it('counts within seconds, without a restart, and its undo takes it back', async () => {
    const set = await ask('operator', 'PATCH', threshold('mail', 'digest'), {
      slowThresholdMs: 50,
      reason: 'digests should be quick',
    });
    expect(set.status).toBe(200);
    const [outcome] = set.body.outcomes;
    expect(outcome).toMatchObject({
      status: 'applied',
      queue: 'bull:mail',
      fields: [{ before: 'none', after: '50 ms' }],
      undo: { action: 'jobtype.threshold', args: { type: 'digest', slowThresholdMs: null } },
    });
    const digest = await untilType('digest', ({ slow }) => slow !== null);
    expect(digest).toMatchObject({ slowThresholdMs: 50, troubles: ['slow'], slow: { code: 'threshold' } });
    expect((await types('viewer', '?sort=slow&limit=1')).body.jobTypes[0].name).toBe('digest');
    const back = await ask('operator', 'POST', `/api/v1/actions/${outcome.undo.action}`, {
      ...outcome.undo,
      action: undefined,
      reason: 'back',
    });
    expect(back.body.outcomes[0].status).toBe('applied');
    await untilType('digest', ({ slow }) => slow === null);
  });

  it('of any name a job can have is set for that type alone', async () => {
    await add(1, HOSTILE, 5, { ms: 30 });
    await add(1, 'plain', 5, { ms: 30 });
    await untilType(HOSTILE, ({ run }) => run !== null);
    const set = await ask('operator', 'PATCH', threshold('bull:reports', HOSTILE), {
      slowThresholdMs: 10,
      reason: 'hostile',
    });
    expect(set.body.outcomes[0].status).toBe('applied');
    await untilType(HOSTILE, ({ slow }) => slow !== null);
    expect((await untilType('plain', ({ run }) => run !== null)).slow).toBeNull();
  });

  it('is refused with its field where it is no threshold, and to who may only look', async () => {
    const path = threshold('mail', 'ping');
    for (const slowThresholdMs of [0, 86_400_001, 1.5]) {
      const answer = await ask('operator', 'PATCH', path, { slowThresholdMs, reason: 'x' });
      expect(answer.status).toBe(422);
      expect(answer.body.errors[0]).toMatchObject({ field: 'slowThresholdMs', value: slowThresholdMs });
    }
    const body = { slowThresholdMs: 50, reason: 'x' };
    expect((await ask('viewer', 'PATCH', path, body)).status).toBe(403);
    expect((await ask('operator', 'PATCH', threshold('nowhere', 'ping'), body)).status).toBe(404);
    const dry = await ask('operator', 'PATCH', `${path}?dryRun=true`, { slowThresholdMs: 50 });
    expect(dry.body.outcomes[0].preview.fields[0].after).toBe('50 ms');
    expect((await untilType('ping', ({ run }) => run !== null)).slowThresholdMs).toBeNull();
  });
});
