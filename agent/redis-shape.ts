import type { Containment } from './contain.js';

/** What the agent needs of an ioredis client, bare or in BullMQ's wrapping, of version 5 and 6 alike. */
export interface RedisShape {
  readonly isCluster?: boolean;
  readonly status: string;
  readonly options: {
    readonly host?: string;
    readonly port?: number;
    readonly path?: string | null;
    readonly db?: number;
    readonly username?: string | null;
    readonly name?: string;
    readonly sentinels?: readonly { readonly host?: string; readonly port?: number }[] | null;
  };
  readonly stream?: { unref?(): void };
  duplicate(...args: readonly unknown[]): RedisShape;
  connect(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  nodes?(role: string): readonly RedisShape[];
  subscribe(...channels: readonly string[]): Promise<unknown>;
  unsubscribe(...channels: readonly string[]): Promise<unknown>;
  publish(channel: string, message: string): Promise<number>;
  hget(key: string, field: string): Promise<string | null>;
  hstrlen(key: string, field: string): Promise<number>;
  hmget(key: string, ...fields: readonly string[]): Promise<readonly (string | null)[]>;
  llen(key: string): Promise<number>;
  zcard(key: string): Promise<number>;
  pttl(key: string): Promise<number>;
  setrange(key: string, offset: number, value: string): Promise<number>;
  role(): Promise<readonly unknown[]>;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

/** ioredis itself, or BullMQ 6's wrapping of it: only ioredis says which commands it was built with. Adapters of other clients have much of the rest. */
export function isRedisShape(value: unknown): value is RedisShape {
  if (typeof value !== 'object' || value === null) return false;
  const shape = value as Partial<Record<keyof RedisShape | 'getBuiltinCommands', unknown>>;
  return typeof shape.getBuiltinCommands === 'function' && typeof shape.duplicate === 'function';
}

/** Which Redis it is, so that workers of one process share an agent. Holds no secret. */
export function identityOf(client: RedisShape): string {
  if (client.isCluster) {
    const nodes = (client as unknown as { startupNodes?: unknown }).startupNodes;
    return `cluster ${JSON.stringify(nodes, (key, value) => (/password/i.test(key) ? undefined : value))}`;
  }
  const { host, port, path, db, username, name, sentinels } = client.options;
  const place = sentinels?.length
    ? { name, sentinels: sentinels.map((node) => `${node.host}:${node.port}`) }
    : { host, port, path };
  return JSON.stringify({ ...place, db: db ?? 0, username: username ?? null });
}

export function databaseOf(client: RedisShape): number {
  return client.isCluster ? 0 : (client.options.db ?? 0);
}

/**
 * A connection of the agent's own, like the worker's: never queues commands, never retries by itself (the agent does, with
 * timers that keep no process alive), never keeps the process alive.
 */
export function duplicateFor(client: RedisShape, connectionName: string, contain: Containment): RedisShape {
  const options = {
    connectionName,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: 1_500,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    reconnectOnError: null,
    // What the application set for its blocking connection must not shape this one.
    socketTimeout: undefined,
  };
  const own = client.isCluster ? duplicateCluster(client, options) : client.duplicate(options);
  own.on('error', () => undefined);
  own.on('node error', () => undefined);
  const unref = contain.listener('its connection', () => {
    own.stream?.unref?.();
    for (const node of own.nodes?.('all') ?? []) node.stream?.unref?.();
  });
  for (const event of ['connect', 'ready', '+node']) own.on(event, unref);
  return own;
}

/** Connects it, or waits where it is connecting by itself, as a Cluster in BullMQ's wrapping does. Whoever asks sets the time. @throws when it is closed. */
export async function connected(client: RedisShape): Promise<void> {
  if (client.status === 'wait') await client.connect();
  if (client.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    client.on('ready', () => resolve());
    client.on('end', () => reject(new Error('it was closed')));
  });
}

function duplicateCluster(client: RedisShape, options: object): RedisShape {
  // BullMQ's wrapping takes the options of a node; ioredis' own Cluster takes them one level deeper.
  const isWrapped = (client as { readonly __bullmq_iredis?: boolean }).__bullmq_iredis === true;
  if (isWrapped) return client.duplicate(options);
  return client.duplicate(undefined, {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: () => null,
    redisOptions: options,
  });
}
