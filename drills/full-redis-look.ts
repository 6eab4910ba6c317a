import { Queue } from 'bullmq';
import type { World } from './world.js';

export const ANALYTICS = 'analytics';
export const API = 'api-requests';
export const MB = 1024 * 1024;

/** used_memory or maxmemory, in words. */
export async function inMegabytes(world: World, field: 'used_memory' | 'maxmemory'): Promise<string> {
  const info = await world.redis.client.info('memory');
  const bytes = Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
  return `${(bytes / MB).toFixed(1)} MB`;
}

/** Waiting jobs of both queues and memory, in words. */
export async function backlogs(world: World): Promise<string> {
  const waiting = async (queue: string) => world.redis.client.llen(`bull:${queue}:wait`);
  return `${await inMegabytes(world, 'used_memory')} used; waiting: ${await waiting(ANALYTICS)} analytics, ${await waiting(API)} API`;
}

/** The stock pause, as an application or another dashboard would call it; what it was refused with, or null. */
export async function stockPause(world: World): Promise<string | null> {
  const queue = new Queue(ANALYTICS, {
    connection: { host: '127.0.0.1', port: world.redis.port, maxRetriesPerRequest: 1 },
    skipMetasUpdate: true,
  });
  queue.on('error', () => undefined);
  try {
    await queue.pause();
    await queue.resume();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await queue.close().catch(() => undefined);
  }
}

/** Whether Redis takes a write that adds memory. Leaves nothing behind. */
export async function takesWrites(world: World): Promise<boolean> {
  const key = 'drill-probe';
  try {
    await world.redis.client.set(key, '1', 'PX', 1_000);
    return true;
  } catch {
    return false;
  }
}
