import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { startConsole } from '../support/console.js';
import { it } from '../support/redis-test.js';
import { until } from '../support/until.js';

const MAX_BYTES = 300_000;
const LONG_QUEUE = `bull:${'q'.repeat(300_000)}`;
const LONG_JOB_NAME = 'n'.repeat(2_000_000);
const MIDDLING_JOB_NAME = `import ${'ü'.repeat(2_000)}`;

it('a queue with a name of 300 KB and jobs with names of 2 MB make no answer large, hide nobody else, and can be acted on', async ({
  world,
}) => {
  const orders = world.aQueue('orders');
  const odd = world.aQueue('odd');
  const raw = new Redis({ port: world.redis.port });
  world.endLater(async () => raw.disconnect());
  await orders.addBulk(Array.from({ length: 20 }, () => ({ name: 'send', data: {} })));
  for (const name of [LONG_JOB_NAME, LONG_JOB_NAME, MIDDLING_JOB_NAME]) await odd.add(name, {});
  const failed = await odd.add(LONG_JOB_NAME, {});
  const failedKey = `bull:odd:${failed.id}`;
  await raw
    .multi()
    .lrem('bull:odd:wait', 0, String(failed.id))
    .zadd('bull:odd:failed', Date.now(), String(failed.id))
    .hset(failedKey, 'failedReason', 'x'.repeat(3_000_000), 'finishedOn', Date.now(), 'atm', 1)
    .exec();
  await raw.hset(`${LONG_QUEUE}:meta`, 'opts.maxLenEvents', 10_000, 'version', 'bullmq:6.7.0');
  await raw.rpush(`${LONG_QUEUE}:wait`, '1');
  await raw.hset(`${LONG_QUEUE}:1`, 'name', 'send', 'timestamp', Date.now(), 'data', '{}');
  await raw.set(`${LONG_QUEUE}:id`, 1);

  const running = await startConsole({ redisUrl: world.redis.url });
  world.endLater(() => running.stop());
  const queues = '/api/v1/instances/default/queues';
  await until('the types of the odd queue are known', async () => {
    const { body } = await running.ask('GET', `${queues}/odd`);
    return body.jobTypes?.length >= 2 && body.counts.failed === 1;
  });
  const finding = await until('the long name is reported', async () => {
    const { body } = await running.ask('GET', '/api/v1/findings');
    return body.findings.find(({ code }: { code: string }) => code === 'console.queue-limit');
  });
  expect(finding.headline).toBe('1 queue name is too long to be watched');
  expect(finding.detail).toContain(`bull:${'q'.repeat(55)}…`);

  const paths = ['/metrics', '/', '/i/default/q/bull:odd', queues, `${queues}/odd`, '/api/v1/findings'];
  for (const path of [...paths, `${queues}/odd/jobs?state=waiting`, `${queues}/odd/jobs?state=failed`]) {
    const { status, text } = await running.ask('GET', path);
    expect([path, status]).toEqual([path, 200]);
    expect([path, text.length < MAX_BYTES]).toEqual([path, true]);
  }
  const { body: ordinary } = await running.ask('GET', `${queues}/orders`);
  expect(ordinary.counts.waiting).toBe(20);
  const { body: list } = await running.ask('GET', queues);
  expect(list.queues.map(({ id }: { id: string }) => id).sort()).toEqual(['bull:odd', 'bull:orders']);

  const { body: waiting } = await running.ask('GET', `${queues}/odd/jobs?state=waiting`);
  const names = waiting.jobs.map(({ name }: { name: string }) => name);
  expect(names.filter((name: string) => name === '(name of 2000000 bytes)')).toHaveLength(2);
  const middling = names.find((name: string) => name.startsWith('import ü'));
  expect(middling).toMatch(/^import ü{80,90}…[0-9a-f]{8}$/);

  const { body: parking } = await running.ask('POST', '/api/v1/parkings?dryRun=true', {
    instance: 'default',
    queue: 'odd',
    states: ['waiting'],
    jobTypes: ['(name of 2000000 bytes)', middling],
    reason: 'room',
  });
  expect(
    parking.estimate.types.map(({ type, jobs }: { type: string; jobs: number }) => [type, jobs]),
  ).toEqual([
    ['(name of 2000000 bytes)', 2],
    [middling, 1],
  ]);
  const retried = await running.ask('POST', '/api/v1/actions/job.retry', {
    queues: ['bull:odd'],
    jobId: failed.id,
    reason: 'fixed',
  });
  expect([retried.status, retried.text.length < MAX_BYTES]).toEqual([200, true]);
  expect(await raw.lrange('bull:odd:wait', 0, -1)).toContain(String(failed.id));
});
