import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packagePath } from '../server/process/package-path.js';
import type { KeeperOrder } from './children/keeper.js';
import { type ChildSays, STOP } from './children/talk.js';
import { type ConsoleSettings, environmentOf } from './console-settings.js';
import { PATIENCE } from './drill-times.js';
import { createLedger, type Ledger } from './ledger.js';
import { freePort, type OwnRedis, startRedis } from './own-redis.js';
import { type SentinelGroup, startSentinelGroup } from './own-sentinel.js';

/** A child is given this long to finish what it has in hand before it is killed. */
const STOP_WITHIN_MS = 6_000;
const READY_WITHIN_MS = PATIENCE * 20_000;

/** A process of the drill that talks. */
export interface Player {
  readonly name: string;
  /** Lets it finish what it has in hand; kills it when that takes too long. */
  stop(): Promise<void>;
  /** SIGKILL and SIGSTOP are what happens to it, not an accident. */
  signal(signal: NodeJS.Signals): void;
  send(message: unknown): void;
}

/** Everything that a drill starts: one `stop` ends all of it and removes what it left on disk. */
export interface World {
  /** The master at the start. */
  readonly redis: OwnRedis;
  /** How the console reaches it. */
  readonly redisUrl: string;
  readonly sentinel: SentinelGroup | null;
  readonly ledger: Ledger;
  /** Starts dist/drills/children/`script`.js and waits until it is ready. */
  play(script: string, name: string, plan: unknown): Promise<Player>;
  /** Serves the console on this world's Redis; returns its address once it answers. */
  serveConsole(port: number, settings?: ConsoleSettings): Promise<string>;
  /** Lets producers and workers finish and end; Redis and the console stay. */
  stopPlayers(): Promise<void>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly maxmemoryBytes: number;
  /** A master, a replica and a Sentinel instead of one Redis. */
  readonly withSentinel?: boolean;
  /** Called when a process ends that should not. */
  readonly onAccident: (text: string) => void;
}

/** Starts the world's Redis, and the keeper that clears away should this process be killed. */
export async function createWorld({
  maxmemoryBytes,
  withSentinel,
  onAccident,
}: WorldOptions): Promise<World> {
  const ledger = createLedger();
  const keeper = await ready(forkChild('keeper', undefined, true), 'keeper');
  const sentinel = withSentinel ? await startSentinelGroup(true) : null;
  const redis = sentinel?.master ?? (await startRedis({ maxmemoryBytes, isDetached: true }));
  const redisUrl = sentinel
    ? `redis+sentinel://127.0.0.1:${sentinel.sentinelPort}/${sentinel.masterName}`
    : redis.url;
  const dataDirectory = await mkdtemp(join(tmpdir(), 'spillway-drill-'));
  const order: KeeperOrder & { pids: number[] } = {
    pids: [redis.pid, ...(sentinel ? [sentinel.replica.pid, sentinel.sentinelPid] : [])],
    directories: [
      redis.directory,
      dataDirectory,
      ...(sentinel ? [sentinel.replica.directory, sentinel.directory] : []),
    ],
  };
  keeper.send(order);
  const players = new Set<Player>();
  let served: ChildProcess | null = null;
  let stopped: Promise<void> | null = null;

  const watch = (child: ChildProcess, name: string, isExpected: () => boolean): void => {
    child.once('exit', (code, signal) => {
      if (!stopped && !isExpected()) onAccident(`${name} ended unexpectedly (${signal ?? `code ${code}`})`);
    });
  };

  return {
    redis,
    redisUrl,
    sentinel,
    ledger,
    async play(script, name, plan) {
      if (stopped) throw new Error(`${name} is not started: the drill is ending`);
      const child = forkChild(script, plan);
      child.on('message', (message) => ledger.hear(message as ChildSays));
      await ready(child, name);
      let ending: Promise<void> | null = null;
      let isKilled = false;
      watch(child, name, () => ending !== null || isKilled);
      const player: Player = {
        name,
        stop: () => {
          ending ??= endChild(child, () => child.connected && child.send(STOP)).then(() => {
            players.delete(player);
          });
          return ending;
        },
        signal: (signal) => {
          isKilled ||= signal === 'SIGKILL';
          child.kill(signal);
        },
        send: (message) => {
          if (child.connected) child.send(message as object);
        },
      };
      players.add(player);
      return player;
    },
    async serveConsole(port, settings = {}) {
      if (stopped) throw new Error('the console is not started: the drill is ending');
      const address = `http://127.0.0.1:${port}`;
      const child = spawn(packagePath('server/spillway.sh'), {
        stdio: ['ignore', 'pipe', 'pipe'],
        // Ctrl-C reaches the whole process group of a terminal; the end of these two is this world's to order.
        detached: true,
        env: {
          ...process.env,
          PORT: String(port),
          HOST: '127.0.0.1',
          SPILLWAY_DATA: dataDirectory,
          LOG_LEVEL: 'error',
          ...(await environmentOf(settings, address, redisUrl, dataDirectory)),
        },
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk) => {
          output = (output + chunk).slice(-2_000);
        });
      served = child;
      order.pids.push(child.pid ?? 0);
      keeper.send(order);
      await untilAnswers(`${address}/healthz`, child, () => output);
      watch(child, 'the console', () => false);
      return address;
    },
    stopPlayers: async () => {
      await Promise.all([...players].map((player) => player.stop()));
    },
    stop() {
      stopped ??= (async () => {
        await Promise.all([...players].map((player) => player.stop()));
        if (served) await endChild(served, () => served?.kill('SIGTERM'));
        await (sentinel ?? redis).stop();
        await rm(dataDirectory, { recursive: true, force: true, maxRetries: 3 });
        await endChild(keeper, () => keeper.send(STOP));
      })();
      return stopped;
    },
  };
}

/** `wanted`, or the next port of 127.0.0.1 that is free, or any. */
export async function portFrom(wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + 20; port += 1) if (await isFree(port)) return port;
  return freePort();
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** @param detached in a process group of its own: what kills the whole group of the drill does not reach it. */
function forkChild(script: string, plan: unknown, detached = false): ChildProcess {
  return fork(packagePath(`dist/drills/children/${script}.js`), [JSON.stringify(plan ?? {})], {
    execArgv: [],
    detached,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

function ready(child: ChildProcess, name: string): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${name} was not ready within ${READY_WITHIN_MS / 1000} s`));
    }, READY_WITHIN_MS);
    const hear = (message: unknown): void => {
      if ((message as ChildSays).kind !== 'ready') return;
      clearTimeout(late);
      child.off('message', hear);
      resolve(child);
    };
    child.on('message', hear);
    child.once('exit', (code) => {
      clearTimeout(late);
      reject(new Error(`${name} ended at once with code ${code}`));
    });
  });
}

async function endChild(child: ChildProcess, ask: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  ask();
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await gone;
  clearTimeout(late);
}

async function untilAnswers(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the console ended at once: ${output().trim()}`);
    const isUp = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the console did not answer at ${url}: ${output().trim()}`);
}
