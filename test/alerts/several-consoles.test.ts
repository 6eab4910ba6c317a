import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { openStore, type Store } from '../../server/open-store.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { aNotification } from '../support/notifications.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let receiver: Receiver;
let dataDirectory: string;
let store: Store;
const consoles: RunningConsole[] = [];

beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 64 * 1024 * 1024 });
  receiver = await startReceiver();
  dataDirectory = await mkdtemp(join(tmpdir(), 'spillway-several-'));
  const config = join(dataDirectory, 'spillway.yaml');
  await writeFile(
    config,
    `alerts:
  channels: [{ name: hook, type: webhook, url: "${receiver.url}/hook", secret: a-secret-of-sixteen }]
  deadManSwitch: { url: "${receiver.url}/beat", everySeconds: 5 }
`,
  );
  for (let i = 0; i < 2; i += 1)
    consoles.push(
      await startConsole({
        redisUrl: redis.url,
        dataDirectory,
        args: ['--config', config, '--log-level', 'warn'],
      }),
    );
  store = await openStore(dataDirectory);
});
afterAll(async () => {
  store?.close();
  for (const one of consoles) await one.stop();
  await receiver?.stop();
  await redis?.stop();
  await rm(dataDirectory, { recursive: true, force: true });
});

const tell = (id: string) => store.outbox.add(aNotification({ id, groupKey: id }), ['hook'], Date.now());
const told = () =>
  receiver.received.filter(({ path }) => path === '/hook').map(({ headers }) => headers['idempotency-key']);
const sender = async () => {
  for (const one of consoles)
    if ((await one.ask('GET', '/api/v1/channels').catch(() => null))?.body?.isSender) return one;
  return null;
};

it('two consoles on one store send each alert once; when the sender is killed, the other sends within 15 s', async () => {
  const first = await until('one of them sends', sender);
  const ids = Array.from({ length: 40 }, (_, i) => `n-${i}`);
  for (const id of ids) await tell(id);
  await until('all are reported', () => ids.every((id) => told().includes(id)));
  // What its killed sender had not noted as sent is sent again: at least once is what is promised.
  await until('and noted as reported', async () => {
    const { pending, sending } = await store.outbox.counts();
    return pending + sending === 0;
  });
  const beats = receiver.received.filter(({ path }) => path === '/beat').length;
  expect(beats).toBeGreaterThan(0);

  await first.signal('SIGKILL');
  const killedAtMs = Date.now();
  await tell('after-the-kill');
  await until('the other sends it', () => told().includes('after-the-kill'), { withinMs: 40_000 });
  const tookMs = Date.now() - killedAtMs;
  await until(
    'the heartbeat goes on',
    () => receiver.received.filter(({ path }) => path === '/beat').length > beats,
  );
  // Nothing was told twice, before or since.
  expect([...told()].sort()).toEqual([...ids, 'after-the-kill'].sort());
  expect(tookMs).toBeLessThan(15_000);
  for (const one of consoles) expect(one.output()).not.toContain('a-secret-of-sixteen');
});
