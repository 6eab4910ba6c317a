import { describe, expect, it } from 'vitest';
import { AccessLog } from '../../server/auth/access-log.js';
import { hostAllowance } from '../../server/auth/request-origin.js';
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
  const at = (host: string, ...allowedHosts: string[]) => hostAllowance({ host, allowedHosts });

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
  });
});
