import { nodeSignals } from './signal.js';

/** Work, clients and replication of a Redis node. */
export const NODE_SIGNALS = nodeSignals([
  {
    name: 'redis_uptime_seconds',
    help: 'Time since this Redis was started.',
    unit: 'seconds',
    read: (node) => node.uptimeSeconds,
  },
  {
    name: 'redis_ops_per_second',
    help: 'Commands that Redis executes per second.',
    unit: 'count/s',
    read: (node) => node.opsPerSecond,
  },
  {
    name: 'redis_cpu_ratio',
    help: 'Cores that Redis uses: 1 is one core.',
    unit: 'ratio',
    read: (node) => node.cpuRatio,
  },
  {
    name: 'console_node_cpu_ratio',
    help: "Share of one core of this node that the console's own reads cost.",
    unit: 'ratio',
    read: (node) => node.ownCpuRatio,
  },
  {
    name: 'redis_connected_clients',
    help: 'Clients connected to Redis.',
    unit: 'count',
    read: (node) => node.connectedClients,
  },
  {
    name: 'redis_blocked_clients',
    help: 'Clients that wait in a blocking command, as idle workers do.',
    unit: 'count',
    read: (node) => node.blockedClients,
  },
  {
    name: 'redis_master',
    help: 'Whether this node is a master.',
    unit: 'bool',
    read: (node) => (node.role === 'master' ? 1 : 0),
  },
  {
    name: 'redis_read_only',
    help: 'Whether this node refuses writes for being a replica.',
    unit: 'bool',
    read: (node) => (node.isReadOnly ? 1 : 0),
  },
  {
    name: 'redis_connected_replicas',
    help: 'Replicas connected to this node.',
    unit: 'count',
    read: (node) => node.replicas,
  },
  {
    name: 'redis_replication_link_up',
    help: 'Whether the link of a replica to its master is up; 1 for a master.',
    unit: 'bool',
    read: (node) => (node.replicationLinkUp ? 1 : 0),
  },
  {
    name: 'redis_replication_backlog_bytes',
    help: 'Size of the replication backlog.',
    unit: 'bytes',
    read: (node) => node.replicationBacklogBytes,
  },
  {
    name: 'redis_replication_lag_bytes',
    help: 'Largest distance of a replica behind its master.',
    unit: 'bytes',
    read: (node) => node.replicationLagBytes,
  },
]);
