import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Queue } from 'bullmq';
import { Hono } from 'hono';
import { Redis } from 'ioredis';

/** The peer, in a process of its own: `node bull-board-server.js <redis port> <http port> <queue count>`. */
const [redisPort = '', httpPort = '', queueCount = ''] = process.argv.slice(2);
const connection = new Redis(Number(redisPort), '127.0.0.1', { maxRetriesPerRequest: null });
const queues = Array.from(
  { length: Number(queueCount) },
  (_, i) => new BullMQAdapter(new Queue(`queue-${i}`, { connection, skipMetasUpdate: true })),
);
const adapter = new HonoAdapter(serveStatic);
createBullBoard({ queues, serverAdapter: adapter });
adapter.setBasePath('/board');
const app = new Hono().route('/board', adapter.registerPlugin());
serve({ fetch: app.fetch, port: Number(httpPort), hostname: '127.0.0.1' }, () => process.send?.('ready'));
