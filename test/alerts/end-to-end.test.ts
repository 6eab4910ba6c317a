import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { openStore, type Store } from '../../server/open-store.js';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { DEEP_RULE } from '../support/deep-rule.js';
import { aNotification } from '../support/notifications.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { until } from '../support/until.js';

// Consoles as users run them, two worlds side by side, as most of the time is waiting: those that wait longest first.
// In each world one test after the other.
const it = test.sequential;

describe.concurrent('a console that is killed', () => {
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
});

describe.concurrent('a Redis that fills up', () => {
  let redis: OwnRedis;
  let console_: RunningConsole;
  let queue: Queue;
  beforeAll(async () => {
    redis = await startRedis({ maxmemoryBytes: 24 * 1024 * 1024 });
    queue = new Queue('mail', { connection: { port: redis.port } });
    queue.on('error', () => undefined);
    console_ = await startConsole({ redisUrl: redis.url });
  });
  afterAll(async () => {
    await console_?.stop();
    await queue?.close();
    await redis?.stop();
  });

  interface Seen {
    readonly rule: { readonly id: string };
    readonly state: string;
    readonly since: string;
    readonly firedAt: string;
    readonly severity: string;
    readonly inhibitedBy: string | null;
  }
  const alerts = async (state: string): Promise<readonly Seen[]> =>
    (await console_.ask('GET', `/api/v1/alerts?state=${state}`)).body.alerts;
  const full = async (state: string) =>
    (await alerts(state)).find(({ rule }) => rule.id === 'redis-full') ?? null;

  it('a Redis that is filled up raises "Redis is full" within its time, with its first remedy, and ends it when there is room', async () => {
    await until(
      'Redis refuses jobs',
      async () =>
        queue
          .addBulk(Array.from({ length: 200 }, () => ({ name: 'fill', data: { pad: 'x'.repeat(4000) } })))
          .then(
            () => false,
            () => true,
          ),
      { everyMs: 1 },
    );
    // The rule as it comes, but for how long it fires on.
    const edit = await console_.ask('PATCH', '/api/v1/alert-rules/redis-full', { keepFiringSeconds: 5 });
    expect(edit.status).toBe(200);
    // Clearly over the limit: at its very edge Redis's answers flip.
    await redis.client.config('SET', 'maxmemory', String(20 * 1024 * 1024));
    const alert = await until('it fires', () => full('firing'));
    expect(alert).toMatchObject({
      severity: 'critical',
      subject: { instance: 'default', queue: null },
      finding: { code: 'redis.full' },
      firstRemedy: expect.stringContaining(':'),
      path: expect.stringMatching(/^\/#finding-/),
      inhibitedBy: null,
    });
    expect(Date.parse(alert.firedAt) - Date.parse(alert.since)).toBeGreaterThanOrEqual(5_000);
    const page = await console_.ask('GET', '/');
    expect(page.text).toContain(`id="${(alert as Seen & { path: string }).path.slice(2)}"`);
    // What follows from it is not told by itself.
    const others = (await alerts('firing')).filter(
      ({ rule, inhibitedBy }) => rule.id !== 'redis-full' && inhibitedBy === null,
    );
    expect(others).toEqual([]);

    await redis.client.config('SET', 'maxmemory', String(200 * 1024 * 1024));
    const over = await until('it is over', () => full('resolved'), { withinMs: 120_000, everyMs: 500 });
    expect(over.state).toBe('resolved');
  }, 240_000);
});

describe.concurrent('a worker that crashes', () => {
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
});

describe.concurrent('a pager', () => {
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
        {
          name: 'elsewhere',
          type: 'pagerduty',
          routingKey: 'E',
          url: `${receiver.url}/not`,
          instances: ['x'],
        },
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
});

describe.concurrent('two consoles on one store', () => {
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
      JSON.stringify({
        alerts: {
          channels: [
            { name: 'hook', type: 'webhook', url: `${receiver.url}/hook`, secret: 'a-secret-of-sixteen' },
          ],
          deadManSwitch: { url: `${receiver.url}/beat`, everySeconds: 5 },
        },
      }),
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
});
