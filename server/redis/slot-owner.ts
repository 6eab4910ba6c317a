import { Cluster, Command } from 'ioredis';
import type { RedisClient } from './connect.js';

/** host:port of the master that holds a queue's keys; null where there is no cluster (one node holds all). */
export function ownerOf(client: RedisClient, queueId: string): string | null {
  if (!(client instanceof Cluster)) return null;
  // The slot of the prefix's hash tag; BullMQ in a Cluster needs one, so all keys of the queue are there.
  return client.slots[new Command('get', [`${queueId}:meta`]).getSlot()]?.[0] ?? null;
}

/** Are the keys spread over several masters? */
export function isCluster(client: RedisClient): boolean {
  return client instanceof Cluster;
}
