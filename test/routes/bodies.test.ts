import { connect } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endUnread, readBody } from '../../server/routes/bounded-body.js';
import { problemHandler } from '../../server/routes/problem.js';

const logged: string[] = [];
let port = 0;
let server: ReturnType<typeof serve>;

beforeAll(async () => {
  const app = new Hono();
  app.onError(problemHandler((message) => logged.push(message)));
  app.use(endUnread());
  app.post('/refused', (c) => c.text('no', 429));
  app.use('/slow', readBody(50));
  app.use(readBody());
  app.post('*', async (c) => c.text(String((await c.req.text()).length)));
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, (address) => {
      port = address.port;
      resolve();
    });
  });
});
afterAll(() => server?.close());

/** Sends head and parts as they are, and gives the answer once the server has ended the connection. */
function send(head: string, parts: Iterable<string> = []): Promise<{ answer: string; sentBytes: number }> {
  return new Promise((resolve) => {
    let answer = '';
    let sentBytes = 0;
    const socket = connect(port, '127.0.0.1');
    const rest = parts[Symbol.iterator]();
    const more = (): void => {
      for (let next = rest.next(); !next.done; next = rest.next()) {
        sentBytes += next.value.length;
        if (!socket.write(next.value)) return;
      }
    };
    socket.on('drain', more).on('data', (chunk) => {
      answer += chunk;
    });
    // A server that ends the connection while we send resets it: that is what we are here to see.
    socket.on('error', () => undefined).on('close', () => resolve({ answer, sentBytes }));
    socket.write(`${head}\r\nHost: localhost\r\n\r\n`);
    more();
  });
}

function* chunked(bytes: number): Generator<string> {
  const chunk = 'a&'.repeat(16 * 1024);
  for (let sent = 0; sent < bytes; sent += chunk.length) yield `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
}
const FORM = 'Content-Type: application/x-www-form-urlencoded';
const MEGABYTE = 1024 * 1024;

describe('a body', () => {
  it('is refused by what it says of its length, and the connection ended rather than drained', async () => {
    for (const [path, length] of [
      ['/sign-in', 9_000],
      ['/action', 300_000],
      ['/api/v1/x', 2_000_000],
    ]) {
      const { answer } = await send(`POST ${path} HTTP/1.1\r\n${FORM}\r\nContent-Length: ${length}`);
      expect(answer).toMatch(/^HTTP\/1.1 413 /);
      expect(answer).toMatch(/connection: close/i);
    }
  });

  it('without a length is read up to the limit and no further', async () => {
    for (const path of ['/sign-in', '/action', '/api/v1/x']) {
      const head = `POST ${path} HTTP/1.1\r\n${FORM}\r\nTransfer-Encoding: chunked`;
      const { answer, sentBytes } = await send(head, chunked(64 * MEGABYTE));
      expect(answer).toMatch(/^HTTP\/1.1 413 /);
      expect(sentBytes).toBeLessThan(32 * MEGABYTE);
    }
  });

  it('of a request that is refused before is not read at all', async () => {
    const head = `POST /refused HTTP/1.1\r\n${FORM}\r\nTransfer-Encoding: chunked`;
    const { answer, sentBytes } = await send(head, chunked(64 * MEGABYTE));
    expect(answer).toMatch(/^HTTP\/1.1 429 /);
    expect(sentBytes).toBeLessThan(32 * MEGABYTE);
  });

  it('that comes too slowly ends with its connection', async () => {
    const { answer } = await send(`POST /slow HTTP/1.1\r\n${FORM}\r\nContent-Length: 100`, ['a']);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
  });

  it('that is no form, or breaks off, is a refusal and nothing for the log', async () => {
    const { answer } = await send(
      'POST /x HTTP/1.1\r\nContent-Type: multipart/form-data\r\nContent-Length: 1',
    );
    expect(answer).toMatch(/^HTTP\/1.1 415 /);
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST /x HTTP/1.1\r\n${FORM}\r\nHost: localhost\r\nContent-Length: 100\r\n\r\na`);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.destroy();
    const fine = await fetch(`http://127.0.0.1:${port}/x`, {
      method: 'POST',
      body: new URLSearchParams({ a: 'b' }),
    });
    expect([fine.status, await fine.text()]).toEqual([200, '3']);
    expect(logged).toEqual([]);
  });
});
