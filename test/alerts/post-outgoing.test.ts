import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../drills/own-redis.js';
import { type OutgoingDeps, postOutgoing, retryAfterMs } from '../../server/alerts/channels/post-outgoing.js';
import { secretScrubber, secretsOfUrl } from '../../server/model/text.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { NOW_MS } from '../support/snapshot.js';

const ANY = { allow: [], deny: [] };
let receiver: Receiver;

const deps = (over: Partial<OutgoingDeps> = {}): OutgoingDeps => ({
  rules: ANY,
  now: () => NOW_MS,
  scrub: (text) => text,
  connectWithinMs: 2_000,
  answerWithinMs: 2_000,
  ...over,
});
const post = (path = '/', over: Partial<OutgoingDeps> = {}) =>
  postOutgoing({ url: `${receiver.url}${path}`, method: 'POST', body: '{}' }, deps(over));

beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.stop());
beforeEach(() => receiver.answer((_, response) => void response.end('ok')));

describe('a receiver that fails', () => {
  it('by refusing connections is tried again', async () => {
    const url = `http://127.0.0.1:${await freePort()}/`;
    expect(await postOutgoing({ url, method: 'POST', body: '' }, deps())).toEqual({
      ok: false,
      kind: 'passing',
      problem: 'refuses connections',
      retryAfterMs: null,
    });
  });

  it('by hanging after it has read the message is given up in time', async () => {
    receiver.answer(() => undefined);
    expect(await post('/', { answerWithinMs: 300 })).toMatchObject({
      kind: 'passing',
      problem: 'no answer in time',
    });
  });

  it('by dripping its headers is given up in time too', async () => {
    let drips = 0;
    const server = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => {
        drips += 1;
        socket.write(`x-drip-${drips}: 1\r\n`);
      }, 20);
      socket.on('close', () => clearInterval(timer));
    });
    const url = `http://127.0.0.1:${server.port}/`;
    expect(
      await postOutgoing({ url, method: 'POST', body: '' }, deps({ answerWithinMs: 400 })),
    ).toMatchObject({
      kind: 'passing',
      problem: 'no answer in time',
    });
    expect(drips).toBeGreaterThan(2);
    await server.stop();
  });

  it('by a name that never resolves is given up in time', async () => {
    const resolve = () => new Promise<never>(() => undefined);
    expect(await post('/', { connectWithinMs: 200, resolve })).toMatchObject({ ok: true });
    const url = 'http://hangs.example.com/';
    expect(
      await postOutgoing({ url, method: 'POST', body: '' }, deps({ connectWithinMs: 200, resolve })),
    ).toMatchObject({ kind: 'passing', problem: 'its name is not resolved in time' });
  });

  it('by closing the connection is tried again', async () => {
    receiver.answer((_, response) => void response.socket?.destroy());
    expect(await post()).toMatchObject({
      kind: 'passing',
      problem: 'closed the connection without an answer',
    });
  });

  it('by not speaking HTTP is tried again', async () => {
    const server = await rawServer((socket) => void socket.end('+PONG\r\n'));
    const url = `http://127.0.0.1:${server.port}/`;
    expect(await postOutgoing({ url, method: 'POST', body: '' }, deps())).toMatchObject({ kind: 'passing' });
    await server.stop();
  });

  it.each([500, 502, 503, 408])('with %i is tried again', async (status) => {
    receiver.answer((_, response) => void response.writeHead(status).end('down for\n maintenance'));
    expect(await post()).toMatchObject({
      kind: 'passing',
      problem: `answered ${status}: down for maintenance`,
    });
  });

  it('with 429 is left alone for as long as it asks', async () => {
    receiver.answer((_, response) => void response.writeHead(429, { 'Retry-After': '120' }).end());
    expect(await post()).toMatchObject({ kind: 'passing', retryAfterMs: 120_000 });
  });

  it.each([400, 401, 403, 404, 410])('with %i has refused', async (status) => {
    receiver.answer((_, response) => void response.writeHead(status).end('no'));
    expect(await post()).toMatchObject({ kind: 'refused', problem: `answered ${status}: no` });
  });

  it('with a redirect is not followed, wherever it leads', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const before = receiver.received.length;
      receiver.answer(
        (_, response) => void response.writeHead(status, { Location: `${receiver.url}/elsewhere` }).end(),
      );
      expect(await post()).toMatchObject({ ok: false, kind: 'refused' });
      expect(receiver.received.slice(before).map(({ path }) => path)).toEqual(['/']);
    }
  });

  it('only in its slow body has taken the message', async () => {
    receiver.answer((_, response) => {
      response.writeHead(200);
      response.write('o');
    });
    expect(await post()).toEqual({ ok: true });
  });

  it('with an endless body is read to a bound', async () => {
    let written = 0;
    receiver.answer((_, response) => {
      response.writeHead(500);
      const pump = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384))) written += 16_384;
        if (!response.destroyed) response.once('drain', pump);
      };
      pump();
    });
    const delivery = await post();
    expect(delivery).toMatchObject({ kind: 'passing' });
    expect(delivery.ok ? '' : delivery.problem.length).toBeLessThan(200);
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('an address that may not be called', () => {
  it('is not connected to, by name or by number', async () => {
    const before = receiver.received.length;
    const rules = { allow: [], deny: ['127.0.0.0/8'] };
    expect(await post('/', { rules })).toMatchObject({ kind: 'refused' });
    const url = `http://localhost:${receiver.port}/`;
    expect(
      await postOutgoing(
        { url, method: 'POST', body: '' },
        deps({ rules: { allow: [], deny: ['127.0.0.0/8', '::1'] } }),
      ),
    ).toMatchObject({ kind: 'refused' });
    expect(receiver.received.length).toBe(before);
  });

  it.each(['http://2130706433/', 'http://0x7f.1/', 'http://[::ffff:127.0.0.1]/', 'http://127.1/'])(
    'is known in the spelling %s',
    async (url) => {
      const rules = { allow: [], deny: ['127.0.0.0/8'] };
      expect(await postOutgoing({ url, method: 'POST', body: '' }, deps({ rules }))).toMatchObject({
        kind: 'refused',
        problem: expect.stringMatching(/may not be called/),
      });
    },
  );

  it('is not reached by a name that changes its answer between check and connection', async () => {
    const asked: string[] = [];
    // First the receiver, then the metadata service: whoever resolved twice would connect to the second.
    const resolve = async (host: string) => {
      asked.push(host);
      return [{ address: asked.length === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 as const }];
    };
    const url = `http://rebinding.example.com:${receiver.port}/hook`;
    const before = receiver.received.length;
    expect(await postOutgoing({ url, method: 'POST', body: '' }, deps({ resolve }))).toEqual({ ok: true });
    expect(asked).toEqual(['rebinding.example.com']);
    expect(receiver.received.slice(before).map(({ headers }) => headers.host)).toEqual([
      `rebinding.example.com:${receiver.port}`,
    ]);
    expect(await postOutgoing({ url, method: 'POST', body: '' }, deps({ resolve }))).toMatchObject({
      kind: 'refused',
      problem: expect.stringMatching(/metadata/),
    });
  });

  it('is left out where a name has others too', async () => {
    const resolve = async () => [
      { address: '169.254.169.254', family: 4 as const },
      { address: '127.0.0.1', family: 4 as const },
    ];
    const url = `http://both.example.com:${receiver.port}/`;
    expect(await postOutgoing({ url, method: 'POST', body: '' }, deps({ resolve }))).toEqual({ ok: true });
  });
});

describe('what is said of a failure', () => {
  it('holds no secret, whatever the receiver repeats', async () => {
    const secret = 'T0KEN+in/the path';
    const url = `${receiver.url}/services/${encodeURIComponent(secret)}?key=querysecret`;
    receiver.answer((request, response) => {
      response.writeHead(500).end(`no: ${request.path} ${secret} ${Buffer.from(secret).toString('base64')}`);
    });
    const scrub = secretScrubber([secret, ...secretsOfUrl(url)]);
    const delivery = await postOutgoing({ url, method: 'POST', body: '' }, deps({ scrub }));
    const told = JSON.stringify(delivery);
    expect(told).toContain('****');
    for (const part of [
      secret,
      encodeURIComponent(secret),
      'querysecret',
      Buffer.from(secret).toString('base64'),
    ])
      expect(told).not.toContain(part);
  });

  it('takes a secret out in each form that it may come back in', () => {
    const scrub = secretScrubber(['pass/w=rd', 'pass/w=rd-and-more', 'abc']);
    expect(scrub('a pass/w=rd b pass%2Fw%3Drd c cGFzcy93PXJk d pass/w=rd-and-more abc')).toBe(
      'a **** b **** c **** d **** abc',
    );
  });
});

describe('Retry-After', () => {
  it.each([
    ['30', 30_000],
    ['0', 0],
    ['999999', 3_600_000],
    [new Date(NOW_MS + 60_000).toUTCString(), 60_000 - (NOW_MS % 1000)],
    [new Date(NOW_MS - 60_000).toUTCString(), 0],
    ['soon', null],
    ['', null],
    ['-5', null],
    [undefined, null],
  ])('%s is %s ms', (header, expected) => {
    expect(retryAfterMs(header, NOW_MS)).toBe(expected);
  });
});

async function rawServer(serve: (socket: import('node:net').Socket) => void) {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => serve(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}
