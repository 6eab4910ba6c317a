import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packagePath } from '../server/process/package-path.js';
import type { KeeperOrder } from './children/keeper.js';
import type { ProducerHears, ProducerPlan } from './children/producer.js';
import { type ChildSays, STOP } from './children/talk.js';
import type { WorkerHears, WorkerPlan } from './children/worker.js';
import { type ConsoleSettings, environmentOf } from './console-settings.js';
import { Ledger } from './ledger.js';
import { freePort, startRedis } from './own-redis.js';
import { startSentinelGroup } from './own-sentinel.js';
import { waitFor } from './wait-for.js';

/** A child is given this long to finish what it has in hand before it is killed. */
const STOP_WITHIN_MS = 6_000;
const READY_WITHIN_MS = 20_000;

/** A process of the drill that reports to it. */
export interface Player<Hears = WorkerHears> {
  /** Lets it finish what it has in hand; kills it when that takes too long. */
  stop(): Promise<void>;
  /** SIGKILL and SIGSTOP are what happens to it, not an accident. */
  signal(signal: NodeJS.Signals): void;
  send(message: Hears): void;
}

/** Everything that a drill starts: one `stop` ends all of it and removes what it left on disk. */
export type World = Awaited<ReturnType<typeof startWorld>>;

/**
 * Starts the world's Redis, and the keeper, which clears away should this process be killed.
 * @param withSentinel a master, a replica and a Sentinel instead of one Redis
 * @param onAccident is called when a process ends that should not
 */
export async function startWorld(
  maxmemoryBytes: number,
  withSentinel: boolean,
  onAccident: (text: string) => void,
) {
  const ledger = new Ledger();
  const keeper = await ready(forkChild('keeper', undefined, true), 'keeper');
  const sentinel = withSentinel ? await startSentinelGroup(true) : null;
  const redis = sentinel?.master ?? (await startRedis({ maxmemoryBytes, isDetached: true }));
  const redisUrl = sentinel
    ? `redis+sentinel://127.0.0.1:${sentinel.sentinelPort}/${sentinel.masterName}`
    : redis.url;
  const dataDirectory = await mkdtemp(join(tmpdir(), 'spillway-drill-'));
  const players = new Set<{ stop(): Promise<void> }>();
  let served: ChildProcess | null = null;
  let stopped: Promise<void> | null = null;

  const instructKeeper = (): void => {
    const pids = [redis.pid, sentinel?.replica.pid, sentinel?.sentinelPid, served?.pid];
    const directories = [redis.directory, dataDirectory, sentinel?.replica.directory, sentinel?.directory];
    keeper.send({
      pids: pids.filter((pid) => pid !== undefined),
      directories: directories.filter((directory) => directory !== undefined),
    } satisfies KeeperOrder);
  };
  const watch = (child: ChildProcess, name: string, isExpected: () => boolean): void => {
    child.once('exit', (code, signal) => {
      if (!stopped && !isExpected()) onAccident(`${name} ended unexpectedly (${signal ?? `code ${code}`})`);
    });
  };
  /** Starts dist/drills/children/`script`.js and waits until it is ready. */
  const play = async <Hears>(script: string, name: string, plan: object): Promise<Player<Hears>> => {
    if (stopped) throw new Error(`${name} is not started: the drill is ending`);
    const child = forkChild(script, { redisPort: redis.port, ...plan });
    child.on('message', (message) => ledger.hear(message as ChildSays));
    await ready(child, name);
    let ending: Promise<void> | null = null;
    let isKilled = false;
    watch(child, name, () => ending !== null || isKilled);
    const player: Player<Hears> = {
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
  };
  const produce = (name: string, plan: ProducerPlan & Elsewhere) =>
    play<ProducerHears>('producer', name, plan);
  const stopPlayers = async (): Promise<void> => {
    await Promise.all([...players].map((player) => player.stop()));
  };

  instructKeeper();
  return {
    /** The master at the start. */
    redis,
    /** How the console reaches it. */
    redisUrl,
    sentinel,
    ledger,
    /** A process that adds jobs; resolves once it is ready. */
    produce,
    /** Adds all jobs of a plan at once. */
    async fill(name: string, plan: ProducerPlan & { readonly atOnce: number }): Promise<void> {
      await (await produce(name, plan)).stop();
    },
    /** A process with workers; resolves once they are ready. */
    work: (name: string, plan: WorkerPlan & Elsewhere) => play<WorkerHears>('worker', name, plan),
    /** Serves the console on this world's Redis, at `wanted` or the next port that is free; its address once it answers. */
    async serveConsole(wanted: number, settings: ConsoleSettings = {}): Promise<string> {
      if (stopped) throw new Error('the console is not started: the drill is ending');
      const port = await portFrom(wanted);
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
      instructKeeper();
      const isUp = async (): Promise<boolean> =>
        child.exitCode !== null || (await fetch(`${address}/healthz`).catch(() => null))?.ok === true;
      if (!(await waitFor(isUp, READY_WITHIN_MS, 50)) || child.exitCode !== null)
        throw new Error(`the console does not answer at ${address}, or ended at once: ${output.trim()}`);
      watch(child, 'the console', () => false);
      return address;
    },
    /** Lets producers and workers finish and end; Redis and the console stay. */
    stopPlayers,
    stop(): Promise<void> {
      stopped ??= (async () => {
        await stopPlayers();
        if (served) await endChild(served, () => served?.kill('SIGTERM'));
        await (sentinel ?? redis).stop();
        await rm(dataDirectory, { recursive: true, force: true, maxRetries: 3 });
        await endChild(keeper, () => keeper.send(STOP));
      })();
      return stopped;
    },
  };
}

/** On another Redis than the first master. */
interface Elsewhere {
  readonly redisPort?: number;
}

/** `wanted`, or the next port of 127.0.0.1 that is free, or any. */
async function portFrom(wanted: number): Promise<number> {
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

/** @throws Error when it ends first, or takes too long: then it is killed */
async function ready(child: ChildProcess, name: string): Promise<ChildProcess> {
  let isReady = false;
  let isGone = false;
  child.on('message', (message) => {
    isReady ||= (message as ChildSays).kind === 'ready';
  });
  child.once('exit', () => {
    isGone = true;
  });
  await waitFor(() => isReady || isGone, READY_WITHIN_MS, 10);
  if (isReady) return child;
  child.kill('SIGKILL');
  throw new Error(`${name} was not ready in time, or ended at once with code ${child.exitCode}`);
}

async function endChild(child: ChildProcess, ask: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  ask();
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await gone;
  clearTimeout(late);
}
