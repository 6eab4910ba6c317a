import { Redis } from 'ioredis';
import { sleep } from '../drills/wait-for.js';

const EVERY_MS = 5;

/** A client of its own that asks for PONG all the time. */
export function watchPings(port: number): {
  /** The longest wait for one since the last call, ms. */
  take(): number;
  /** The same, and ends it. */
  stop(): Promise<number>;
} {
  const client = new Redis(port, '127.0.0.1');
  let isStopped = false;
  let longestMs = 0;
  const take = (): number => {
    const ms = longestMs;
    longestMs = 0;
    return ms;
  };
  const loop = async (): Promise<void> => {
    await client.ping();
    while (!isStopped) {
      const startedAt = performance.now();
      await client.ping();
      longestMs = Math.max(longestMs, performance.now() - startedAt);
      await sleep(EVERY_MS);
    }
  };
  const ended = loop();
  return {
    take,
    async stop() {
      isStopped = true;
      await ended;
      client.disconnect();
      return take();
    },
  };
}
