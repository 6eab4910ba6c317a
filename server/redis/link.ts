import { Cluster, type Redis } from 'ioredis';
import type { InstanceConfig } from '../model/instance-config.js';
import type { Capabilities, Loading } from '../model/snapshot.js';
import { probeCapabilities } from './capabilities.js';
import { addressOf, connect, type RedisClient } from './connect.js';
import { infoNumber, parseInfo } from './parse-info.js';
import { describeProblem } from './problem.js';

/** An action that Redis does not answer within this is reported as not done. */
const ACTION_TIMEOUT_MS = 2_000;
/** INFO of a Redis that loads comes between two pieces of its data. */
const LOADING_TIMEOUT_MS = 1_000;

export interface MasterNode {
  /** host:port as the cluster names it; `single` otherwise. */
  readonly id: string;
  readonly address: string;
  readonly client: Redis;
}

/**
 * The console's connections to one Redis (or Sentinel group, or Cluster). Two of them, so that a long read never
 * stands before an action: `client` for actions, with a time-out for each command; `reader` for the poller, which times
 * whole pipelines. Both keep trying for ever; errors are kept as one line in `problem`, never thrown.
 */
export class RedisLink {
  readonly name: string;
  readonly address: string;
  readonly topology: 'single' | 'sentinel' | 'cluster';
  readonly client: RedisClient;
  readonly reader: RedisClient;
  capabilities: Capabilities | null = null;
  problem: string | null = null;
  /** It reads its data from disk and serves nobody until it has; null: it does not, as far as is known. */
  loading: Loading | null = null;
  readonly #endpoint: InstanceConfig['endpoint'];

  constructor(config: InstanceConfig) {
    this.name = config.name;
    this.#endpoint = config.endpoint;
    this.address = addressOf(config.endpoint);
    this.topology = config.endpoint.kind;
    this.client = connect(config.endpoint, {
      connectionName: 'spillway:actions',
      commandTimeoutMs: ACTION_TIMEOUT_MS,
    });
    this.reader = connect(config.endpoint, { connectionName: 'spillway:watch' });
    for (const client of [this.client, this.reader]) {
      client.on('error', (error: unknown) => this.note(error));
      // Emitted by Cluster for a node that fails while others may still answer.
      client.on('node error', (error: unknown) => this.note(error));
    }
    this.reader.on('ready', () => {
      this.problem = null;
      this.loading = null;
      this.capabilities = null;
    });
  }

  /** Keeps what went wrong as one line for a person. */
  note(error: unknown): void {
    // That a connection was closed says less than what was known before: it may have been given up by this side.
    if (
      this.problem !== null &&
      error instanceof Error &&
      /Connection is closed|Command aborted/.test(error.message)
    )
      return;
    this.problem = describeProblem(error, this.address);
  }

  /**
   * Asks a Redis that accepts connections and is not ready whether it loads its data, which it says by INFO alone. What was
   * noted before, such as a refused connection, is over then.
   */
  async noteLoading(): Promise<void> {
    if (this.reader instanceof Cluster || this.reader.status !== 'connect') return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), LOADING_TIMEOUT_MS);
    });
    const text = await Promise.race([this.reader.info('persistence').catch(() => null), late]);
    clearTimeout(timer);
    const info = parseInfo(text ?? '');
    if (info.loading !== '1') return;
    this.loading = {
      ratio: infoNumber(info, 'loading_loaded_perc') / 100,
      secondsLeft: infoNumber(info, 'loading_eta_seconds'),
    };
    this.problem = `Redis at ${this.address} is loading its data from disk: ${Math.round(this.loading.ratio * 100)}% are read, about ${this.loading.secondsLeft} s are left`;
  }

  /** Can a read be sent now? */
  get isReady(): boolean {
    return this.reader.status === 'ready';
  }

  /** Masters for the poller's reads: one, unless this is a Cluster. */
  masters(): readonly MasterNode[] {
    return mastersOf(this.reader, this.address);
  }

  /** Masters for actions that act on a whole process. */
  actionMasters(): readonly MasterNode[] {
    return mastersOf(this.client, this.address);
  }

  /** The poller's connection to a node of a Cluster; null: it is none that the Cluster has told of. */
  readonly nodeAt = (address: string): Redis | null => {
    if (!(this.reader instanceof Cluster)) return null;
    return (
      this.reader.nodes('all').find(({ options }) => `${options.host}:${options.port}` === address) ?? null
    );
  };

  /** Masters that the Cluster says it has, as host:port, those that do not answer too. Empty: this is no Cluster. */
  slotOwners(): ReadonlySet<string> {
    if (!(this.reader instanceof Cluster)) return new Set();
    return new Set(this.reader.slots.flatMap((nodes) => nodes?.[0] ?? []));
  }

  /** Has the Cluster asked at once who holds which slot, rather than after seconds; one question at a time. */
  refreshSlots(): void {
    if (this.reader instanceof Cluster) this.reader.refreshSlotsCache();
  }

  /** For `new Queue(name, { connection, skipMetasUpdate: true })`. Shared: never closed by its user. */
  bullmqConnection(): RedisClient {
    return this.client;
  }

  /**
   * Another connection, for work that takes long and must stand before neither an action nor the poller. Its opener closes
   * it; its errors are the opener's to listen to.
   */
  connectMore(connectionName: string, commandTimeoutMs: number): RedisClient {
    return connect(this.#endpoint, { connectionName, commandTimeoutMs });
  }

  /** Finds out what this Redis permits; changes nothing there. Throws what Redis or the network says. */
  async refreshCapabilities(): Promise<void> {
    const [first] = this.masters();
    if (first) this.capabilities = await probeCapabilities(first.client);
  }

  /** Drops the poller's connection, which then reconnects: for one that hangs with its socket open. */
  reconnectReader(): void {
    if (this.reader instanceof Cluster) for (const node of this.reader.nodes('all')) node.disconnect(true);
    else this.reader.disconnect(true);
  }

  async close(): Promise<void> {
    this.client.disconnect();
    this.reader.disconnect();
  }
}

function mastersOf(client: RedisClient, address: string): readonly MasterNode[] {
  if (!(client instanceof Cluster)) return [{ id: 'single', address, client }];
  return client.nodes('master').map((node) => {
    const id = `${node.options.host}:${node.options.port}`;
    return { id, address: id, client: node };
  });
}
