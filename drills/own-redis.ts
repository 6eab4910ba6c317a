import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';

/** A machine that is busy with a whole test suite takes its time. */
const ANSWERS_WITHIN_MS = 30_000;

/** A redis-server process of our own on 127.0.0.1: nothing persisted unless asked for, gone with `stop`. */
export interface OwnRedis {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Its working directory, removed by `stop`. */
  readonly directory: string;
  /** A plain client without retries, for arranging and checking. Closed by `stop`. */
  readonly client: Redis;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Starts again on the same port and directory. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT: a process that hangs with its sockets open. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export interface OwnRedisOptions {
  /** Bytes; 0 for none. */
  readonly maxmemoryBytes?: number;
  readonly policy?: string;
  readonly port?: number;
  /** More redis.conf settings as flags, e.g. `['--appendonly', 'yes']`. */
  readonly args?: readonly string[];
  /** In a session of its own: Ctrl-C in the terminal does not reach it, its owner must stop it. */
  readonly isDetached?: boolean;
}

/** A TCP port on 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** The redis-server (or valkey-server) to start: `$REDIS_SERVER_BIN` or what the PATH holds. */
export function redisServerBinary(): string {
  if (process.env.REDIS_SERVER_BIN) return process.env.REDIS_SERVER_BIN;
  const places = (process.env.PATH ?? '').split(delimiter);
  const has = (name: string): boolean => places.some((place) => existsSync(join(place, name)));
  return !has('redis-server') && has('valkey-server') ? 'valkey-server' : 'redis-server';
}

/**
 * Starts a redis-server and waits until it answers.
 * @throws Error naming the binary when it can't be started or does not answer within 30 s.
 */
export async function startRedis(options: OwnRedisOptions = {}): Promise<OwnRedis> {
  const port = options.port ?? (await freePort());
  const directory = await mkdtemp(join(tmpdir(), 'spillway-redis-'));
  const settings = {
    ...{ port, bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no', loglevel: 'warning' },
    maxmemory: options.maxmemoryBytes ?? 0,
    'maxmemory-policy': options.policy ?? 'noeviction',
  };
  const args = [
    ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...(options.args ?? []),
  ];
  let child = await launch(port, args, options.isDetached);
  let client = plainClient(port);
  return {
    port,
    directory,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child.pid ?? 0;
    },
    get client() {
      return client;
    },
    async kill() {
      await end(child, 'SIGKILL');
    },
    async restart() {
      await end(child, 'SIGKILL');
      child = await launch(port, args, options.isDetached);
      client.disconnect();
      client = plainClient(port);
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      client.disconnect();
      child.kill('SIGCONT');
      await end(child, 'SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const MB = 1024 * 1024;

/** Bytes of `used_memory`. */
export async function usedBytes({ client }: Pick<OwnRedis, 'client'>): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
}

/** Bytes of maxmemory; 0: there is no limit. */
export async function maxmemoryOf({ client }: Pick<OwnRedis, 'client'>): Promise<number> {
  const [, bytes] = (await client.config('GET', 'maxmemory')) as [string, string];
  return Number(bytes);
}

/** Sets maxmemory to this share of what is used: clearly below, so that Redis refuses steadily. */
export async function overfill(redis: Pick<OwnRedis, 'client'>, ratio = 0.8): Promise<void> {
  await redis.client.config('SET', 'maxmemory', Math.floor((await usedBytes(redis)) * ratio));
}

/** In words. */
export function inMegabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}

/** How many jobs of a queue wait. */
export function waitingIn({ client }: Pick<OwnRedis, 'client'>, queue: string): Promise<number> {
  return client.llen(`bull:${queue}:wait`);
}

function plainClient(port: number): Redis {
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 1, retryStrategy: () => null });
  // The owner of the server learns of its end from the command that fails; an unhandled 'error' would end the process.
  client.on('error', () => undefined);
  return client;
}

async function launch(port: number, args: readonly string[], detached = false): Promise<ChildProcess> {
  const binary = redisServerBinary();
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], detached });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      output = (output + chunk).slice(-4000);
    });
  let failure: Error | null = null;
  child.once('error', (error) => {
    failure = error;
  });
  const deadline = Date.now() + ANSWERS_WITHIN_MS;
  while (Date.now() < deadline) {
    if (failure) throw new Error(`cannot start ${binary}: ${(failure as Error).message}`);
    if (child.exitCode !== null)
      throw new Error(`${binary} ended at once with code ${child.exitCode}: ${output}`);
    if (await answers(port)) return child;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  throw new Error(`${binary} on port ${port} did not answer within ${ANSWERS_WITHIN_MS / 1000} s: ${output}`);
}

/** Any answer to PING counts, but one that says it is still loading: a Redis that wants a password is up. */
async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 500 });
    const say = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => say(!data.toString().startsWith('-LOADING')));
    socket.once('error', () => say(false));
    socket.once('timeout', () => say(false));
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
