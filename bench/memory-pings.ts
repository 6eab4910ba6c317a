import { Redis } from 'ioredis';

const EVERY_MS = 5;

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
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
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
