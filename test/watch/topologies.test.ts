import { Queue } from 'bullmq';
import { afterEach, describe, expect, it } from 'vitest';
import { startSentinelGroup } from '../../drills/own-sentinel.js';
import { startCluster } from '../support/cluster.js';
import { until } from '../support/until.js';
import { anInstance, untilQueue, untilSnapshot, watching } from '../support/watching.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('Sentinel', () => {
  it('follows a failover to the new master by itself', async () => {
    const group = await startSentinelGroup();
    cleanups.push(() => group.stop());
    const queue = new Queue('mail', { connection: { port: group.master.port } });
    await queue.add('send', {});
    await queue.close();
    const { watch } = watching(
      anInstance({
        kind: 'sentinel',
        sentinels: [{ host: '127.0.0.1', port: group.sentinelPort }],
        master: group.masterName,
        tls: false,
        db: 0,
      }),
    );
    cleanups.push(() => watch.stop());
    await untilQueue(watch, 'bull:mail', (state) => state.counts.waiting === 1);
    const before = watch.snapshot('default')?.nodes[0]?.runId;
    await group.master.kill();
    const after = await untilSnapshot(
      watch,
      'the replica is read as master',
      (snapshot) =>
        snapshot.link.status === 'live' &&
        snapshot.nodes[0]?.role === 'master' &&
        snapshot.nodes[0].runId !== before,
    );
    expect(after.queues.find((state) => state.id === 'bull:mail')?.counts.waiting).toBe(1);
  });
});

describe('Cluster', () => {
  it('reads every master and finds queues wherever their slot lies', async () => {
    const cluster = await startCluster();
    cleanups.push(() => cluster.stop());
    const prefixes = ['{a}', '{b}', '{c}', '{d}'];
    for (const prefix of prefixes) {
      const queue = new Queue('mail', { connection: cluster.client, prefix });
      await queue.add('send', {});
      await queue.close();
    }
    const { watch } = watching(
      anInstance({
        kind: 'cluster',
        nodes: cluster.nodes.map((node) => ({ host: '127.0.0.1', port: node.port })),
        tls: false,
      }),
    );
    cleanups.push(() => watch.stop());
    for (const prefix of prefixes)
      await untilQueue(watch, `${prefix}:mail`, (state) => state.counts.waiting === 1);
    const snapshot = watch.snapshot('default');
    expect(snapshot?.nodes).toHaveLength(3);
    expect(snapshot?.link.topology).toBe('cluster');

    // A slot moves while the console watches, key by key, as resharding does it.
    const filled = new Queue('mail', { connection: cluster.client, prefix: '{a}' });
    await filled.addBulk(Array.from({ length: 40 }, () => ({ name: 'send', data: {} })));
    await filled.close();
    await untilQueue(watch, '{a}:mail', (state) => state.counts.waiting === 41);
    const wrong: unknown[] = [];
    let ticks = 0;
    const stop = watch.onTick(() => {
      ticks += 1;
      const { queues = [], unread } = watch.snapshot('default') ?? {};
      const counts = prefixes.map(
        (prefix) => queues.find(({ id }) => id === `${prefix}:mail`)?.counts.waiting,
      );
      if (counts.join() !== '41,1,1,1' || unread?.queues.length !== 0) wrong.push({ ticks, counts, unread });
    });
    const move = await cluster.moveSlot('{a}:mail:wait');
    await move.half();
    const halfAt = ticks;
    await until('some looks while the keys lie on two masters', () => ticks >= halfAt + 6);
    await move.finish();
    const movedAt = ticks;
    await until('some looks where they are now', () => ticks >= movedAt + 6);
    stop();
    expect(wrong).toEqual([]);
  });

  it('sees every queue whole while `redis-cli --cluster reshard` moves its slot to another master', async () => {
    const cluster = await startCluster();
    cleanups.push(() => cluster.stop());
    // Those of the last three lie in the first 40 slots, which are of the first master.
    const prefixes = ['{a}', '{b}', '{c}', '{t205}', '{t644}', '{t1153}'];
    const jobs = 2_000;
    for (const prefix of prefixes) {
      const queue = new Queue('mail', { connection: cluster.client, prefix });
      await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'send', data: {} })));
      await queue.close();
    }
    const nodes = cluster.nodes.map((node) => ({ host: '127.0.0.1', port: node.port }));
    const { watch } = watching(anInstance({ kind: 'cluster', nodes, tls: false }));
    cleanups.push(() => watch.stop());
    for (const prefix of prefixes)
      await untilQueue(watch, `${prefix}:mail`, (state) => state.counts.waiting === jobs);
    const wrong: unknown[] = [];
    let ticks = 0;
    const stop = watch.onTick(() => {
      ticks += 1;
      const { queues = [], unread } = watch.snapshot('default') ?? {};
      const counts = prefixes.map(
        (prefix) => queues.find(({ id }) => id === `${prefix}:mail`)?.counts.waiting,
      );
      if (counts.some((count) => count !== jobs) || unread?.queues.length !== 0)
        wrong.push({ ticks, counts, unread });
    });
    await cluster.reshard(40);
    expect(await cluster.nodes[1]?.client.exists('{t205}:mail:wait')).toBe(1);
    const movedAt = ticks;
    await until('some looks where the keys are now', () => ticks >= movedAt + 6);
    stop();
    expect(wrong).toEqual([]);
  });
});
