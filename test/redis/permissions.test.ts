import { readFileSync } from 'node:fs';
import { Queue } from 'bullmq';
import { expect, it } from 'vitest';
import { startRedis } from '../../drills/own-redis.js';
import { packagePath } from '../../server/process/package-path.js';
import { startAttached } from '../support/attached-process.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { addEnded } from '../support/failed-jobs.js';
import { until } from '../support/until.js';

/** The lines of docs/deploy.md: user and rules. */
const USERS = readFileSync(packagePath('docs/deploy.md'), 'utf8')
  .replace(/\\\n\s*/g, '')
  .matchAll(/^ACL SETUSER (\S+) (.*)$/gm);
const INSTANCE = '/api/v1/instances/default';
const MAIL = { instance: 'default', queues: ['bull:mail'] };

it('a Redis user with the permissions that are written down may do everything, or only look, and nothing is refused that should not be', async () => {
  const redis = await startRedis();
  const queues = ['mail', 'later'].map((name) => new Queue(name, { connection: { port: redis.port } }));
  for (const queue of queues) await queue.add('send', {});
  const failed = Array.from({ length: 30 }, (_, i) => ({ id: `f${i}` }));
  await addEnded(redis, 'bull:mail', failed);
  const workers = await startAttached({
    port: redis.port,
    workers: [{ queue: 'mail', jobMs: 5, attach: { name: 'mail-1' } }],
  });
  for (const [, user = '', rules = ''] of USERS)
    await redis.client.call('ACL', 'SETUSER', user, ...rules.split(/\s+/));
  const asUser = (user: string) =>
    startConsole({ redisUrl: `redis://${user}:secret@127.0.0.1:${redis.port}` });
  const [acts, looks] = await Promise.all([asUser('spillway'), asUser('spillway-looks')]);

  const sees = (spillway: RunningConsole) =>
    until('queue, memory and worker are seen', async () => {
      const { body: memory } = await spillway.ask('GET', `${INSTANCE}/memory`);
      const { workers } = (await spillway.ask('GET', `${INSTANCE}/workers`)).body;
      return memory.queues?.bytes > 0 && workers?.[0]?.id;
    });
  /** What Redis has refused to a user, from its own log. */
  const refusedTo = async (user: string): Promise<readonly string[]> => {
    const log = (await redis.client.call('ACL', 'LOG', '128')) as string[][];
    const entries = log.map((fields) => new Map(fields.map((name, i) => [name, fields[i + 1]])));
    return entries
      .filter((entry) => entry.get('username') === user)
      .map((entry) => `${entry.get('reason')} ${entry.get('object')}`)
      .toSorted();
  };
  try {
    await sees(acts);
    const queuePath = `${INSTANCE}/queues/bull%3Amail`;
    const replayed = { ...MAIL, ratePerSecond: 500 };
    for (const [method, path, body] of [
      ['PATCH', queuePath, { concurrency: 3, rateLimit: { max: 50, durationMs: 1000 } }],
      ['PATCH', queuePath, { concurrency: null, rateLimit: null }],
      ['PATCH', queuePath, { paused: true }],
      ['PATCH', queuePath, { paused: false }],
      ['PATCH', `${queuePath}/workers`, { concurrency: 5 }],
      ['POST', '/api/v1/actions/workers.revert', { ...MAIL, args: {} }],
      ['POST', '/api/v1/actions/queue.trim-events', { ...MAIL, args: { keep: 10 } }],
      ['POST', `${queuePath}/canary`, {}],
      ['POST', '/api/v1/parkings', { instance: 'default', queue: 'later', reason: 'too many' }],
      ['POST', '/api/v1/replays', replayed],
      [
        'POST',
        '/api/v1/actions/redis.raise-maxmemory',
        { instance: 'default', args: { maxBytes: 500_000_000 } },
      ],
      ['POST', '/api/v1/actions/queue.clean-finished', { ...MAIL, args: { state: 'completed', keep: 5 } }],
    ] as const) {
      const { status, text } = await acts.ask(method, path, body);
      expect([path, status, text]).toEqual([path, expect.toSatisfy((code) => code < 300), text]);
    }
    await until('the replay and the parking have ended', async () => {
      const [replay] = (await acts.ask('GET', '/api/v1/replays')).body.replays;
      const [parking] = (await acts.ask('GET', '/api/v1/parkings')).body.parkings;
      return replay?.account.moved === failed.length && parking?.parked === 1;
    });
    expect(await refusedTo('spillway')).toEqual([]);

    await sees(looks);
    expect((await looks.ask('PATCH', queuePath, { paused: true })).status).toBe(409);
    // It asks once whether it may.
    expect(await refusedTo('spillway-looks')).toEqual(['command del']);
  } finally {
    await Promise.all([acts.stop(), looks.stop(), workers.stop(), ...queues.map((queue) => queue.close())]);
    await redis.stop();
  }
});
