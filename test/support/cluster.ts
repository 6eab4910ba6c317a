import { Cluster } from 'ioredis';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { until } from './until.js';

export interface OwnCluster {
  readonly nodes: readonly OwnRedis[];
  readonly client: Cluster;
  stop(): Promise<void>;
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
    async stop() {
      client.disconnect();
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}
