import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { HISTORY_FILE } from '../../server/history/history-file.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let console_: RunningConsole;
let queue: Queue;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-history-api-'));
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  queue = new Queue('mail', { connection: { port: redis.port } });
  await queue.addBulk(Array.from({ length: 12 }, (_, i) => ({ name: 'send', data: { i } })));
  console_ = await startConsole({ redisUrl: redis.url, dataDirectory: directory });
});
afterAll(async () => {
  await console_?.stop();
  await queue?.close();
  await redis?.stop();
  await rm(directory, { recursive: true, force: true });
});

const ask = (query: Readonly<Record<string, string>>) =>
  console_.ask('GET', `/api/v1/history?${new URLSearchParams(query)}`);
const known = (values: readonly (number | null)[]): readonly number[] =>
  values.filter((value) => value !== null);
async function untilKnown(
  query: Readonly<Record<string, string>>,
  wanted: (values: readonly number[]) => boolean,
  withinMs = 30_000,
) {
  return until(
    `history of ${query.signal}`,
    async () => {
      const answer = await ask(query);
      return answer.status === 200 && wanted(known(answer.body.mean)) ? answer.body : null;
    },
    { withinMs, everyMs: 200 },
  );
}

/** What has not been written yet is gone with the console that is killed. */
async function isWritten(): Promise<boolean> {
  const file = createClient({ url: `file:${join(directory, HISTORY_FILE)}` });
  try {
    const { rows } = await file.execute(
      "SELECT 1 FROM block_tick JOIN subject ON subject.id = block_tick.subject WHERE queue = 'bull:mail' AND type IS NULL",
    );
    return rows.length > 0;
  } finally {
    file.close();
  }
}

it('the backlog of a queue is there as it was, tick by tick', async () => {
  const query = { signal: 'queue_backlog_jobs', queue: 'mail', maxPoints: '3600' };
  const body = await untilKnown(query, (values) => values.filter((value) => value === 12).length >= 3);
  expect(body).toMatchObject({
    instance: 'default',
    queue: 'bull:mail',
    unit: 'jobs',
    stepSeconds: 1,
    problem: null,
    compare: null,
  });
  expect(body.mean).toHaveLength(3_600);
  expect(body.mean[0]).toBeNull();
});

it('signals of Redis need no more than their name where there is one Redis', async () => {
  await untilKnown({ signal: 'redis_used_ratio' }, (values) => values.some((value) => value > 0));
  await untilKnown({ signal: 'redis_up' }, (values) => values.includes(1));
});

it('actions, deploys and the start of the console are marked where they happened', async () => {
  await console_.ask('POST', '/api/v1/markers', { text: 'mail 2.0', queue: 'mail' });
  await console_.ask('POST', '/api/v1/markers', { text: 'elsewhere', kind: 'note', instance: 'default' });
  await console_.ask('PATCH', '/api/v1/instances/default/queues/mail', { concurrency: 3, reason: 'test' });
  const { body } = await ask({ signal: 'queue_backlog_jobs', queue: 'mail' });
  const kinds = body.markers.map(({ kind }: { kind: string }) => kind);
  expect(kinds).toEqual(
    expect.arrayContaining(['console.started', 'marker.deploy', 'marker.note', 'action.queue.concurrency']),
  );
  const times = body.markers.map(({ atMs }: { atMs: number }) => atMs);
  expect([...times].sort((a, b) => a - b)).toEqual(times);
});

it('is compared with the same hour of yesterday, moved onto this one', async () => {
  const { status, body } = await ask({
    signal: 'queue_backlog_jobs',
    queue: 'mail',
    compare: 'yesterday',
    maxPoints: '60',
  });
  expect(status).toBe(200);
  expect(body.compare).toMatchObject({ with: 'yesterday', stepSeconds: 60 });
  expect(known(body.compare.mean)).toEqual([]);
  expect(Math.abs(body.compare.atMs[0] - body.atMs[0])).toBeLessThanOrEqual(60_000);
});

it('a queue that was never seen has nothing but a gap', async () => {
  const { status, body } = await ask({ signal: 'queue_backlog_jobs', queue: 'bull:nobody', maxPoints: '5' });
  expect(status).toBe(200);
  expect(known(body.mean)).toEqual([]);
});

it.each([
  [{ signal: 'queue_backlog' }, 'signal', /did you mean queue_backlog_jobs/],
  [{ signal: 'redis_used' }, 'signal', /redis_used_bytes|redis_used_ratio/],
  [{ signal: '???' }, 'signal', /kept are /],
  [{ signal: 'queue_backlog_jobs' }, 'queue', /must say which/],
  [{ signal: 'redis_up', queue: 'mail' }, 'queue', /does not belong/],
  [{ signal: 'redis_up', from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }, 'from', /before to/],
  [{ signal: 'redis_up', from: '0', to: '99999999999' }, 'from', /400 days/],
])('%j is refused by name and value', async (query, field, detail) => {
  const { status, body } = await ask(query as unknown as Record<string, string>);
  expect(status).toBe(400);
  expect(body.errors[0].field).toBe(field);
  expect(body.detail).toMatch(detail);
});

it.each([
  [{ from: 'yesterday' }, 'from'],
  [{ maxPoints: '0' }, 'maxPoints'],
  [{ maxPoints: '5001' }, 'maxPoints'],
  [{ compare: 'tomorrow' }, 'compare'],
])('%j is refused too', async (query, field) => {
  const { status, body } = await ask({ signal: 'redis_up', ...query } as unknown as Record<string, string>);
  expect(status).toBe(422);
  expect(body.errors[0].field).toBe(field);
});

it('a console that was killed and starts again has the past, and a gap between', async () => {
  const query = { signal: 'queue_backlog_jobs', queue: 'mail', maxPoints: '3600' };
  await until('a block of it is on disk', isWritten, { withinMs: 120_000, everyMs: 250 });
  await console_.signal('SIGKILL');
  const killedAtMs = Date.now();
  console_ = await startConsole({ redisUrl: redis.url, dataDirectory: directory });
  const startedAtMs = Date.now();
  const body = await untilKnown(query, (values) => values.length >= 3, 60_000);
  const before = (body.atMs as number[]).filter((at, i) => at < killedAtMs && body.mean[i] !== null);
  expect(before.length).toBeGreaterThan(0);
  const inGap = (body.atMs as number[]).filter(
    (at, i) => at > killedAtMs + 1_000 && at < startedAtMs - 2_000 && body.mean[i] !== null,
  );
  expect(inGap).toEqual([]);
}, 240_000);
