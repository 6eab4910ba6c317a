import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { heldBytes } from '../support/held-bytes.js';
import { until } from '../support/until.js';

const VIEWER = newToken();
const OPERATOR = newToken();
const MEMORY = '/api/v1/instances/default/memory';
const countAt = (queue: string): string =>
  `/api/v1/instances/default/queues/${encodeURIComponent(queue)}/memory/count`;

let redis: OwnRedis;
let console_: RunningConsole;
const queues: Queue[] = [];

const as = (token: string) => ({ authorization: `Bearer ${token}` });
const ask = (method: string, path: string, token = VIEWER) =>
  console_.ask(method, path, method === 'POST' ? {} : undefined, as(token));

beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  for (let i = 0; i < 110; i += 1) {
    const queue = new Queue(i === 0 ? 'large' : `small-${i}`, { connection: { port: redis.port } });
    queues.push(queue);
    await queue.addBulk(
      Array.from({ length: i === 0 ? 6_000 : 3 }, (_, n) => ({
        name: n % 4 === 0 ? 'report' : 'track',
        data: { pad: 'x'.repeat(i === 0 ? 1_000 : 50) },
      })),
    );
  }
  await redis.client.set('somebody:else', 'x'.repeat(2 * 1024 * 1024));
  console_ = await startConsole({
    redisUrl: redis.url,
    env: { SPILLWAY_TOKENS: `ana:viewer:${hashToken(VIEWER)},ben:operator:${hashToken(OPERATOR)}` },
  });
  await until(
    'all is sampled',
    async () => {
      const { body } = await ask('GET', MEMORY);
      return body?.complete === true && body.restOfQueues?.entries === 10 && body.nodes[0].foreign !== null;
    },
    { withinMs: 60_000 },
  );
});
afterAll(async () => {
  await console_?.stop();
  for (const queue of queues) await queue.close();
  await redis?.stop();
});

describe('where the memory is', () => {
  it('names the queue and the type that hold most, with their error and their share of the limit', async () => {
    const { status, body } = await ask('GET', MEMORY);
    expect(status).toBe(200);
    const truth = await heldBytes(redis, 'bull:large');
    const [large] = body.byQueue;
    expect(large.id).toBe('bull:large');
    expect(Math.abs(large.bytes - truth.all)).toBeLessThan(0.05 * truth.all);
    expect(large.errorBytes).toBeGreaterThanOrEqual(0);
    expect(large.shareRatio).toBeCloseTo(large.bytes / body.heldBytes, 6);
    expect(body.byType[0]).toMatchObject({ queue: 'bull:large', type: 'track' });
    expect(body.byKind[0].kind).toBe('payload');
  });

  it('is bounded: a hundred queues by name and the others as one sum, which add up', async () => {
    const { body } = await ask('GET', MEMORY);
    expect(body.byQueue).toHaveLength(100);
    expect(body.restOfQueues.entries).toBe(10);
    const told = body.byQueue.reduce((sum: number, queue: { bytes: number }) => sum + queue.bytes, 0);
    expect(told + body.restOfQueues.bytes).toBe(body.queues.bytes);
    const kinds = body.byKind.reduce((sum: number, kind: { bytes: number }) => sum + kind.bytes, 0);
    expect(kinds).toBe(body.queues.bytes);
  });

  it('says what lies beside queues, and all of it adds up to what Redis uses', async () => {
    const node = await until('the large key is found', async () => {
      const { body } = await ask('GET', MEMORY);
      return body.nodes[0].foreign?.bytes > 2_000_000 ? body.nodes[0] : null;
    });
    const sum =
      node.queuesBytes +
      node.foreign.bytes +
      node.clientBytes +
      node.replicaBufferBytes +
      node.replicationBacklogBytes +
      node.aofBytes +
      node.scriptBytes +
      node.keyspaceBytes +
      node.startupBytes +
      node.unattributedBytes;
    expect(sum).toBe(node.usedBytes);
    expect(node.foreign.largest[0].bytes).toBeGreaterThan(2_000_000);
  });

  it('reports one queue with its states, types and kinds', async () => {
    // Of few samples all may be of one type.
    const queue = await until('both types were met', async () => {
      const { body } = await ask('GET', '/api/v1/instances/default/queues/large');
      return body.memory.types.length === 2 ? body : null;
    });
    expect(queue.memory.source).toBe('sample');
    expect(queue.memory.states).toMatchObject([{ state: 'waiting', jobs: 6_000 }]);
    expect(queue.memory.types.map(({ type }: { type: string }) => type)).toEqual(['track', 'report']);
    expect(queue.count).toBeNull();
  });

  it('is in the documentation', async () => {
    const { body } = await ask('GET', '/api/v1/openapi.json');
    expect(Object.keys(body.paths)).toContain('/instances/{instance}/memory');
    expect(Object.keys(body.paths['/instances/{instance}/queues/{queue}/memory/count'])).toEqual(
      expect.arrayContaining(['get', 'post', 'delete']),
    );
  });
});

describe('counting exactly', () => {
  it('is an operator’s to start and stop, and a viewer’s to look at', async () => {
    expect((await ask('POST', countAt('bull:large'))).status).toBe(403);
    expect((await ask('DELETE', countAt('bull:large'))).status).toBe(403);
    expect((await ask('GET', countAt('bull:large'))).status).toBe(404);
    expect((await ask('DELETE', countAt('bull:large'), OPERATOR)).status).toBe(404);
    expect((await ask('POST', countAt('nothing-is-called-this'), OPERATOR)).status).toBe(404);
  });

  it('runs for one queue at a time, reports how far it is, and ends when it is stopped', async () => {
    const asked = await ask('POST', `${countAt('bull:large')}?dryRun=true`, OPERATOR);
    expect(asked.body).toMatchObject({ queue: 'bull:large', state: 'running', totalJobs: 6_000 });
    expect((await ask('GET', countAt('bull:large'))).status).toBe(404);
    const started = await ask('POST', `${countAt('bull:large')}?reason=who%20holds%20it`, OPERATOR);
    expect(started.status).toBe(200);
    expect(started.body).toMatchObject({ queue: 'bull:large', state: 'running', totalJobs: 6_000 });
    const other = await ask('POST', countAt('bull:small-1'), OPERATOR);
    expect(other.status).toBe(409);
    expect(other.body.type).toBe('/docs#problem-count-running');
    expect(other.body.detail).toContain('bull:large is being counted');
    const running = await until('some are counted', async () => {
      const { body } = await ask('GET', countAt('bull:large'));
      return body.countedJobs > 0 ? body : null;
    });
    expect(running.state).toBe('running');
    expect((await ask('DELETE', `${countAt('bull:large')}?dryRun=true`, OPERATOR)).body.state).toBe(
      'stopped',
    );
    expect((await ask('GET', countAt('bull:large'))).body.state).toBe('running');
    const stopped = await ask('DELETE', countAt('bull:large'), OPERATOR);
    expect(stopped.body.state).toBe('stopped');
    const { records } = (await ask('GET', '/api/v1/audit')).body;
    expect(records).toMatchObject([
      { action: 'queue.stop-count', actor: 'ben', queue: 'bull:large' },
      { action: 'queue.count', actor: 'ben', queue: 'bull:large', reason: 'who holds it' },
    ]);
  });

  it('ends with the exact number of bytes', async () => {
    await ask('POST', countAt('small-1'), OPERATOR);
    const queue = await until('it is counted', async () => {
      const { body } = await ask('GET', '/api/v1/instances/default/queues/small-1');
      return body.count?.state === 'done' && body.memory.source === 'count' ? body : null;
    });
    const truth = await heldBytes(redis, 'bull:small-1');
    expect(queue.memory).toMatchObject({ totalBytes: truth.all, errorBytes: 0, sampledJobs: 3 });
  });
});
