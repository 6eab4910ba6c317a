import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Endpoint, HostPort } from '../model/instance-config.js';

/** A read that was given up for taking too long. */
export class ReadTimeout extends Error {}

/** The clock is looked at so often. */
const STEP_MS = 100;

/**
 * A race against the clock whose timer does not outlive it. Counted in steps of its own event loop and not by the wall: a
 * console that was held up for longer than `afterMs` finds the time over before it has read what came meanwhile, and
 * would call a late look no answer.
 */
export class Timeout {
  readonly promise: Promise<never>;
  #timer: NodeJS.Timeout | undefined;

  constructor(afterMs: number) {
    let stepsLeft = Math.ceil(afterMs / STEP_MS);
    this.promise = new Promise((_, reject) => {
      this.#timer = setInterval(() => {
        stepsLeft -= 1;
        if (stepsLeft > 0) return;
        this.clear();
        reject(new ReadTimeout(`the read timed out after ${afterMs} ms`));
      }, STEP_MS);
    });
  }

  clear(): void {
    clearInterval(this.#timer);
  }
}

export type RedisClient = Redis | Cluster;

/** A connection to one server: of a Cluster, to one of its nodes. */
export type NodeClient = Redis;
/** Replies keep ioredis' own (RESP2-shaped) form. */
type Options = Omit<RedisOptions, 'replyMapping'>;

/** A Redis that does not accept a connection within this is given up until the next try. */
const CONNECT_TIMEOUT_MS = 3_000;
/**
 * Sent, and nothing has come for so long: the connection hangs, also in the middle of its handshake, where no command's
 * time-out helps and where ioredis would wait for ever.
 */
const SILENT_SOCKET_MS = 2_500;
/** A connection that hangs does not close by being asked to: then it is cut. */
const CLOSE_WITHIN_MS = 200;
/** Retries get slower up to this, with jitter so that many consoles don't knock together. Sight is to be back within 3 s. */
const RETRY_CAP_MS = 1_000;

interface ConnectOptions {
  /** CLIENT SETNAME, so that an operator sees whose connection it is. */
  readonly connectionName: string;
  /** ms that a single command may take; none for the poller, which times whole pipelines instead. */
  readonly commandTimeoutMs?: number;
}

/**
 * Opens a client that connects in the background, never queues commands while it is not connected (they fail at
 * once, so that nothing acts late), and keeps trying with jitter and a cap.
 */
export function connect(endpoint: Endpoint, options: ConnectOptions): RedisClient {
  const common: Options = {
    connectionName: options.connectionName,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENT_SOCKET_MS,
    disconnectTimeout: CLOSE_WITHIN_MS,
    // By itself it would subscribe anew with nobody to catch a refusal, which ends the process. Who listens does it.
    autoResubscribe: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => retryDelayMs(attempt),
    // A demoted master answers READONLY: reconnect, and Sentinel names the new one.
    reconnectOnError: (error) =>
      endpoint.kind === 'sentinel' && error.message.startsWith('READONLY') ? 1 : false,
    ...(options.commandTimeoutMs === undefined ? {} : { commandTimeout: options.commandTimeoutMs }),
  };
  if (endpoint.kind === 'single') return new Redis(endpoint.url, { ...common, lazyConnect: false });
  const login: Options = {
    ...(endpoint.username === undefined ? {} : { username: endpoint.username }),
    ...(endpoint.password === undefined ? {} : { password: endpoint.password }),
    ...(endpoint.tls ? { tls: {} } : {}),
  };
  if (endpoint.kind === 'sentinel') {
    return new Redis({
      ...common,
      ...login,
      sentinels: endpoint.sentinels.map((sentinel) => ({ ...sentinel })),
      name: endpoint.master,
      db: endpoint.db,
      ...(endpoint.sentinelUsername === undefined ? {} : { sentinelUsername: endpoint.sentinelUsername }),
      ...(endpoint.sentinelPassword === undefined ? {} : { sentinelPassword: endpoint.sentinelPassword }),
      ...(endpoint.tls ? { enableTLSForSentinelMode: true } : {}),
      sentinelRetryStrategy: (attempt: number) => retryDelayMs(attempt),
      sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    });
  }
  return new Cluster(
    endpoint.nodes.map((node: HostPort) => ({ ...node })),
    {
      enableOfflineQueue: false,
      clusterRetryStrategy: (attempt: number) => retryDelayMs(attempt),
      slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
      slotsRefreshInterval: 10_000,
      redisOptions: { ...common, ...login },
    },
  );
}

/** Exponential from 100 ms with a cap, ± 25%. The jitter only spreads connection attempts; nothing is decided by it. */
function retryDelayMs(attempt: number): number {
  const base = Math.min(RETRY_CAP_MS, 100 * 2 ** Math.min(attempt, 6));
  return Math.round(base * (0.75 + Math.random() * 0.5));
}

/** host:port (or several) of an endpoint, without credentials. */
export function addressOf(endpoint: Endpoint): string {
  if (endpoint.kind === 'single') {
    try {
      const url = new URL(endpoint.url);
      return url.hostname ? `${url.hostname}:${url.port || '6379'}` : url.pathname;
    } catch {
      return 'an address that is not a URL';
    }
  }
  const hosts = endpoint.kind === 'sentinel' ? endpoint.sentinels : endpoint.nodes;
  const list = hosts.map((node) => `${node.host}:${node.port}`).join(', ');
  return endpoint.kind === 'sentinel' ? `${endpoint.master} by Sentinel ${list}` : `cluster ${list}`;
}
