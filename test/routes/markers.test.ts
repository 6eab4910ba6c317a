import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

const tokens = { viewer: newToken(), operator: newToken() };
const DAY_MS = 24 * 3_600_000;
let redis: OwnRedis;
let console_: RunningConsole;
let queue: Queue;
let directory: string;

const env = {
  SPILLWAY_TOKENS: Object.entries(tokens)
    .map(([role, token]) => `${role}-person:${role}:${hashToken(token)}`)
    .join(','),
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-markers-'));
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  queue = new Queue('monitors', { connection: { port: redis.port } });
  await queue.add('http-check', {});
  console_ = await startConsole({ redisUrl: redis.url, env, dataDirectory: directory });
  await until(
    'the queue is seen',
    async () => (await ask('GET', '/overview')).body.instances[0].totals.queues === 1,
  );
});
afterAll(async () => {
  await console_?.stop();
  await queue?.close();
  await redis?.stop();
  await rm(directory, { recursive: true, force: true });
});

function ask(
  method: string,
  path: string,
  body?: unknown,
  more: Readonly<Record<string, string>> = {},
  role: keyof typeof tokens = 'operator',
) {
  return console_.ask(method, `/api/v1${path}`, body, { authorization: `Bearer ${tokens[role]}`, ...more });
}
const mark = (body: object, more: Readonly<Record<string, string>> = {}) =>
  ask('POST', '/markers', body, more);
const texts = async (query = ''): Promise<string[]> =>
  (await ask('GET', `/markers${query}`)).body.markers.map(({ text }: { text: string }) => text);

it('a pipeline enters its deploy, and it is on the timeline with who did it', async () => {
  const beforeMs = Date.now();
  const { status, body } = await mark({ text: '  monitors 2.7.0 ', queue: 'monitors', instance: 'default' });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    kind: 'deploy',
    text: 'monitors 2.7.0',
    actor: 'operator-person',
    instance: 'default',
    queue: 'bull:monitors',
  });
  expect(Date.parse(body.at)).toBeGreaterThanOrEqual(beforeMs);
  const { entries } = (await ask('GET', '/timeline')).body;
  expect(entries[0]).toMatchObject({ ...body, kind: 'marker.deploy' });
  expect(entries.find((one: { kind: string }) => one.kind === 'console.started').actor).toBeNull();
  const page = await console_.ask('GET', '/workers', undefined, { authorization: `Bearer ${tokens.viewer}` });
  expect(page.text).toMatch(/Deploy<\/strong> monitors 2\.7\.0/);
  expect(page.text).toContain('by operator-person, monitors');
});

it('a note of another time is listed in its place, by range and count', async () => {
  const nowMs = Date.now();
  await mark({ text: 'flushed the cache', kind: 'note', atMs: nowMs - 3_600_000 });
  await mark({ text: 'rolled back', kind: 'note', atMs: nowMs - 1_800_000 });
  const last = await ask('GET', `/markers?toMs=${nowMs - 1_800_000}&limit=1`);
  expect(last.body.markers).toMatchObject([
    {
      text: 'rolled back',
      kind: 'note',
      instance: null,
      queue: null,
      at: new Date(nowMs - 1_800_000).toISOString(),
    },
  ]);
  expect(await texts(`?fromMs=${nowMs - 3_600_000}&toMs=${nowMs - 1_800_001}`)).toEqual([
    'flushed the cache',
  ]);
  expect(await texts(`?fromMs=${nowMs - 3_600_000}&instance=default`)).toEqual(
    expect.arrayContaining(['flushed the cache', 'rolled back']),
  );
  expect((await ask('GET', '/markers?instance=nowhere')).status).toBe(404);
  expect((await ask('GET', '/markers?limit=501')).status).toBe(422);
});

it('a pipeline that repeats its request marks one deploy', async () => {
  const key = { 'idempotency-key': 'build-4711' };
  const body = { text: 'monitors 2.7.1' };
  const first = await mark(body, key);
  const second = await mark(body, key);
  expect(second.body).toEqual(first.body);
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  expect((await texts()).filter((text) => text === 'monitors 2.7.1')).toHaveLength(1);
});

it('one that is only asked for is answered as it would be, and not entered; why is in the audit', async () => {
  const asked = await ask('POST', '/markers?dryRun=true', { text: 'monitors 2.8.0', queue: 'monitors' });
  expect(asked.body).toMatchObject({ text: 'monitors 2.8.0', queue: 'bull:monitors', kind: 'deploy' });
  expect((await ask('POST', '/markers?dryRun=true', { text: 'x', queue: 'monitorz' })).status).toBe(404);
  expect(await texts()).not.toContain('monitors 2.8.0');
  const { body } = await mark({ text: 'monitors 2.8.1', reason: 'the fix of the import' });
  const edit = { text: 'monitors 2.8.2' };
  expect((await ask('PATCH', `/markers/${body.id}?dryRun=true`, edit)).body.text).toBe('monitors 2.8.2');
  expect((await ask('DELETE', `/markers/${body.id}?dryRun=true`)).status).toBe(200);
  expect(await texts()).toContain('monitors 2.8.1');
  expect((await ask('DELETE', `/markers/${body.id}?reason=never%20went%20out`)).status).toBe(200);
  expect(await texts()).not.toContain('monitors 2.8.1');
  const { records } = (await ask('GET', '/audit?action=note&limit=2')).body;
  expect(records).toMatchObject([
    { action: 'note.remove', reason: 'never went out', before: { text: 'monitors 2.8.1' } },
    { action: 'note.enter', reason: 'the fix of the import', after: { text: 'monitors 2.8.1' } },
  ]);
  const [about] = (await ask('GET', '/timeline')).body.entries;
  expect(about.kind).not.toMatch(/^action\.note/);
});

it.each([
  ['without text', { text: '   ' }, 'text'],
  ['with a novel', { text: 'x'.repeat(201) }, 'text'],
  ['of two lines', { text: 'a\nb' }, 'text'],
  ['of another kind', { text: 'x', kind: 'release' }, 'kind'],
  ['of tomorrow', { text: 'x', atMs: Date.now() + DAY_MS }, 'atMs'],
  ['of last month', { text: 'x', atMs: Date.now() - 8 * DAY_MS }, 'atMs'],
  ['in seconds', { text: 'x', atMs: Math.round(Date.now() / 1000) }, 'atMs'],
  ['with a field that there is not', { text: 'x', when: 1 }, 'when'],
])('a marker %s is refused, and the field is named', async (_, body, field) => {
  const before = await texts('?limit=500');
  const answer = await mark(body);
  expect(answer.status).toBe(422);
  expect(answer.body.errors).toMatchObject([{ field }]);
  expect(await texts('?limit=500')).toEqual(before);
});

it('a marker about a queue or a Redis that there is not is refused', async () => {
  expect((await mark({ text: 'x', queue: 'monitorz' })).status).toBe(404);
  expect((await mark({ text: 'x', instance: 'nowhere' })).status).toBe(404);
});

it('a viewer reads markers and enters none', async () => {
  expect((await ask('GET', '/markers', undefined, {}, 'viewer')).status).toBe(200);
  expect((await ask('POST', '/markers', { text: 'x' }, {}, 'viewer')).status).toBe(403);
});

it('text that means something to a browser is shown as text', async () => {
  await mark({ text: '<script>alert(1)</script>' });
  const page = await console_.ask('GET', '/workers', undefined, { authorization: `Bearer ${tokens.viewer}` });
  expect(page.text).not.toContain('<script>alert(1)');
  expect(page.text).toContain('&lt;script&gt;alert(1)');
});

it('markers outlive a restart of the console', async () => {
  const before = await texts('?limit=500');
  await console_.signal('SIGKILL');
  console_ = await startConsole({ redisUrl: redis.url, env, dataDirectory: directory });
  expect(await texts('?limit=500')).toEqual(before);
});
