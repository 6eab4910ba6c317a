import { describe, expect, it } from 'vitest';
import { AccessLog } from '../../server/auth/access-log.js';
import { hostAllowance, isOwnOrigin, originReader } from '../../server/auth/request-origin.js';
import { fingerprintOf, newToken, WrongTokens } from '../../server/auth/wrong-tokens.js';
import type { AuditRecord } from '../../server/model/audit-record.js';
import type { Actor } from '../../server/model/role.js';
import { NOW_MS } from '../support/snapshot.js';

const NOBODY: Actor = { name: 'nobody', role: 'viewer', via: 'token' };

describe('wrong tokens', () => {
  it('are too many by source, and by token wherever it comes from, within a minute', () => {
    const tries = new WrongTokens();
    const stale = newToken();
    const bySource = Array.from({ length: 11 }, (_, i) => tries.note('10.0.0.1', `word-${i}`, NOW_MS));
    expect(bySource.slice(8)).toEqual(['wrong', 'first-too-many', 'too-many']);
    expect(tries.note('10.0.0.2', 'word', NOW_MS)).toBe('wrong');
    for (let i = 0; i < 9; i++) tries.note(`10.1.0.${i}`, stale, NOW_MS);
    expect(tries.note('10.1.1.1', stale, NOW_MS)).toBe('first-too-many');
    expect(tries.note('10.0.0.1', 'word', NOW_MS + 60_000)).toBe('wrong');
  });

  it('of one IPv6 network are of one source', () => {
    const tries = new WrongTokens();
    const found = Array.from({ length: 10 }, (_, i) => tries.note(`2001:db8::${i}`, 'word', NOW_MS));
    expect(found.at(-1)).toBe('first-too-many');
  });

  it('have a fingerprint where they are of our form, and none where they may be another secret', () => {
    expect(fingerprintOf(newToken())).toMatch(/^[0-9a-f]{8}$/);
    expect(fingerprintOf('correct horse battery staple')).toBeNull();
  });
});

describe('what is recorded of the door', () => {
  const telling = () => {
    const lines: string[] = [];
    const records: AuditRecord[] = [];
    const log = {
      info: (_: object, text: string) => lines.push(text),
      warn: (_: object, text: string) => lines.push(text),
    };
    const access = new AccessLog({
      audit: { append: async (record) => void records.push(record) },
      log: log as unknown as ConstructorParameters<typeof AccessLog>[0]['log'],
      now: () => NOW_MS,
      newId: () => `id-${records.length}`,
    });
    return { lines, records, access };
  };

  it('is one line for the first, and one with a count for what follows within a minute', () => {
    const { lines, records, access } = telling();
    const event = { kind: 'wrong-token', actor: NOBODY, source: '10.0.0.1', text: 'A wrong token' } as const;
    for (let i = 0; i < 1_000; i++) access.note(event);
    access.flush();
    access.flush();
    access.note(event);
    expect(lines).toEqual([
      'A wrong token, from 10.0.0.1.',
      'A wrong token, from 10.0.0.1, 999 times within a minute.',
      'A wrong token, from 10.0.0.1.',
    ]);
    expect(records.map(({ action, status, args }) => [action, status, args.count])).toEqual([
      ['access.wrong-token', 'refused', 1],
      ['access.wrong-token', 'refused', 999],
      ['access.wrong-token', 'refused', 1],
    ]);
  });

  it('stays bounded under hostile sources, which hide no sign-in', () => {
    const { lines, records, access } = telling();
    for (let i = 0; i < 5_000; i++)
      access.note({
        kind: 'wrong-token',
        actor: NOBODY,
        source: `10.0.${i >> 8}.${i & 255}`,
        text: 'A wrong token',
      });
    const ann: Actor = { name: 'ann', role: 'admin', via: 'session' };
    access.note({ kind: 'sign-in', actor: ann, source: '10.0.0.1', text: 'ann (admin) signed in' });
    access.flush();
    expect(lines).toHaveLength(12);
    expect(records).toHaveLength(12);
    expect(lines).toContain('ann (admin) signed in, from 10.0.0.1.');
    expect(lines.at(-1)).toMatch(/various, 4990 times within a minute/);
  });
});

describe('the host names by which the console is called', () => {
  const at = (host: string, ...allowedHosts: string[]) =>
    hostAllowance({ host, allowedHosts, publicUrl: 'https://ops.example.com:8443/queues' });

  it.each(['0.0.0.0', '::'])('are those of allowedHosts, also when it is bound to %s', (host) => {
    const isAllowed = at(host, 'Spillway.example.com');
    for (const good of ['spillway.example.com', 'SPILLWAY.example.com:8443', 'localhost:3000', '[::1]:3000'])
      expect([good, isAllowed(good)]).toEqual([good, true]);
    for (const bad of ['evil.example.com', 'evil.example.com:3000', 'spillway.example.com.evil.example', ''])
      expect([bad, isAllowed(bad)]).toEqual([bad, false]);
    // A probe calls by the address, and no other site's page can.
    for (const address of ['10.1.2.3:3000', '[fd00::1]:3000']) expect(isAllowed(address)).toBe(true);
  });

  it('are any where it is bound to every address and none is given, as it can not know them', () => {
    expect(at('0.0.0.0')('anything.example.com')).toBe(true);
  });

  it('are its own and those of allowedHosts where it is bound to one address', () => {
    expect(at('10.0.0.5')('10.0.0.5:3000')).toBe(true);
    expect(at('10.0.0.5')('10.0.0.6:3000')).toBe(false);
    expect(at('::1', 'a.example')('[::1]:3000')).toBe(true);
    expect(at('10.0.0.5')('ops.example.com')).toBe(true);
  });
});

describe('where a request comes from', () => {
  const PROXIES = { basePath: '', publicUrl: null, trustedProxies: ['10.0.0.0/8', 'fd00::/8', '127.0.0.1'] };
  const from = (
    headers: Record<string, string>,
    { peer = '10.0.0.1', ...settings }: Partial<typeof PROXIES> & { peer?: string | null } = {},
  ) =>
    originReader({ ...PROXIES, ...settings })(
      new Request('http://console:3000/', { headers: { host: 'console:3000', ...headers } }),
      peer,
    );

  it.each([
    ['one proxy', { 'x-forwarded-for': '203.0.113.9' }, '203.0.113.9'],
    ['what the client made up before it', { 'x-forwarded-for': '1.1.1.1, 203.0.113.9' }, '203.0.113.9'],
    ['two proxies', { 'x-forwarded-for': '1.1.1.1, 203.0.113.9, 10.2.0.1' }, '203.0.113.9'],
    ['proxies alone', { 'x-forwarded-for': '10.3.0.1, 10.2.0.1' }, '10.3.0.1'],
    ['a port', { 'x-forwarded-for': '203.0.113.9:5511' }, '203.0.113.9'],
    ['IPv6', { forwarded: 'for="[2001:db8::7]:4711";proto=https, for=10.2.0.1' }, '2001:db8::7'],
    ['Forwarded', { forwarded: 'for=1.1.1.1, For=203.0.113.9 ; proto=https' }, '203.0.113.9'],
    ['a hidden one', { forwarded: 'for=203.0.113.9, for=_hidden' }, 'unknown'],
    ['no word', {}, '10.0.0.1'],
    ['two words that differ', { 'x-forwarded-for': '1.1.1.1', forwarded: 'for=203.0.113.9' }, '10.0.0.1'],
    ['two that agree', { 'x-forwarded-for': '1.1.1.1', forwarded: 'for=1.1.1.1' }, '1.1.1.1'],
  ])('is read from the headers of a trusted proxy: %s', (_, headers, address) => {
    const origin = from(headers as Record<string, string>);
    expect([origin.address, origin.isProxied]).toEqual([address, true]);
    expect(from(headers as Record<string, string>, { peer: '::ffff:10.0.0.1' }).isProxied).toBe(true);
  });

  it('is the other end of the socket for everybody else, whatever they send', () => {
    const lies = {
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'ops.example.com',
      'x-forwarded-proto': 'https',
      'x-forwarded-prefix': '/evil',
      forwarded: 'for=127.0.0.1;host=ops.example.com;proto=https',
    };
    const honest = { isProxied: false, hosts: ['console:3000'], isHttps: false, base: '' };
    expect(from(lies, { peer: '203.0.113.9' })).toEqual({ address: '203.0.113.9', ...honest });
    expect(from(lies, { peer: null })).toEqual({ address: 'unknown', ...honest });
    expect(from(lies, { trustedProxies: [] })).toEqual({ address: '10.0.0.1', ...honest });
  });

  it('has the name, scheme and path that the proxy was called by', () => {
    expect(
      from({
        'x-forwarded-host': 'ops.example.com',
        'x-forwarded-proto': 'https',
        'x-forwarded-prefix': '/ops/',
      }),
    ).toMatchObject({ hosts: ['console:3000', 'ops.example.com'], isHttps: true, base: '/ops' });
    const prefix = { 'x-forwarded-prefix': '/ops' };
    expect(from(prefix, { basePath: '/ops/queues' }).base).toBe('/ops/queues');
    expect(from(prefix, { basePath: '/queues' }).base).toBe('/ops/queues');
    expect(from(prefix, { basePath: '/q', publicUrl: 'https://a.example/x/q' as never }).base).toBe('/x/q');
    for (const bad of ['//evil.example', '/a"onload="x', 'ops', '/a//b', `/${'a'.repeat(101)}`])
      expect([bad, from({ 'x-forwarded-prefix': bad }).base]).toEqual([bad, '']);
  });

  it('is the console’s own page where the browser says so, by whatever name the proxy calls it', () => {
    const isOwn = (headers: Record<string, string>, publicUrl: string | null = null) =>
      isOwnOrigin(new Headers(headers), from(headers), publicUrl);
    const origin = 'https://ops.example.com';
    expect(isOwn({ origin, 'sec-fetch-site': 'same-origin' })).toBe(true);
    expect(isOwn({ origin: 'http://console:3000' })).toBe(true);
    expect(isOwn({ origin, 'x-forwarded-host': 'ops.example.com' })).toBe(true);
    expect(isOwn({ origin }, `${origin}/queues`)).toBe(true);
    expect(isOwn({ origin })).toBe(false);
    expect(isOwn({ origin: 'http://ops.example.com' }, `${origin}/queues`)).toBe(false);
    for (const site of ['same-site', 'cross-site'])
      expect(isOwn({ origin, 'sec-fetch-site': site }, origin)).toBe(false);
  });
});
