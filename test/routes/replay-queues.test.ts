import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, overfill, startRedis } from '../../drills/own-redis.js';
import { lift } from '../support/action-bench.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { addEnded } from '../support/failed-jobs.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let console_: RunningConsole;
let directory = '';
const queues: Queue[] = [];

beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 64 * 1024 * 1024 });
  directory = await mkdtemp(join(tmpdir(), 'spillway-replay-queues-'));
  const config = join(directory, 'spillway.yaml');
  await writeFile(
    config,
    JSON.stringify({ replayQueues: ['retry-*'], groups: { post: ['*mail*'] }, logLevel: 'warn' }),
  );
  for (const name of ['mail', 'retry-mail', 'retry-bills']) {
    const queue = new Queue(name, { connection: { port: redis.port } });
    queue.on('error', () => undefined);
    await queue.waitUntilReady();
    await queue.add('job', {});
    queues.push(queue);
  }
  await addEnded(
    redis,
    'bull:mail',
    Array.from({ length: 2_000 }, (_, i) => ({ id: `j${i}`, finishedAtMs: 1_700_000_000_000 + i })),
  );
  console_ = await startConsole({ redisUrl: redis.url, args: ['--config', config] });
  await until('both replay queues are seen', async () => (await list()).length === 2);
});
afterAll(async () => {
  await console_?.stop();
  await Promise.allSettled(queues.map((queue) => queue.close()));
  await redis?.stop();
  if (directory) await rm(directory, { recursive: true, force: true });
});

const list = async () => (await console_.ask('GET', '/api/v1/replays')).body.replayQueues;
const meta = (name: string, ...fields: readonly string[]) =>
  redis.client.hmget(`bull:${name}:meta`, ...fields);
async function order(query: string, body: object, headers: Readonly<Record<string, string>> = {}) {
  const answer = await console_.ask(
    'PATCH',
    `/api/v1/replays?${query}`,
    { reason: 'mail is down', ...body },
    headers,
  );
  const { outcomes } = answer.body as { readonly outcomes: readonly Outcome[] };
  const refused = outcomes.filter(({ status }) => status === 'refused').length;
  expect(answer.status, answer.text).toBe(
    refused === 0 || query.includes('dryRun') ? 200 : refused < outcomes.length ? 202 : 409,
  );
  return answer.body as {
    readonly replays: readonly { readonly id: string; readonly state: string }[];
    readonly outcomes: readonly Outcome[];
  };
}
interface Outcome {
  readonly replay: string | null;
  readonly queues: readonly string[];
  readonly status: string;
  readonly summary: string;
  readonly auditId: string | null;
  readonly undo: { readonly action: string; readonly args: object } | null;
}
const ofQueue = (outcomes: readonly Outcome[], id: string): Outcome | undefined =>
  outcomes.find(({ replay, queues: [queue] }) => replay === null && queue === id);
const untilState = (name: string, state: string) =>
  until(`${name} is ${state}`, async () =>
    (await list()).some(
      (queue: { name: string; state: string }) => queue.name === name && queue.state === state,
    ),
  );

async function begin(body: object = {}, headers: Readonly<Record<string, string>> = {}) {
  const answer = await console_.ask(
    'POST',
    '/api/v1/replays',
    { queues: ['bull:mail'], ratePerSecond: 5, guard: false, reason: 'the fix is out', ...body },
    headers,
  );
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}
async function abort(id: string) {
  await console_.ask('PATCH', `/api/v1/replays/${id}`, { state: 'aborted', reason: 'done with it' });
}

describe('the one action on all replays reaches queues of a replay service of one’s own', () => {
  it('a pause pauses them, and a resume brings back the concurrency and the rate limit of before', async () => {
    await redis.client.hset('bull:retry-mail:meta', 'concurrency', 3, 'max', 7, 'duration', 1000);
    const { id } = await begin();
    const paused = await order('match=*', { state: 'paused' });
    expect(paused.replays).toMatchObject([{ id, state: 'paused' }]);
    expect(paused.outcomes.map(({ status }) => status)).toEqual(['applied', 'applied', 'applied']);
    expect(ofQueue(paused.outcomes, 'bull:retry-mail')?.summary).toContain('global concurrency 3 → 0');
    expect(await meta('retry-mail', 'concurrency', 'max')).toEqual(['0', '7']);
    expect(await meta('retry-bills', 'concurrency')).toEqual(['0']);
    expect(await meta('mail', 'concurrency')).toEqual([null]);
    await untilState('retry-mail', 'paused-by-spillway');

    const resumed = await order('match=*', { state: 'running' });
    expect(resumed.outcomes.map(({ status }) => status)).toEqual(['applied', 'applied', 'applied']);
    expect(await meta('retry-mail', 'concurrency', 'max', 'duration')).toEqual(['3', '7', '1000']);
    expect(await meta('retry-bills', 'concurrency')).toEqual([null]);
    await untilState('retry-mail', 'running');
    await abort(id);
  });

  it('a new rate is the limit of each; what was done is in the audit, and undone by the action of before', async () => {
    await redis.client.hset('bull:retry-mail:meta', 'max', 7, 'duration', 1000);
    const { outcomes } = await order('match=*mail', { ratePerSecond: 0.5 });
    expect(outcomes.map(({ queues: [queue] }) => queue)).toEqual(['bull:retry-mail']);
    expect(await meta('retry-mail', 'max', 'duration')).toEqual(['1', '2000']);
    const [outcome] = outcomes;
    const { records } = (await console_.ask('GET', '/api/v1/audit')).body;
    expect(records.find((action: { id: string }) => action.id === outcome?.auditId)).toMatchObject({
      action: 'queue.rate-limit',
      queue: 'bull:retry-mail',
      reason: 'mail is down',
      status: 'applied',
    });
    const undone = await console_.ask('POST', `/api/v1/actions/${outcome?.undo?.action}`, {
      queues: ['bull:retry-mail'],
      args: outcome?.undo?.args,
      reason: 'undo',
    });
    expect(undone.status, undone.text).toBe(200);
    expect(await meta('retry-mail', 'max', 'duration')).toEqual(['7', '1000']);
  });

  it('of a group those of the group alone, and a dry run says what it would do and does nothing', async () => {
    const { id } = await begin({ ratePerSecond: 1 });
    const looked = await order('group=post&dryRun=true', { state: 'paused' });
    expect(looked.outcomes.map(({ queues: [queue], status }) => [queue, status])).toEqual([
      ['bull:mail', 'unchanged'],
      ['bull:retry-mail', 'unchanged'],
    ]);
    expect(ofQueue(looked.outcomes, 'bull:retry-mail')?.summary).toContain(
      'No more jobs of this queue start',
    );
    expect(looked.replays[0]?.state).toBe('running');
    expect(await meta('retry-mail', 'concurrency')).toEqual(['3']);
    await order('group=post', { state: 'paused' });
    expect(await meta('retry-mail', 'concurrency')).toEqual(['0']);
    expect(await meta('retry-bills', 'concurrency')).toEqual([null]);
    await order('group=post', { state: 'running' });
    await abort(id);
    const unknown = await console_.ask('PATCH', '/api/v1/replays?group=constructor', { state: 'paused' });
    expect(unknown.status).toBe(404);
  });

  it('also while Redis is full', async () => {
    await overfill(redis);
    try {
      const paused = await order('match=*', { state: 'paused' });
      expect(paused.outcomes.map(({ status }) => status)).toEqual(['applied', 'applied']);
      expect(await meta('retry-mail', 'concurrency')).toEqual(['0']);
      await order('match=*', { ratePerSecond: 2 });
      const resumed = await order('match=*', { state: 'running' });
      expect(resumed.outcomes.map(({ status }) => status)).toEqual(['applied', 'applied']);
      expect(await meta('retry-mail', 'concurrency', 'max')).toEqual(['3', '2']);
    } finally {
      await lift(redis);
    }
  });

  it('what the application itself has paused is left to it, and none of them can be aborted', async () => {
    await queues[2]?.pause();
    await untilState('retry-bills', 'paused');
    const paused = await order('match=retry-bills', { state: 'paused' });
    expect(paused.outcomes).toMatchObject([{ status: 'unchanged', queues: ['bull:retry-bills'] }]);
    const resumed = await order('match=retry-bills', { state: 'running' });
    expect(resumed.outcomes).toMatchObject([{ status: 'refused', queues: ['bull:retry-bills'] }]);
    expect(await queues[2]?.isPaused()).toBe(true);
    await queues[2]?.resume();
    await untilState('retry-bills', 'running');
    const aborted = await order('match=retry-bills', { state: 'aborted' });
    expect(aborted.outcomes).toMatchObject([{ status: 'refused', summary: /pause it instead/ }]);
  });
});

describe('replays for runbooks', () => {
  it('a request that is sent again under its Idempotency-Key begins no second replay, and orders once', async () => {
    const body = { ratePerSecond: 1 };
    const first = await begin(body, { 'idempotency-key': 'run-7' });
    const again = await begin(body, { 'idempotency-key': 'run-7' });
    expect(again.id).toBe(first.id);
    const { replays } = (await console_.ask('GET', '/api/v1/replays')).body;
    expect(replays.filter(({ state }: { state: string }) => state === 'running')).toHaveLength(1);
    const once = await order('match=bull:mail', { ratePerSecond: 3 }, { 'idempotency-key': 'run-8' });
    await order('match=bull:mail', { ratePerSecond: 4 });
    const repeated = await order('match=bull:mail', { ratePerSecond: 3 }, { 'idempotency-key': 'run-8' });
    expect(repeated).toEqual(once);
    expect((await console_.ask('GET', `/api/v1/replays/${first.id}`)).body.ratePerSecond).toBe(4);
    await abort(first.id);
  });

  it('a change of one, or that it is forgotten, is tried first by a dry run, needs no reason and is made once', async () => {
    const { id, spec } = await begin({ ratePerSecond: 1, reason: undefined });
    expect(spec.reason).toBe('');
    const path = `/api/v1/replays/${id}`;
    const state = async () => (await console_.ask('GET', path)).body.state;
    const looked = await console_.ask('PATCH', `${path}?dryRun=true`, { state: 'aborted' });
    expect(looked.body).toMatchObject({ replay: id, isDryRun: true, summary: /ended for good/ });
    expect((await console_.ask('DELETE', `${path}?dryRun=true`)).status).toBe(409);
    expect(await state()).toBe('running');
    const key = { 'idempotency-key': `abort-${id}` };
    const first = await console_.ask('PATCH', path, { state: 'aborted' }, key);
    const again = await console_.ask('PATCH', path, { state: 'aborted' }, key);
    expect([first.body.state, again.body]).toEqual(['aborted', first.body]);
    expect((await console_.ask('DELETE', `${path}?dryRun=true`)).body).toEqual({ removed: id });
    expect(await state()).toBe('aborted');
    await console_.ask('DELETE', `${path}?reason=tidy`);
    expect((await console_.ask('GET', path)).status).toBe(404);
    const { records } = (await console_.ask('GET', '/api/v1/audit?action=replay&limit=3')).body;
    expect(records.map(({ action, reason }: Record<string, string>) => [action, reason])).toEqual([
      ['replay.forget', 'tidy'],
      ['replay.change', ''],
      ['replay.start', ''],
    ]);
  });

  it('the report names the part of the time range that is missing, and the audit the filter without job data', async () => {
    const { id } = await begin({
      ratePerSecond: 50,
      batchSize: 50,
      filter: {
        fromMs: 1_700_000_000_000,
        toMs: 1_700_000_001_999,
        dataField: { path: 'card', equals: 4111 },
      },
    });
    await abort(id);
    const plain = await begin({
      ratePerSecond: 100,
      batchSize: 50,
      filter: { fromMs: 1_700_000_000_000, toMs: 1_700_000_001_999 },
    });
    const now = async () => (await console_.ask('GET', `/api/v1/replays/${plain.id}`)).body;
    await until('some were moved', async () => (await now()).account.moved > 0);
    await abort(plain.id);
    const { coverage, account } = await now();
    expect(account.moved + account.skipped + account.remaining).toBe(account.matched);
    expect(account.remaining).toBeGreaterThan(0);
    expect(coverage).toMatchObject([{ queue: 'bull:mail', missing: { until: '2023-11-14T22:13:21.999Z' } }]);
    expect(coverage[0].missing.from).toBe(coverage[0].covered.until);
    expect(coverage[0].covered.from).toBe('2023-11-14T22:13:20.000Z');
    const report = (await console_.ask('GET', `/api/v1/replays/${plain.id}/report.md`)).text;
    expect(report).toContain(`| from ${coverage[0].missing.from} until 2023-11-14T22:13:21.999Z |`);

    const { text } = await console_.ask('GET', '/api/v1/audit');
    expect(text).toContain('"path":"card"');
    expect(text).not.toContain('4111');
  });

  it('are in the OpenAPI document, replay queues and outcomes too', async () => {
    const { schemas } = (await console_.ask('GET', '/api/v1/openapi.json')).body.components;
    expect(Object.keys(schemas)).toEqual(
      expect.arrayContaining(['Replay', 'ReplayQueue', 'ReplayOrderOutcome']),
    );
  });
});
