import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { freePort, type OwnRedis } from '../drills/own-redis.js';
import { packagePath } from '../server/process/package-path.js';

/** A server under measurement: where it answers and what it costs. */
export interface Served {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Makes the queues `queue-<from>` to `queue-<to - 1>` with `jobs` waiting jobs each: the first by BullMQ's own calls, the others
 * as copies of its keys within Redis, so that thousands come within a second.
 */
export async function copyQueues(redis: OwnRedis, from: number, to: number, jobs: number): Promise<void> {
  const first = `bull:queue-${from}`;
  const queue = new Queue(`queue-${from}`, { connection: { port: redis.port, host: '127.0.0.1' } });
  await queue.addBulk(
    Array.from({ length: jobs }, (_, n) => ({ name: 'job', data: { n, pad: 'x'.repeat(100) } })),
  );
  await queue.close();
  const keys = await redis.client.keys(`${first}:*`);
  const dumps = await Promise.all(keys.map((key) => redis.client.dumpBuffer(key)));
  const parts = keys.flatMap((key, i) => [key.slice(first.length), dumps[i] ?? '']);
  for (let at = from + 1; at < to; at += 100)
    await redis.client.eval(COPY, 0, at, Math.min(at + 100, to) - 1, ...parts);
}

const COPY = `
for i = ARGV[1], ARGV[2] do
  for at = 3, #ARGV, 2 do redis.call('RESTORE', string.format('bull:queue-%d', i) .. ARGV[at], 0, ARGV[at + 1]) end
end`;

/** Whether the console tells of so many queues at least. */
export async function seesQueues(console_: Served, count: number): Promise<boolean> {
  const response = await fetch(`${console_.url}/api/v1/overview`);
  const overview = (await response.json()) as {
    readonly instances: readonly { readonly totals: { readonly queues: number } }[];
  };
  return (overview.instances[0]?.totals.queues ?? 0) >= count;
}

/**
 * The console as users run it.
 * @param env for it alone.
 */
export async function startConsole(redis: OwnRedis, env: NodeJS.ProcessEnv = {}): Promise<Served> {
  const port = await freePort();
  const data = await mkdtemp(join(tmpdir(), 'spillway-bench-'));
  const child = spawn(
    packagePath('server/spillway.sh'),
    ['--redis', redis.url, '--port', String(port), '--data', data, '--log-level', 'silent'],
    { stdio: 'ignore', env: { ...process.env, ...env } },
  );
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/readyz`)).ok, 'the console answers');
  return served(child, url, () => rm(data, { recursive: true, force: true }));
}

/** @bull-board/api over the same queues of the same Redis. */
export async function startBullBoard(redis: OwnRedis, queues: number): Promise<Served> {
  const port = await freePort();
  const main = fileURLToPath(new URL('./bull-board-server.js', import.meta.url));
  const child = fork(main, [String(redis.port), String(port), String(queues)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const url = `http://127.0.0.1:${port}/board`;
  await waitFor(async () => (await fetch(`${url}/api/queues`)).ok, 'bull-board answers');
  return served(child, url, async () => undefined);
}

function served(child: ChildProcess, url: string, after: () => Promise<void>): Served {
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await gone;
      clearTimeout(timer);
      await after();
    },
  };
}

/** Waits for a condition; a refusal in between is no failure. */
export async function waitFor(
  condition: () => Promise<boolean>,
  what: string,
  withinMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    if (await condition().catch(() => false)) return;
    await pause(100);
  }
  throw new Error(`not within ${withinMs} ms: ${what}`);
}

export async function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export interface RedisCost {
  readonly cpuMs: number;
  readonly commands: number;
}

/** CPU and commands of Redis so far. */
export async function redisCost(client: Redis): Promise<RedisCost> {
  const info = await client.info('everything');
  const field = (name: string): number => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1] ?? 0);
  return {
    cpuMs: (field('used_cpu_sys') + field('used_cpu_user')) * 1000,
    commands: field('total_commands_processed'),
  };
}

/** What `times` runs of something cost Redis, for one run. */
export async function costOf(client: Redis, times: number, run: () => Promise<unknown>): Promise<RedisCost> {
  const before = await redisCost(client);
  for (let i = 0; i < times; i++) await run();
  const after = await redisCost(client);
  return {
    cpuMs: (after.cpuMs - before.cpuMs) / times,
    commands: Math.round((after.commands - before.commands) / times),
  };
}

/** Resident memory of a process in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}

/** Processor time of a process so far, ms. */
export async function cpuMsOf(pid: number): Promise<number> {
  // Fields 14 and 15 of /proc/<pid>/stat, in ticks of 10 ms; the second field may hold spaces.
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Milliseconds to the first byte of an answer, whose rest is read and dropped. */
export async function firstByteMs(url: string): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(url);
  const ms = performance.now() - startedAt;
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return ms;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function medianOf(values: readonly number[]): number {
  return quantile(values, 0.5);
}
