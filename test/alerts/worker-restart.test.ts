import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let queue: Queue;
let directory: string;
let one: RunningConsole;
let consoleArgs: readonly string[];
const processes: AttachedProcess[] = [];
beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 64 * 1024 * 1024 });
  directory = await mkdtemp(join(tmpdir(), 'spillway-restart-'));
  queue = new Queue('work', { connection: { port: redis.port } });
  const config = join(directory, 'spillway.yaml');
  const rule = {
    id: 'gone',
    name: 'A worker is gone',
    condition: { kind: 'finding', code: 'worker.crashed', leastSeverity: 'warning' },
    forSeconds: 0,
    keepFiringSeconds: 0,
  };
  const instances = [{ name: 'default', url: redis.url, queues: ['bull:work'] }];
  await writeFile(config, JSON.stringify({ instances, alerts: { rules: [rule] } }));
  consoleArgs = ['--config', config, '--log-level', 'warn'];
  one = await startConsole({ dataDirectory: directory, args: consoleArgs });
});
afterAll(async () => {
  await one?.stop();
  for (const process of processes) await process.stop();
  await queue?.close();
  await redis?.stop();
  await rm(directory, { recursive: true, force: true });
});

const start = async (): Promise<AttachedProcess> => {
  const workers = [{ queue: 'work', concurrency: 2, jobMs: 120_000, attach: { name: 'doer' } }];
  const process = await startAttached({ port: redis.port, workers });
  processes.push(process);
  return process;
};
const workersOf = async (): Promise<readonly { id: string; verdict: string }[]> =>
  (await one.ask('GET', '/api/v1/instances/default/workers?queue=bull%3Awork')).body.workers;
const alerts = async () =>
  (await one.ask('GET', '/api/v1/alerts')).body.alerts.filter(
    ({ rule, state }: { rule: { id: string }; state: string }) => rule.id === 'gone' && state === 'firing',
  );

it('the alert of a crashed worker ends when the restarted one is heard, while what it had in hand still stalls', async () => {
  const first = await start();
  await queue.add('job', {});
  const id = first.ids[0];
  await until('it runs the job', async () => (await queue.getActiveCount()) === 1, { withinMs: 60_000 });
  await until('the console knows it', async () => (await workersOf()).some((w) => w.id === id), {
    withinMs: 60_000,
  });
  first.signal('SIGKILL');
  await until('it fires', async () => (await alerts()).length === 1, { withinMs: 60_000 });
  const second = await start();
  await until(
    'the console knows the other',
    async () => (await workersOf()).some((w) => w.id === second.ids[0]),
    { withinMs: 60_000 },
  );
  await until('it is over', async () => (await alerts()).length === 0, { withinMs: 60_000 });
  // Before the console has forgotten it, which is what ended the alert else.
  expect((await workersOf()).find((w) => w.id === id)).toMatchObject({
    verdict: 'crashed',
    replacedBy: second.ids[0],
    locks: { held: 1 },
  });

  // Killed for good. A console that is started anew misses it too, until somebody dismisses it.
  second.signal('SIGKILL');
  await until('it fires', async () => (await alerts()).length === 1, { withinMs: 60_000 });
  await one.stop();
  one = await startConsole({ dataDirectory: directory, args: consoleArgs });
  const lost = second.ids[0] ?? '';
  await until(
    'it is missed again',
    async () => (await workersOf()).some((w) => w.id === lost && w.verdict === 'crashed'),
    { withinMs: 60_000 },
  );
  const { findings } = (await one.ask('GET', '/api/v1/findings')).body;
  const found = findings.find(({ code }: { code: string }) => code === 'worker.crashed');
  expect(found.headline).toMatch(/: 1 of 1 worker gone$/);
  expect(found.cause).toMatch(/ at \d\d:\d\d UTC: crashed or cut off\.$/);
  expect(found.remedies).toContainEqual(
    expect.objectContaining({ action: 'worker.dismiss', workers: [lost] }),
  );
  const body = { instance: 'default', workers: [lost], args: {}, reason: 'scaled down' };
  const answer = await one.ask('POST', '/api/v1/actions/worker.dismiss', body);
  expect(answer).toMatchObject({ status: 200, body: { outcomes: [{ status: 'applied' }] } });
  expect((await workersOf()).some((w) => w.id === lost)).toBe(false);
  // An alert of before the restart ends a minute after it: whatever is not seen may not have been read yet.
  await until('nobody is missed', async () => {
    const now = (await one.ask('GET', '/api/v1/findings')).body.findings;
    return now.every(({ code }: { code: string }) => code !== 'worker.crashed');
  });
  const { records } = (await one.ask('GET', '/api/v1/audit')).body;
  expect(records[0]).toMatchObject({ action: 'worker.dismiss', reason: 'scaled down' });
}, 240_000);
