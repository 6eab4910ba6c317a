import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { upChannel } from '../../agent/protocol.js';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type SentinelGroup, startSentinelGroup } from '../../drills/own-sentinel.js';
import type { WorkerState } from '../../server/model/worker.js';
import type { Watch } from '../../server/watch/watch.js';
import { type AttachedPlan, type AttachedProcess, startAttached } from '../support/attached-process.js';
import { until } from '../support/until.js';
import { anInstance, untilSnapshot, watching } from '../support/watching.js';

type Watching = ReturnType<typeof watching>;
interface Scene {
  readonly redis: OwnRedis;
  watch(target?: Parameters<typeof anInstance>[0]): Watching;
  workers(
    plan?: Partial<AttachedPlan['workers'][number]>,
    more?: Partial<AttachedPlan>,
  ): Promise<AttachedProcess>;
  add(count: number, data?: object): Promise<void>;
  endLater(one: { stop(): Promise<void> }): void;
}

/** Each test has a Redis of its own, so that they can wait side by side; the console is in this process. */
const it = test.extend<{ readonly scene: Scene }>({
  scene: async ({ task: _task }, use) => {
    const redis = await startRedis();
    const open: { stop(): Promise<void> }[] = [];
    await use({
      redis,
      watch(target = redis.url) {
        const made = watching(anInstance(target));
        open.push(made.watch);
        return made;
      },
      async workers(plan = {}, more = {}) {
        const made = await startAttached({
          port: redis.port,
          ...more,
          workers: [{ queue: 'work', concurrency: 5, jobMs: 50, attach: {}, ...plan }],
        });
        open.push(made);
        return made;
      },
      async add(count, data = {}) {
        const queue = new Queue('work', { connection: { port: redis.port } });
        await queue.addBulk(Array.from({ length: count }, () => ({ name: 'work', data })));
        await queue.close();
      },
      endLater: (one) => void open.push(one),
    });
    redis.thaw();
    await Promise.all(open.map((one) => one.stop()));
    await redis.stop();
  },
});

async function seen(
  from: Watch,
  what: string,
  is: (worker: WorkerState) => boolean,
  withinMs = 30_000,
): Promise<WorkerState> {
  const snapshot = await untilSnapshot(from, what, ({ workers: all }) => all.some(is), { withinMs });
  const found = snapshot.workers.find(is);
  if (!found) throw new Error('unreachable: untilSnapshot has waited for it');
  return found;
}

describe.concurrent('the console', () => {
  it('sees a worker with the agent: its slots, what it runs, how long that takes', async ({
    scene: { watch, workers, add },
  }) => {
    const process = await workers({ attach: { name: 'first', labels: { release: '7' } } });
    const { watch: watched } = watch();
    await add(100, { ms: 50 });
    const worker = await seen(
      watched,
      'finished jobs',
      (one) => (one.agent?.types[0]?.run?.count ?? 0) > 20 && (one.agent?.finishedPerSecond ?? 0) > 0,
    );
    expect(worker).toMatchObject({
      id: process.ids[0],
      queueId: 'bull:work',
      isConnected: true,
      pid: process.pid,
    });
    expect(worker.label).toMatch(/^first@/);
    expect(worker.agent).toMatchObject({ concurrency: { deployed: 5, now: 5 }, labels: { release: '7' } });
    expect(worker.agent?.types[0]?.run?.p50Ms).toBeGreaterThan(40);
    expect(worker.agent?.types[0]?.run?.p50Ms).toBeLessThan(500);
  });

  it('shows each worker once, and those without the agent as such', async ({ scene: { watch, workers } }) => {
    await workers({ count: 2 });
    await workers({ attach: null, options: { name: 'plain' } });
    const { watch: watched } = watch();
    const { workers: all } = await untilSnapshot(
      watched,
      'three workers',
      (snapshot) => snapshot.workers.filter((one) => one.agent).length === 2 && snapshot.workers.length === 3,
    );
    expect(all.find((one) => one.agent === null)).toMatchObject({ name: 'plain', queueId: 'bull:work' });
  });

  it('knows within seconds that a worker was killed, and which of its jobs are still locked', async ({
    scene: { watch, workers, add },
  }) => {
    const process = await workers();
    const { watch: watched, events } = watch();
    await add(5, { ms: 60_000 });
    await seen(watched, 'five running', (one) => one.agent?.running === 5);
    process.signal('SIGKILL');
    const worker = await seen(watched, 'its locks', (one) => one.isConnected === false && one.locks !== null);
    expect(worker.locks).toMatchObject({ jobs: 5, held: 5, orphaned: 0 });
    expect((worker.locks?.lastExpiryAtMs ?? 0) - Date.now()).toBeLessThan(31_000);
    // Told once the console has heard for long enough to be sure that it would have heard it.
    await until(
      'it is reported',
      () => events.filter((event) => event.kind === 'worker.crashed').length === 1,
    );
  });

  it('tells a hanging process from one that is gone: it is still connected', async ({
    scene: { watch, workers },
  }) => {
    const process = await workers();
    const { watch: watched } = watch();
    const { lastSeenAtMs } = await seen(watched, 'the worker', (one) => one.agent !== null);
    process.signal('SIGSTOP');
    await seen(
      watched,
      'silence of a connected worker',
      (one) =>
        one.isConnected === true && Date.now() - one.lastSeenAtMs > 3_000 && one.lastSeenAtMs >= lastSeenAtMs,
    );
    process.signal('SIGCONT');
    await seen(watched, 'it beats again', (one) => Date.now() - one.lastSeenAtMs < 1_500);
  });

  it('takes a worker that says farewell for gone in an orderly way', async ({
    scene: { watch, workers },
  }) => {
    const process = await workers();
    const { watch: watched, events } = watch();
    await seen(watched, 'the worker', (one) => one.agent !== null);
    await process.tell('close');
    await untilSnapshot(watched, 'no worker', (snapshot) => snapshot.workers.length === 0);
    expect(events.map((event) => event.kind)).toContain('worker.left');
    expect(events.map((event) => event.kind)).not.toContain('worker.crashed');
  });

  it('has everything back within 3 s of its own restart, and two consoles hear the same', async ({
    scene: { watch, workers, add },
  }) => {
    await workers();
    const first = watch();
    await add(100, { ms: 20 });
    await seen(first.watch, 'run times', (one) => (one.agent?.types[0]?.run?.count ?? 0) >= 50);
    const startedAtMs = Date.now();
    const second = watch();
    const worker = await seen(second.watch, 'the same worker', (one) => one.agent !== null);
    expect(Date.now() - startedAtMs).toBeLessThan(3_000);
    await add(5, { ms: 20 });
    await seen(second.watch, 'what is usual', (one) => (one.agent?.types[0]?.run?.count ?? 0) > 50);
    expect(first.watch.snapshot('default')?.workers.map((one) => one.id)).toContain(worker.id);
  });
});

describe.concurrent('subscriber that may not go deaf unnoticed', () => {
  it('hear again within 3 s after their subscription was cut, and after Redis was restarted', async ({
    scene: { redis, watch, workers },
  }) => {
    await workers();
    const { watch: watched } = watch();
    await seen(watched, 'the worker', (one) => one.agent !== null);
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await seen(watched, 'a beat after the cut', freshAfter(Date.now()));
    await redis.restart();
    await seen(watched, 'a beat after the restart', freshAfter(Date.now()), 10_000);
    expect(watched.snapshot('default')?.hearing.status).toBe('hearing');
  });

  it('say so when what is published does not come back, and when it does again', async ({
    scene: { redis, watch },
  }) => {
    const { watch: watched, events } = watch();
    await untilSnapshot(watched, 'hearing', ({ hearing }) => hearing.status === 'hearing');
    // The connection stays open, and Redis forgets what it has subscribed to: as after a failover in the Mezmo incident.
    const list = String(await redis.client.call('CLIENT', 'LIST'));
    const subscriber = /id=(\d+) .*name=spillway:hear/.exec(list)?.[1] ?? '';
    expect(subscriber).not.toBe('');
    redis.freeze();
    // Within 2.2 s, and 1.6 s more each time that this process itself was held up: then it may not have read yet what came.
    await untilSnapshot(watched, 'deaf', ({ hearing }) => hearing.status === 'deaf', { withinMs: 8_000 });
    redis.thaw();
    await untilSnapshot(watched, 'hearing again', ({ hearing }) => hearing.status === 'hearing');
    // The timeline is written at the next look.
    await until('both are on the timeline', () =>
      ['console.deaf', 'console.hears'].every((kind) => events.some((event) => event.kind === kind)),
    );
  });

  it('hear the new master after a failover by Sentinel, and it is on the timeline', async ({
    scene: { watch, workers, endLater },
  }) => {
    const group: SentinelGroup = await startSentinelGroup();
    endLater(group);
    await workers(
      {},
      { sentinels: [{ host: '127.0.0.1', port: group.sentinelPort }], master: group.masterName },
    );
    const { watch: watched, events } = watch({
      kind: 'sentinel',
      sentinels: [{ host: '127.0.0.1', port: group.sentinelPort }],
      master: group.masterName,
      tls: false,
      db: 0,
    });
    await seen(watched, 'the worker', (one) => one.agent !== null);
    await group.master.kill();
    const killedAtMs = Date.now();
    await until('the new master is read', () => events.some((event) => event.kind === 'redis.failover'), {
      withinMs: 60_000,
    });
    await seen(watched, 'a beat by the new master', freshAfter(killedAtMs + 1_000));
    expect(events.some((event) => event.kind === 'worker.crashed')).toBe(false);
  });
});

describe.concurrent('what it hears', () => {
  it('does no harm when it is forged, malformed, huge or of a later protocol, and is counted', async ({
    scene: { redis, watch, workers },
  }) => {
    await workers();
    const { watch: watched } = watch();
    await seen(watched, 'the worker', (one) => one.agent !== null);
    const publisher = new Redis(redis.port);
    const say = (text: string) => publisher.publish(upChannel(0, 'evil'), text);
    await say('{');
    await say('{"kind":"beat"}');
    await say(JSON.stringify({ v: 99, kind: 'farewell', agent: {}, atMs: 1, workers: [] }));
    await say(`{"v":1,"kind":"beat","pad":"${'x'.repeat(600_000)}"}`);
    await untilSnapshot(watched, 'four unreadable', ({ hearing }) => hearing.unreadable === 4);
    const [worker] = watched.snapshot('default')?.workers ?? [];
    const agent = { id: 'evil', host: 'x', pid: 1, version: '1', nodeVersion: 'v1' };
    await say(JSON.stringify({ v: 1, kind: 'farewell', agent, atMs: 1, workers: [worker?.id] }));
    await seen(watched, 'the worker is still there', freshAfter(Date.now()));
    publisher.disconnect();
  });

  it('from an older agent, which says less, is taken for what it says', async ({
    scene: { redis, watch },
  }) => {
    const { watch: watched } = watch();
    await untilSnapshot(watched, 'hearing', ({ hearing }) => hearing.status === 'hearing');
    const publisher = new Redis(redis.port);
    const old = {
      v: 1,
      kind: 'beat',
      seq: 1,
      agent: { id: 'old', host: 'web-9', pid: 9, version: '0.0.9', nodeVersion: 'v18' },
      atMs: Date.now(),
      workers: [
        {
          id: 'w9',
          queue: 'bull:work',
          attachedAtMs: Date.now(),
          concurrency: { deployed: 3, now: 3 },
          running: 1,
        },
      ],
    };
    await publisher.publish(upChannel(0, 'old'), JSON.stringify({ ...old, somethingNew: true }));
    const worker = await seen(watched, 'the old worker', (one) => one.id === 'w9');
    expect(worker.agent).toMatchObject({ running: 1, concurrency: { now: 3 }, types: [], paused: null });
    publisher.disconnect();
  });

  it('of ten thousand job types stays bounded', async ({ scene: { redis, watch, workers } }) => {
    await workers({ concurrency: 100, jobMs: 0 });
    const { watch: watched } = watch();
    const queue = new Queue('work', { connection: { port: redis.port } });
    await queue.addBulk(Array.from({ length: 10_000 }, (_, i) => ({ name: `type-${i}`, data: { ms: 0 } })));
    await queue.close();
    await untilSnapshot(watched, 'all done', (snapshot) =>
      snapshot.queues.some((one) => one.counts.completed === 10_000),
    );
    const worker = await seen(watched, 'many types', (one) => (one.agent?.types.length ?? 0) >= 20);
    expect(worker.agent?.types.length).toBeLessThanOrEqual(20);
  });
});

function freshAfter(atMs: number): (worker: WorkerState) => boolean {
  return (worker) => worker.agent !== null && worker.agent.lastBeatAtMs > atMs;
}
