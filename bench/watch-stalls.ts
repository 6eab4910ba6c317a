import { execFileSync } from 'node:child_process';
import { constants, loadavg, setPriority } from 'node:os';
import { Redis } from 'ioredis';
import { type OwnRedis, startRedis } from '../drills/own-redis.js';
import { sleep } from '../drills/wait-for.js';
import { quantileOf } from './row.js';
import type { Waits } from './stall-probe.js';
import { startChild } from './world.js';

/** What other clients of a Redis waited for while something was done, and how far it was Redis. */
export interface Stalls {
  readonly tookMs: number;
  readonly probes: number;
  readonly worstMs: number;
  /** Worst of each STRETCH waits in a row: how bad it gets, whatever the time that all takes. */
  readonly worstsMs: readonly number[];
  readonly p99Ms: number;
  /** Of those in which neither the prober was late nor an idle Redis slow. */
  readonly ownWorstMs: number;
  readonly ownP99Ms: number;
  /** What the same prober waited for an idle Redis. */
  readonly idleWorstMs: number;
  readonly idleP99Ms: number;
  /** Longest commands by Redis' own clock: ms and how they begin. */
  readonly slowest: readonly { readonly ms: number; readonly command: string }[];
  readonly above5Ms: number;
  readonly load: number;
}

/** Waits of about a second. */
export const STRETCH = 300;
/** Commands that take longer are listed one by one. */
export const SLOW_MS = 0.5;

/** Probes `redis` while `work` runs. */
export async function watchStalls(redis: OwnRedis, work: () => Promise<void>): Promise<Stalls> {
  const idle = await startRedis();
  // A command in whose midst the machine gives Redis' core to somebody else looks long: what is asked is what Redis does.
  const probe = startChild('stall-probe', redis.port, idle.port);
  for (const { pid } of [redis, probe]) hurry(pid, 10);
  hurry(idle.pid, 11);
  // On one core, and the idle one first: what the machine takes from the one it takes from the other.
  for (const { pid } of [redis, idle]) pin(pid);
  try {
    await probe.next();
    await redis.client.config('SET', 'slowlog-log-slower-than', SLOW_MS * 1000, 'slowlog-max-len', 100_000);
    await redis.client.slowlog('RESET');
    const from = performance.now();
    await work();
    const tookMs = performance.now() - from;
    const said = probe.next<Waits>();
    probe.process.send('stop');
    const { busy, unexplained, idle: quiet } = await said;
    const slow = await slowCommands(redis);
    return {
      tookMs,
      probes: busy.length,
      worstMs: quantileOf(busy, 1),
      worstsMs: worstsOf(busy),
      p99Ms: quantileOf(busy, 0.99),
      ownWorstMs: quantileOf(unexplained, 1),
      ownP99Ms: quantileOf(unexplained, 0.99),
      idleWorstMs: quantileOf(quiet, 1),
      idleP99Ms: quantileOf(quiet, 0.99),
      slowest: slow.slice(0, 3),
      above5Ms: slow.filter(({ ms }) => ms > 5).length,
      load: loadavg()[0] ?? 0,
    };
  } finally {
    await probe.stop();
    await idle.stop();
  }
}

function worstsOf(waits: readonly number[]): readonly number[] {
  const stretches = Math.max(1, Math.floor(waits.length / STRETCH));
  return Array.from({ length: stretches }, (_, i) =>
    Math.max(...waits.slice(i * STRETCH, (i + 1) * STRETCH)),
  );
}

/** Gives a process its core whenever it wants it, by the scheduler's own class for that where there is one. */
function hurry(pid: number, priority: number): void {
  try {
    execFileSync('chrt', ['--all-tasks', '--fifo', '--pid', String(priority), String(pid)], {
      stdio: 'ignore',
    });
  } catch {
    prefer(pid, constants.priority.PRIORITY_HIGHEST);
  }
}

function pin(pid: number): void {
  try {
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', '1', String(pid)], { stdio: 'ignore' });
  } catch {
    // A machine of one core, or without taskset.
  }
}

/** Runs a console, or its peer, ahead of all that is not measured and behind Redis, where that is permitted. */
export function prefer(pid: number, priority: number = constants.priority.PRIORITY_HIGH): void {
  try {
    setPriority(pid, priority);
  } catch {
    // Then the idle Redis shows what the machine does.
  }
}

/** By Redis' own clock: wall time, so that what the machine took from Redis is in it. Longest first. */
async function slowCommands(redis: OwnRedis): Promise<Stalls['slowest']> {
  const entries = (await redis.client.slowlog('GET', 100_000)) as [number, number, number, string[]][];
  return entries
    .map(([, , usec, words]) => ({ ms: usec / 1000, command: words.slice(0, 4).join(' ').slice(0, 90) }))
    .sort((a, b) => b.ms - a.ms);
}

const PING_EVERY_MS = 5;

/** A client of its own that asks for PONG all the time. `stop` gives the longest wait for one, ms. */
export function watchPings(port: number): { stop(): Promise<number> } {
  const client = new Redis(port, '127.0.0.1');
  let isStopped = false;
  let longestMs = 0;
  const loop = async (): Promise<void> => {
    await client.ping();
    while (!isStopped) {
      const startedAt = performance.now();
      await client.ping();
      longestMs = Math.max(longestMs, performance.now() - startedAt);
      await sleep(PING_EVERY_MS);
    }
  };
  const ended = loop();
  return {
    async stop() {
      isStopped = true;
      await ended;
      client.disconnect();
      return longestMs;
    },
  };
}
