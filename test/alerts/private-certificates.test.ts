import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { emailChannel } from '../../server/alerts/channels/email.js';
import { postOutgoing } from '../../server/alerts/channels/post-outgoing.js';
import { ConfigError, loadConfig } from '../../server/config/config.js';
import { type Certified, selfSigned, signedBy } from '../support/certificates.js';
import { startConsole } from '../support/console.js';
import { aNotification } from '../support/notifications.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { until } from '../support/until.js';

const rules = { allow: [], deny: [] };
const deps = { rules, now: Date.now, publicUrl: null, connectWithinMs: 5_000, answerWithinMs: 5_000 };
let directory: string;
let alone: Certified;
let company: { readonly ca: Certified; readonly server: Certified };
let elsewhere: typeof company;
const servers: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-tls-'));
  alone = selfSigned(directory, 'alone');
  company = signedBy(directory, 'company', 'hook', 'IP:127.0.0.1,DNS:localhost');
  elsewhere = signedBy(directory, 'company-2', 'elsewhere', 'DNS:elsewhere.example.com');
});
afterAll(async () => {
  for (const server of servers) await server.stop();
  await rm(directory, { recursive: true, force: true });
});
const receiverWith = async (certified: Certified): Promise<Receiver> => {
  const receiver = await startReceiver(certified);
  servers.push(receiver);
  return receiver;
};
const post = (url: string, ca: string | null) =>
  postOutgoing({ url, method: 'POST', body: '{}' }, { ...deps, scrub: (text) => text, ca });

describe('a receiver over HTTPS', () => {
  it('whose certificate is self-signed gets nothing and the reason is reported; given as its own authority it is accepted', async () => {
    const receiver = await receiverWith(alone);
    expect(await post(receiver.url, null)).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^its certificate is self-signed: give who signed it as `ca`/),
    });
    expect(receiver.received).toEqual([]);
    expect(await post(receiver.url, alone.cert)).toEqual({ ok: true });
    expect(receiver.received).toHaveLength(1);
  });

  it('whose certificate a company has signed for itself is accepted with the authority of that company alone', async () => {
    const receiver = await receiverWith(company.server);
    const unknown = {
      ok: false,
      problem: expect.stringMatching(/^its certificate is not signed by anyone known/),
    };
    expect(await post(receiver.url, null)).toMatchObject(unknown);
    expect(await post(receiver.url, elsewhere.ca.cert)).toMatchObject(unknown);
    expect(receiver.received).toEqual([]);
    expect(await post(receiver.url, company.ca.cert)).toEqual({ ok: true });
  });

  it('whose certificate is for another name gets nothing, whoever signed it', async () => {
    const receiver = await receiverWith(elsewhere.server);
    expect(await post(receiver.url, elsewhere.ca.cert)).toMatchObject({
      problem: 'its certificate is for another name',
    });
    expect(receiver.received).toEqual([]);
  });

  it('that speaks plain HTTP is told apart', async () => {
    const receiver = await startReceiver();
    servers.push(receiver);
    expect(await post(receiver.url.replace('http:', 'https:'), null)).toMatchObject({
      problem: 'it does not speak TLS on this port',
    });
  });
});

describe('a mail server with STARTTLS', () => {
  it('whose certificate is private gets no message, and is accepted with its authority', async () => {
    const texts: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      key: company.server.key,
      cert: company.server.cert,
      onData(stream, _session, callback) {
        let text = '';
        stream.on('data', (chunk) => {
          text += chunk;
        });
        stream.on('end', () => {
          texts.push(text);
          callback();
        });
      },
    });
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    servers.push({ stop: () => new Promise((resolve) => server.close(() => resolve())) });
    const send = (ca: string | null) =>
      emailChannel(
        {
          ...{ type: 'email', name: 'mail', minSeverity: 'info', instances: ['*'], host: 'localhost', ca },
          port: (server.server.address() as AddressInfo).port,
          ...{
            tls: 'starttls',
            username: null,
            password: null,
            from: 'a@example.com',
            to: ['b@example.com'],
          },
        },
        { ...deps, resolve: async () => [{ address: '127.0.0.1', family: 4 }] },
      ).send(aNotification());
    expect(await send(null)).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^its certificate is not signed by anyone known here/),
    });
    expect(texts).toEqual([]);
    expect(await send(company.ca.cert)).toEqual({ ok: true });
    expect(texts).toHaveLength(1);
  });
});

describe('as it is configured', () => {
  let redis: OwnRedis;
  beforeAll(async () => {
    redis = await startRedis({ maxmemoryBytes: 64 * 1024 * 1024 });
  });
  afterAll(() => redis?.stop());
  const fileOf = async (name: string, alerts: unknown): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, JSON.stringify({ alerts }));
    return path;
  };

  it('each channel and the heartbeat take their authority from text or a file; NODE_EXTRA_CA_CERTS is for all', async () => {
    const receiver = await receiverWith(company.server);
    const { certPath, cert } = company.ca;
    const config = await fileOf('tls.yaml', {
      channels: [
        { name: 'by-file', type: 'webhook', url: receiver.url, ca: certPath },
        { name: 'by-text', type: 'alertmanager', url: receiver.url, ca: cert },
        { name: 'without', type: 'webhook', url: receiver.url },
      ],
      deadManSwitch: { url: `${receiver.url}/beat`, everySeconds: 5, ca: certPath },
    });
    const args = ['--config', config, '--log-level', 'warn'];
    const test = async (one: Awaited<ReturnType<typeof startConsole>>, name: string) =>
      (await one.ask('POST', `/api/v1/channels/${name}/test`, {})).body;
    const plain = await startConsole({ redisUrl: redis.url, args });
    try {
      expect(await test(plain, 'by-file')).toEqual({ ok: true, problem: null });
      expect(await test(plain, 'by-text')).toEqual({ ok: true, problem: null });
      expect(await test(plain, 'without')).toMatchObject({
        ok: false,
        problem: expect.stringContaining('not signed by anyone known here'),
      });
      await until('it beats', () => receiver.received.some(({ path }) => path === '/beat'), {
        withinMs: 60_000,
      });
    } finally {
      await plain.stop();
    }
    const trusting = await startConsole({
      redisUrl: redis.url,
      args,
      env: { NODE_EXTRA_CA_CERTS: certPath },
    });
    try {
      expect(await test(trusting, 'without')).toEqual({ ok: true, problem: null });
    } finally {
      await trusting.stop();
    }
  });

  it('what is no certificate is refused at the start, and a private key is not quoted', async () => {
    for (const ca of [
      join(directory, 'nowhere.crt'),
      'relative.crt',
      alone.key,
      '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----',
    ]) {
      const channels = [{ name: 'hook', type: 'webhook', url: 'https://example.com', ca }];
      const config = await fileOf('bad-ca.yaml', { channels });
      try {
        loadConfig({ config }, {});
        expect.unreachable(ca);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        expect(String(error)).toMatch(/alerts\.channels\.0\.ca: .* must (be PEM text|hold certificates)/s);
        expect(String(error)).not.toContain(alone.key.split('\n')[1]);
      }
    }
  });
});
