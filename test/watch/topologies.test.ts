import { Queue } from 'bullmq';
import { afterEach, describe, expect, it } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { startSentinelGroup } from '../support/sentinel.js';
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
      { withinMs: 25_000 },
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
  });
});
