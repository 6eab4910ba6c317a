import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let app: RunningConsole;
let workers: AttachedProcess;
const API = '/api/v1/instances/default';

beforeAll(async () => {
  redis = await startRedis();
  for (const name of ['work', 'work-2']) {
    const queue = new Queue(name, { connection: { port: redis.port } });
    await queue.add('one', {}, { delay: 3_600_000 });
    await queue.close();
  }
  workers = await startAttached({
    port: redis.port,
    workers: [{ queue: 'work', concurrency: 5, attach: { name: 'first' } }],
  });
  app = await startConsole({ redisUrl: redis.url });
  await until('the queues are seen and the worker is heard', async () => {
    const queues = await app.ask('GET', `${API}/queues`);
    const fleet = await app.ask('GET', `${API}/workers`);
    return queues.body.queues.length === 2 && fleet.body.workers[0]?.name === 'first';
  });
});
afterAll(async () => {
  await app?.stop();
  await workers?.stop();
  await redis?.stop();
});

const worker = `${API}/workers/`;
const said = async () => (await workers.state()).workers[0];

describe('a desired state of several parts', () => {
  it('of a worker is refused as a whole where one part is wrong', async () => {
    for (const body of [
      { paused: true, concurrency: 0 },
      { paused: true, concurrency: 3, forMs: 5 },
      { concurrency: 7, limiter: { max: 0, durationMs: 1_000 } },
      { revert: true, forMs: 60_000 },
      { paused: false, concurrency: 7, forMs: 60_000 },
    ]) {
      const answer = await app.ask('PATCH', worker + workers.ids[0], { ...body, reason: 'test' });
      expect([body, answer.status]).toEqual([body, 422]);
      expect(await said()).toMatchObject({ isPaused: false, concurrency: 5, limiter: null });
    }
    expect(await redis.client.hget('bull:work:meta', 'spillway.workers')).toBeNull();
  });

  it('of a queue is refused as a whole where one part is wrong', async () => {
    const answer = await app.ask('PATCH', `${API}/queues/bull%3Awork`, {
      paused: true,
      concurrency: -1,
      reason: 'test',
    });
    expect(answer.status).toBe(422);
    expect(await redis.client.hget('bull:work:meta', 'spillway.pause')).toBeNull();
  });
});

describe('a group of queues', () => {
  it('of which one has no worker with the agent: the others are changed, and that one is reported', async () => {
    const body = { concurrency: 8, reason: 'test' };
    const answer = await app.ask('PATCH', `${API}/workers?match=work*`, body);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ applied: 1, failed: 1, unverified: 0, unanswered: [] });
    expect(
      answer.body.outcomes.map((one: { queue: string; status: string }) => [one.queue, one.status]),
    ).toEqual([
      ['bull:work', 'applied'],
      ['bull:work-2', 'refused'],
    ]);
    expect((await said())?.concurrency).toBe(8);
    const back = await app.ask('PATCH', `${API}/queues/bull%3Awork/workers`, {
      revert: true,
      reason: 'test',
    });
    expect(back.status).toBe(200);
  });
});

describe('an order that a worker has not answered', () => {
  const change = { concurrency: 6, reason: 'test' };
  const silent = (result: string) => ({
    applied: 0,
    unverified: 1,
    failed: 0,
    unanswered: [
      { queue: 'bull:work', worker: workers.ids[0], label: expect.stringMatching(/^first@/), result },
    ],
  });

  it('is in force: 202 with who is silent, remembered under its key, and followed when the worker wakes', async () => {
    const headers = { 'Idempotency-Key': 'silent' };
    const path = `${API}/queues/bull%3Awork/workers`;
    workers.signal('SIGSTOP');
    const answer = await app.ask('PATCH', path, change, headers);
    const again = await app.ask('PATCH', path, change, headers);
    workers.signal('SIGCONT');
    expect([answer.status, answer.body]).toMatchObject([202, silent('no-answer')]);
    expect(answer.body.outcomes[0].summary).toMatch(/In force where it was heard, and kept for the rest/);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([202, 'true']);
    expect(again.body).toEqual(answer.body);
    await until('it follows', async () => (await said())?.concurrency === 6);
    const undone = await app.ask('POST', '/api/v1/actions/workers.concurrency', {
      ...answer.body.outcomes[0].undo,
      action: undefined,
      reason: 'test',
    });
    expect(undone.status).toBe(200);
  });

  it('as its clock is far off says so, and not as no answer; it follows what is kept', async () => {
    const far = await startAttached({
      port: redis.port,
      clockAheadMs: 3_600_000,
      workers: [{ queue: 'work-2', concurrency: 5, attach: { name: 'far' } }],
    });
    try {
      await until('it is heard', async () =>
        (await app.ask('GET', `${API}/workers`)).body.workers.some(
          ({ name }: { name: string }) => name === 'far',
        ),
      );
      const answer = await app.ask('PATCH', `${API}/queues/bull%3Awork-2/workers`, change);
      expect(answer.status).toBe(202);
      expect(answer.body.unanswered).toMatchObject([
        { result: 'late', note: expect.stringMatching(/clock is 1 h.* ahead/) },
      ]);
      expect(answer.body.outcomes[0].summary).not.toMatch(/did not answer/);
    } finally {
      await far.stop();
    }
  });
});

describe('a console that is killed between a claim and its answer', () => {
  it('answers the same key truthfully when it is back: a desired state is set, of anything else the end is not known', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'spillway-killed-'));
    // Named, so that it need not be found.
    const config = join(dataDirectory, 'spillway.yaml');
    const instances = [{ name: 'default', url: redis.url, queues: ['bull:work'] }];
    await writeFile(config, JSON.stringify({ instances }));
    const start = () => startConsole({ dataDirectory, args: ['--config', config] });
    const heard = (one: RunningConsole) =>
      until('the worker is heard', async () => {
        const { body } = await one.ask('GET', `${API}/workers`);
        const queue = await one.ask('GET', `${API}/queues/bull%3Awork`);
        return queue.status === 200 && body.workers.some(({ name }: { name: string }) => name === 'first');
      });
    const patch = (one: RunningConsole) =>
      one.ask(
        'PATCH',
        `${API}/queues/bull%3Awork/workers`,
        { concurrency: 11, reason: 'test' },
        { 'Idempotency-Key': 'a' },
      );
    const canary = (one: RunningConsole) =>
      one.ask(
        'POST',
        `${API}/queues/bull%3Awork/canary`,
        { jobType: 'probe', timeoutMs: 20_000 },
        { 'Idempotency-Key': 'b' },
      );
    let one = await start();
    try {
      await heard(one);
      workers.signal('SIGSTOP');
      const probed = canary(one).catch(() => 'cut off');
      await until('the canary is under way', async () => (await redis.client.llen('bull:work:wait')) > 0);
      const patched = patch(one).catch(() => 'cut off');
      await until('and so is the order', async () => {
        const kept = await redis.client.hget('bull:work:meta', 'spillway.workers');
        return kept?.includes('11');
      });
      await one.signal('SIGKILL');
      expect(await probed).toBe('cut off');
      await patched;
      workers.signal('SIGCONT');
      one = await start();
      await heard(one);
      const unknown = await canary(one);
      expect([unknown.status, unknown.body.type]).toEqual([409, '/docs#problem-outcome-unknown']);
      expect(unknown.body.detail).toMatch(/may be done, or not/);
      const again = await patch(one);
      // On a machine that is held up for as long as workers may answer, the answer was kept before the kill.
      const isKept = again.headers.get('idempotency-replayed') === 'true';
      expect(again.status).toBe(isKept ? 202 : 200);
      await until('the worker follows', async () => (await said())?.concurrency === 11);
      expect((await patch(one)).headers.get('idempotency-replayed')).toBe('true');
    } finally {
      await one.stop();
      await rm(dataDirectory, { recursive: true, force: true });
    }
  });
});

describe('an order with an idempotency key', () => {
  it('is given once: a repeat gets the same answer and does not undo what came after', async () => {
    const headers = { 'Idempotency-Key': 'once' };
    const first = await app.ask(
      'PATCH',
      worker + workers.ids[0],
      { concurrency: 9, reason: 'test' },
      headers,
    );
    await app.ask('PATCH', worker + workers.ids[0], { concurrency: 4, reason: 'test' });
    const again = await app.ask(
      'PATCH',
      worker + workers.ids[0],
      { concurrency: 9, reason: 'test' },
      headers,
    );
    expect(again.body).toEqual(first.body);
    expect((await said())?.concurrency).toBe(4);
  });
});

describe('the way back that a page offers', () => {
  const page = async (path: string, fields: Readonly<Record<string, string>>): Promise<string> => {
    const headers = { Origin: app.url, 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(fields).toString();
    const answer = await fetch(`${app.url}${path}`, { method: 'POST', headers, body });
    return (await answer.text()).replaceAll('&quot;', '"');
  };
  const onWorker = () => ({
    action: 'worker.concurrency',
    instance: 'default',
    encodedWorkers: encodeURIComponent(workers.ids[0] ?? ''),
  });
  const pull = (value: string, more = {}) =>
    page('/action', { ...onWorker(), 'arg.value': value, reason: 'test', ...more });
  const untilOf = async (): Promise<number | null> => {
    const kept = JSON.parse((await redis.client.hget('bull:work:meta', 'spillway.workers')) ?? '{}');
    const [signed] = Object.values(kept) as { readonly body: string }[];
    return JSON.parse(signed?.body ?? '{}').untilMs;
  };

  it('brings an order for a time back with its end, and is offered too where a worker did not confirm', async () => {
    await pull('7', { 'arg.forMs': '1', 'arg.forMs.unit': 'h' });
    const untilMs = await untilOf();
    expect(untilMs).toBeGreaterThan(Date.now());
    workers.signal('SIGSTOP');
    const html = await pull('9');
    workers.signal('SIGCONT');
    expect(html).toContain('not confirmed by all');
    expect(html).toContain('no answer yet');
    const args = /"({"value":[^}]*})"/.exec(html)?.[1] ?? '';
    expect(JSON.parse(args)).toEqual({ value: 7, untilMs });
    const form = await page('/action/open', { ...onWorker(), args, why: 'undo' });
    expect(form).toContain(`name="arg.untilMs" value="${untilMs}"`);
    await pull('7', { 'arg.untilMs': String(untilMs) });
    expect(await untilOf()).toBe(untilMs);
    expect((await said())?.concurrency).toBe(7);
  });
});
