import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { startRedis } from '../../drills/own-redis.js';
import { type ActionBench, startBench } from '../support/action-bench.js';
import { wordsOf } from '../support/few-words.js';
import { it } from '../support/redis-test.js';
import { until } from '../support/until.js';

const unsaved = ({ watch }: ActionBench) => watch.findings().find(({ code }) => code === 'redis.unsaved');

it('a Redis that can not save: it is reported before anybody is refused and reported louder then, queues stay known, and actions say why nothing was changed', async ({
  world: { redis, aQueue, endLater },
}) => {
  const mail = aQueue('mail');
  await mail.addBulk(Array.from({ length: 40 }, () => ({ name: 'send', data: {} })));
  const bench = await startBench(redis);
  endLater(() => bench.stop());
  await bench.seen('bull:mail', ({ backlog }) => backlog === 40);
  await redis.client.config('SET', 'save', '3600 1000000');
  // Its directory is gone: nobody can write there, root either.
  await rm(redis.directory, { recursive: true });
  await redis.client.bgsave();
  const warned = await until('it is reported', () => unsaved(bench));
  expect([warned.severity, warned.headline]).toEqual(['warning', "Redis can't save to disk"]);
  await expect(mail.add('send', {})).rejects.toThrow('MISCONF');
  await until('that it refuses is reported', () => unsaved(bench)?.severity === 'critical');
  const outcome = await bench.pullOne('queue.pause', { queues: ['bull:mail'] });
  expect(outcome.status).toBe('failed');
  expect(outcome.summary).toMatch(/accepts no writes because it cannot save to disk/);
  expect(await redis.client.hget('bull:mail:meta', 'concurrency')).toBeNull();
  expect((await bench.seen('bull:mail')).backlog).toBe(40);
  // Told to go on without.
  await redis.client.config('SET', 'stop-writes-on-bgsave-error', 'no');
  await until('it is over', () => unsaved(bench) === undefined);
  expect((await bench.pullOne('queue.pause', { queues: ['bull:mail'] })).status).toBe('applied');
});

it('a Redis whose append-only file can not be written: it is reported, with what is refused', async ({
  world: { endLater },
}) => {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-aof-'));
  endLater(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, 'appendonlydir'));
  await symlink('/dev/full', join(directory, 'appendonlydir', 'appendonly.aof.1.incr.aof'));
  const redis = await startRedis({ args: ['--dir', directory, '--appendonly', 'yes'] });
  endLater(() => redis.stop());
  const bench = await startBench(redis);
  endLater(() => bench.stop());
  await redis.client.set('any', 'is written down later');
  await until('it refuses', async () => redis.client.set('any', 'other').then(() => false, String));
  const told = await until('it is reported', () => unsaved(bench)?.severity === 'critical' && unsaved(bench));
  expect(wordsOf(told)).toMatch(/rejects writes: it can't save.*Its append-only file can't be written/);
});

it('a Redis that is busy with a script: nothing is 0 or gone, and actions say why nothing was changed', async ({
  world: { redis, aQueue, endLater },
}) => {
  await aQueue('mail').addBulk(Array.from({ length: 40 }, () => ({ name: 'send', data: {} })));
  const bench = await startBench(redis);
  endLater(() => bench.stop());
  const { watch } = bench;
  await bench.seen('bull:mail', ({ backlog }) => backlog === 40);
  await redis.client.config('SET', 'busy-reply-threshold', '100');
  const other = new Redis(redis.port, { maxRetriesPerRequest: null });
  endLater(async () => other.disconnect());
  const wrong: unknown[] = [];
  const stop = watch.onTick(() => {
    const { queues = [], unread } = watch.snapshot('default') ?? {};
    const known = queues.map(({ backlog }) => backlog);
    if ([...known, ...(unread?.queues ?? []).map(({ last }) => last?.backlog)].join() !== '40')
      wrong.push(known);
  });
  const endless = other.eval('while true do end', 0).catch((error: Error) => error.message);
  const finding = await until('it is reported', () =>
    watch
      .findings()
      .find((one) => /is busy with a script that does not end/.test(JSON.stringify(one.evidence))),
  );
  expect(finding.severity).toBe('critical');
  const said = await bench
    .pullOne('queue.pause', { queues: ['bull:mail'] })
    .then(({ summary }) => summary, String);
  expect(said).toMatch(/busy with a script/i);
  await redis.client.script('KILL');
  expect(await endless).toMatch(/killed/i);
  await until('it is read again', () => watch.snapshot('default')?.link.status === 'live');
  await until('the finding is over', () => !watch.findings().some(({ key }) => key === finding.key));
  stop();
  expect(wrong).toEqual([]);
  expect(await redis.client.hget('bull:mail:meta', 'concurrency')).toBeNull();
});
