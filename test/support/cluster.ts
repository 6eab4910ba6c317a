import { Cluster, Command } from 'ioredis';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { until } from './until.js';

export interface OwnCluster {
  readonly nodes: readonly OwnRedis[];
  readonly client: Cluster;
  /** Port of the master that serves the slot of a key. */
  portOf(key: string): number;
  /** Begins to move the slot of a key to another master, as `redis-cli --cluster reshard` does. */
  moveSlot(key: string): Promise<SlotMove>;
  stop(): Promise<void>;
}

export interface SlotMove {
  /** Half of its keys lie there then, and half here. */
  half(): Promise<void>;
  /** All keys are there, and all masters know. */
  finish(): Promise<void>;
}

const SLOTS = 16_384;

/** Three masters that share the slots; no replicas. */
export async function startCluster(): Promise<OwnCluster> {
  const nodes = await Promise.all(
    [0, 1, 2].map(() => startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'] })),
  );
  const share = Math.ceil(SLOTS / nodes.length);
  for (const [i, node] of nodes.entries()) {
    await node.client.call(
      'CLUSTER',
      'ADDSLOTSRANGE',
      String(i * share),
      String(Math.min(SLOTS, (i + 1) * share) - 1),
    );
    await node.client.call('CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]?.port));
  }
  await until('all nodes see all slots', async () => {
    const infos = await Promise.all(nodes.map((node) => node.client.call('CLUSTER', 'INFO')));
    return infos.every(
      (info) => String(info).includes('cluster_state:ok') && String(info).includes('cluster_known_nodes:3'),
    );
  });
  const client = new Cluster(nodes.map((node) => ({ host: '127.0.0.1', port: node.port })));
  client.on('error', () => undefined);
  return {
    nodes,
    client,
    portOf: (key) => Number(client.slots[new Command('get', [key]).getSlot()]?.[0]?.split(':')[1]),
    moveSlot: (key) => moveSlot(nodes, key),
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
