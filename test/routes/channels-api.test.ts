import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { openStore, type Store } from '../../server/open-store.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { aNotification } from '../support/notifications.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { until } from '../support/until.js';

const tokens = { viewer: newToken(), operator: newToken(), admin: newToken() };
const SECRETS = {
  HOOK_SECRET: 'hook-signing-secret-0123',
  SLACK_PATH: 'T0000/B0000/slack-path-secret',
  PD_KEY: 'pagerduty-routing-key-0123456789',
  SMTP_PASSWORD: 'smtp-password-secret',
  AM_PASSWORD: 'alertmanager-password-secret',
  BEAT_KEY: 'heartbeat-uuid-secret',
};
let redis: OwnRedis;
let receiver: Receiver;
let console_: RunningConsole;
let store: Store;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-channels-'));
  redis = await startRedis({ maxmemoryBytes: 64 * 1024 * 1024 });
  receiver = await startReceiver();
  const config = join(directory, 'spillway.yaml');
  const { url } = receiver;
  await writeFile(
    config,
    `publicUrl: https://spillway.example.com
alerts:
  channels:
    - { name: hook, type: webhook, url: "${url}/hook", secret: "\${HOOK_SECRET}" }
    - { name: team, type: slack, url: "\${SLACK_URL}", minSeverity: info }
    - { name: pager, type: pagerduty, url: "${url}/pd", routingKey: "\${PD_KEY}", minSeverity: critical }
    - { name: am, type: alertmanager, url: "${url}/am", username: u, password: "\${AM_PASSWORD}" }
    - { name: mail, type: email, host: 127.0.0.1, port: 9, tls: none, username: u, password: "\${SMTP_PASSWORD}", from: a@example.com, to: [b@example.com] }
  deadManSwitch: { url: "\${BEAT_URL}", everySeconds: 5 }
`,
  );
  const env = {
    SPILLWAY_TOKENS: Object.entries(tokens)
      .map(([role, token]) => `${role}-person:${role}:${hashToken(token)}`)
      .join(','),
    ...SECRETS,
    SLACK_URL: `${url}/services/${SECRETS.SLACK_PATH}`,
    BEAT_URL: `${url}/${SECRETS.BEAT_KEY}`,
  };
  const args = ['--config', config, '--log-level', 'debug'];
  console_ = await startConsole({ redisUrl: redis.url, env, dataDirectory: directory, args });
  store = await openStore(directory);
  await until('it sends', async () => (await ask('GET', '/channels')).body.isSender);
});
afterAll(async () => {
  store?.close();
  await console_?.stop();
  await receiver?.stop();
  await redis?.stop();
  await rm(directory, { recursive: true, force: true });
});

const ask = (method: string, path: string, role: keyof typeof tokens = 'admin', body?: unknown) =>
  console_.ask(method, `/api/v1${path}`, body, { authorization: `Bearer ${tokens[role]}` });
const test = (name: string, role: keyof typeof tokens = 'admin') =>
  ask('POST', `/channels/${name}/test`, role, {});

describe('channels', () => {
  it('are listed with where they lead, and without what lets their holder in', async () => {
    const { body } = await ask('GET', '/channels', 'viewer');
    expect(body.channels.map(({ name, type }: { name: string; type: string }) => `${name}: ${type}`)).toEqual(
      ['hook: webhook', 'team: slack', 'pager: pagerduty', 'am: alertmanager', 'mail: email'],
    );
    expect(body.channels[1]).toMatchObject({
      destination: receiver.url,
      minSeverity: 'info',
      instances: ['*'],
    });
  });

  it('are tested by an admin alone, at once, signed as alerts are', async () => {
    expect((await test('hook', 'operator')).status).toBe(403);
    expect((await test('nowhere')).status).toBe(404);
    const { status, body } = await test('hook');
    expect([status, body]).toEqual([200, { ok: true, problem: null }]);
    const request = receiver.received.find(({ path }) => path === '/hook');
    const signature = createHmac('sha256', SECRETS.HOOK_SECRET)
      .update(`${request?.headers['x-spillway-timestamp']}.${request?.body}`)
      .digest('hex');
    expect(request?.headers['x-spillway-signature']).toBe(`v1=${signature}`);
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      headline: 'hook: a test of this channel',
      link: 'https://spillway.example.com/channels',
      alerts: [{ cause: 'admin-person has tested this channel.', effect: 'Nothing is wrong.' }],
    });
  });

  it('that open incidents close the one that a test has opened', async () => {
    expect((await test('pager')).body.ok).toBe(true);
    const sent = receiver.received.filter(({ path }) => path === '/pd').map(({ body }) => JSON.parse(body));
    expect(sent.map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve']);
    expect(new Set(sent.map(({ dedup_key }) => dedup_key)).size).toBe(1);
  });

  it('that fail say why, and are found out by the console itself', async () => {
    receiver.answer((request, response) => {
      if (request.path.startsWith('/services')) response.writeHead(403).end(`invalid_token ${request.path}`);
      else response.end('ok');
    });
    for (let i = 0; i < 3; i += 1) {
      const { body } = await test('team');
      expect(body).toMatchObject({
        ok: false,
        problem: expect.stringMatching(/^answered 403: invalid_token/),
      });
    }
    expect((await test('mail')).body).toMatchObject({ ok: false });
    const finding = await until('there is a finding', async () => {
      const { body } = await ask('GET', '/findings', 'viewer');
      return body.findings.find(({ code }: { code: string }) => code === 'console.channels');
    });
    expect(finding).toMatchObject({ headline: 'Alerts do not reach team', instance: 'default' });
    const state = (await ask('GET', '/channels', 'viewer')).body;
    expect(state.channels[1]).toMatchObject({ failuresInRow: 3, lastSuccessAt: null });
    await until('the heartbeat stops and says why', async () =>
      /channel team has failed/.test((await ask('GET', '/channels')).body.deadManSwitch.problem ?? ''),
    );
  });
});

describe('the outbox', () => {
  it('sends what is added, keeps what is given up, sends it again or forgets it when asked', async () => {
    receiver.answer((_, response) => void response.end('ok'));
    await store.outbox.add(aNotification({ id: 'api-1' }), ['hook'], Date.now());
    await until('it arrives', () =>
      receiver.received.some(({ headers }) => headers['idempotency-key'] === 'api-1'),
    );
    // One that was given up long ago.
    await store.outbox.add(aNotification({ id: 'api-2' }), ['no-such-channel'], Date.now());
    const fence = { lease: 'alerts', holder: await holder() };
    const entry = await until('it is given up', async () => {
      // The console takes what it does not have in hand itself for left behind by a crash, and makes it due again.
      const [claimed] = await store.outbox.claim(fence, ['no-such-channel'], Date.now());
      if (claimed)
        await store.outbox.failed(claimed, fence, Date.now(), 'answered 410; refused 6 times', {
          state: 'dead',
        });
      return (await store.outbox.list(['dead'], 10)).find(({ channel }) => channel === 'no-such-channel');
    });
    const { body } = await ask('GET', '/outbox', 'viewer');
    expect(body.dead).toContainEqual(
      expect.objectContaining({
        id: entry.seq,
        headline: 'Redis is nearly full',
        lastError: 'answered 410; refused 6 times',
        nextTryAt: null,
      }),
    );
    expect((await ask('POST', `/outbox/${entry.seq}/resend`, 'viewer', {})).status).toBe(403);
    expect((await ask('POST', `/outbox/${entry.seq}/resend?dryRun=true`, 'operator', {})).status).toBe(200);
    expect((await ask('GET', '/outbox')).body.dead).toMatchObject([{ id: entry.seq }]);
    const resend = `/outbox/${entry.seq}/resend?reason=it%20is%20back`;
    expect((await ask('POST', resend, 'operator', {})).body).toEqual({ resent: entry.seq });
    expect((await ask('POST', `/outbox/${entry.seq}/resend`, 'operator', {})).status).toBe(404);
    expect((await ask('GET', '/outbox')).body.pending).toMatchObject([{ id: entry.seq, state: 'pending' }]);
    expect((await ask('POST', `/outbox/${entry.seq}/resend?dryRun=true`, 'operator', {})).status).toBe(404);
    expect((await ask('DELETE', `/outbox/${entry.seq}?dryRun=true`, 'operator')).status).toBe(200);
    expect((await ask('GET', '/outbox')).body.pending).toMatchObject([{ id: entry.seq }]);
    expect((await ask('DELETE', `/outbox/${entry.seq}`, 'operator')).body).toEqual({ removed: entry.seq });
    expect((await ask('DELETE', '/outbox/nonsense', 'operator')).status).toBe(422);
    const { body: audit } = await ask('GET', '/audit');
    expect(audit.records.find(({ action }: { action: string }) => action === 'outbox.resend').reason).toBe(
      'it is back',
    );
    expect(audit.records.map(({ action }: { action: string }) => action)).toEqual(
      expect.arrayContaining(['channel.test', 'outbox.resend', 'outbox.remove']),
    );
  });
});

it('no secret is in any answer, page or line of the log', async () => {
  const paths = [
    '/api/v1/channels',
    '/api/v1/outbox',
    '/api/v1/audit',
    '/api/v1/findings',
    '/api/v1/timeline',
  ];
  const pages = ['/channels', '/', '/audit', '/metrics', '/api/v1/openapi.json'];
  const headers = { authorization: `Bearer ${tokens.admin}`, accept: 'text/html' };
  const answers = await Promise.all(
    [...paths, ...pages].map((path) => console_.ask('GET', path, undefined, headers)),
  );
  for (const { status } of answers) expect(status).toBe(200);
  const told = [...answers.map(({ text }) => text), console_.output()].join('\n');
  expect(told).toContain('channel team');
  for (const secret of [...Object.values(SECRETS), 'slack-path-secret']) expect(told).not.toContain(secret);
});

async function holder(): Promise<string> {
  return (await store.leases.read('alerts'))?.holder ?? '';
}
