import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { DEEP_RULE } from '../support/deep-rule.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let receiver: Receiver;
let queue: Queue;
let directory: string;
let one: RunningConsole;
beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 64 * 1024 * 1024 });
  receiver = await startReceiver();
  directory = await mkdtemp(join(tmpdir(), 'spillway-pager-'));
  queue = new Queue('mail', { connection: { port: redis.port } });
  const config = join(directory, 'spillway.yaml');
  const alerts = {
    groupIntervalSeconds: 1,
    rules: [DEEP_RULE],
    channels: [
      { name: 'pager', type: 'pagerduty', routingKey: 'R'.repeat(32), url: `${receiver.url}/pager` },
      { name: 'elsewhere', type: 'pagerduty', routingKey: 'E', url: `${receiver.url}/not`, instances: ['x'] },
      { name: 'hook', type: 'webhook', url: `${receiver.url}/hook` },
    ],
  };
  const instances = [{ name: 'default', url: redis.url, queues: ['bull:mail'] }];
  await writeFile(config, JSON.stringify({ instances, alerts }));
  one = await startConsole({ dataDirectory: directory, args: ['--config', config, '--log-level', 'warn'] });
});
afterAll(async () => {
  await one?.stop();
  await queue?.close();
  await receiver?.stop();
  await redis?.stop();
  await rm(directory, { recursive: true, force: true });
});

const bodies = (path: string) =>
  receiver.received.filter((got) => got.path === path).map(({ body }) => JSON.parse(body));
const actions = () => bodies('/pager').map(({ event_action }) => event_action);

it('who acknowledges an alert here stops the paging over there: one acknowledge, for the incident that was opened', async () => {
  await queue.addBulk(Array.from({ length: 10 }, (_, n) => ({ name: 'job', data: { n } })));
  await until('the pager rings', () => actions().includes('trigger'), { withinMs: 60_000 });
  const { body } = await one.ask('GET', '/api/v1/alerts?state=firing');
  const [alert] = body.alerts.filter(({ rule }: { rule: { id: string } }) => rule.id === 'deep');
  for (const reason of ['mine', 'mine, too'])
    expect((await one.ask('POST', `/api/v1/alerts/${alert.id}/acknowledge`, { reason })).status).toBe(200);
  await until('the pager knows', () => actions().includes('acknowledge'), { withinMs: 60_000 });
  await queue.drain();
  await until('the pager knows that it is over', () => actions().includes('resolve'), { withinMs: 60_000 });
  await until('so does the other', () => bodies('/hook').length === 2, { withinMs: 60_000 });

  expect(actions()).toEqual(['trigger', 'acknowledge', 'resolve']);
  expect(new Set(bodies('/pager').map(({ dedup_key }) => dedup_key)).size).toBe(1);
  expect(bodies('/pager')[1]).toEqual({
    routing_key: 'R'.repeat(32),
    event_action: 'acknowledge',
    dedup_key: bodies('/pager')[0].dedup_key,
  });
  expect(bodies('/not')).toEqual([]);
  expect(bodies('/hook').map(({ status }) => status)).toEqual(['firing', 'resolved']);
}, 200_000);
