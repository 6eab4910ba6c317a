import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { startConsole } from '../support/console.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let queue: Queue;
let dataDirectory: string;
beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'spillway-alerts-'));
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  queue = new Queue('mail', { connection: { port: redis.port } });
  await queue.addBulk(Array.from({ length: 10 }, (_, n) => ({ name: 'job', data: { n } })));
});
afterAll(async () => {
  await queue?.close();
  await redis?.stop();
  await rm(dataDirectory, { recursive: true, force: true });
});

const start = () => startConsole({ redisUrl: redis.url, dataDirectory });
type Console = Awaited<ReturnType<typeof start>>;
interface Seen {
  readonly id: string;
  readonly state: string;
  readonly firedAt: string | null;
  readonly acknowledged: { readonly actor: string } | null;
  readonly rule: { readonly id: string };
}
const alertsOf = async (console_: Console, rule: string, state = ''): Promise<readonly Seen[]> => {
  const { body } = await console_.ask('GET', `/api/v1/alerts${state}`);
  return body.alerts.filter((alert: Seen) => alert.rule.id === rule);
};
const rule = (id: string, forSeconds: number) => ({
  id,
  name: id,
  condition: { kind: 'compare', signal: 'queue_backlog_jobs', is: 'above', threshold: 5 },
  forSeconds,
  keepFiringSeconds: 0,
});

it('a console that is killed again and again loses no alert, fires none twice, and ends them all', async () => {
  let console_ = await start();
  await console_.ask('POST', '/api/v1/alert-rules', rule('at-once', 0));
  await console_.ask('POST', '/api/v1/alert-rules', rule('patient', 6));
  const [first] = await until('it fires', async () => {
    const found = await alertsOf(console_, 'at-once', '?state=firing');
    return found.length > 0 ? found : null;
  });
  await console_.ask('POST', `/api/v1/alerts/${first?.id}/acknowledge`, {});
  for (let kill = 0; kill < 2; kill++) {
    // Some seconds of judging, then gone between two ticks.
    await until('it judges', async () => (await alertsOf(console_, 'patient')).length === 1);
    await console_.signal('SIGKILL');
    console_ = await start();
    const again = await until('the alert is there again', async () => {
      const found = await alertsOf(console_, 'at-once');
      return found.length > 0 ? found : null;
    });
    expect(again).toMatchObject([
      { id: first?.id, firedAt: first?.firedAt, acknowledged: { actor: expect.any(String) } },
    ]);
  }
  const entries = async (kind: string): Promise<number> => {
    const { body } = await console_.ask('GET', '/api/v1/timeline?limit=500');
    return body.entries.filter(
      (entry: { kind: string; text: string }) => entry.kind === kind && entry.text.includes('"at-once"'),
    ).length;
  };
  expect(await entries('alert.firing')).toBe(1);
  await until(
    'the time for which it must hold survives too',
    async () => (await alertsOf(console_, 'patient', '?state=firing')).length === 1,
    { withinMs: 60_000 },
  );
  await queue.drain();
  // A number that is read ends it at once; what merely is not seen would take a minute of sight.
  await until(
    'both are over',
    async () => (await alertsOf(console_, 'at-once', '?state=resolved')).length === 1,
    { withinMs: 90_000, everyMs: 500 },
  );
  expect(await entries('alert.resolved')).toBe(1);
  await console_.stop();
}, 240_000);
