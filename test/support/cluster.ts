import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Cluster, Command } from 'ioredis';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { until } from './until.js';

export interface OwnCluster {
  /** Masters first, then as many replicas, in their order, where there are any. */
  readonly nodes: readonly OwnRedis[];
  readonly client: Cluster;
  /** Port of the master that serves the slot of a key. */
  portOf(key: string): number;
  /** Begins to move the slot of a key to another master, as `redis-cli --cluster reshard` does. */
  moveSlot(key: string): Promise<SlotMove>;
  /** Has `redis-cli --cluster reshard` itself move the first slots of the first master to the second, with their keys. */
  reshard(slots: number): Promise<void>;
  stop(): Promise<void>;
}

interface SlotMove {
  /** Half of its keys lie there then, and half here. */
  half(): Promise<void>;
  /** All keys are there, and all masters know. */
  finish(): Promise<void>;
}

const run = promisify(execFile);
const SLOTS = 16_384;
const MASTERS = 3;

export interface ClusterOptions {
  /** One of each master. */
  readonly hasReplicas?: boolean;
  /** More settings of all nodes, as flags. */
  readonly args?: readonly string[];
}

/** Three masters that share the slots. */
export async function startCluster({
  hasReplicas = false,
  args = [],
}: ClusterOptions = {}): Promise<OwnCluster> {
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
  // A replica that asks for a copy gets it at once.
  settings.push('--repl-diskless-sync-delay', '0', ...args);
  const nodes = await Promise.all(
    Array.from({ length: hasReplicas ? 2 * MASTERS : MASTERS }, () => startRedis({ args: settings })),
  );
  const masters = nodes.slice(0, MASTERS);
  const share = Math.ceil(SLOTS / MASTERS);
  for (const [i, node] of masters.entries())
    await node.client.call(
      'CLUSTER',
      'ADDSLOTSRANGE',
      String(i * share),
      String(Math.min(SLOTS, (i + 1) * share) - 1),
    );
  for (const node of nodes) await node.client.call('CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]?.port));
  await until('all nodes see all slots', async () => {
    const infos = await Promise.all(nodes.map((node) => node.client.call('CLUSTER', 'INFO')));
    return infos.every(
      (info) =>
        String(info).includes('cluster_state:ok') &&
        String(info).includes(`cluster_known_nodes:${nodes.length}`),
    );
  });
  for (const [i, replica] of nodes.slice(MASTERS).entries()) {
    await replica.client.call(
      'CLUSTER',
      'REPLICATE',
      String(await masters[i]?.client.call('CLUSTER', 'MYID')),
    );
    await until('the replica holds what its master does', async () =>
      (await replica.client.info('replication')).includes('master_link_status:up'),
    );
  }
  const client = new Cluster(nodes.map((node) => ({ host: '127.0.0.1', port: node.port })));
  client.on('error', () => undefined);
  return {
    nodes,
    client,
    portOf: (key) => Number(client.slots[new Command('get', [key]).getSlot()]?.[0]?.split(':')[1]),
    moveSlot: (key) => moveSlot(nodes, key),
    async reshard(slots) {
      const ids = await Promise.all(nodes.slice(0, 2).map((node) => node.client.call('CLUSTER', 'MYID')));
      const [from, to] = ids.map(String);
      const move = ['--cluster-from', from, '--cluster-to', to, '--cluster-slots', String(slots)];
      const at = `127.0.0.1:${nodes[0]?.port}`;
      await run('redis-cli', ['--cluster', 'reshard', at, ...move.map(String), '--cluster-yes']);
    },
    async stop() {
      client.disconnect();
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

async function moveSlot(nodes: readonly OwnRedis[], key: string): Promise<SlotMove> {
  const call = (node: OwnRedis, ...args: readonly string[]) => node.client.call('CLUSTER', [...args]);
  const slot = String(await call(nodes[0] as OwnRedis, 'KEYSLOT', key));
  const found = await Promise.all(
    nodes.map(async (node) => ((await call(node, 'GETKEYSINSLOT', slot, '1')) as string[]).length),
  );
  const from = nodes[found.findIndex((keys) => keys > 0)] as OwnRedis;
  const to = nodes.find((node) => node !== from) as OwnRedis;
  const [fromId, toId] = await Promise.all([from, to].map(async (node) => String(await call(node, 'MYID'))));
  const migrate = async (most: number): Promise<void> => {
    const keys = (await call(from, 'GETKEYSINSLOT', slot, String(most))) as string[];
    if (keys.length > 0)
      await from.client.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
  };
  await call(to, 'SETSLOT', slot, 'IMPORTING', fromId ?? '');
  await call(from, 'SETSLOT', slot, 'MIGRATING', toId ?? '');
  return {
    half: async () => migrate(Math.ceil(Number(await call(from, 'COUNTKEYSINSLOT', slot)) / 2)),
    async finish() {
      await migrate(100_000);
      for (const node of [to, from, ...nodes.filter((one) => one !== from && one !== to)])
        await call(node, 'SETSLOT', slot, 'NODE', toId ?? '');
    },
  };
}
