import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

const tokens = { viewer: newToken(), operator: newToken(), admin: newToken() };
const EVIL = '<img src=x onerror=alert(1)>';
const directory = mkdtempSync(join(tmpdir(), 'spillway-tenants-'));
let redis: OwnRedis;
let console_: RunningConsole;
let queue: Queue;

beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  queue = new Queue('resync', { connection: { port: redis.port } });
  await queue.addBulk(
    Array.from({ length: 20 }, (_, i) => ({
      name: 'work',
      data: { tenant: i < 15 ? 'acme-secret' : EVIL },
    })),
  );
  const config = join(directory, 'spillway.yaml');
  writeFileSync(config, 'tenantField: tenant\n');
  console_ = await startConsole({
    redisUrl: redis.url,
    args: ['--config', config],
    env: {
      SPILLWAY_TOKENS: Object.entries(tokens)
        .map(([role, token]) => `${role}-person:${role}:${hashToken(token)}`)
        .join(','),
    },
  });
  await until('tenants are reported', async () => (await ask('operator', QUEUE)).body.tenants?.length === 2);
});
afterAll(async () => {
  await console_?.stop();
  await queue?.close();
  await redis?.stop();
  rmSync(directory, { recursive: true, force: true });
});

function ask(role: keyof typeof tokens, path: string, accept = 'application/json') {
  return console_.ask('GET', path, undefined, { authorization: `Bearer ${tokens[role]}`, accept });
}
const QUEUE = '/api/v1/instances/default/queues/resync';
const PAGE = '/i/default/q/bull%3Aresync?tab=memory';

/** The first messages of the stream that keeps a queue's page live. */
async function firstOfStream(role: keyof typeof tokens): Promise<string> {
  const response = await fetch(
    `${console_.url}/live?view=queue&instance=default&queue=bull%3Aresync&tab=memory`,
    {
      headers: { authorization: `Bearer ${tokens[role]}` },
    },
  );
  const reader = response.body?.getReader();
  let text = '';
  await until('the page is sent', async () => {
    text += new TextDecoder().decode((await reader?.read())?.value);
    return text.includes('id="tenants"') && text.includes('event: charts');
  });
  await reader?.cancel();
  return text;
}

describe('tenants of a queue', () => {
  it('are reported by the API to those who may see job data', async () => {
    const { tenants } = (await ask('operator', QUEUE)).body;
    expect(tenants).toMatchObject([
      { tenant: 'acme-secret', jobs: { value: 15, low: 15, high: 15 }, shareOfBacklog: 0.75 },
      { tenant: EVIL, jobs: { value: 5 }, shareOfBacklog: 0.25 },
    ]);
  });

  it('are hidden from a viewer: in the API, on the page and in its stream', async () => {
    const answer = await ask('viewer', QUEUE);
    expect(answer.status).toBe(200);
    expect(answer.body.tenants).toBeNull();
    const page = await ask('viewer', PAGE, 'text/html');
    expect(page.status).toBe(200);
    expect(page.text).toContain('id="tenants"');
    for (const text of [
      answer.text,
      page.text,
      await firstOfStream('viewer'),
      (await ask('viewer', '/api/v1/overview')).text,
      (await ask('viewer', '/api/v1/instances/default/queues')).text,
      (await ask('viewer', '/metrics')).text,
    ])
      expect(text).not.toContain('acme-secret');
  });

  it('are a table on the page for others, live, and never markup', async () => {
    const page = await ask('operator', PAGE, 'text/html');
    for (const text of [page.text, await firstOfStream('operator')]) {
      expect(text).toContain('acme-secret');
      expect(text).toContain('75%');
      expect(text).toContain('&lt;img src=x');
      expect(text).not.toContain(EVIL);
    }
  });
});
