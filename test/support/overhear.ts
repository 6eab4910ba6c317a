import { connect } from 'node:net';
import type { OwnRedis } from '../../drills/own-redis.js';
import { until } from './until.js';

/** What all clients together ask a Redis. */
export interface Overheard {
  /** Every command up to now, by its name and arguments as Redis quotes them. */
  commands(): Promise<readonly (readonly string[])[]>;
  end(): void;
}

/**
 * Listens by MONITOR on a socket of its own: ioredis takes what comes together with the answer to MONITOR for answers to
 * nothing, and throws.
 */
export async function overhear(redis: OwnRedis): Promise<Overheard> {
  const socket = connect(redis.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write('MONITOR\r\n');
  await until('it listens', () => text.startsWith('+OK'));
  return {
    async commands() {
      const mark = `overheard-${text.length}`;
      await redis.client.echo(mark);
      await until('all that was asked by now is heard', () => text.includes(mark), { everyMs: 5 });
      return text
        .split('\r\n')
        .map((line) => [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, argument = '']) => argument));
    },
    end: () => void socket.destroy(),
  };
}
