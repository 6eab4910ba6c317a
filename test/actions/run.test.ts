import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type ActionBench, startBench } from '../support/action-bench.js';
import { openBoth } from '../support/bullmq-queues.js';
import { until } from '../support/until.js';

const MAIL = ['shop:mail-a', 'shop:mail-b', 'shop:mail-c'];
let redis: OwnRedis;
let bench: ActionBench;

beforeAll(async () => {
  redis = await startRedis();
  for (const name of ['mail-a', 'mail-b', 'mail-c']) {
    const queues = openBoth(redis.port, name, 'shop');
    await queues.v6.add('work', {});
    await queues.close();
  }
  const queues = openBoth(redis.port, 'solo');
  await queues.v6.add('work', {}, { jobId: 'one' });
  await queues.close();
  const twin = openBoth(redis.port, 'solo', 'twin');
  await twin.v6.add('work', {});
  await twin.close();
  bench = await startBench(redis, { queues: [...MAIL, 'bull:solo', 'twin:solo', 'shop:mail-broken'] });
  for (const id of [...MAIL, 'bull:solo', 'twin:solo']) await bench.seen(id);
});
afterAll(async () => {
  await bench?.stop();
  await redis?.stop();
});

describe('one call for a group', () => {
  it('changes every queue that a glob matches, and undo of each takes it back', async () => {
    const outcomes = await bench.pull('queue.concurrency', { match: 'shop:mail-*', args: { value: 2 } });
    expect(outcomes.map((outcome) => [outcome.queue, outcome.status])).toEqual(
      MAIL.map((id) => [id, 'applied']),
    );
    for (const id of MAIL) expect(await redis.client.hget(`${id}:meta`, 'concurrency')).toBe('2');
    for (const { undo } of outcomes) {
      await bench.pullOne(undo?.action ?? '', { queues: undo?.queues ?? [], args: undo?.args });
    }
    for (const id of MAIL) expect(await redis.client.hexists(`${id}:meta`, 'concurrency')).toBe(0);
  });

  it('goes on where one of them cannot be changed, and says which and why', async () => {
    // Something else lies under the name of the queue's meta hash.
    await redis.client.lpush('shop:mail-broken:wait', 'j1');
    await bench.seen('shop:mail-broken');
    await redis.client.set('shop:mail-broken:meta', 'not a hash');
    const outcomes = await bench.pull('queue.pause', { match: 'mail-*' });
    const byQueue = Object.fromEntries(outcomes.map((outcome) => [outcome.queue, outcome]));
    expect(byQueue['shop:mail-broken']).toMatchObject({
      status: 'failed',
      summary: expect.stringMatching(/something else than a BullMQ queue.*WRONGTYPE/),
    });
    for (const id of MAIL) expect(byQueue[id]?.status).toBe('applied');
    expect(await redis.client.get('shop:mail-broken:meta')).toBe('not a hash');
    await bench.pull('queue.resume', { queues: MAIL });
    await redis.client.del('shop:mail-broken:meta', 'shop:mail-broken:wait');
  });

  it('gives the queues that there are what was asked for, though others of the list are gone', async () => {
    const outcomes = await bench.pull('queue.concurrency', {
      queues: ['shop:mail-a', 'shop:deleted'],
      args: { value: 5 },
    });
    expect(outcomes.map((outcome) => [outcome.queue, outcome.status])).toEqual([
      ['shop:deleted', 'refused'],
      ['shop:mail-a', 'applied'],
    ]);
    await bench.pull('queue.concurrency', { queues: ['shop:mail-a'], args: { value: null } });
  });
});

describe('a request that makes no sense is refused before anything is done, and says what would be right', () => {
  const solo = { queues: ['bull:solo'] };
  it.each([
    [
      'an unknown action',
      'queue.stop',
      solo,
      'not-found',
      /there is no action queue\.stop; there are queue\.pause/,
    ],
    [
      'an unknown instance',
      'queue.pause',
      { ...solo, instance: 'prod' },
      'not-found',
      /no Redis named prod; there are default/,
    ],
    ['an unknown queue', 'queue.pause', { queues: ['shop:mail'] }, 'not-found', /did you mean shop:mail-a/],
    ['a name that two queues have', 'queue.pause', { queues: ['solo'] }, 'ambiguous', /bull:solo, twin:solo/],
    [
      'a glob that matches nothing',
      'queue.pause',
      { match: 'zzz*' },
      'not-found',
      /no queue of default matches zzz\*/,
    ],
    ['no queue', 'queue.pause', {}, 'invalid', /name at least one queue/],
    [
      'an argument that it does not have',
      'queue.pause',
      { ...solo, args: { hard: true } },
      'invalid',
      /hard/,
    ],
    [
      'a wrong argument',
      'queue.concurrency',
      { ...solo, args: { value: 2.5 } },
      'invalid',
      /value: must be a whole number/,
    ],
    ['arguments that are none', 'queue.concurrency', { ...solo, args: 'four' }, 'invalid', /args: /],
    ['a job action without job', 'job.retry', solo, 'invalid', /jobId/],
  ] as const)('%s', async (_what, action, request, code, words) => {
    const audited = bench.audit.records.length;
    const attempt = bench.pull(action, request);
    await expect(attempt).rejects.toMatchObject({
      name: 'ActionError',
      code,
      message: expect.stringMatching(words),
    });
    expect(bench.audit.records.length).toBe(audited);
  });

  it('the bad field is named with its value', async () => {
    const attempt = bench.pull('queue.concurrency', { ...solo, args: { value: -3 } });
    await expect(attempt).rejects.toMatchObject({ fields: [{ field: 'value', value: -3 }] });
  });
});

it('a bare name is enough where one queue has it', async () => {
  const outcome = await bench.pullOne('queue.pause', { queues: ['mail-a'], dryRun: true, reason: '' });
  expect(outcome.queue).toBe('shop:mail-a');
});

it('a change needs no reason: without one it is made and audited', async () => {
  const outcome = await bench.pullOne('queue.concurrency', {
    queues: ['bull:solo'],
    args: { value: 9 },
    reason: ' ',
  });
  expect(outcome.status).toBe('applied');
  expect(bench.audit.records.at(-1)).toMatchObject({ id: outcome.auditId, reason: '' });
  await bench.pullOne('queue.concurrency', { queues: ['bull:solo'], args: { value: null } });
});

it('a dry run shows before and after and changes nothing, nor is it audited', async () => {
  const audited = bench.audit.records.length;
  const outcome = await bench.pullOne('queue.concurrency', {
    queues: ['bull:solo'],
    args: { value: 7 },
    dryRun: true,
    reason: '',
  });
  expect(outcome).toMatchObject({
    isDryRun: true,
    fields: [{ label: 'global concurrency', before: 'none', after: '7' }],
  });
  expect(await redis.client.hget('bull:solo:meta', 'concurrency')).toBeNull();
  expect(bench.audit.records.length).toBe(audited);
});

it('every change is audited with who, why, before, after and the way back', async () => {
  const request = { queues: ['bull:solo'], args: { value: 7 }, reason: ' provider asked us to slow down ' };
  const outcome = await bench.pullOne('queue.concurrency', request, { name: 'mara', role: 'operator' });
  expect(bench.audit.records.at(-1)).toMatchObject({
    id: outcome.auditId,
    actor: 'mara',
    via: 'token',
    reason: 'provider asked us to slow down',
    action: 'queue.concurrency',
    instance: 'default',
    queue: 'bull:solo',
    args: { value: 7 },
    before: { 'global concurrency': 'none' },
    after: { 'global concurrency': '7' },
    status: 'applied',
    undo: { action: 'queue.concurrency', queues: ['bull:solo'], args: { value: null } },
  });
  await bench.pullOne('queue.concurrency', { queues: ['bull:solo'], args: { value: null } });
});

it('a viewer changes nothing, an operator not the limit of Redis, and the attempt is audited', async () => {
  const pause = bench.pull('queue.pause', { queues: ['bull:solo'] }, { name: 'vic', role: 'viewer' });
  await expect(pause).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringMatching(/vic is viewer/),
  });
  expect(bench.audit.records.at(-1)).toMatchObject({ actor: 'vic', status: 'refused', queue: 'bull:solo' });
  const raise = bench.pull('redis.raise-maxmemory', { args: { maxBytes: 2 ** 30 } }, { role: 'operator' });
  await expect(raise).rejects.toMatchObject({ code: 'forbidden' });
  expect(await redis.client.hget('bull:solo:meta', 'concurrency')).toBeNull();
});

it('attempts that repeat themselves are counted in the audit, and fill no disk', async () => {
  let nowMs = Date.now();
  const { runAction } = await import('../../server/actions/run.js');
  const deps = { ...bench.deps, now: () => nowMs };
  const actor = { name: 'loop', role: 'viewer', via: 'token' } as const;
  const request = {
    action: 'queue.pause',
    instance: 'default',
    queues: ['bull:solo'],
    args: {},
    reason: 'x',
  };
  const tryOnce = () => runAction(deps, actor, { ...request, dryRun: false }).catch(() => undefined);
  for (let i = 0; i < 200; i++) await tryOnce();
  const kept = () => bench.audit.records.filter((record) => record.actor === 'loop');
  expect(kept()).toHaveLength(1);
  nowMs += 60_000;
  await tryOnce();
  expect(kept()).toHaveLength(2);
  expect(kept()[1]?.summary).toMatch(/so were 199 attempts before it/);
});

it('a change that can’t be kept in the audit is reported as such', async () => {
  const deps = {
    ...bench.deps,
    audit: { ...bench.audit, append: () => Promise.reject(new Error('disk full')) },
  };
  const { runAction } = await import('../../server/actions/run.js');
  const [outcome] = await runAction(
    deps,
    { name: 'olga', role: 'admin', via: 'local' },
    {
      action: 'queue.pause',
      instance: 'default',
      queues: ['bull:solo'],
      args: {},
      reason: 'drill',
      dryRun: false,
    },
  );
  expect(outcome).toMatchObject({ status: 'applied', auditId: null });
  expect(outcome?.warnings.join()).toMatch(/could not be written to the audit/);
  await bench.pullOne('queue.resume', { queues: ['bull:solo'] });
});

describe('raising maxmemory', () => {
  const MB = 1024 * 1024;
  const limit = async (): Promise<number> =>
    Number(((await redis.client.config('GET', 'maxmemory')) as string[])[1]);

  it('is undone exactly', async () => {
    await redis.client.config('SET', 'maxmemory', String(100 * MB));
    const outcome = await bench.pullOne('redis.raise-maxmemory', { args: { maxBytes: 150 * MB } });
    expect(outcome.fields).toEqual([{ label: 'maxmemory', before: '100 MB', after: '150 MB' }]);
    expect(await limit()).toBe(150 * MB);
    await bench.pullOne(outcome.undo?.action ?? '', { args: outcome.undo?.args });
    expect(await limit()).toBe(100 * MB);
  });

  it('is refused beyond what the host has, and below what Redis holds', async () => {
    const much = await bench.pullOne('redis.raise-maxmemory', { args: { maxBytes: 2 ** 50 } });
    expect(much).toMatchObject({
      status: 'refused',
      summary: expect.stringMatching(/90% of the .* of the host/),
    });
    const little = await bench.pullOne('redis.raise-maxmemory', { args: { maxBytes: MB } });
    expect(little).toMatchObject({
      status: 'refused',
      summary: expect.stringMatching(/it would be full at once/),
    });
    expect(await limit()).toBe(100 * MB);
    await redis.client.config('SET', 'maxmemory', '0');
  });
});

it('says within seconds that a Redis that hangs has not been changed, or may have been', async () => {
  await bench.seen('bull:solo');
  redis.freeze();
  const startedMs = Date.now();
  const outcome = await bench
    .pullOne('queue.pause', { queues: ['bull:solo'] })
    .catch((error: Error) => ({ status: 'refused', summary: error.message }));
  redis.thaw();
  expect(Date.now() - startedMs).toBeLessThan(5_000);
  expect(['failed', 'refused']).toContain(outcome.status);
  expect(outcome.summary).toMatch(/does not answer in time/);
  await until('Redis is read again', () => bench.watch.snapshot('default')?.link.status === 'live');
  await bench.pullOne('queue.resume', { queues: ['bull:solo'] });
});

describe('a Redis user that may not do everything', () => {
  const as = async (
    name: string,
    rules: string,
    use: (restricted: ActionBench) => Promise<void>,
  ): Promise<void> => {
    await redis.client.call('ACL', 'SETUSER', name, 'on', '>secret', '~*', '&*', ...rules.split(' '));
    const restricted = await startBench(redis, {
      url: `redis://${name}:secret@127.0.0.1:${redis.port}`,
      queues: ['bull:solo'],
    });
    await restricted.seen('bull:solo');
    await use(restricted);
    await restricted.stop();
  };

  it('without CONFIG still pauses, and raising maxmemory says what is left to do', async () => {
    await as('noconfig', '+@all -config', async (restricted) => {
      const raise = await restricted.pullOne('redis.raise-maxmemory', { args: { maxBytes: 2 ** 28 } });
      expect(raise).toMatchObject({
        status: 'refused',
        summary: expect.stringMatching(
          /does not permit CONFIG SET.*trimming events and cleaning finished jobs still work/,
        ),
      });
      expect(restricted.audit.records.at(-1)?.status).toBe('refused');
      expect((await restricted.pullOne('queue.pause', { queues: ['bull:solo'] })).status).toBe('applied');
      expect((await restricted.pullOne('queue.resume', { queues: ['bull:solo'] })).status).toBe('applied');
    });
  });

  it('without writes sees, and every action says what to permit', async () => {
    await as('reader', '+@all -@write -eval -evalsha', async (restricted) => {
      const pause = await restricted.pullOne('queue.pause', { queues: ['bull:solo'] });
      expect(pause).toMatchObject({
        status: 'refused',
        summary: expect.stringMatching(/does not let this user write/),
      });
    });
  });

  it('without MEMORY still cleans and trims, only without the bytes', async () => {
    await as('nomemory', '+@all -memory', async (restricted) => {
      await redis.client.hset('bull:solo:old', 'name', 'work', 'finishedOn', 1);
      await redis.client.zadd('bull:solo:completed', 1, 'old');
      await restricted.seen('bull:solo', (queue) => queue.counts.completed === 1);
      const args = { state: 'completed' };
      const cleaned = await restricted.pullOne('queue.clean-finished', { queues: ['bull:solo'], args });
      expect(cleaned).toMatchObject({ status: 'applied', freedBytes: null });
      expect(cleaned.summary).toBe('Removed 1 completed jobs.');
      const trimmed = await restricted.pullOne('queue.trim-events', {
        queues: ['bull:solo'],
        args: { keep: 0 },
      });
      expect(trimmed).toMatchObject({ status: 'applied', freedBytes: null });
    });
  });
});

it('a read-only replica is reported as such', async () => {
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(redis.port)] });
  await until('the replica is in step', async () =>
    (await replica.client.info()).includes('master_link_status:up'),
  );
  const onReplica = await startBench(replica, { queues: ['bull:solo'] });
  await onReplica.seen('bull:solo');
  const pause = await onReplica.pullOne('queue.pause', { queues: ['bull:solo'] });
  expect(pause).toMatchObject({ status: 'refused', summary: expect.stringMatching(/read-only replica/) });
  await onReplica.stop();
  await replica.stop();
});
