import { readFile } from 'node:fs/promises';
import type { OwnRedis } from '../drills/own-redis.js';
import { cpuMsOf } from '../test/support/cpu.js';

/** CPU, commands and memory of Redis and of processes, and times of answers. */

/** What some work, or a time, cost. */
export interface Cost {
  readonly tookMs: number;
  readonly redisCpuMs: number;
  readonly redisCommands: number;
  /** Share of a core, in percent. */
  readonly redisPercent: number;
  /** The same of the process that was named; NaN: none was. */
  readonly processPercent: number;
}

/** @param pid of a process whose CPU is taken besides that of Redis. */
export async function costOf(
  redis: OwnRedis,
  work: () => Promise<unknown>,
  pid: number | null = null,
): Promise<Cost> {
  const look = async () => {
    const info = await redis.client.info('everything');
    return {
      atMs: performance.now(),
      redisCpuMs: (field(info, 'used_cpu_sys') + field(info, 'used_cpu_user')) * 1000,
      redisCommands: field(info, 'total_commands_processed'),
      cpuMs: pid === null ? Number.NaN : await cpuMsOf(pid),
    };
  };
  const before = await look();
  await work();
  const after = await look();
  const tookMs = after.atMs - before.atMs;
  const redisCpuMs = after.redisCpuMs - before.redisCpuMs;
  return {
    tookMs,
    redisCpuMs,
    redisCommands: after.redisCommands - before.redisCommands,
    redisPercent: (redisCpuMs / tookMs) * 100,
    processPercent: ((after.cpuMs - before.cpuMs) / tookMs) * 100,
  };
}

/** A number of INFO; NaN where it has none of that name. */
function field(info: string, name: string): number {
  return Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN);
}

/** Processor time of this process for some work, ms: one thread, and what else the machine does is none of its cost. */
export async function ownCpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Resident memory of a process, MB of 2^20 bytes. */
export async function residentMb(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
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
