import { afterEach, describe, expect, it } from 'vitest';
import { type SentinelGroup, startSentinelGroup } from '../../drills/own-sentinel.js';
import { type AgentEar, anOrder, startEar } from '../support/agent-ear.js';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { type OwnCluster, startCluster } from '../support/cluster.js';

let cluster: OwnCluster | null = null;
let group: SentinelGroup | null = null;
let worker: AttachedProcess | null = null;
const subscriber: AgentEar[] = [];

afterEach(async () => {
  await worker?.stop();
  for (const ear of subscriber.splice(0)) ear.close();
  await group?.stop();
  await cluster?.stop();
});

describe('under Sentinel', () => {
  it('the agent is heard on the new master within seconds of a failover, and follows orders there', async () => {
    group = await startSentinelGroup();
    const before = await startEar(group.master.port);
    subscriber.push(before);
    worker = await startAttached({
      sentinels: [{ host: '127.0.0.1', port: group.sentinelPort }],
      master: group.masterName,
      workers: [{ queue: 'work', concurrency: 5, attach: {} }],
    });
    const id = worker.ids[0] ?? '';
    await before.beatOf(id, () => true);
    await group.master.kill();
    const after = await startEar(group.replica.port);
    subscriber.push(after);
    await after.beatOf(id, () => true, 20_000);
    expect(await after.order(anOrder({ setting: 'concurrency', value: 9 }), id)).toMatchObject({
      result: 'applied',
      concurrency: 9,
    });
  });
});

describe('in a Cluster', () => {
  it('the agent is heard on every node, and follows orders that are published on any', async () => {
    cluster = await startCluster();
    const [first, second] = cluster.nodes;
    const ear = await startEar(first?.port ?? 0);
    const other = await startEar(second?.port ?? 0);
    subscriber.push(ear, other);
    worker = await startAttached({
      cluster: cluster.nodes.map((node) => ({ host: '127.0.0.1', port: node.port })),
      workers: [{ queue: 'work', concurrency: 5, options: { prefix: '{bull}' }, attach: {} }],
    });
    const id = worker.ids[0] ?? '';
    await ear.beatOf(id, () => true);
    await other.beatOf(id, () => true);
    const order = anOrder({ setting: 'concurrency', value: 9, queue: '{bull}:work' });
    expect(await other.order(order, id)).toMatchObject({ result: 'applied', concurrency: 9 });
    expect((await worker.state()).workers[0]?.concurrency).toBe(9);
  });
});
