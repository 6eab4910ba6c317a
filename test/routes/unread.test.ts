import { Queue } from 'bullmq';
import { expect, it } from 'vitest';
import { startRedis } from '../../drills/own-redis.js';
import { startConsole } from '../support/console.js';
import { parseExposition } from '../support/exposition.js';
import { until } from '../support/until.js';

it('a queue that Redis does not let be read is unknown on pages, in the API, in /metrics and to actions, and never 0', async () => {
  const redis = await startRedis();
  const queues = ['mail', 'web'].map((name) => new Queue(name, { connection: { port: redis.port } }));
  for (const queue of queues)
    await queue.addBulk(Array.from({ length: 7 }, () => ({ name: 'send', data: {} })));
  const rules = ['on', '>secret', '+@all', '~*', '&*'];
  await redis.client.call('ACL', 'SETUSER', 'console', ...rules);
  const console_ = await startConsole({ redisUrl: `redis://console:secret@127.0.0.1:${redis.port}` });
  try {
    const read = async (path: string) => (await console_.ask('GET', path)).body;
    const list = () => read('/api/v1/instances/default/queues');
    await until('both are read', async () => (await list()).queues.length === 2);
    // Keys of mail are the secret of another team from now on.
    await redis.client.call('ACL', 'SETUSER', 'console', 'resetkeys', '~bull:web*');
    const { unread, queues: known } = await until('mail can not be read', async () => {
      const body = await list();
      return body.unread.length === 1 && body;
    });
    expect(known.map(({ name }: { name: string }) => name)).toEqual(['web']);
    expect(unread[0]).toMatchObject({
      id: 'bull:mail',
      problem: expect.stringMatching(/refused.*\(ACL\)/),
      last: { backlog: 7 },
    });
    const one = await console_.ask('GET', '/api/v1/instances/default/queues/bull%3Amail');
    expect([one.status, one.body.detail]).toEqual([503, expect.stringMatching(/ACL/)]);
    const { instances } = await read('/api/v1/overview');
    expect(instances[0].totals).toMatchObject({ queues: 1, unreadQueues: 1, backlog: 7 });
    await until('the finding', async () =>
      (await read('/api/v1/findings')).findings.some(({ code }: { code: string }) => code === 'redis.unread'),
    );

    const { samples } = parseExposition((await console_.ask('GET', '/metrics')).text);
    expect(samples.filter(({ labels }) => labels.queue === 'bull:mail')).toEqual([]);
    expect(samples.find(({ name }) => name === 'spillway_queues_unread')?.value).toBe(1);
    // A sum that lacks one is no sum.
    expect(samples.some(({ name }) => name === 'spillway_backlog_jobs')).toBe(false);

    const overview = (await console_.ask('GET', '/')).text;
    expect(overview).toContain('1 queue (without 1 queue that can not be read)');
    const at = overview.indexOf('title="bull:mail"');
    const row = overview.slice(at, overview.indexOf('</tr>', at));
    const cells = [...row.matchAll(/<td[^>]*data-label="([^"]*)"[^>]*>(.*?)<\/td>/g)].map(
      ([, label, html = '']) => [
        label,
        html
          .replace(/<[^>]*>/g, ' ')
          .replace(/\s+/g, ' ')
          .trim(),
      ],
    );
    const { State: state, Waiting: waiting, ...others } = Object.fromEntries(cells);
    expect([state, waiting]).toEqual(['not known', 'was 7']);
    expect(new Set(Object.values(others))).toEqual(new Set(['–']));
    const page = (await console_.ask('GET', '/i/default/q/bull%3Amail')).text;
    expect(page).toMatch(/It can not be read: [^<]*ACL[^<]*All numbers here are of \d\d:\d\d:\d\d UTC/);

    const paused = await console_.ask('POST', '/api/v1/actions/queue.pause', {
      instance: 'default',
      queues: ['bull:mail'],
      args: {},
      reason: 'try',
    });
    expect([paused.status, paused.body.detail]).toEqual([503, expect.stringMatching(/ACL/)]);
    expect(await redis.client.hget('bull:mail:meta', 'concurrency')).toBeNull();

    await redis.client.call('ACL', 'SETUSER', 'console', 'resetkeys', '~*');
    await until('it is read again', async () => (await list()).queues.length === 2);
    expect((await list()).unread).toEqual([]);
  } finally {
    await console_.stop();
    await Promise.all(queues.map((queue) => queue.close()));
    await redis.stop();
  }
});
