import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

const admin = newToken();
const ISSUER = 'https://team.example.com';
let redis: OwnRedis;
let console_: RunningConsole;
let keyServer: Server;
let keys: JWK[] = [];
let keysRead = 0;
/** Of an assertion that is soon over, begun before all else. */
let live: ReturnType<typeof ask>;
let first: Awaited<ReturnType<typeof newKey>>;

async function newKey(kid: string, algorithm = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(algorithm);
  keys.push({ ...(await exportJWK(publicKey)), kid, alg: algorithm });
  return { kid, privateKey, algorithm };
}
/** What the proxy signs; with other claims where they are given. */
function assertion(claims: object = {}, { kid, privateKey, algorithm } = first): Promise<string> {
  const seconds = Math.floor(Date.now() / 1000);
  const usual = {
    iss: ISSUER,
    aud: 'spillway',
    exp: seconds + 600,
    email: 'ann@example.com',
    groups: ['ops'],
  };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: algorithm, kid }).sign(privateKey);
}

beforeAll(async () => {
  keyServer = createServer((_, answer) => {
    keysRead += 1;
    answer.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
  [redis, first] = await Promise.all([startRedis(), newKey('first')]);
  const roles = JSON.stringify([
    { group: 'ops', role: 'operator' },
    { group: 'support', role: 'viewer' },
  ]);
  console_ = await startConsole({
    redisUrl: redis.url,
    port: await freePort(),
    env: {
      SPILLWAY_TOKENS: `root:admin:${hashToken(admin)}`,
      SPILLWAY_TRUSTED_PROXIES: '127.0.0.1',
      SPILLWAY_HEADER_AUTH_ROLES: roles,
      SPILLWAY_ASSERTION_AUTH_ROLES: roles,
      SPILLWAY_ASSERTION_AUTH_JWKS_URL: `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/certs`,
      SPILLWAY_ASSERTION_AUTH_ISSUER: ISSUER,
      SPILLWAY_ASSERTION_AUTH_AUDIENCE: 'spillway',
    },
  });
  // Half a minute is the clocks' own.
  const exp = Math.floor(Date.now() / 1000) - 20;
  live = ask({ 'cf-access-jwt-assertion': await assertion({ exp }) }, { path: '/api/v1/live' });
});
afterAll(async () => {
  await console_?.stop();
  keyServer?.close();
  await redis?.stop();
});

/** A request from an address of this machine: the proxy's, or another. */
function ask(
  headers: Record<string, string | string[]>,
  { from = '127.0.0.1', method = 'GET', path = '/' } = {},
) {
  return new Promise<{ status: number; text: string; cookies: readonly string[] }>((resolve, reject) => {
    const asked = request(`${console_.url}${path}`, { headers, method, localAddress: from }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, text, cookies: answer.headers['set-cookie'] ?? [] }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}
const statusOf = async (headers: Record<string, string | string[]>, options = {}): Promise<number> =>
  (await ask(headers, options)).status;
const asserted = async (claims: object = {}, key = first): Promise<number> =>
  statusOf({ 'cf-access-jwt-assertion': await assertion(claims, key) });
const asAnn = { 'x-forwarded-user': 'ann@example.com', 'x-forwarded-groups': 'staff, ops' };

describe('who comes through a proxy that signs people in', () => {
  it('is who its headers say, with the role of their group, and gets no session', async () => {
    const page = await ask(asAnn);
    expect([page.status, page.cookies]).toEqual([200, []]);
    expect(page.text).toContain('ann@example.com · operator');
    expect(page.text).not.toContain('/sign-out');
    const change = { ...asAnn, 'content-type': 'application/json', origin: 'http://evil.example' };
    expect(await statusOf(change, { method: 'POST', path: '/api/v1/markers' })).toBe(403);
  });

  it('is nobody where anybody but the proxy says so', async () => {
    const headers = { ...asAnn, 'cf-access-jwt-assertion': await assertion() };
    const from = '127.0.0.2';
    expect(await statusOf(headers, { from, path: '/api/v1/overview' })).toBe(401);
    // Neither by claiming to be brought by it.
    const claimed = { ...headers, 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' };
    expect(await statusOf(claimed, { from, path: '/api/v1/overview' })).toBe(401);
    expect(await statusOf({ authorization: `Bearer ${admin}` }, { from, path: '/api/v1/overview' })).toBe(
      200,
    );
  });

  it('is refused without a group that has a role, or with two names; the log says it', async () => {
    expect(await statusOf({ ...asAnn, 'x-forwarded-groups': 'sales' })).toBe(403);
    expect(await statusOf({ 'x-forwarded-user': 'ann@example.com' })).toBe(403);
    expect(await statusOf({ ...asAnn, 'x-forwarded-user': ['eve', 'ann@example.com'] })).toBe(401);
    expect(console_.output()).toContain('ann@example.com has no role here');
  });

  it('may have a token of its provider in Authorization, which is none of ours', async () => {
    expect(await statusOf({ ...asAnn, authorization: `Bearer ${await assertion()}` })).toBe(200);
    expect(await statusOf({ ...asAnn, authorization: `Bearer ${newToken()}` })).toBe(401);
    const { text } = await ask({ ...asAnn, authorization: `Bearer ${admin}` }, { path: '/api/v1/sessions' });
    expect(JSON.parse(text)).toEqual({ sessions: [] });
  });
});

describe('an assertion', () => {
  it('lets in by what it says, before other headers', async () => {
    const page = await ask({ 'cf-access-jwt-assertion': await assertion({ groups: ['support'] }), ...asAnn });
    expect(page.text).toContain('ann@example.com · viewer');
    expect(await asserted({ groups: ['sales'] })).toBe(403);
  });

  it('is refused with another issuer, audience, algorithm, signature or time', async () => {
    const seconds = Math.floor(Date.now() / 1000);
    expect(await asserted({ iss: 'https://evil.example' })).toBe(401);
    expect(await asserted({ aud: 'other' })).toBe(401);
    expect(await asserted({ exp: undefined })).toBe(401);
    expect(await asserted({ exp: seconds - 90 })).toBe(401);
    expect(await asserted({ exp: seconds - 5 })).toBe(200);
    expect(await asserted({ nbf: seconds + 300 })).toBe(401);
    const forged = await generateKeyPair('ES256');
    expect(await asserted({}, { ...first, privateKey: forged.privateKey })).toBe(401);
    const shared = new TextEncoder().encode(JSON.stringify(keys[0]));
    const symmetric = await new SignJWT({ iss: ISSUER, aud: 'spillway', exp: seconds + 60, email: 'ann' })
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .sign(shared);
    expect(await statusOf({ 'cf-access-jwt-assertion': symmetric })).toBe(401);
    const [, body] = (await assertion()).split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
    expect(await statusOf({ 'cf-access-jwt-assertion': none })).toBe(401);
    expect(await statusOf({ 'cf-access-jwt-assertion': 'nonsense' })).toBe(401);
  });

  it('ends what is open when its time is over', async () => {
    // Comes to its end.
    expect((await live).text).toContain('event: overview');
  });

  it('is checked with the keys of now; where they can not be had, nobody gets in by it and the log says why', async () => {
    const before = keysRead;
    for (let i = 0; i < 20; i += 1) expect(await asserted()).toBe(200);
    expect(keysRead).toBe(before);
    keys = [];
    const second = await newKey('second');
    await until('the new key is known', async () => (await asserted({}, second)) === 200);
    expect(await asserted()).toBe(401);
    keyServer.close();
    keyServer.closeAllConnections();
    const third = await newKey('third');
    await until('the keys are missed', async () => (await asserted({}, third)) === 503);
    expect(console_.output()).toContain('Nobody is let in by assertions');
    expect(await asserted({}, second)).toBe(200);
    expect(await statusOf({ authorization: `Bearer ${admin}` })).toBe(200);
    expect(console_.output()).not.toMatch(/eyJ/);
  });
});
