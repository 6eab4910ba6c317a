import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let console_: RunningConsole;
const HOSTILE = 'a b/c?d#e%20<i>"\\';
const queues: Queue[] = [];

beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  for (const [name, prefix] of [
    ['mail', 'bull'],
    ['reports', 'bull'],
    ['twin', 'bull'],
    ['twin', 'other'],
    [HOSTILE, 'bull'],
  ] as const) {
    const queue = new Queue(name, { connection: { port: redis.port }, prefix });
    queues.push(queue);
    await queue.addBulk(
      Array.from({ length: 30 }, (_, i) => ({ name: 'job', data: { secret: `data-${i}` } })),
    );
  }
  console_ = await startConsole({ redisUrl: redis.url });
  await until('all queues are seen', async () => {
    const { body } = await console_.ask('GET', '/api/v1/instances/default/queues');
    return body?.total === 5;
  });
});
afterAll(async () => {
  await console_?.stop();
  for (const queue of queues) await queue.close();
  await redis?.stop();
});

const QUEUES = '/api/v1/instances/default/queues';
const at = (id: string): string => `${QUEUES}/${encodeURIComponent(id)}`;

describe('reading', () => {
  it('reports each Redis with its memory, and when it was read', async () => {
    const { status, body } = await console_.ask('GET', '/api/v1/overview');
    expect(status).toBe(200);
    expect(body.instances[0]).toMatchObject({
      name: 'default',
      status: 'live',
      stale: false,
      policy: 'noeviction',
      maxBytes: 100 * 1024 * 1024,
      totals: { queues: 5, backlog: 150 },
    });
    expect(Date.parse(String(body.instances[0].readAt))).toBeGreaterThan(Date.now() - 10_000);
  });

  it('pages, searches and sorts queues', async () => {
    const first = await console_.ask('GET', `${QUEUES}?sort=name&limit=2`);
    expect(first.body.queues).toHaveLength(2);
    const second = await console_.ask('GET', `${QUEUES}?sort=name&limit=2&cursor=${first.body.nextCursor}`);
    const ids = [...first.body.queues, ...second.body.queues].map((queue: { id: string }) =>
      String(queue.id),
    );
    expect(ids).toEqual([...ids].sort());
    const found = await console_.ask('GET', `${QUEUES}?search=MAIL`);
    expect(found.body.queues.map((queue: { id: string }) => queue.id)).toEqual(['bull:mail']);
  });

  it('finds a queue by its id whatever its characters, and by a bare name that is unique', async () => {
    expect((await console_.ask('GET', at(`bull:${HOSTILE}`))).body).toMatchObject({
      name: HOSTILE,
      backlog: 30,
    });
    expect((await console_.ask('GET', at('mail'))).body).toMatchObject({ id: 'bull:mail' });
  });

  it('lists jobs without their data and shows one with it', async () => {
    const { body } = await console_.ask('GET', `${at('mail')}/jobs?state=waiting&limit=10`);
    expect(body).toMatchObject({ total: 30, nextCursor: 10 });
    expect(JSON.stringify(body)).not.toContain('data-');
    const job = await console_.ask('GET', `${at('mail')}/jobs/${body.jobs[0].id}`);
    expect(job.body).toMatchObject({ state: 'waiting', dataHidden: false, data: '{"secret":"data-0"}' });
  });

  it('describes itself: OpenAPI with every path, actions with their arguments, a page for people', async () => {
    const document = await console_.ask('GET', '/api/v1/openapi.json');
    expect(document.body.openapi).toBe('3.1.0');
    const paths = Object.keys(document.body.paths);
    for (const path of [
      '/overview',
      '/findings',
      '/instances/{instance}/queues',
      '/instances/{instance}/relief',
      '/actions/{action}',
      '/audit',
    ]) {
      expect(paths).toContain(path);
    }
    const actions = await console_.ask('GET', '/api/v1/actions');
    expect(actions.body.actions.map((action: { name: string }) => action.name)).toEqual(
      expect.arrayContaining(['queue.pause', 'redis.raise-maxmemory']),
    );
    const docs = await console_.ask('GET', '/docs');
    expect(docs.text).toContain('/docs/actions/queue.pause');
  });

  it('gives Prometheus its metrics by queue', async () => {
    const { text, headers } = await console_.ask('GET', '/metrics');
    expect(headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(text).toMatch(/spillway_queue_waiting_jobs\{[^}]*queue="bull:mail"[^}]*\} 30/);
  });
});

describe('changing', () => {
  it('reports what a change would do and changes nothing on a dry run', async () => {
    const { status, body } = await console_.ask('PATCH', `${at('mail')}?dryRun=true`, { paused: true });
    expect(status).toBe(200);
    expect(body.outcomes[0]).toMatchObject({ isDryRun: true, auditId: null });
    expect(await redis.client.hget('bull:mail:meta', 'concurrency')).toBeNull();
  });

  it('sets the desired state of a queue, says from what to what, and the same again changes nothing', async () => {
    const wanted = {
      paused: true,
      concurrency: 7,
      rateLimit: { max: 100, durationMs: 60_000 },
      reason: 'incident 12',
    };
    const first = await console_.ask('PATCH', at('mail'), wanted);
    expect(first.status).toBe(200);
    expect(first.body.outcomes.map((outcome: { status: string }) => outcome.status)).toEqual([
      'applied',
      'applied',
      'applied',
    ]);
    const again = await console_.ask('PATCH', at('mail'), wanted);
    expect(again.body.outcomes.map((outcome: { status: string }) => outcome.status)).toEqual([
      'unchanged',
      'unchanged',
      'unchanged',
    ]);
    await until(
      'the page knows',
      async () => (await console_.ask('GET', at('mail'))).body.flow === 'paused-by-spillway',
    );
    const back = await console_.ask('PATCH', at('mail'), {
      paused: false,
      concurrency: null,
      rateLimit: null,
      reason: 'over',
    });
    expect(back.status).toBe(200);
    const meta = await redis.client.hgetall('bull:mail:meta');
    expect(Object.keys(meta)).not.toEqual(expect.arrayContaining(['concurrency']));
    expect(meta.max).toBeUndefined();
  });

  it('changes a group by glob with a result for each queue', async () => {
    const { body } = await console_.ask('PATCH', `${QUEUES}?match=*twin`, {
      concurrency: 3,
      reason: 'group',
    });
    expect(body.outcomes.map((outcome: { queue: string }) => outcome.queue)).toEqual([
      'bull:twin',
      'other:twin',
    ]);
    expect(body.applied).toBe(2);
  });

  it('carries out a repeated request once', async () => {
    const headers = { 'idempotency-key': 'once-1' };
    const request = { action: 'trim-events', match: 'reports', keep: 5, reason: 'test' };
    const path = '/api/v1/instances/default/relief';
    const first = await console_.ask('POST', path, request, headers);
    const second = await console_.ask('POST', path, request, headers);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second.text).toBe(first.text);
    const other = await console_.ask('POST', path, { ...request, keep: 6 }, headers);
    expect(other.status).toBe(422);
    expect(other.body.detail).toContain('Idempotency-Key');
  });

  it('keeps who did what and why, also over a restart of the console', async () => {
    await console_.ask('POST', '/api/v1/actions/queue.pause', {
      queues: ['bull:reports'],
      reason: 'why not',
    });
    const { body } = await console_.ask('GET', '/api/v1/audit?queue=bull:reports&action=queue.pause');
    expect(body.records[0]).toMatchObject({
      actor: 'local',
      reason: 'why not',
      before: { 'global concurrency': 'none' },
      undo: { action: 'queue.resume' },
    });
    const id = body.records[0].id;
    const { undo } = body.records[0];
    const data = console_.dataDirectory;
    const second = await startConsole({ redisUrl: redis.url, dataDirectory: data });
    try {
      const kept = await second.ask('GET', '/api/v1/audit?queue=bull:reports');
      expect(kept.body.records.map((action: { id: string }) => action.id)).toContain(id);
    } finally {
      await second.stop();
    }
    const back = await console_.ask('POST', `/api/v1/actions/${undo.action}`, {
      ...undo,
      action: undefined,
      reason: 'undo',
    });
    expect(back.body.outcomes[0]).toMatchObject({ status: 'applied' });
  });
});

describe('refusing', () => {
  const cases: readonly [
    what: string,
    method: string,
    path: string,
    body: unknown,
    status: number,
    says: RegExp,
  ][] = [
    ['an unknown path', 'GET', '/api/v1/nothing', undefined, 404, /nothing at/],
    ['a method that the path does not take', 'DELETE', '/api/v1/overview', undefined, 405, /takes GET/],
    ['an unknown Redis', 'GET', '/api/v1/instances/nope/queues', undefined, 404, /there are default/],
    ['an unknown queue', 'GET', at('nope'), undefined, 404, /no queue nope/],
    ['a name that two queues have', 'GET', at('twin'), undefined, 409, /bull:twin.*other:twin/],
    ['an unknown job', 'GET', `${at('mail')}/jobs/nope`, undefined, 404, /no job nope/],
    ['an unknown state', 'GET', `${at('mail')}/jobs?state=gone`, undefined, 422, /state: must be one of/],
    ['a limit out of bounds', 'GET', `${QUEUES}?limit=0`, undefined, 422, /limit: must be at least 1/],
    ['an unknown sort', 'GET', `${QUEUES}?sort=luck`, undefined, 422, /sort: must be one of/],
    ['JSON that is none', 'PATCH', at('mail'), '{bad', 400, /JSON/],
    ['a misspelt field', 'PATCH', at('mail'), { concurency: 3 }, 422, /concurency/],
    ['a concurrency of 0', 'PATCH', at('mail'), { concurrency: 0, reason: 'x' }, 422, /queue\.pause/],
    [
      'a rate limit without end',
      'PATCH',
      at('mail'),
      { rateLimit: { max: 0, durationMs: 1000 }, reason: 'x' },
      422,
      /at least 1/,
    ],
    ['a reason that is none', 'PATCH', at('mail'), { paused: true, reason: 7 }, 422, /reason/],
    [
      'a glob that matches nothing',
      'PATCH',
      `${QUEUES}?match=zzz*`,
      { paused: true, reason: 'x' },
      404,
      /zzz/,
    ],
    ['an unknown action', 'POST', '/api/v1/actions/queue.explode', { reason: 'x' }, 404, /queue\.pause/],
    ['an action without a queue', 'POST', '/api/v1/actions/queue.pause', { reason: 'x' }, 422, /queues/],
    [
      'a relief of no kind',
      'POST',
      '/api/v1/instances/default/relief',
      { action: 'pray', reason: 'x' },
      422,
      /action/,
    ],
    [
      'more memory than the host has',
      'POST',
      '/api/v1/instances/default/relief',
      { action: 'raise-maxmemory', maxBytes: 1e15, reason: 'x' },
      409,
      /90%|host/,
    ],
  ];

  it('a change without a reason is made, and the audit has none', async () => {
    const { status, body } = await console_.ask('PATCH', at('mail'), { concurrency: 7 });
    expect(status).toBe(200);
    const audit = await console_.ask('GET', '/api/v1/audit?queue=bull:mail&action=queue.concurrency');
    expect(audit.body.records[0]).toMatchObject({ id: body.outcomes[0].auditId, reason: '' });
    expect((await console_.ask('PATCH', at('mail'), { concurrency: null })).status).toBe(200);
  });

  it.each(cases)('%s', async (_what, method, path, body, status, says) => {
    const answer = await console_.ask(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(says);
    if (answer.headers.get('content-type')?.includes('problem')) {
      expect(answer.body).toMatchObject({
        status,
        type: expect.stringMatching(/^\/docs#problem-/),
        title: expect.any(String),
      });
    }
  });

  it('a body that is not JSON, or too large', async () => {
    expect(
      (await console_.ask('PATCH', at('mail'), 'paused=true', { 'content-type': 'text/plain' })).status,
    ).toBe(415);
    const large = { reason: 'x'.repeat(1_200_000) };
    expect((await console_.ask('PATCH', at('mail'), large)).status).toBe(413);
  });

  it('an action on a Redis that can not be read, with 503 and nothing changed', async () => {
    redis.freeze();
    try {
      // Shown as stale as soon as a read has failed, and told as a finding when it has gone on for 3 s.
      await until('it is stale, and a finding says so', async () => {
        const { instances, findings } = (await console_.ask('GET', '/api/v1/overview')).body;
        const codes: string[] = findings.map((finding: { code: string }) => finding.code);
        return instances[0].stale && codes.some((code) => /console\.stale|redis\.unreachable/.test(code));
      });
      const startedAt = Date.now();
      await console_.ask('GET', '/api/v1/overview');
      expect(Date.now() - startedAt).toBeLessThan(1_000);
      const { status, body } = await console_.ask('PATCH', at('mail'), { paused: true, reason: 'x' });
      expect(status).toBe(503);
      expect(body.title).toBe('Redis can not be asked now');
    } finally {
      redis.thaw();
    }
    await until(
      'it is live again',
      async () => (await console_.ask('GET', '/api/v1/overview')).body.instances[0].stale === false,
    );
  });
});
