import { Queue, type QueueOptions } from 'bullmq';

/** Waits for its Redis for ever, as BullMQ asks of the blocking connection of a worker. */
export function connectionTo(port: number) {
  return { host: '127.0.0.1', port, maxRetriesPerRequest: null };
}

/** A queue of a producer, which learns from the call itself what Redis refuses. */
export function openQueue(name: string, port: number, options: Omit<QueueOptions, 'connection'> = {}): Queue {
  const queue = new Queue(name, {
    ...options,
    connection: { ...connectionTo(port), maxRetriesPerRequest: 1 },
  });
  queue.on('error', () => undefined);
  return queue;
}
