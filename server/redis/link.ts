/**
 * Redis: every command that is sent to one, but for the moves of jobs (server/replay). It imports model and process. Begin
 * here, with the connections; read-batch.ts gathers commands for a pipeline and keeps refusals apart from values; read-*.ts
 * and sample-jobs.ts read; queue-control.ts, job-changes.ts, relief.ts and overrides.ts change, by the scripts beside them;
 * agent-channel.ts is the way to agents.
 */

import { Cluster, type Redis } from 'ioredis';
import type { InstanceConfig } from '../model/instance-config.js';
import { Redactor } from '../model/redact.js';
import type { Capabilities, CapabilityName, Loading } from '../model/sight.js';
import { addressOf, connect, type RedisClient } from './connect.js';
import { describeProblem } from './problems.js';
import { infoNumber, parseInfo } from './read-server.js';

/** A name that no key has; probes act on it only. */
const PROBE_KEY = 'spillway:probe:no-such-key';

/**
 * What this Redis permits, found out with commands that change nothing: a read of one setting, a list of no client, a
 * script that deletes a key that does not exist. `canSetConfig` asks ACL DRYRUN where there is one (7.0); a managed
 * Redis that has renamed or removed CONFIG refuses the read as well.
 * @throws what Redis says where even INFO is refused.
 */
async function probeCapabilities(client: Redis): Promise<Capabilities> {
  const version = parseInfo(await client.info('server')).redis_version ?? '0.0.0';
  const refusals: Partial<Record<CapabilityName, string>> = {};
  const probe = async (name: CapabilityName, ask: () => Promise<unknown>): Promise<boolean> => {
    try {
      await ask();
      return true;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      // Permitted, but the key's slot is another node's: a probe in a Cluster.
      if (/^(MOVED|ASK)/.test(text)) return true;
      if (!isRefusal(text)) throw error;
      refusals[name] = text;
      return false;
    }
  };
  const canReadConfig = await probe('canReadConfig', () => client.config('GET', 'maxmemory'));
  return {
    version,
    canFlagScripts: majorOf(version) >= 7,
    canReadConfig,
    canSetConfig: await probe('canSetConfig', () =>
      askToSetConfig(client, canReadConfig, refusals.canReadConfig),
    ),
    canListClients: await probe('canListClients', () => client.call('CLIENT', 'LIST', 'ID', '1')),
    canWrite: await probe('canWrite', () => client.del(PROBE_KEY)),
    canRunScripts: await probe('canRunScripts', () => client.eval('return 1', 0)),
    canMeasureMemory: await probe('canMeasureMemory', () => client.call('MEMORY', 'USAGE', PROBE_KEY)),
    refusals,
  };
}

async function askToSetConfig(
  client: Redis,
  canReadConfig: boolean,
  refusal: string | undefined,
): Promise<void> {
  if (!canReadConfig) throw new Error(refusal ?? 'NOPERM CONFIG is refused');
  let user: string;
  try {
    user = String(await client.call('ACL', 'WHOAMI'));
  } catch {
    // No ACL command here: the read of CONFIG is all that can be known without changing anything.
    return;
  }
  let answer: unknown;
  try {
    answer = await client.call('ACL', 'DRYRUN', user, 'CONFIG', 'SET', 'maxmemory', '0');
  } catch {
    // Before 7.0 there is no DRYRUN, and ACL itself may be refused: same as above.
    return;
  }
  if (answer !== 'OK') throw new Error(`NOPERM ${String(answer)}`);
}

/** NOPERM by ACL, READONLY by a replica, "unknown command" where a provider has removed it. */
function isRefusal(text: string): boolean {
  return /NOPERM|no permissions|READONLY|unknown (sub)?command|not allowed|ERR .*(disabled|permission)/i.test(
    text,
  );
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10) || 0;
}

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
  /** What is hidden of its jobs; null: nothing. */
  readonly redactor: Redactor | null;
  capabilities: Capabilities | null = null;
  problem: string | null = null;
  /** It reads its data from disk and serves nobody until it has; null: it does not, as far as is known. */
  loading: Loading | null = null;
  readonly #endpoint: InstanceConfig['endpoint'];

  constructor(config: InstanceConfig) {
    this.name = config.name;
    this.redactor = Redactor.of(config.redact);
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

  /** The poller's connection to a node of a Cluster; null: it is none that the Cluster has named. */
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
