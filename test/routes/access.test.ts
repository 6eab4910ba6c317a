import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { type Answer, type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

const tokens = { viewer: newToken(), operator: newToken(), admin: newToken() };
const SECRET = 'redis-secret-horse';
let redis: OwnRedis;
let console_: RunningConsole;
let queue: Queue;
let directory: string;

/** The config file, with these tokens. */
async function configure(held: readonly (keyof typeof tokens)[]): Promise<string> {
  const path = join(directory, 'spillway.yml');
  const entries = held.map((role) => ({ name: `${role}-person`, role, sha256: hashToken(tokens[role]) }));
  await writeFile(path, JSON.stringify({ trustedProxies: ['127.0.0.1'], tokens: entries }));
  return path;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-access-'));
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  await redis.client.call('ACL', 'SETUSER', 'app', 'on', `>${SECRET}`, '~*', '&*', '+@all');
  queue = new Queue('mail', { connection: { port: redis.port } });
  await queue.add('send', { to: 'private-address' });
  console_ = await startConsole({
    redisUrl: `redis://app:${SECRET}@127.0.0.1:${redis.port}`,
    args: ['--config', await configure(['viewer', 'operator', 'admin'])],
  });
  await until(
    'the queue is seen',
    async () => (await ask('viewer', 'GET', '/api/v1/overview')).body.instances[0].totals.queues === 1,
  );
});
afterAll(async () => {
  await console_?.stop();
  await queue?.close();
  await redis?.stop();
  await rm(directory, { recursive: true, force: true });
});

function ask(role: keyof typeof tokens, method: string, path: string, body?: unknown) {
  return console_.ask(method, path, body, { authorization: `Bearer ${tokens[role]}` });
}
/** What a stream of a viewer begins with. */
async function firstOf(path: string): Promise<{ text: string }> {
  const answer = await fetch(`${console_.url}${path}`, {
    headers: { authorization: `Bearer ${tokens.viewer}` },
  });
  const reader = answer.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return { text: new TextDecoder().decode(first?.value) };
}
const QUEUE = '/api/v1/instances/default/queues/mail';

/** Of a process of this machine. */
function rssBytesOf(pid: number): number {
  return 1024 * Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
}

describe('who may do what', () => {
  it('lets no viewer change what is parked, neither over the API nor by the buttons of the page', async () => {
    const api = '/api/v1/parkings/some';
    expect((await ask('viewer', 'PATCH', api, { state: 'paused', reason: 'r' })).status).toBe(403);
    expect((await ask('viewer', 'POST', `${api}/restore`, { reason: 'r' })).status).toBe(403);
    const press = (role: 'viewer' | 'operator') =>
      fetch(`${console_.url}/parkings/some/order`, {
        method: 'POST',
        redirect: 'manual',
        headers: { authorization: `Bearer ${tokens[role]}`, origin: console_.url },
        body: new URLSearchParams({ state: 'paused' }),
      });
    expect((await press('viewer')).status).toBe(403);
    expect((await press('operator')).status).toBe(404);
  });

  it('shows nothing to those who have no token, but that the process is alive', async () => {
    for (const path of [
      '/api/v1/overview',
      '/api/v1/findings',
      QUEUE,
      `${QUEUE}/plan`,
      '/api/v1/audit',
      '/api/v1/live',
      '/api/v1/openapi.json',
      '/metrics',
      '/docs',
      '/',
    ]) {
      const answer = await console_.ask('GET', path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.text).not.toContain('mail');
    }
    expect((await console_.ask('GET', '/healthz')).status).toBe(200);
    expect((await console_.ask('GET', '/readyz')).text).not.toContain('127.0.0.1');
  });

  it('leads a browser to the sign-in page and takes it back to where it wanted to go', async () => {
    const asked = await console_.ask('GET', '/audit?x=1', undefined, { accept: 'text/html' });
    expect(asked.status).toBe(303);
    expect(asked.headers.get('location')).toBe('/sign-in?to=%2Faudit%3Fx%3D1');
  });

  it('lets a viewer see and change nothing, whatever the path', async () => {
    expect((await ask('viewer', 'GET', QUEUE)).status).toBe(200);
    const document = (await ask('viewer', 'GET', '/api/v1/openapi.json')).body;
    let tried = 0;
    for (const [path, methods] of Object.entries<object>(document.paths)) {
      for (const method of Object.keys(methods).filter((name) => name !== 'get')) {
        const answer = await ask(
          'viewer',
          method.toUpperCase(),
          `/api/v1${path.replace('{instance}', 'default').replace('{queue}', 'mail').replace('{action}', 'queue.pause')}?match=*`,
          { reason: 'x' },
        );
        expect([path, method, answer.status]).toEqual([path, method, 403]);
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThanOrEqual(4);
    expect(await redis.client.hget('bull:mail:meta', 'concurrency')).toBeNull();
  });

  it('hides job data from a viewer and shows it to an operator', async () => {
    const seen = await ask('viewer', 'GET', `${QUEUE}/jobs/1`);
    expect(seen.body).toMatchObject({
      dataHidden: true,
      data: null,
      options: null,
      logs: null,
      stackTrace: null,
    });
    expect(seen.text).not.toContain('private-address');
    expect((await ask('operator', 'GET', `${QUEUE}/jobs/1`)).text).toContain('private-address');
  });

  it('lets an operator act on queues, and only an admin on the whole Redis', async () => {
    const relief = { action: 'raise-maxmemory', maxBytes: 200 * 1024 * 1024, reason: 'x' };
    const path = '/api/v1/instances/default/relief';
    expect((await ask('operator', 'PATCH', QUEUE, { concurrency: 4, reason: 'x' })).status).toBe(200);
    expect((await ask('operator', 'POST', path, relief)).status).toBe(403);
    // It makes jobs of any content.
    expect((await ask('operator', 'POST', '/api/v1/parkings/import', {})).status).toBe(403);
    expect((await ask('admin', 'POST', path, relief)).status).toBe(200);
    const { body } = await ask('viewer', 'GET', '/api/v1/audit');
    const told = body.records.map((action: { actor: string; status: string }) => [
      action.actor,
      action.status,
    ]);
    expect(told).toEqual([
      ['admin-person', 'applied'],
      ['operator-person', 'refused'],
      ['operator-person', 'applied'],
    ]);
  });

  it('hides from a viewer what an operator looked for in errors, wherever a replay is shown', async () => {
    const filter = { errorText: 'card 4111 was declined', dataField: { path: 'card', equals: 4112 } };
    const begun = await ask('operator', 'POST', '/api/v1/replays', {
      ...{ instance: 'default', queues: ['mail'], filter, reason: 'declined by mistake' },
    });
    expect(begun.status).toBe(200);
    const replay = `/api/v1/replays/${begun.body.id}`;
    for (const path of [
      ...['/api/v1/replays', replay, `${replay}/report`, `${replay}/report.md`, '/replays'],
      ...['/api/v1/audit', '/audit', '/api/v1/timeline', '/timeline', '/live?view=replays'],
    ]) {
      const { text } = await (path.startsWith('/live') ? firstOf(path) : ask('viewer', 'GET', path));
      expect(text, path).toContain('declined by mistake');
      // An id may hold any digits.
      expect(text.replaceAll(/[0-9a-f-]{36}/g, ''), path).not.toMatch(/4111|4112/);
    }
    expect((await ask('operator', 'GET', `${replay}/report.md`)).text).toContain('4111');
    expect((await ask('operator', 'GET', replay)).body.spec.filter).toEqual(filter);
    expect((await ask('viewer', 'GET', replay)).body.spec.filter).toEqual({
      errorText: '(hidden)',
      dataField: { path: 'card' },
    });
  });
});

describe('who gives a wrong token', () => {
  const wrong = (token: string, path = '/api/v1/overview') =>
    console_.ask('GET', path, undefined, { authorization: `Bearer ${token}` });

  it('locks nobody out: a right token is taken at once, by API and by form, whoever shares its address', async () => {
    const stale = newToken();
    const answers: number[] = [];
    for (let i = 0; i < 12; i++) answers.push((await wrong(stale)).status);
    expect(answers).toEqual([...Array(9).fill(401), ...Array(3).fill(429)]);
    expect((await ask('viewer', 'GET', '/api/v1/overview')).status).toBe(200);
    expect((await signIn('typed wrongly')).status).toBe(429);
    expect((await signIn(tokens.viewer)).status).toBe(303);
    const told = await until('the door is reported', async () => {
      const { body } = await ask('operator', 'GET', '/api/v1/audit?action=access');
      const found: { action: string; summary: string }[] = body.records;
      return found.some(({ action }) => action === 'access.sign-in') && found;
    });
    const fingerprint = hashToken(stale).slice(0, 8);
    expect(told.map(({ action, summary }) => `${action}: ${summary}`)).toEqual(
      expect.arrayContaining([
        `access.wrong-token: A wrong token (SHA-256 ${fingerprint}…), from 127.0.0.1.`,
        expect.stringMatching(/^access.lock-out: Too many wrong tokens/),
        'access.sign-in: viewer-person (viewer) signed in, from 127.0.0.1.',
        expect.stringMatching(/^access.refused: PATCH .* was refused to viewer-person, who is viewer/),
      ]),
    );
    expect(console_.output()).toContain('A wrong token (SHA-256');
    expect(console_.output()).toContain('viewer-person (viewer) signed in');
    expect((await ask('viewer', 'GET', '/api/v1/audit?action=access')).status).toBe(403);
    expect((await ask('viewer', 'GET', '/audit?action=access')).text).not.toContain('Wrong token');
    expect((await ask('operator', 'GET', '/audit?action=access')).text).toContain('Wrong token');
    for (const secret of [stale, 'typed wrongly']) {
      expect(console_.output()).not.toContain(secret);
      expect(JSON.stringify(told)).not.toContain(secret);
    }
  });

  it('is not who comes through a proxy with a password of its own', async () => {
    const cookie = cookieOf(await signIn(tokens.viewer));
    const authorization = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
    for (let i = 0; i < 12; i++)
      expect(
        (await console_.ask('GET', '/api/v1/overview', undefined, { authorization, cookie })).status,
      ).toBe(200);
    const page = await console_.ask('GET', '/', undefined, { authorization, accept: 'text/html' });
    expect(page.headers.get('location')).toBe('/sign-in?to=%2F');
  });
});

async function signIn(token: string, headers: Record<string, string> = {}) {
  return fetch(`${console_.url}/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: console_.url, ...headers },
    body: new URLSearchParams({ token, to: '/audit' }),
  });
}
function cookieOf(answer: Response): string {
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

describe('a browser session', () => {
  it('starts with a token, in a cookie that scripts and other sites do not get', async () => {
    const answer = await signIn(tokens.operator);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/audit');
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    expect(cookie).not.toContain(tokens.operator);
    const session = cookie.split(';')[0] ?? '';
    expect((await console_.ask('GET', '/api/v1/overview', undefined, { cookie: session })).status).toBe(200);
    expect(
      (await console_.ask('GET', '/api/v1/overview', undefined, { cookie: `${session.slice(0, -2)}xx` }))
        .status,
    ).toBe(401);
  });

  it('ends with its sign-out, and its streams with it; a cookie of another path is no hindrance', async () => {
    const [cookie, other] = [cookieOf(await signIn(tokens.viewer)), cookieOf(await signIn(tokens.viewer))];
    const left = `spillway_session=${'x'.repeat(43)}`;
    const see = async (sent: string) =>
      (await console_.ask('GET', '/api/v1/overview', undefined, { cookie: sent })).status;
    for (const sent of [`${left}; ${cookie}`, `a=b; ${cookie}; ${left}`]) expect(await see(sent)).toBe(200);
    const live = await fetch(`${console_.url}/api/v1/live`, { headers: { cookie } });
    const out = await fetch(`${console_.url}/sign-out`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: `${left}; ${cookie}`, origin: console_.url },
    });
    expect([out.status, await see(cookie), await see(other)]).toEqual([303, 401, 200]);
    // Comes to its end: that of the session.
    expect(await live.text()).toContain('event: overview');
  });

  it('is listed for admins, who end it by API and page, with its streams; the audit has that', async () => {
    const [cookie, other] = [cookieOf(await signIn(tokens.viewer)), cookieOf(await signIn(tokens.operator))];
    const live = await fetch(`${console_.url}/api/v1/live`, { headers: { cookie } });
    for (const role of ['viewer', 'operator'] as const) {
      expect((await ask(role, 'GET', '/api/v1/sessions')).status).toBe(403);
      expect((await ask(role, 'GET', '/sessions')).status).toBe(403);
      expect((await ask(role, 'DELETE', '/api/v1/sessions/x')).status).toBe(403);
    }
    type Listed = { id: string; name: string; role: string; way: string; address: string; isOwn: boolean };
    const listed: Listed[] = (await ask('admin', 'GET', '/api/v1/sessions')).body.sessions;
    const [newest, before] = listed;
    expect([newest?.name, before]).toEqual([
      'operator-person',
      expect.objectContaining({ name: 'viewer-person', role: 'viewer', way: 'token', address: '127.0.0.1' }),
    ]);
    expect((await ask('admin', 'DELETE', `/api/v1/sessions/${before?.id}`)).status).toBe(200);
    expect((await ask('admin', 'DELETE', `/api/v1/sessions/${before?.id}`)).status).toBe(404);
    expect(await live.text()).toContain('event: overview');
    expect((await ask('admin', 'GET', '/sessions')).text).toContain(`/sessions/${newest?.id}/end`);
    const admin = cookieOf(await signIn(tokens.admin));
    const end = (headers: Record<string, string>) =>
      console_.ask('POST', `/sessions/${newest?.id}/end`, undefined, headers);
    expect((await end({ cookie: admin, origin: 'http://evil.example' })).status).toBe(403);
    expect((await end({ cookie: admin, origin: console_.url })).status).toBe(303);
    expect((await console_.ask('GET', '/api/v1/overview', undefined, { cookie: other })).status).toBe(401);
    const { body } = await ask('viewer', 'GET', '/api/v1/audit?action=session');
    const told = body.records.map((record: Record<string, string>) => [record.actor, record.summary]);
    expect(told).toEqual([
      ['admin-person', expect.stringContaining('Ended the session of operator-person that began')],
      ['admin-person', expect.stringContaining('Ended the session of viewer-person that began')],
    ]);
  });

  it('is a new one at each sign-in, and takes the place of what the browser had', async () => {
    const planted = `spillway_session=${'p'.repeat(43)}`;
    const first = cookieOf(await signIn(tokens.viewer, { cookie: planted }));
    const second = cookieOf(await signIn(tokens.viewer, { cookie: first }));
    expect(new Set([planted, first, second]).size).toBe(3);
    const see = async (cookie: string) =>
      (await console_.ask('GET', '/api/v1/overview', undefined, { cookie })).status;
    expect([await see(planted), await see(first), await see(second)]).toEqual([401, 401, 200]);
  });

  it('is for this host alone where the browser speaks https', async () => {
    const answer = await signIn(tokens.viewer, { 'x-forwarded-proto': 'https' });
    const set = answer.headers.get('set-cookie') ?? '';
    expect(set).toMatch(/^__Host-spillway_session=[\w-]{43};/);
    expect(set).toMatch(/; Path=\/;.*Secure/);
    const see = async (headers: Record<string, string>) =>
      (await console_.ask('GET', '/api/v1/overview', undefined, headers)).status;
    const https = { 'x-forwarded-proto': 'https' };
    expect(await see({ ...https, cookie: cookieOf(answer) })).toBe(200);
    expect(await see({ ...https, cookie: cookieOf(answer).replace('__Host-', '') })).toBe(401);
  });

  it('does not start with a wrong token, and says so', async () => {
    const answer = await signIn('nonsense');
    expect([422, 429]).toContain(answer.status);
    expect(await answer.text()).toContain('not one of this console');
  });

  it('never leads to another site', async () => {
    for (const to of ['//evil.example', 'https://evil.example', '/\\evil.example']) {
      const page = await console_.ask('GET', `/sign-in?to=${encodeURIComponent(to)}`);
      expect(page.text).not.toContain('evil.example');
    }
  });

  it('can not be used by a page of another site', async () => {
    const cookie = cookieOf(await signIn(tokens.admin));
    const change = { concurrency: 9, reason: 'x' };
    for (const headers of [
      { origin: 'http://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'null' },
    ]) {
      const answer = await console_.ask('PATCH', QUEUE, change, { cookie, ...headers } as Record<
        string,
        string
      >);
      expect([headers, answer.status]).toEqual([headers, 403]);
    }
    expect(
      (
        await console_.ask('PATCH', QUEUE, change, {
          cookie,
          origin: console_.url,
          'sec-fetch-site': 'same-origin',
        })
      ).status,
    ).toBe(200);
    // Over https its cookie does not even count as one.
    const secure = { cookie, origin: 'https://evil.example' };
    expect((await console_.ask('PATCH', QUEUE, change, secure)).status).toBe(401);
    expect((await signIn(tokens.admin, { origin: 'https://evil.example' })).status).toBe(403);
  });
});

describe('what a browser is refused', () => {
  const HTML = { accept: 'text/html' };
  const FORM = { ...HTML, 'content-type': 'application/x-www-form-urlencoded' };
  const bearer = (role: keyof typeof tokens) => ({ authorization: `Bearer ${tokens[role]}` });
  const tooMany = async (headers: Record<string, string>) => {
    for (let i = 0; i < 11; i++) await console_.ask('GET', '/', undefined, headers);
    return console_.ask('GET', '/', undefined, headers);
  };
  const wrong = { ...HTML, authorization: `Bearer ${newToken()}` };
  const came = { referer: `${'http://x'}/queues?a=1` };

  it.each<[number, string, string, () => Promise<Answer>]>([
    [
      401,
      'Nobody is signed in',
      '/sign-in?to=%2Fqueues%3Fa%3D1',
      () => console_.ask('POST', '/action', '', { ...FORM, referer: `${console_.url}/queues?a=1` }),
    ],
    [
      403,
      'The role does not allow this',
      '/',
      () =>
        console_.ask('GET', '/action?action=queue.pause&instance=default&queues=bull%3Amail', undefined, {
          ...HTML,
          ...bearer('viewer'),
        }),
    ],
    [
      403,
      'The request came from another site',
      '/',
      () => console_.ask('POST', '/sign-in', '', { ...FORM, ...came, origin: 'http://x' }),
    ],
    [
      404,
      'There is no such thing',
      '/',
      () => console_.ask('GET', '/nowhere', undefined, { ...HTML, ...bearer('viewer') }),
    ],
    [
      405,
      'The path does not take this method',
      '/',
      () => console_.ask('GET', '/sign-out', undefined, { ...HTML, ...bearer('viewer') }),
    ],
    [413, 'The body is too large', '/', () => console_.ask('POST', '/sign-in', 'a'.repeat(9_000), FORM)],
    [
      415,
      'The body is not of the type that is taken here',
      '/',
      () => console_.ask('POST', '/sign-in', '{}', HTML),
    ],
    [
      422,
      'A field of the request is wrong',
      '/',
      () =>
        console_.ask(
          'GET',
          '/action?action=queue.pause&instance=default&queues=bull%3Amail&args=x',
          undefined,
          {
            ...HTML,
            ...bearer('operator'),
          },
        ),
    ],
    [429, 'Too many wrong tokens', '/', () => tooMany(wrong)],
  ])('is a page that says why and where to go on: %i %s', async (status, title, way, asked) => {
    const answer = await asked();
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
    const [, heading = ''] = /<h1>([\s\S]*?)<\/h1>/.exec(answer.text) ?? [];
    expect([answer.status, heading.replace(/<[^>]*>/g, '').trim()]).toEqual([status, title]);
    expect(answer.text).toContain(`<p><a href="${way}">`);
  });

  it('stays JSON for programs, and for the API whatever asks', async () => {
    for (const [path, headers] of [
      ['/nowhere', { accept: 'application/json' }],
      ['/api/v1/nowhere', HTML],
    ] as const) {
      const answer = await console_.ask('GET', path, undefined, { ...headers, ...bearer('viewer') });
      expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
        path,
        404,
        'application/problem+json; charset=utf-8',
      ]);
    }
    const refused = await console_.ask('DELETE', '/queues', undefined, bearer('viewer'));
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET']);
  });

  it('is a part of the drawer where the drawer asked', async () => {
    const headers = { ...FORM, 'hx-request': 'true', origin: console_.url };
    const answer = await console_.ask('POST', '/action', '', headers);
    expect(answer.status).toBe(401);
    expect(answer.text).toMatch(/^<div class="drawer-problem">[\s\S]*href="\/sign-in\?to=/);
  });
});

describe('a stranger', () => {
  it('can send as much as they like: the console stays as it was, and its log too', async () => {
    const before = { rssBytes: rssBytesOf(console_.pid), output: console_.output() };
    const chunk = new TextEncoder().encode('a&'.repeat(64 * 1024));
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      let sentBytes = 0;
      const body = new ReadableStream({
        pull(controller) {
          sentBytes += chunk.length;
          if (sentBytes > 120_000_000) controller.close();
          else controller.enqueue(chunk);
        },
      });
      const headers = { 'content-type': type };
      // The connection is ended while we send, and so the answer may be lost on us.
      await fetch(`${console_.url}/sign-in`, { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
        .then((answer) => expect([413, 415]).toContain(answer.status))
        .catch((error: unknown) => expect(String(error)).toMatch(/fetch failed/));
      expect(sentBytes).toBeLessThan(32_000_000);
    }
    expect((await console_.ask('GET', '/healthz')).status).toBe(200);
    expect(rssBytesOf(console_.pid) - before.rssBytes).toBeLessThan(60_000_000);
    expect(console_.output().slice(before.output.length)).not.toMatch(/"level":50|stack/);
  });

  it('who sends what is no form reads why on a page', async () => {
    const sent = await fetch(`${console_.url}/sign-in`, {
      method: 'POST',
      headers: { accept: 'text/html', 'content-type': 'multipart/form-data; boundary=x' },
      body: 'a',
    });
    expect([sent.status, await sent.text()]).toEqual([
      415,
      expect.stringContaining('<p>Send Content-Type: application/x-www-form-urlencoded'),
    ]);
  });
});

describe('secrets', () => {
  it('are in no log, no page and no error', async () => {
    const answers = await Promise.all(
      ['/api/v1/overview', '/metrics', '/readyz', '/docs'].map((path) => ask('admin', 'GET', path)),
    );
    const all = [console_.output(), ...answers.map((answer) => answer.text)].join('\n');
    expect(all).not.toContain(SECRET);
    for (const token of Object.values(tokens)) expect(all).not.toContain(token);
  });

  it('keeps other names of the host out: a page elsewhere can not reach the console by DNS', async () => {
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const asked = request(`${console_.url}/healthz`, { headers: { host: 'evil.example' } }, (answer) =>
        resolve(answer.statusCode),
      );
      asked.once('error', reject);
      asked.end();
    });
    expect(status).toBe(421);
  });

  it('serves every page under a policy that runs no inline script', async () => {
    const policy = (await ask('admin', 'GET', '/docs')).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
  });
});

describe('a token that is taken away while the console runs', () => {
  it('ends with what it has open within seconds, its sessions for good; a bad file changes nothing', async () => {
    const cookie = cookieOf(await signIn(tokens.operator));
    const authorization = `Bearer ${tokens.operator}`;
    const streams = await Promise.all(
      [{ cookie }, { authorization }].map((headers) => fetch(`${console_.url}/api/v1/live`, { headers })),
    );
    const renew = async (held: readonly (keyof typeof tokens)[], told: string) => {
      const before = console_.output().length;
      await configure(held);
      process.kill(console_.pid, 'SIGHUP');
      await until('the file is read again', async () => console_.output().slice(before).includes(told));
    };
    await writeFile(join(directory, 'spillway.yml'), 'tokens: [{ name: ann, role: king }]');
    process.kill(console_.pid, 'SIGHUP');
    await until('that it is bad is told', async () => console_.output().includes('tokens.0.role'));
    expect((await ask('operator', 'GET', '/api/v1/overview')).status).toBe(200);
    await renew(['viewer', 'admin'], 'has been read again');
    for (const stream of streams) expect(await stream.text()).toContain('event: overview');
    expect([401, 429]).toContain((await ask('operator', 'GET', '/api/v1/overview')).status);
    await renew(['viewer', 'operator', 'admin'], 'has been read again');
    expect((await ask('operator', 'GET', '/api/v1/overview')).status).toBe(200);
    expect((await console_.ask('GET', '/api/v1/overview', undefined, { cookie })).status).toBe(401);
  });
});
