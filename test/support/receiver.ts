import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A real HTTP server that keeps what it gets and answers as the test says. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** From now on; an answer that never ends the response is a server that hangs. */
  answer(how: (request: Received, response: ServerResponse) => void): void;
  stop(): Promise<void>;
}

/** @param certified HTTPS with this key and certificate; left out: HTTP. */
export async function startReceiver(certified?: {
  readonly key: string;
  readonly cert: string;
}): Promise<Receiver> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let how = (_request: Received, response: ServerResponse): void => {
    response.end('ok');
  };
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      received.push(one);
      how(one, response);
    });
  };
  const server = certified ? createTlsServer(certified, serve) : createServer(serve);
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http${certified ? 's' : ''}://127.0.0.1:${port}`,
    port,
    received,
    answer(next) {
      how = next;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
