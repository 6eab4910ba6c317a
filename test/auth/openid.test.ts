import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort, type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { seal } from '../../server/auth/sealed.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { axeFinds } from '../support/axe.js';
import { openWindows } from '../support/browser-windows.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { type OpenidProvider, startOpenidProvider } from '../support/openid-provider.js';
import { until } from '../support/until.js';

const admin = newToken();
const clientSecret = 'provider-secret-horse';
const PEOPLE = { ann: ['platform', 'ops'], ben: ['support'], eve: ['sales'] };
let redis: OwnRedis;
let plan: { readonly port: number; readonly clientSecret: string; readonly consoleUrl: string };
let provider: OpenidProvider;
let console_: RunningConsole;

beforeAll(async () => {
  const [port, consolePort] = [await freePort(), await freePort()];
  plan = { port, clientSecret, consoleUrl: `http://127.0.0.1:${consolePort}/ops/queues` };
  [redis, provider] = await Promise.all([startRedis(), startOpenidProvider(plan)]);
  console_ = await startConsole({
    redisUrl: redis.url,
    port: consolePort,
    env: {
      SPILLWAY_TOKENS: `root:admin:${hashToken(admin)}`,
      SPILLWAY_PUBLIC_URL: plan.consoleUrl,
      SPILLWAY_OPENID_ISSUER: `http://127.0.0.1:${port}`,
      SPILLWAY_OPENID_CLIENT_ID: 'spillway',
      SPILLWAY_OPENID_CLIENT_SECRET: clientSecret,
      SPILLWAY_OPENID_GROUPS_CLAIM: 'realm.groups',
      SPILLWAY_OPENID_LABEL: 'Example Login',
      SPILLWAY_OPENID_CHECK_MINUTES: '0.01',
      SPILLWAY_OPENID_ROLES: JSON.stringify([
        { group: 'ops', role: 'operator' },
        { group: 'support', role: 'viewer' },
      ]),
    },
  });
});
beforeEach(async () => {
  provider = await provider.alive();
  await provider.tell(PEOPLE);
});
afterAll(async () => {
  await console_?.stop();
  await provider?.stop();
  await redis?.stop();
});

/** What a browser does without its window: keeps cookies, by host, and follows where it is led. */
function browser() {
  const jar = new Map<string, string>();
  const send = async (url: string, body?: URLSearchParams): Promise<Response> => {
    const cookie = [...jar].filter(([name]) => name.startsWith(new URL(url).host)).map(([, pair]) => pair);
    const answer = await fetch(url, {
      ...{ redirect: 'manual', headers: { cookie: cookie.join('; '), accept: 'text/html' } },
      ...(body ? { method: 'POST', body } : {}),
    });
    for (const set of answer.headers.getSetCookie()) {
      const [pair = ''] = set.split(';');
      jar.set(`${new URL(url).host} ${pair.split('=')[0]}`, pair);
    }
    return answer;
  };
  const cookie = (name: string): string => jar.get(`${new URL(plan.consoleUrl).host} ${name}`) ?? '';
  return {
    send,
    /** The pair, as it is sent. */
    cookie,
    /** Signs in at the provider. @returns the address that it leads back to. */
    async away(name: string, start: string): Promise<string> {
      let url = start;
      for (let steps = 0; steps < 10; steps += 1) {
        if (url.startsWith(`${plan.consoleUrl}/sign-in/openid/callback`)) return url;
        const answer = await send(url);
        const form = /action="([^"]+)" method="post"/.exec(await answer.clone().text())?.[1];
        const next = form
          ? await send(form, new URLSearchParams({ prompt: 'login', login: name, password: 'x' }))
          : answer;
        url = new URL(next.headers.get('location') ?? '', url).href;
      }
      throw new Error(`never came back: ${url}`);
    },
    /** Where the console sends to. */
    begin: async (to = '/'): Promise<string> =>
      (await send(`${plan.consoleUrl}/sign-in/openid?to=${encodeURIComponent(to)}`)).headers.get(
        'location',
      ) ?? '',
    /** The status of a page of the console. */
    see: async (path = '/api/v1/overview'): Promise<number> =>
      (await send(`${plan.consoleUrl}${path}`)).status,
  };
}
async function signedIn(name: string, to = '/') {
  const client = browser();
  const answer = await client.send(await client.away(name, await client.begin(to)));
  return { ...client, answer };
}
const asAdmin = (path: string) => console_.ask('GET', path, undefined, { authorization: `Bearer ${admin}` });
async function roleOf(name: string): Promise<string | undefined> {
  const { sessions } = (await asAdmin('/api/v1/sessions')).body;
  return sessions.find((session: { name: string }) => session.name === name)?.role;
}

describe('who signs in by a provider', () => {
  it('comes back to where they wanted to go, with the role of their group, in a cookie that scripts do not get', async () => {
    const { answer, see } = await signedIn('ann', '/queues?sort=name');
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/ops/queues/queues?sort=name']);
    expect(answer.headers.getSetCookie().join()).toMatch(
      /spillway_session=[\w-]{43};.*Path=\/ops\/queues;.*HttpOnly.*SameSite=Lax/,
    );
    expect(await see()).toBe(200);
    const [listed] = (await asAdmin('/api/v1/sessions')).body.sessions;
    expect(listed).toMatchObject({ name: 'ann', role: 'operator', way: 'openid', address: '127.0.0.1' });
    expect((await asAdmin('/api/v1/audit?action=access.sign-in')).text).toContain('ann (operator) signed in');
  });

  it('has the role that the provider says now, at the next check; one that it refuses is out, with open streams', async () => {
    const { see, cookie } = await signedIn('ann');
    await provider.tell({ ann: ['support'] });
    await until(
      'the role is judged anew',
      async () => (await see()) === 200 && (await roleOf('ann')) === 'viewer',
    );
    const live = await fetch(`${plan.consoleUrl}/api/v1/live`, {
      headers: { cookie: cookie('spillway_session') },
    });
    expect(live.status).toBe(200);
    await provider.tell({ ann: null });
    expect(await live.text()).toContain('event: overview');
    await until('the session has ended', async () => (await see()) === 401);
    await provider.tell(PEOPLE);
    expect(await see()).toBe(401);
    const { see: seeAsBen } = await signedIn('ben');
    await provider.tell({ ben: ['sales'] });
    await until('no group has a role any more', async () => (await seeAsBen()) === 401);
  });

  it('goes on while the provider is out of reach; nobody else comes in but by a token', async () => {
    const { see } = await signedIn('ann');
    await provider.stop();
    const lost = (): boolean => /The provider .* can not be reached now/.test(console_.output());
    await until('the provider is missed', async () => (await see()) === 200 && lost());
    const { begin, send } = browser();
    await until('nobody is sent there', async () => (await begin()) === '');
    const page = await send(`${plan.consoleUrl}/sign-in/openid`);
    expect([page.status, await page.text()]).toEqual([503, expect.stringContaining('A token still works.')]);
    expect((await asAdmin('/api/v1/overview')).status).toBe(200);
    provider = await provider.alive();
    await provider.tell(PEOPLE);
    await until('they can sign in again', async () => (await begin()) !== '');
    expect((await signedIn('ben')).answer.status).toBe(303);
  });
});

describe('who does not get in', () => {
  it('is in no group that has a role, which is in the audit', async () => {
    const { answer, see, send } = await signedIn('eve');
    const page = await answer.text();
    expect([answer.status, page]).toEqual([403, expect.stringContaining('eve has no role here')]);
    // Where the provider knows eve, it would send nobody else.
    const [, link = ''] = /href="([^"]+again=1)"/.exec(page) ?? [];
    const away = await send(new URL(link.replaceAll('&amp;', '&'), plan.consoleUrl).href);
    expect(away.headers.get('location')).toContain('prompt=login');
    expect(await see()).toBe(401);
    expect((await asAdmin('/api/v1/audit?action=access')).text).toContain(
      'eve signed in at the provider and has no role here',
    );
  });

  it('comes back in another browser, with a changed state, or a second time with the same answer', async () => {
    const client = browser();
    const back = await client.away('ann', await client.begin());
    expect((await browser().send(back)).status).toBe(403);
    const other = browser();
    await other.begin();
    expect((await other.send(back)).status).toBe(403);
    const changed = new URL(back);
    changed.searchParams.set('state', `A${changed.searchParams.get('state')?.slice(1)}`);
    expect((await client.send(changed.href)).status).toBe(403);
    expect((await client.send(back)).status).toBe(303);
    const again = await client.send(back);
    expect([again.status, again.headers.getSetCookie()]).toEqual([403, []]);
  });

  it('has a token that was made for another sign-in, or comes back too late', async () => {
    const client = browser();
    const away = new URL(await client.begin());
    away.searchParams.set('nonce', 'of-another-sign-in');
    const answer = await client.send(await client.away('ann', away.href));
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining('is not for this sign-in'),
    ]);
    const back = new URL(`${plan.consoleUrl}/sign-in/openid/callback?code=x`);
    const secret = client.cookie('spillway_begun').split('=')[1] ?? '';
    back.searchParams.set('state', seal(secret, JSON.stringify({ to: '/', atMs: Date.now() - 601_000 })));
    const late = await client.send(back.href);
    expect([late.status, await late.text()]).toEqual([403, expect.stringContaining('took too long')]);
    expect(await client.see()).toBe(401);
  });

  it('is told in our words alone what a link to the console says of an error, and led to no other site', async () => {
    const client = browser();
    await client.begin();
    const secret = client.cookie('spillway_begun').split('=')[1] ?? '';
    const back = new URL(`${plan.consoleUrl}/sign-in/openid/callback`);
    const state = seal(secret, JSON.stringify({ to: '/', atMs: Date.now() }));
    const said = {
      state,
      error: 'access_denied',
      error_description: 'call 555 0100',
      iss: `http://127.0.0.1:${plan.port}`,
    };
    back.search = new URLSearchParams(said).toString();
    const refused = await (await client.send(back.href)).text();
    expect(refused).toContain('The provider refused (access_denied).');
    expect(refused).not.toContain('555');
    for (const to of ['//evil.example', 'https://evil.example', '/\\evil.example'])
      expect((await signedIn('ann', to)).answer.headers.get('location')).toBe('/ops/queues/');
  });
});

describe('in a browser', () => {
  it('signs in by the button and out at the provider too', async () => {
    const windows = await openWindows();
    const page: Page = await windows.page({ viewport: { width: 1440, height: 900 } });
    try {
      await page.goto(`${plan.consoleUrl}/queues`);
      expect(await axeFinds(page)).toEqual([]);
      await page.getByRole('link', { name: 'Sign in with Example Login' }).click();
      await page.fill('input[name="login"]', 'ann');
      await page.fill('input[name="password"]', 'x');
      await page.click('button[type="submit"]');
      await page.waitForURL(`${plan.consoleUrl}/queues`);
      await page.getByRole('button', { name: 'Menu' }).click();
      expect(await page.textContent('.actor')).toBe('ann · operator');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('button', { name: 'Yes, sign me out' }).click();
      await page.waitForURL(`${plan.consoleUrl}/sign-in*`);
      await page.goto(`${plan.consoleUrl}/queues`);
      expect(page.url()).toContain('/sign-in?to=%2Fqueues');
      expect(await page.locator('#token').isVisible()).toBe(false);
      await page.getByText('Sign in with a token').click();
      expect(await page.locator('#token').isVisible()).toBe(true);
    } finally {
      await page.close();
      await windows.close();
    }
  });
});

describe('what the provider gave', () => {
  it('is in no log, and in the store only as it can not be read', async () => {
    const { see } = await signedIn('ann');
    expect(await see()).toBe(200);
    expect(console_.output()).not.toMatch(/provider-secret-horse|eyJ/);
    const stored = await Promise.all(
      ['spillway.db', 'spillway.db-wal'].map((name) =>
        readFile(join(console_.dataDirectory, name), 'latin1'),
      ),
    );
    expect(stored.join('')).toContain('ann');
    // A JWT has dots, what is sealed has none: some of its letters may be those that one begins with.
    expect(stored.join('')).not.toMatch(/provider-secret-horse|eyJ[\w-]+\.eyJ|refreshToken/);
  });
});
