import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterEach, expect, it } from 'vitest';
import { startRedis } from '../../drills/own-redis.js';
import { startConsole } from '../support/console.js';
import { wordsOf } from '../support/few-words.js';
import { until } from '../support/until.js';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

it('jobs that were lost are reported over a restart of the console, until somebody dismisses it, and a new loss anew', async () => {
  const redis = await startRedis();
  const directory = await mkdtemp(join(tmpdir(), 'spillway-lost-'));
  ends.push(
    () => redis.stop(),
    () => rm(directory, { recursive: true, force: true }),
  );
  // Named, so that they need not be found: that takes some seconds.
  const config = join(directory, 'spillway.yaml');
  const instances = [{ name: 'default', url: redis.url, queues: ['bull:mail', 'bull:web'] }];
  await writeFile(config, JSON.stringify({ instances }));
  const start = async () => startConsole({ dataDirectory: directory, args: ['--config', config] });
  let console_ = await start();
  ends.push(() => console_.stop());
  const read = async (path: string) => (await console_.ask('GET', path)).body;
  const told = async () =>
    (await read('/api/v1/findings')).findings.find(
      ({ code }: { code: string }) => code === 'redis.data-lost',
    );
  /** Jobs in a queue that the console has seen, and a Redis that comes back without them. */
  const lose = async (name: string) => {
    const queue = new Queue(name, { connection: { port: redis.port } });
    await queue.addBulk(Array.from({ length: 5 }, () => ({ name: 'send', data: {} })));
    await queue.close();
    await until(`${name} is read`, async () => {
      const { body } = await console_.ask('GET', `/api/v1/instances/default/queues/bull%3A${name}`);
      return body.backlog === 5;
    });
    await redis.client.flushall();
    return until(`the loss of ${name} is reported`, async () => {
      const finding = await told();
      return wordsOf(finding).includes(`bull:${name} 5`) && finding;
    });
  };
  const restart = async () => {
    await console_.stop();
    console_ = await start();
    await until('it has read', async () => (await read('/api/v1/overview')).instances[0].readAt !== null);
  };
  const dismiss = (query = '') =>
    console_.ask('POST', `/api/v1/actions/redis.dismiss-loss${query}`, {
      instance: 'default',
      args: {},
      reason: 'all were added again',
    });

  const lost = await lose('mail');
  expect(lost.severity).toBe('critical');
  expect(lost.remedies).toMatchObject([{ action: 'redis.dismiss-loss', queues: [], args: {} }]);
  const onTimeline = async () =>
    (await read('/api/v1/timeline')).entries.some(({ kind }: { kind: string }) => kind === 'redis.data-lost');
  await until('it is on the timeline', onTimeline);

  await restart();
  const recalled = await told();
  expect(recalled.detail).toBe(lost.detail);

  const preview = await dismiss('?dryRun=true');
  expect(preview.body.outcomes[0]).toMatchObject({
    isDryRun: true,
    preview: { summary: expect.stringMatching(/at least 5 jobs missing/), isReversible: false },
  });
  expect(preview.body.outcomes[0].preview.fields).toEqual([
    {
      label: 'the finding',
      before: expect.stringMatching(/^shown since \d\d:\d\d UTC$/),
      after: 'dismissed',
    },
  ]);
  expect(await told()).toBeDefined();
  const page = (await console_.ask('GET', '/')).text;
  expect(page).toContain('action=redis.dismiss-loss');
  expect(await dismiss()).toMatchObject({ status: 200, body: { outcomes: [{ status: 'applied' }] } });
  await until('it is not reported any more', async () => (await told()) === undefined);
  expect((await dismiss()).body).toMatchObject({ outcomes: [{ status: 'refused' }] });
  const applied = (await read('/api/v1/audit')).records.find(
    ({ status }: { status: string }) => status === 'applied',
  );
  expect(applied).toMatchObject({
    action: 'redis.dismiss-loss',
    reason: 'all were added again',
    actor: 'local',
  });

  await restart();
  expect(await told()).toBeUndefined();
  const again = await lose('web');
  expect(wordsOf(again)).not.toContain('bull:mail');
}, 180_000);
